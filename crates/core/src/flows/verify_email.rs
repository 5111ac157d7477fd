//! Verification of an address: a mail is sent, and the secret in it is used once.

use crate::flow_error::flow_error;
use crate::flows::compare_and_set::{ATTEMPTS, changes_too_often};
use crate::flows::mailed_secret::NewMailedSecret;
use crate::mails::{Ask, OwnWords};
use crate::{
    Account, AccountStatus, Auth, Change, CreateUserError, Event, MailContent, MailKind, MailOptions, OneTimePurpose,
    StoreError, StoredUser, TokenSecret, Unavailable, UserChange, UserId, VerifyOptions,
};

const PURPOSE: OneTimePurpose = OneTimePurpose::VerifyEmail;

/// Somebody is to get the mail with the verification link, again or for the first time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestEmailVerification {
    /// Whose address.
    pub of: VerificationOf,
    /// How the mail is written.
    pub mails: MailOptions,
}

/// How the user is named whose address is to be verified.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum VerificationOf {
    /// By id.
    User(UserId),
    /// By address, and by realm if the app has realms.
    Email {
        /// The address.
        email: String,
        /// The realm.
        realm: Option<String>,
    },
}

impl RequestEmailVerification {
    /// For the user with this id. LoopBack's `user.verify()`.
    #[must_use]
    pub fn user(id: impl Into<UserId>) -> Self {
        Self { of: VerificationOf::User(id.into()), mails: MailOptions::default() }
    }

    /// For the user with this address.
    #[must_use]
    pub fn email(email: impl Into<String>) -> Self {
        Self { of: VerificationOf::Email { email: email.into(), realm: None }, mails: MailOptions::default() }
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
}

flow_error! {
    /// Why no mail was sent.
    pub enum RequestEmailVerificationError {
        /// No user has the id. Only under `Policy::reveal_unknown_id_on_verify`.
        #[error("could not find a model with id {0}")]
        UserNotFound(UserId) = NotFound "MODEL_NOT_FOUND",
    }
}

/// Somebody has the secret from the mail.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConfirmEmail {
    /// The user's id as the link has it; `None` where the link has none.
    pub uid: Option<String>,
    /// The secret.
    pub token: TokenSecret,
}

impl ConfirmEmail {
    /// With the two values of the link.
    #[must_use]
    pub fn new(uid: impl Into<String>, token: impl Into<TokenSecret>) -> Self {
        Self { uid: Some(uid.into()), token: token.into() }
    }

    /// With the secret alone.
    #[must_use]
    pub fn token(token: impl Into<TokenSecret>) -> Self {
        Self { uid: None, token: token.into() }
    }
}

/// A user whose address is verified.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ConfirmedEmail<U> {
    /// The user, with the address.
    pub user: U,
    /// Whether the link, or another one of the user, was used before. Nothing has changed then.
    pub already: bool,
}

/// The state of a link that verifies an address, now or as a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum EmailLink {
    /// It verifies this address.
    Good {
        /// Whose link it is.
        user_id: UserId,
        /// The address it was mailed to.
        email: String,
    },
    /// The address is the user's and verified, by this link or another one.
    Used {
        /// Whose link it is.
        user_id: UserId,
        /// The address it was mailed to.
        email: String,
    },
    /// It is unknown, too old, or for an address that the user no longer has.
    Invalid,
}

flow_error! {
    /// Why an address was not verified. The secret stays good where the error is `Unavailable`.
    pub enum ConfirmEmailError {
        /// No user has the id. Only under `Policy::reveal_unknown_id_on_verify`.
        #[error("User not found: {0}")]
        UserNotFound(String) = NotFound "USER_NOT_FOUND",
        /// The secret is unknown, too old, or for another address than the user has now.
        #[error("Invalid token")]
        InvalidToken = Invalid "INVALID_TOKEN",
    }
}

impl<U: Account> Auth<U> {
    /// Makes a secret that verifies the user's address, once, within
    /// `policy.email.verification_ttl`, and mails it. Links that were mailed before stay good until
    /// they end or one of them is used. One account gets `policy.mail.per_hour` of these mails,
    /// whoever asks.
    ///
    /// Unless the policy reveals it, the response to an unknown user, to one whose address is
    /// verified, and to one that has got as many mails as it may is the same after the same work,
    /// and no mail is sent. The mail is sent on a task of its own.
    ///
    /// # Errors
    ///
    /// [`RequestEmailVerificationError`].
    pub async fn request_email_verification(
        &self,
        request: RequestEmailVerification,
    ) -> Result<(), RequestEmailVerificationError> {
        let auth = &*self.0;
        let found = match &request.of {
            VerificationOf::User(id) => {
                let found = self.bounded(auth.users.find_user(id)).await?;
                if found.is_none() && auth.policy.reveal.unknown_id_on_verify {
                    return Err(RequestEmailVerificationError::UserNotFound(id.clone()));
                }
                // Anybody may ask, and ids can be counted: a user with a verified address gets no
                // mail, unless the app wants LoopBack's behaviour.
                found.filter(|found| {
                    auth.policy.reveal.unknown_id_on_verify || found.user.email_verified() != Some(true)
                })
            }
            VerificationOf::Email { email, realm } => {
                let found = self.find_wanted(&auth.policy.wanted_email(email, realm.as_deref())).await?;
                found.filter(|found| found.user.email_verified() != Some(true))
            }
        };
        // A blocked account gets no mail: nothing that it verifies lets it in.
        let found = found.filter(|found| found.status != AccountStatus::Blocked);
        self.send_verification(found.as_ref().map(|found| &found.user), &request.mails).await?;
        Ok(())
    }

