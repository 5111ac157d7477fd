//! A new password, with the old one.

use std::future::ready;

use crate::flow_error::flow_error;
use crate::flows::password::Claim;
use crate::{
    Account, Auth, HookVeto, MailOptions, Password, PasswordError, PasswordOwner, PasswordUse, TokenRecord, UserId,
    VerifyPasswordError,
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

flow_error! {
    /// Why a password was not changed.
    pub enum ChangePasswordError {
        /// There is no such user.
        #[error("User {0} not found")]
        UserNotFound(UserId) = Unauthenticated "USER_NOT_FOUND",
        /// The old password is wrong.
        #[error("Invalid current password")]
        WrongPassword = Invalid "INVALID_PASSWORD",
        /// The account was changed at the same time, and this change lost.
        #[error("the account was changed at the same time")]
        Conflict = Conflict "CONFLICT",
    }
    or {
        /// A hook refused the attempt.
        Refused(HookVeto),
        /// The new password is not accepted.
        Password(PasswordError),
    }
    from VerifyPasswordError { WrongPassword, Refused(veto), Unavailable(error) }
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
        let claim = Claim::User(&user_id, PasswordUse::ChangePassword);
        let found = self.check_password(claim, ready(Ok(Some(found))), old).await?.account;
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
