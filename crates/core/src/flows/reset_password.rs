//! A new password for a user who has lost the old one: a mail is requested, and the secret in it is
//! used once.

use crate::flow_error::flow_error;
use crate::flows::identifier::is_possible;
use crate::flows::mailed_secret::NewMailedSecret;
use crate::flows::rev::is_outdated;
use crate::mails::{Ask, minute};
use crate::{
    Account, AccountStatus, Auth, Event, MailKind, MailOptions, OneTimePurpose, OneTimeRecord, Password, PasswordError,
    PasswordHash, PasswordOwner, StoreError, StoredUser, Test, TokenDigest, TokenRecord, TokenSecret, Unavailable,
    UserId, UserOperation, UserQuery, Where,
};

/// Somebody says they lost their password.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestPasswordReset {
    /// The address, which must be that of an account.
    pub email: String,
    /// The realm, if the app has realms. Without one it is the first user with the address, in the
    /// order of their ids.
    pub realm: Option<String>,
    /// How the mail is written.
    pub mails: MailOptions,
    /// Whether the mail asks to choose a first password, for an account that somebody else has made
    /// ([`MailKind::SetPassword`]).
    pub set_password: bool,
    /// Whether the app's own code asks, and not a stranger: an invitation, for instance. Then the
    /// mail goes to an unverified address too, and is not counted against `policy.mail.per_hour`.
    /// Off unless set; a route never sets it.
    pub trusted: bool,
    /// How long the secret is good, in seconds; `None` for `policy.tokens.reset_ttl`. Whoever reads
    /// the mail until then can take the account (ASVS 6.4.1).
    pub ttl: Option<i64>,
}

impl RequestPasswordReset {
    /// For this address.
    #[must_use]
    pub fn email(email: impl Into<String>) -> Self {
        Self {
            email: email.into(),
            realm: None,
            mails: MailOptions::default(),
            set_password: false,
            trusted: false,
            ttl: None,
        }
    }

    /// In this realm.
    #[must_use]
    pub fn realm(mut self, realm: impl Into<String>) -> Self {
        self.realm = Some(realm.into());
        self
    }

    /// With routes mounted under this prefix.
    #[must_use]
    pub fn mount(mut self, prefix: impl Into<String>) -> Self {
        self.mails.mount = Some(prefix.into());
        self
    }

    /// With the mail written like this.
    #[must_use]
    pub fn mails(mut self, options: MailOptions) -> Self {
        self.mails = options;
        self
    }

    /// Whether the mail asks to choose a first password.
    #[must_use]
    pub fn set_password(mut self, set_password: bool) -> Self {
        self.set_password = set_password;
        self
    }

    /// Whether the app's own code asks, and not a stranger.
    #[must_use]
    pub fn trusted(mut self, trusted: bool) -> Self {
        self.trusted = trusted;
        self
    }

    /// With a secret that is good for so many seconds.
    #[must_use]
    pub fn ttl(mut self, seconds: i64) -> Self {
        self.ttl = Some(seconds);
        self
    }
}

flow_error! {
    /// Why no reset was requested. Both variants of its own exist only under
    /// `Policy::reveal_unknown_email_on_reset`.
    pub enum RequestPasswordResetError {
        /// No account has the address.
        #[error("Email not found")]
        EmailNotFound = NotFound "EMAIL_NOT_FOUND",
        /// The address is not verified, and it must be
        /// ([`Policy::resets_only_verified`](crate::Policy::resets_only_verified)).
        #[error("Email has not been verified")]
        EmailNotVerified = Forbidden "RESET_FAILED_EMAIL_NOT_VERIFIED",
    }
}

/// Somebody has the secret from the mail.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct PasswordReset {
    /// The secret.
    pub token: TokenSecret,
    /// The new password.
    pub new: Password,
    /// How the notice is written.
    pub mails: MailOptions,
}

impl PasswordReset {
    /// With the secret and the new password.
    #[must_use]
    pub fn new(token: impl Into<TokenSecret>, new: impl Into<Password>) -> Self {
        Self { token: token.into(), new: new.into(), mails: MailOptions::default() }
    }

    /// With the notice written like this.
    #[must_use]
    pub fn mails(mut self, options: MailOptions) -> Self {
        self.mails = options;
        self
    }
}

flow_error! {
    /// Why a password was not reset. The secret can be used again, unless it is `InvalidToken`, or
    /// a store did not say whether it has stored the new password.
    pub enum ResetPasswordError {
        /// The secret is unknown, used, too old, or from before the account's last change.
        #[error("the reset token is not valid")]
        InvalidToken = Unauthenticated "INVALID_TOKEN",
        /// There is no such user (only from [`Auth::set_password`]).
        #[error("User {0} not found")]
        UserNotFound(UserId) = Unauthenticated "USER_NOT_FOUND",
    }
    or {
        /// The new password is not accepted.
        Password(PasswordError),
    }
}

/// The state of a link that chooses a new password.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ResetLink<U> {
    /// It chooses the password of this user.
    Good(Box<U>),
    /// It has chosen a password already, or another link of the same user has.
    Used,
    /// It is unknown, too old, or from before the account's last change.
    Invalid,
}

