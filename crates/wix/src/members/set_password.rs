//! `sendSetPasswordEmail`: a member chooses a password with the secret from a mail.

use gatekit_core::{
    AccountStatus, MailOptions, Password, PasswordReset, RequestPasswordReset, RequestPasswordResetError,
    ResetPasswordError, TokenSecret,
};

use super::WixMembers;
use crate::WixError;

/// How long the link is good, in seconds: three hours, as in Wix.
const TTL: i64 = 3 * 60 * 60;

/// How the mail is written that leads to a new password.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SetPasswordEmailOptions {
    /// Leave out that who did not ask for the mail can ignore it: for members who are made by
    /// somebody else.
    pub hide_ignore_message: bool,
    /// Prefix, page and language.
    pub mails: MailOptions,
    /// Whether the app's own code asks, and not a visitor: then the mail goes to an unverified
    /// address too, and has no limit. A route never sets it.
    pub trusted: bool,
}

impl SetPasswordEmailOptions {
    /// Without the words that the mail can be ignored.
    #[must_use]
    pub fn hide_ignore_message(mut self, hide: bool) -> Self {
        self.hide_ignore_message = hide;
        self
    }

    /// Whether the app's own code asks, and not a visitor.
    #[must_use]
    pub fn trusted(mut self, trusted: bool) -> Self {
        self.trusted = trusted;
        self
    }

    /// Written like this.
    #[must_use]
    pub fn mails(mut self, options: MailOptions) -> Self {
        self.mails = options;
        self
    }
}

impl WixMembers {
    /// Mails a member a link to choose a password, good once and for three hours. Of an address
    /// that is nobody's, or of a member that is blocked, has got as many mails as it may or, where
    /// that is required, has not verified its address, the answer is the same, and no mail is sent.
    ///
    /// # Errors
    ///
    /// [`WixError::Unavailable`].
    pub async fn send_set_password_email(&self, email: &str, options: SetPasswordEmailOptions) -> Result<(), WixError> {
        let SetPasswordEmailOptions { hide_ignore_message, mails, trusted } = options;
        let mails = mails.hide_ignore_message(hide_ignore_message);
        let request = RequestPasswordReset::email(email).set_password(true).trusted(trusted).ttl(TTL);
        let request = request.mails(self.with_set_password_page(mails));
        match self.auth().request_password_reset(request).await {
            Err(RequestPasswordResetError::Unavailable(error)) => Err(error.into()),
            // Whatever the policy reveals elsewhere.
            _ => Ok(()),
        }
    }

    /// Resets a member's password, as the site's owner does: all of its sessions end, no login with
    /// the password that it had gets in any more ([`WixError::PasswordReset`], `-19973`), and a
    /// link to choose a new one is mailed to it. Once that is chosen the member logs in as ever.
    /// For trusted callers. Again, it mails another link.
    ///
    /// # Errors
    ///
    /// [`WixError::UnknownMember`]; [`WixError::Conflict`] for a member that is pending or blocked;
    /// [`WixError::Unavailable`].
    pub async fn reset_password_by_email(&self, email: &str) -> Result<(), WixError> {
        let email = email.to_owned();
        self.whole(|members| async move {
            let account = members.find_by_email(&email).await?;
            match account.status {
                AccountStatus::Active => {
                    members.auth().set_account_status(&account.user.id, AccountStatus::PasswordReset).await?;
                }
                AccountStatus::PasswordReset => {}
                _ => return Err(WixError::Conflict),
            }
            let options = SetPasswordEmailOptions::default().trusted(true).mails(members.mails_to(&account.user));
            members.send_set_password_email(&email, options).await
        })
        .await
    }

    /// Chooses a password with the secret from the mail. All sessions of the member end, and nobody
    /// is logged in by it.
    ///
    /// # Errors
    ///
    /// [`WixError::InvalidRecoveryToken`]; [`WixError::Invalid`] if the password is not accepted,
    /// and the secret is still good then; [`WixError::Unavailable`].
    pub async fn set_password(
        &self,
        secret: impl Into<TokenSecret>,
        new: impl Into<Password>,
        notices: MailOptions,
    ) -> Result<(), WixError> {
        let reset = PasswordReset::new(secret, new).mails(notices);
        self.auth().reset_password(reset).await.map_err(|error| match error {
            ResetPasswordError::Password(error) => error.into(),
            ResetPasswordError::Unavailable(error) => WixError::Unavailable(error),
            _ => WixError::InvalidRecoveryToken,
        })
    }
}
