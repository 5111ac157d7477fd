//! A password that is about to be verified, for hooks and events.

use std::fmt;

use crate::{Client, Identifier, UserId};

/// What a password is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum PasswordUse {
    /// A login, by whatever route.
    Login,
    /// A fresh token: [`Auth::step_up`](crate::Auth::step_up).
    StepUp,
    /// [`Auth::change_password`](crate::Auth::change_password).
    ChangePassword,
    /// [`Auth::request_email_change`](crate::Auth::request_email_change).
    ChangeEmail,
    /// [`Auth::delete_account`](crate::Auth::delete_account).
    DeleteAccount,
    /// Something of the app's own: [`Auth::verify_password`](crate::Auth::verify_password).
    Other(&'static str),
}

impl PasswordUse {
    /// The stable word for it, in events and log lines.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::StepUp => "step_up",
            Self::ChangePassword => "change_password",
            Self::ChangeEmail => "change_email",
            Self::DeleteAccount => "delete_account",
            Self::Other(word) => word,
        }
    }
}

/// A password is about to be verified: what [`Hooks::before_verify`](crate::Hooks::before_verify)
/// is asked about.
#[derive(Clone)]
#[non_exhaustive]
pub struct PasswordAttempt {
    /// What the password is asked for.
    pub used_for: PasswordUse,
    /// At a login: which address or name was given, as it is looked up. An account may have it or
    /// not. `None` where a user is logged in already, and for what no account can have.
    ///
    /// People type passwords into the field for the name: count it, and keep it out of logs.
    /// `Debug` shows only its kind.
    pub identifier: Option<Identifier>,
    /// Where a user is logged in already: who.
    pub user_id: Option<UserId>,
    /// From where, as far as that is known.
    pub client: Client,
}

impl fmt::Debug for PasswordAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { used_for, identifier, user_id, client } = self;
        let kind = identifier.as_ref().map(|identifier| identifier.kind);
        let mut shown = f.debug_struct("PasswordAttempt");
        shown.field("used_for", used_for).field("identifier", &kind).field("user_id", user_id).field("client", client);
        shown.finish()
    }
}