const PURPOSE: OneTimePurpose = OneTimePurpose::ResetPassword;

impl<U: Account> Auth<U> {
    /// Makes a secret that chooses a new password, once, within `policy.tokens.reset_ttl`, and
    /// mails it. Secrets that were mailed before stay good. One account gets
    /// `policy.mail.per_hour` of these mails, whoever asks.
    ///
    /// Where an address must be verified, or `policy.email.reset_needs_verified` is set, an
    /// unverified address gets no mail. Unless the policy reveals it, the response is the same as
    /// for an unknown address, after the same work. The mail is sent on a task of its own.
    ///
    /// # Errors
    ///
    /// [`RequestPasswordResetError`].
    pub async fn request_password_reset(&self, request: RequestPasswordReset) -> Result<(), RequestPasswordResetError> {
        let auth = &*self.0;
        let mut found = self.find_by_address(&request).await?;
        if found.is_none() && auth.policy.reveal.unknown_email_on_reset {
            return Err(RequestPasswordResetError::EmailNotFound);
        }
        let is_unverified = |found: &StoredUser<U>| found.user.email_verified() != Some(true);
        if auth.policy.resets_only_verified() && !request.trusted && found.as_ref().is_some_and(is_unverified) {
            if auth.policy.reveal.unknown_email_on_reset {
                return Err(RequestPasswordResetError::EmailNotVerified);
            }
            found = None;
        }
        // A blocked account gets no mail, and its address the response of any other.
        found = found.filter(|found| found.status != AccountStatus::Blocked);
        let ttl = request.ttl.unwrap_or(auth.policy.tokens.reset_ttl);
        let new = NewMailedSecret {
            purpose: PURPOSE,
            owner: found.as_ref().map(|found| (found.user.id(), found.rev)),
            email: None,
            ttl,
            limited: !request.trusted,
        };
        let auth = self.clone();
        self.change(|_| async move {
            let RequestPasswordReset { set_password, mails, .. } = request;
            let secret = auth.new_mailed_secret(new).await?;
            let kind = if set_password { MailKind::SetPassword } else { MailKind::ResetPassword };
            let (Some(found), Some(secret)) = (found, secret) else {
                auth.post_decoy(kind, &mails);
                return Ok(());
            };
            if let Some(to) = found.user.email() {
                let link = auth.0.links.reset(&mails, &secret);
                let until = minute(auth.now().plus_seconds(ttl));
                let minutes = ttl.div_euclid(60).max(1).to_string();
                let values = [("minutes", minutes.as_str()), ("until", until.as_str())];
                auth.post_mail(kind, to, &mails, Ask::new(link, &secret), &values);
            }
            auth.emit(Event::PasswordResetRequested { user: found.user, token: secret }).await;
            Ok(())
        })
        .await
    }

    /// The user that the mail is for. Where an address may occur once in each realm and none is
    /// named, it is the first of them by id, as in LoopBack, also where a login would have to name
    /// one.
    async fn find_by_address(&self, request: &RequestPasswordReset) -> Result<Option<StoredUser<U>>, StoreError> {
        let policy = &self.0.policy;
        let realm = request.realm.as_deref().filter(|realm| !realm.is_empty());
        let email = policy.canonical_email(&request.email);
        let is_sought = !email.is_empty() && is_possible(&email) && realm.is_none() && policy.unique_per_realm();
        if is_sought && self.supports(UserOperation::Find) {
            let condition = Where::Is { property: "email".to_owned(), test: Test::Eq(email.into()) };
            let query = UserQuery { condition, limit: Some(1), ..UserQuery::default() };
            let first = self.bounded(self.0.users.find_users(&query)).await?.into_iter().next();
            if let Some(first) = first {
                return self.bounded(self.0.users.find_user(&first.id())).await;
            }
        }
        self.find_wanted(&policy.wanted_email(&request.email, realm)).await
    }

    /// Replaces a password, given the secret from the mail, and ends all tokens of the user. Nobody
    /// is logged in by it.
    ///
    /// What makes the secret work once is the user's `rev`: the new password is stored only if
    /// `rev` is still what it was when the secret was made, and storing it changes `rev`, in one
    /// atomic step. Of twenty at the same time one wins; a store that fails leaves the secret as
    /// good as it was.
    ///
    /// # Errors
    ///
    /// [`ResetPasswordError`].
    pub async fn reset_password(&self, reset: PasswordReset) -> Result<(), ResetPasswordError> {
        let done = self.spend_reset(reset).await;
        if matches!(done, Err(ResetPasswordError::InvalidToken)) {
            self.reject_secret(PURPOSE, None).await;
        }
        done
    }

    async fn spend_reset(&self, reset: PasswordReset) -> Result<(), ResetPasswordError> {
        let auth = &*self.0;
        let digest = reset.token.digest();
        let record = self.find_reset(&digest).await?.ok_or(ResetPasswordError::InvalidToken)?;
        let user_id = record.user_id.ok_or(ResetPasswordError::InvalidToken)?;
        let found = self.bounded(auth.users.find_user(&user_id)).await?;
        let found = found.filter(|found| found.rev == record.rev).ok_or(ResetPasswordError::InvalidToken)?;
        self.replace_password(found, reset.new, None, reset.mails, Some(digest)).await
    }

