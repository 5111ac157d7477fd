//! A code of six digits proves an address.

use gatekit_core::{
    AccountStatus, Client, ConfirmEmailCodeError, Factor, MailOptions, OneTimePurpose, RequestEmailCode,
    RequestEmailCodeError, TokenSecret, UserId,
};

use super::login::Ground;
use super::{SignedIn, TakenEmail, WixMembers};
use crate::WixError;

impl WixMembers {
    /// Proves an address with the code that was mailed to it, and answers as [`login`](Self::login)
    /// does for whom it is. `state` is what [`register`](Self::register) or the refused login has
    /// returned.
    ///
    /// # Errors
    ///
    /// [`WixError::VerificationFailed`]; with the right code [`WixError::ApprovalRequired`],
    /// [`WixError::Blocked`] and [`WixError::Refused`], and the address is verified all the same;
    /// [`WixError::Unavailable`].
    pub async fn verify_email_code(&self, state: &TokenSecret, code: &str) -> Result<SignedIn, WixError> {
        self.verify_email_code_on(state, code, &Client::default(), &MailOptions::default()).await
    }

    /// [`verify_email_code`](Self::verify_email_code) of who comes from there, with notices written
    /// like this.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn verify_email_code_on(
        &self,
        state: &TokenSecret,
        code: &str,
        client: &Client,
        mails: &MailOptions,
    ) -> Result<SignedIn, WixError> {
        let (state, code, client, mails) = (state.clone(), code.to_owned(), client.clone(), mails.clone());
        self.whole(|members| async move {
            let auth = members.auth();
            let user = auth.confirm_email_code(state.expose(), &code).await.map_err(|error| match error {
                ConfirmEmailCodeError::Unavailable(error) => error.into(),
                // Which of them it is would tell whether there is a member.
                _ => WixError::VerificationFailed,
            })?;
            let account = members.account_of(&user).await?;
            if account.status == AccountStatus::Pending {
                members.tell_approver(&account).await;
            }
            let account = auth.accept_login(account, &client, &mails).await?;
            members.signed_in(&account, Ground::Login, Some(Factor::EmailCode)).await
        })
        .await
    }

    /// Mails another code in place of the one that belongs to `state`: what it must be sent with.
    /// Of a state that belongs to nothing, or to a member that has another password or status since
    /// or has proven its address, the answer looks the same, and no mail is sent. Under
    /// [`TakenEmail::AlwaysVerify`] it looks the same, too, if the member has got as many codes as
    /// it may, or has tried as many: then `state` itself is returned, and the code that was mailed
    /// for it stays what it was.
    ///
    /// # Errors
    ///
    /// [`WixError::Throttled`], unless [`TakenEmail::AlwaysVerify`]; [`WixError::Unavailable`].
    pub async fn resend_email_code(&self, state: &TokenSecret, mails: MailOptions) -> Result<TokenSecret, WixError> {
        let record = self.auth().find_one_time(OneTimePurpose::EMAIL_CODE, state.expose()).await?;
        let Some((user, rev)) = record.and_then(|record| Some((record.user_id?, record.rev))) else {
            self.auth().reject_secret(OneTimePurpose::EMAIL_CODE, None).await;
            return self.pretend_code(None, &mails).await;
        };
        // Who has asked for the first code knew the password of then, and that the address was to
        // be proven. No code follows from less.
        let account = self.auth().find_account_by_id(&user).await?;
        let another = match account {
            Some(account) if account.rev == rev && account.user.email_verified != Some(true) => {
                self.mail_code(&user, mails).await
            }
            _ => self.pretend_code(Some(&user), &mails).await,
        };
        match another {
            // Of a member it would be told, unless that is hidden.
            Err(WixError::Throttled) if self.0.taken_email == TakenEmail::AlwaysVerify => Ok(state.clone()),
            another => another,
        }
    }

    /// Does the work of mailing a code that nobody gets. The state is as good for trying codes as
    /// any other, and none is right.
    pub(super) async fn pretend_code(
        &self,
        before: Option<&UserId>,
        mails: &MailOptions,
    ) -> Result<TokenSecret, WixError> {
        self.auth().pretend_email_code(before, mails).await.map_err(|error| match error {
            RequestEmailCodeError::Unavailable(error) => error.into(),
            _ => WixError::Throttled,
        })
    }

    /// Mails a code to a member: what it must be sent with.
    pub(super) async fn mail_code(&self, user: &UserId, mails: MailOptions) -> Result<TokenSecret, WixError> {
        let request = RequestEmailCode::new(user.clone()).mails(mails);
        Ok(self.auth().request_email_code(request).await?)
    }
}
