//! A new password, with the old one.

use crate::{
    Account, Auth, MailOptions, Password, PasswordError, PasswordOwner, PasswordUse, Refusal, StoreError, TokenRecord,
    Unavailable, UserId, VerifyPasswordError,
};

/// A user wants another password.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChangePassword {
    /// Whose.
    pub user_id: UserId,
    /// The present one.
    pub old: Password,
    /// The next one.
    pub new: Password,
    /// The token the user asks with, which stays alive. All others end.
    pub keep: Option<TokenRecord>,
    /// How the notice is written.
    pub mails: MailOptions,
}

impl ChangePassword {
    /// From the old one to the new one; every token of the user ends.
    #[must_use]
    pub fn new(user_id: impl Into<UserId>, old: impl Into<Password>, new: impl Into<Password>) -> Self {
        Self { user_id: user_id.into(), old: old.into(), new: new.into(), keep: None, mails: MailOptions::default() }
    }

    /// And this token stays alive.
    #[must_use]
    pub fn keep(mut self, token: TokenRecord) -> Self {
        self.keep = Some(token);
        self
    }

    /// With the notice written like this.
    #[must_use]
    pub fn mails(mut self, options: MailOptions) -> Self {
        self.mails = options;
        self
    }
}

/// Why a password was not changed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangePasswordError {
    /// There is no such user. HTTP status 401, as in LoopBack.
    #[error("User {0} not found")]
    UserNotFound(UserId),
    /// The old password is wrong. HTTP status 400, as in LoopBack.
    #[error("Invalid current password")]
    WrongPassword,
    /// A hook refused the attempt. HTTP status 403.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The new password is not accepted. HTTP status 422.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The account was changed at the same time, and this change lost. HTTP status 409.
    #[error("the account was changed at the same time")]
    Conflict,
    /// It cannot be done now. HTTP status 503.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl ChangePasswordError {
    /// The stable code. The first two are LoopBack's.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::UserNotFound(_) => "USER_NOT_FOUND",
            Self::WrongPassword => "INVALID_PASSWORD",
            Self::Refused(refusal) => &refusal.code,
            Self::Password(error) => error.code(),
            Self::Conflict => "CONFLICT",
            Self::Unavailable(_) => "SERVICE_UNAVAILABLE",
        }
    }
}

impl From<VerifyPasswordError> for ChangePasswordError {
    fn from(error: VerifyPasswordError) -> Self {
        match error {
            VerifyPasswordError::WrongPassword => Self::WrongPassword,
            VerifyPasswordError::Refused(refusal) => Self::Refused(refusal),
            VerifyPasswordError::Unavailable(error) => Self::Unavailable(error),
        }
    }
}

impl From<StoreError> for ChangePasswordError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl<U: Account> Auth<U> {
    /// Replaces a password, given the old one (ASVS 6.2.3), and ends all tokens of the user but the
    /// one to keep.
    ///
    /// The bump of the user's `rev` is one atomic step with the new hash, so no old token can
    /// outlive a crash in between.
    ///
    /// # Errors
    ///
    /// [`ChangePasswordError`].
    pub async fn change_password(&self, change: ChangePassword) -> Result<(), ChangePasswordError> {
        let auth = &*self.0;
        let ChangePassword { user_id, old, new, keep, mails } = change;
        let Some(found) = self.bounded(auth.users.find_user(&user_id)).await? else {
            return Err(ChangePasswordError::UserNotFound(user_id));
        };
        self.verify_password_of(&user_id, Some(&found), old, PasswordUse::ChangePassword).await?;
        self.check_new_password(&new, PasswordOwner::of(&found.user))?;
        let hash = self.hash_password(new).await?;
        let auth = self.clone();
        self.change(|mut change| async move {
            let rev = auth.commit_password(&mut change, &found, &hash).await?;
            let rev = rev.ok_or(ChangePasswordError::Conflict)?;
            auth.after_new_rev(&user_id, keep.as_ref(), rev).await;
            auth.after_new_password(&found.user, false, &mails).await;
            Ok(())
        })
        .await
    }
}
