//! What an event says beside what happened: when, from where, which identifier was tried, and why
//! a login failed.

use std::fmt;

use crate::{Identifier, IdentifierKind, Timestamp, TokenClient, email};

/// When an event happened, and from where it was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct EventContext {
    /// When, by the clock of the `Auth`.
    pub at: Timestamp,
    /// The client: its network, not its address, and its `User-Agent`, at most 256 bytes without
    /// control characters. Nothing is known of it where a flow was called from code without
    /// [`Auth::for_client`](crate::Auth::for_client).
    pub client: TokenClient,
}

impl EventContext {
    /// At this moment, from this client: for tests of hooks.
    #[must_use]
    pub fn new(at: Timestamp, client: TokenClient) -> Self {
        Self { at, client }
    }
}

/// Which identifier a login named, as far as it may be kept.
///
/// People type passwords into the field for the name. So an identifier is kept only if it has the
/// form of an address, or is the name of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TriedIdentifier {
    /// An address, of at most 254 bytes. Somebody may have it or not.
    Email(String),
    /// The name of an account.
    Username(String),
    /// A name that no account has, or an address that is none. It may be a password, so it is not
    /// kept.
    Withheld,
}

impl TriedIdentifier {
    pub(crate) fn of(identifier: Option<&Identifier>, is_known: bool) -> Self {
        let Some(identifier) = identifier else { return Self::Withheld };
        let value = &identifier.value;
        match identifier.kind {
            _ if email::is_valid(value) => Self::Email(value.clone()),
            IdentifierKind::Username if is_known => Self::Username(value.clone()),
            _ => Self::Withheld,
        }
    }
}

/// The identifier, with control characters escaped; `(withheld)` for one that is not kept.
impl fmt::Display for TriedIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(value) | Self::Username(value) => write!(f, "{}", value.escape_debug()),
            Self::Withheld => f.write_str("(withheld)"),
        }
    }
}

/// Why a login failed. It is for the app and the log: a client learns less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LoginFailure {
    /// No account has the address or the name.
    UnknownAccount,
    /// The password is wrong, or the account has none.
    WrongPassword,
    /// Another proof is wrong, such as the response of HTTP Digest.
    WrongProof,
    /// The password is right, and the account is not approved yet.
    Pending,
    /// The password is right, and the account is blocked.
    Blocked,
    /// The password is right, and was reset by those who run the app.
    PasswordReset,
    /// The password is right, and the address has to be verified first.
    EmailNotVerified,
    /// A hook refused it.
    Refused,
}

impl LoginFailure {
    /// The stable word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UnknownAccount => "unknown_account",
            Self::WrongPassword => "wrong_password",
            Self::WrongProof => "wrong_proof",
            Self::Pending => "account_pending",
            Self::Blocked => "account_blocked",
            Self::PasswordReset => "password_reset",
            Self::EmailNotVerified => "email_not_verified",
            Self::Refused => "refused_by_hook",
        }
    }
}