    /// The mail that a new user gets where an address must be verified. The user is stored; if this
    /// fails, it asks again.
    pub(crate) async fn verify_new_user(&self, user: &U, mails: &MailOptions) {
        let policy = &self.0.policy;
        if !policy.resets_only_verified() || !policy.email.verify_on_register || user.email_verified() == Some(true) {
            return;
        }
        if let Err(error) = self.send_verification(Some(user), mails).await {
            tracing::error!(%error, "a new user got no verification mail, and has to ask for one");
        }
    }

    async fn send_verification(&self, user: Option<&U>, mails: &MailOptions) -> Result<(), Unavailable> {
        let (auth, user, mails) = (self.clone(), user.cloned(), mails.clone());
        self.change(|_| async move {
            let secret = auth.new_verification_secret(user.as_ref()).await?;
            let (Some(user), Some(secret)) = (user, secret) else {
                auth.post_decoy(MailKind::VerifyEmail, &mails);
                return Ok(());
            };
            if let Some(to) = user.email() {
                let mail = auth.verification_mail(&user, to, &mails, &secret);
                auth.post(mail, auth.0.verify_options.from.as_deref());
            }
            auth.emit(Event::EmailVerificationRequested { user, token: secret }).await;
            Ok(())
        })
        .await
    }

    /// A secret that verifies the address of this user, stored; `None` if no mail may be sent.
    pub(crate) async fn new_verification_secret(&self, user: Option<&U>) -> Result<Option<TokenSecret>, Unavailable> {
        let new = NewMailedSecret {
            purpose: PURPOSE,
            // Of these records the address counts, and not `rev`.
            owner: user.map(|user| (user.id(), 0)),
            email: user.and_then(|user| user.email().map(str::to_owned)),
            ttl: self.0.policy.email.verification_ttl,
            limited: true,
        };
        self.new_mailed_secret(new).await
    }

    /// Marks the user's address as verified, given the two values of the mailed link.
    ///
    /// The secret is good for the address it was mailed to, and for no later one. Of twenty at the
    /// same time one verifies it. The same link again finds the address verified:
    /// [`ConfirmedEmail::already`] is set, and nothing changes. A mail scanner or a second press
    /// makes no error of what has succeeded. A store that fails leaves the secret as good as it
    /// was.
    ///
    /// # Errors
    ///
    /// [`ConfirmEmailError`].
    pub async fn confirm_email(&self, confirm: ConfirmEmail) -> Result<ConfirmedEmail<U>, ConfirmEmailError> {
        let done = self.spend_verification(confirm).await;
        if matches!(done, Err(ConfirmEmailError::InvalidToken | ConfirmEmailError::UserNotFound(_))) {
            self.reject_secret(PURPOSE, None).await;
        }
        done
    }

    async fn spend_verification(&self, confirm: ConfirmEmail) -> Result<ConfirmedEmail<U>, ConfirmEmailError> {
        let auth = &*self.0;
        let digest = confirm.token.digest();
        let (id, email, used) = match self.find_email_link(&confirm).await? {
            Some(link) => link,
            None => return Err(self.not_confirmed(confirm.uid).await),
        };
        if used {
            let found = self.bounded(auth.users.find_user(&id)).await?;
            let user = found.map(|found| found.user).filter(|user| is_verified(user, &email));
            return Ok(ConfirmedEmail { user: user.ok_or(ConfirmEmailError::InvalidToken)?, already: true });
        }
        let auth = self.clone();
        self.change(|mut change| async move {
            let user = auth.verify_address(&mut change, &id, &email).await?;
            let user = user.ok_or(ConfirmEmailError::InvalidToken)?;
            // The change is the same however often it is made; the request that spends the secret
            // is the one that made it.
            let spent = auth.0.one_time.spend_one_time(PURPOSE, &digest, OneTimePurpose::VERIFY_EMAIL_USED);
            let already = change.commit::<_, StoreError>(spent).await?.is_none();
            if !already {
                auth.emit(Event::EmailVerified { user: user.clone() }).await;
            }
            Ok(ConfirmedEmail { user, already })
        })
        .await
    }