    /// What the link would do if [`reset_password`](Self::reset_password) were called with its
    /// secret now. It changes nothing: a page asks it before it shows a form. An invalid link
    /// raises [`Event::SecretRefused`].
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn check_reset_link(&self, token: &TokenSecret) -> Result<ResetLink<U>, Unavailable> {
        let link = self.reset_link(token).await?;
        if matches!(link, ResetLink::Invalid) {
            self.reject_secret(PURPOSE, None).await;
        }
        Ok(link)
    }

    async fn reset_link(&self, token: &TokenSecret) -> Result<ResetLink<U>, Unavailable> {
        let Some(record) = self.find_reset(&token.digest()).await? else {
            let used = self.find_one_time(OneTimePurpose::RESET_PASSWORD_USED, token.expose()).await?;
            return Ok(if used.is_some() { ResetLink::Used } else { ResetLink::Invalid });
        };
        let Some(id) = record.user_id else { return Ok(ResetLink::Invalid) };
        let found = self.bounded::<_, StoreError>(self.0.users.find_user(&id)).await?;
        let found = found.filter(|found| found.rev == record.rev);
        Ok(found.map_or(ResetLink::Invalid, |found| ResetLink::Good(Box::new(found.user))))
    }

    /// The step that counts: the new password is stored if `rev` is still the user's. `used` is the
    /// secret that is worth nothing then.
    async fn replace_password(
        &self,
        found: StoredUser<U>,
        new: Password,
        keep: Option<TokenRecord>,
        mails: MailOptions,
        used: Option<TokenDigest>,
    ) -> Result<(), ResetPasswordError> {
        self.check_new_password(&new, PasswordOwner::of(&found.user))?;
        let hash = self.hash_password(new).await?;
        self.replace_hash(found, hash, keep, mails, used).await
    }

    /// The rest of it, once there is a hash.
    pub(super) async fn replace_hash(
        &self,
        found: StoredUser<U>,
        hash: PasswordHash,
        keep: Option<TokenRecord>,
        mails: MailOptions,
        used: Option<TokenDigest>,
    ) -> Result<(), ResetPasswordError> {
        let auth = self.clone();
        self.change(|mut change| async move {
            let rev = auth.commit_password(&mut change, &found, &hash).await?;
            let rev = rev.ok_or(ResetPasswordError::InvalidToken)?;
            auth.after_new_rev(&found.user.id(), keep.as_ref(), rev).await;
            auth.after_new_password(&found.user, true, &mails).await;
            // Dead already, with all others of the user; kept, so that its link can say that it was
            // used.
            if let Some(used) = used {
                let spent = auth.0.one_time.spend_one_time(PURPOSE, &used, OneTimePurpose::RESET_PASSWORD_USED);
                if let Err(error) = auth.bounded::<_, StoreError>(spent).await {
                    tracing::warn!(%error, "a used reset token is dead but could not be marked as used");
                }
            }
            Ok(())
        })
        .await
    }

    /// Replaces a password without the old one, for a user whom the app knows by other means, and
    /// ends all tokens but the one to keep. No route offers this unless
    /// `policy.passwords.login_token_may_reset` is set.
    ///
    /// # Errors
    ///
    /// [`ResetPasswordError`]; `InvalidToken` if the account was changed at the same time, or the
    /// token to keep has been ended.
    pub async fn set_password(
        &self,
        user_id: &UserId,
        new: Password,
        keep: Option<&TokenRecord>,
    ) -> Result<(), ResetPasswordError> {
        self.set_password_with(user_id, new, keep, &MailOptions::default()).await
    }

    /// [`set_password`](Self::set_password), with the notice written like this.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn set_password_with(
        &self,
        user_id: &UserId,
        new: Password,
        keep: Option<&TokenRecord>,
        mails: &MailOptions,
    ) -> Result<(), ResetPasswordError> {
        let auth = &*self.0;
        let found = self.bounded(auth.users.find_user(user_id)).await?;
        let found = found.ok_or_else(|| ResetPasswordError::UserNotFound(user_id.clone()))?;
        // Another request has ended the token that asks: the account is not its to take any more.
        if keep.is_some_and(|token| is_outdated(token, &found)) {
            return Err(ResetPasswordError::InvalidToken);
        }
        self.replace_password(found, new, keep.cloned(), mails.clone(), None).await
    }

    /// Whether `token` could choose a new password now, as far as can be told without trying.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn is_reset_token(&self, token: &str) -> Result<bool, Unavailable> {
        Ok(self.find_reset(&TokenDigest::of(token)).await?.is_some())
    }

    async fn find_reset(&self, digest: &TokenDigest) -> Result<Option<OneTimeRecord>, StoreError> {
        let found = self.bounded(self.0.one_time.find_one_time(PURPOSE, digest)).await?;
        let now = self.0.clock.now();
        Ok(found
            .filter(|record| record.user_type == U::model_name() && record.user_id.is_some() && now < record.expires))
    }
}
