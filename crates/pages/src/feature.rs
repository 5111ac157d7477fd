//! The features that pages belong to.

use gatekit_core::{Need, UserOperation};

/// Pages that belong together. A feature that is not mounted does not exist, and no page links to
/// it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// `/register`
    Register,
    /// `/login`, `/logout`, `/confirm-password`
    Login,
    /// `/forgot-password`, `/reset-password`
    ResetPassword,
    /// `/verify-email`, `/resend-verification`. Needs [`UserOperation::Update`].
    VerifyEmail,
    /// `/change-password`, `/.well-known/change-password`
    ChangePassword,
    /// `/change-email`, `/confirm-email-change`. Needs [`UserOperation::Update`] and
    /// [`Need::Counters`].
    ChangeEmail,
    /// `/account`, with the user's sessions
    Account,
    /// `/delete-account`. Needs [`UserOperation::Delete`].
    DeleteAccount,
}

impl Feature {
    pub(crate) const ALL: [Self; 8] = [
        Self::Register,
        Self::Login,
        Self::ResetPassword,
        Self::VerifyEmail,
        Self::ChangePassword,
        Self::ChangeEmail,
        Self::Account,
        Self::DeleteAccount,
    ];

    /// The page that its mails lead to, if it mails any.
    pub(crate) fn mailed_page(self) -> Option<&'static str> {
        match self {
            Self::ResetPassword => Some("/reset-password"),
            Self::VerifyEmail => Some("/verify-email"),
            Self::ChangeEmail => Some("/confirm-email-change"),
            _ => None,
        }
    }

    /// What it needs of the stores.
    pub(crate) const fn needs(self) -> &'static [Need] {
        match self {
            Self::VerifyEmail => &[Need::Users(UserOperation::Update)],
            Self::ChangeEmail => &[Need::Users(UserOperation::Update), Need::Counters],
            Self::DeleteAccount => &[Need::Users(UserOperation::Delete)],
            _ => &[],
        }
    }
}
