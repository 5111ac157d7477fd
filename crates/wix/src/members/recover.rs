//! A lost password: a mail, and a login with the password that is chosen.

use gatekit_core::{
    AccountStatus, Factor, MailOptions, OneTimePurpose, Password, RequestPasswordReset, RequestPasswordResetError,
    TokenSecret,
};

use super::login::Ground;
use super::{SignedIn, WixMembers};
use crate::WixError;

impl WixMembers {
    /// Mails a member who says that the password is lost. Of an address that is nobody's the answer
    /// is the same, after the same work.
    ///
    /// # Errors
    ///
    /// [`WixError::Unavailable`].
    pub async fn send_recovery_email(&self, email: &str, mails: MailOptions) -> Result<(), WixError> {
        let request = RequestPasswordReset::email(email).mails(self.with_set_password_page(mails));
        match self.auth().request_password_reset(request).await {
            Err(RequestPasswordResetError::Unavailable(error)) => Err(error.into()),
            // Whatever the policy reveals elsewhere.
            _ => Ok(()),
        }
    }

    /// Chooses a password with the secret from such a mail, and logs the member in with it. All of
    /// its sessions end.
    ///
    /// # Errors
    ///
    /// [`WixError::InvalidRecoveryToken`]; [`WixError::Invalid`] if the password is not accepted,
    /// and the secret is still good then; [`WixError::ApprovalRequired`] and [`WixError::Blocked`],
    /// and the password is chosen all the same; [`WixError::Unavailable`].
    pub async fn recover(
        &self,
        secret: impl Into<TokenSecret>,
        new: impl Into<Password>,
    ) -> Result<SignedIn, WixError> {
        let secret = secret.into();
        let found = self.auth().find_one_time(OneTimePurpose::ResetPassword, secret.expose()).await?;
        let Some(user) = found.and_then(|record| record.user_id) else {
            self.auth().reject_secret(OneTimePurpose::ResetPassword, None).await;
            return Err(WixError::InvalidRecoveryToken);
        };
        self.set_password(secret, new, MailOptions::default()).await?;
        let account = self.auth().find_account_by_id(&user).await?.ok_or(WixError::InvalidRecoveryToken)?;
        match account.status {
            AccountStatus::Active => self.signed_in(&account, Ground::SignUp, Some(Factor::MailLink)).await,
            AccountStatus::Pending => Err(WixError::ApprovalRequired),
            AccountStatus::PasswordReset => Err(WixError::PasswordReset),
            _ => Err(WixError::Blocked),
        }
    }
}
