//! `generateSessionToken`: a session token for whom the app knows by other means.

use gatekit_core::{AccountName, AccountStatus, KnownAccount, ResetPasswordError, UpdateUser};
use serde_json::{Map, Value};

use super::WixMembers;
use super::login::Ground;
use crate::member::MemberUser;
use crate::{SessionToken, WixError};

/// What the app knows of whom it vouches for.
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub struct GenerateOptions {
    /// Make a member with a password that nobody knows, if there is none with this address. Wix
    /// does; here nobody becomes a member by an address that the app has not looked at.
    pub create_if_missing: bool,
    /// The app, or whom it trusts, has seen that the address is the member's. It is proven from
    /// then on.
    pub email_verified: bool,
}

impl GenerateOptions {
    /// With a new member, if there is none.
    #[must_use]
    pub fn create_if_missing(mut self, create: bool) -> Self {
        self.create_if_missing = create;
        self
    }

    /// With an address that the app has seen to be the member's.
    #[must_use]
    pub fn email_verified(mut self, verified: bool) -> Self {
        self.email_verified = verified;
        self
    }
}

impl WixMembers {
    /// A session token without a password, such as for single sign-on. **For trusted callers
    /// alone**: who reaches it is any member.
    ///
    /// # Errors
    ///
    /// [`WixError::UnknownMember`], [`WixError::ApprovalRequired`], [`WixError::Blocked`],
    /// [`WixError::Unavailable`].
    pub async fn generate_session_token(&self, email: &str) -> Result<SessionToken, WixError> {
        self.generate_session_token_with(email, GenerateOptions::default()).await
    }

    /// [`generate_session_token`](Self::generate_session_token), with more to say.
    ///
    /// Whoever signs up first with an address that is not its own has a password to the account
    /// that its owner comes to by this. Where that can be, let addresses be verified
    /// (`policy.email.verification_required`): then a password that was chosen before
    /// [`email_verified`](GenerateOptions::email_verified()) has proven the address is good for
    /// nothing any more, and the member gets one by
    /// [`send_set_password_email`](Self::send_set_password_email).
    ///
    /// # Errors
    ///
    /// As there; and if a member is made, as [`register`](Self::register).
    pub async fn generate_session_token_with(
        &self,
        email: &str,
        options: GenerateOptions,
    ) -> Result<SessionToken, WixError> {
        let email = email.to_owned();
        self.whole(|members| async move { members.generated(&email, options).await }).await
    }

    async fn generated(&self, email: &str, options: GenerateOptions) -> Result<SessionToken, WixError> {
        let found = self.auth().find_account(&AccountName::email(email)).await?;
        let mut account = match found {
            Some(account) => account,
            None if options.create_if_missing => {
                let user = self.create(email, options.email_verified).await?;
                self.account_of(&user).await?
            }
            None => return Err(WixError::UnknownMember),
        };
        match account.status {
            AccountStatus::Active => {}
            AccountStatus::Pending => return Err(WixError::ApprovalRequired),
            AccountStatus::PasswordReset => return Err(WixError::PasswordReset),
            _ => return Err(WixError::Blocked),
        }
        if options.email_verified && account.user.email_verified != Some(true) {
            if self.verifies_email() {
                self.forget_password(&account).await?;
            }
            let changes = Map::from_iter([("emailVerified".to_owned(), Value::Bool(true))]);
            let update = UpdateUser::patch(account.user.id.clone(), changes).trusted();
            let user = self.auth().update_user(update).await?;
            account = self.account_of(&user).await?;
        }
        self.issue_session_token(&account, Ground::App, None).await
    }

    /// Gives a member a password that nobody knows: who has chosen the one before has not proven
    /// the address.
    async fn forget_password(&self, account: &KnownAccount<MemberUser>) -> Result<(), WixError> {
        let unknown = self.auth().new_secret()?.expose().into();
        self.auth().set_password(&account.user.id, unknown, None).await.map_err(|error| match error {
            ResetPasswordError::Password(error) => error.into(),
            ResetPasswordError::Unavailable(error) => WixError::Unavailable(error),
            ResetPasswordError::UserNotFound(_) => WixError::UnknownMember,
            _ => WixError::Conflict,
        })
    }
}
