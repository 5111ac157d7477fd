//! A code of six digits proves an address.

use gatekit_core::{Client, MailOptions, TokenSecret, UserId};

use super::{SignedIn, WixMembers};
use crate::WixError;

impl WixMembers {
    /// Proves an address with the code that was mailed to it, and logs in whose it is.
    ///
    /// # Errors
    ///
    /// [`WixError::VerificationFailed`]; [`WixError::ApprovalRequired`], [`WixError::Blocked`] and [`WixError::Refused`] with the right code;
    /// [`WixError::Unavailable`].
    pub async fn verify_email_code(&self, _state: &TokenSecret, _code: &str) -> Result<SignedIn, WixError> {
        Err(WixError::Unsupported)
    }

    /// [`verify_email_code`](Self::verify_email_code) of who comes from there, with notices written like this.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn verify_email_code_on(
        &self,
        state: &TokenSecret,
        code: &str,
        _client: &Client,
        _mails: &MailOptions,
    ) -> Result<SignedIn, WixError> {
        self.verify_email_code(state, code).await
    }

    /// Mails another code in place of the one that belongs to `state`: what it must be sent with. Of a state that belongs to nothing the
    /// answer is the same.
    ///
    /// # Errors
    ///
    /// [`WixError::Unavailable`].
    pub async fn resend_email_code(&self, _state: &TokenSecret, _mails: MailOptions) -> Result<TokenSecret, WixError> {
        Err(WixError::Unsupported)
    }

    /// Mails a code to a member: what it must be sent with.
    pub(super) async fn mail_code(&self, _user: &UserId, _mails: MailOptions) -> Result<TokenSecret, WixError> {
        Err(WixError::Unsupported)
    }
}