    /// What the link would do if [`confirm_email`](Self::confirm_email) were called with it now. It
    /// changes nothing: a page asks it before it shows a button. An invalid link raises
    /// [`Event::SecretRefused`].
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn check_email_link(&self, confirm: &ConfirmEmail) -> Result<EmailLink, Unavailable> {
        let link = match self.find_email_link(confirm).await? {
            Some(link) => self.email_link(link).await?,
            None => EmailLink::Invalid,
        };
        if link == EmailLink::Invalid {
            self.reject_secret(PURPOSE, None).await;
        }
        Ok(link)
    }

    async fn email_link(&self, (id, email, used): (UserId, String, bool)) -> Result<EmailLink, StoreError> {
        let found = self.bounded(self.0.users.find_user(&id)).await?.map(|found| found.user);
        Ok(match found {
            Some(user) if is_verified(&user, &email) => EmailLink::Used { user_id: id, email },
            Some(user) if !used && user.email() == Some(email.as_str()) => EmailLink::Good { user_id: id, email },
            _ => EmailLink::Invalid,
        })
    }

    /// Whose link it is, for which address, and whether it was used. `None` if it is unknown, too
    /// old or another user's.
    async fn find_email_link(&self, confirm: &ConfirmEmail) -> Result<Option<(UserId, String, bool)>, StoreError> {
        let auth = &*self.0;
        let digest = confirm.token.digest();
        let mut found = self.bounded(auth.one_time.find_one_time(PURPOSE, &digest)).await?;
        let used = found.is_none();
        if used {
            found = self.bounded(auth.one_time.find_one_time(OneTimePurpose::VERIFY_EMAIL_USED, &digest)).await?;
        }
        let names = |id: &UserId| confirm.uid.as_deref().is_none_or(|uid| id.is_named(uid));
        Ok(found
            .filter(|record| record.user_type == U::model_name() && auth.clock.now() < record.expires)
            .and_then(|record| Some((record.user_id.filter(names)?, record.email?, used))))
    }

    /// Marks the address as verified, if it is still the user's. Returns the user then.
    pub(crate) async fn verify_address(
        &self,
        change: &mut Change,
        id: &UserId,
        email: &str,
    ) -> Result<Option<U>, StoreError> {
        for _ in 0..=ATTEMPTS {
            let found = self.bounded(self.0.users.find_user(id)).await?;
            let Some(old) = found.filter(|found| found.user.email() == Some(email)) else { return Ok(None) };
            if let Some(new) = self.store_verified(change, old).await? {
                return Ok(Some(new));
            }
        }
        Err(changes_too_often())
    }

    /// Stores that the address is verified; `None` if the user was another meanwhile.
    async fn store_verified(&self, change: &mut Change, old: StoredUser<U>) -> Result<Option<U>, StoreError> {
        if old.user.email_verified() == Some(true) {
            return Ok(Some(old.user));
        }
        let verified = UserChange { email_verified: Some(Some(true)), ..UserChange::default() };
        // No other user can have what does not change.
        let stored = self.commit_update(change, &old, verified).await.map_err(CreateUserError::of_update)?;
        Ok(stored.map(|stored| stored.user))
    }

    /// LoopBack tells an unknown user from a wrong secret.
    async fn not_confirmed(&self, uid: Option<String>) -> ConfirmEmailError {
        let Some(uid) = uid.filter(|_| self.0.policy.reveal.unknown_id_on_verify) else {
            return ConfirmEmailError::InvalidToken;
        };
        match self.find_user_named(&uid).await {
            Ok(Some(_)) => ConfirmEmailError::InvalidToken,
            // No id is as long as what a client can send.
            Ok(None) => ConfirmEmailError::UserNotFound(uid.chars().take(64).collect()),
            Err(error) => error.into(),
        }
    }

    /// What the app has set in [`VerifyOptions`] wins over the catalogue; what is as it is by
    /// default counts as not set.
    fn verification_mail(&self, user: &U, to: &str, mails: &MailOptions, secret: &TokenSecret) -> MailContent {
        let (options, default) = (&self.0.verify_options, VerifyOptions::default());
        let link = self.verification_href(user, mails, secret);
        let own = OwnWords {
            subject: Some(options.subject.as_str()).filter(|subject| *subject != default.subject),
            text: Some(options.text.as_str()).filter(|text| *text != default.text),
        };
        self.compose(MailKind::VerifyEmail, to, mails, Ask::new(link, secret), &[], &own)
    }

    /// The link that verifies the address, if one can be made.
    pub(crate) fn verification_href(&self, user: &U, mails: &MailOptions, secret: &TokenSecret) -> Option<String> {
        self.0.links.verify(mails, &user.id().to_string(), secret)
    }
}

pub(crate) fn is_verified<U: Account>(user: &U, email: &str) -> bool {
    user.email() == Some(email) && user.email_verified() == Some(true)
}
