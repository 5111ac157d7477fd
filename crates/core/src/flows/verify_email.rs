//! An address is proven: a mail is sent, and the secret in it is used once.

use crate::flows::update_user::{ATTEMPTS, changes_too_often};
use crate::mails::{Ask, OwnWords};
use crate::{
    Account, AccountStatus, Auth, ConfigError, CreateUserError, Event, MailContent, MailKind, MailOptions,
    OneTimePurpose, OneTimeRecord, StoreError, StoredUser, TokenSecret, Unavailable, UserChange, UserId, random,
};

const PURPOSE: OneTimePurpose = OneTimePurpose::VerifyEmail;

/// What the verification mail says and where its link leads: LoopBack's `verifyOptions`.
///
/// ```
/// use gatekit_core::VerifyOptions;
///
/// let mut options = VerifyOptions::default();
/// options.subject = "Welcome".into();
/// options.text = "Please open this link: {href}".into();
/// options.redirect = "/welcome".into();
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VerifyOptions {
    /// The sender; `None` for the mailer's own. LoopBack: `noreply@example.com`.
    pub from: Option<String>,
    /// The subject, one line. LoopBack: `Thanks for Registering`. Left as it is, it is said in the language of the mail; another one is
    /// sent as it is set, whatever the language.
    pub subject: String,
    /// The text, with `{href}` where the link goes. The same holds for it; the mail's HTML says what it says.
    pub text: String,
    /// Where the link leads in the end: a path of the own site, or a URL of a listed origin
    /// ([`Builder::redirect_origin`](crate::Builder::redirect_origin)). LoopBack: `/`.
    pub redirect: String,
    /// The link without its query, such as `https://app.example.com/verified`, in place of the route `confirm`. `uid`, `redirect`
    /// and `token` are appended.
    pub verify_href: Option<String>,
}

impl Default for VerifyOptions {
    fn default() -> Self {
        Self {
            from: None,
            subject: "Thanks for Registering".into(),
            text: "Please verify your email by opening this link in a web browser:\n\t{href}".into(),
            redirect: "/".into(),
            verify_href: None,
        }
    }
}

impl VerifyOptions {
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let mistake = if !self.text.contains("{href}") {
            "`text` must contain {href} where the link goes"
        } else if self.verify_href.as_deref().is_some_and(|href| !crate::auth::is_web_url(href)) {
            "`verify_href` must begin with https:// or http://"
        } else if self.subject.contains(char::is_control) {
            "`subject` must be one line"
        } else {
            return Ok(());
        };
        Err(ConfigError::VerifyOptions(mistake))
    }
}

/// Somebody is to get the mail with the verification link, again or for the first time.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestEmailVerification {
    /// Whose address.
    pub of: VerificationOf,
    /// How the mail is written.
    pub mails: MailOptions,
}

/// How the user is named whose address is to be proven.
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
        self.mails.mount = prefix.into();
        self
    }

    /// With the mail written like this.
    #[must_use]
    pub fn mails(mut self, options: MailOptions) -> Self {
        self.mails = options;
        self
    }
}

/// Why no mail was sent.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RequestEmailVerificationError {
    /// No user has the id. Only under `Policy::reveal_unknown_id_on_verify`. HTTP status 404.
    #[error("could not find a model with id {0}")]
    UserNotFound(UserId),
    /// It cannot be done now. HTTP status 503.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl From<StoreError> for RequestEmailVerificationError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
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

/// Why an address was not proven.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfirmEmailError {
    /// No user has the id. Only under `Policy::reveal_unknown_id_on_verify`. HTTP status 404.
    #[error("User not found: {0}")]
    UserNotFound(String),
    /// The secret is unknown, used, replaced by a newer one, too old, or for another address than the user has now. HTTP
    /// status 400.
    #[error("Invalid token")]
    InvalidToken,
    /// It cannot be done now; the secret stays good. HTTP status 503.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl ConfirmEmailError {
    /// The stable code, LoopBack's.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::UserNotFound(_) => "USER_NOT_FOUND",
            Self::InvalidToken => "INVALID_TOKEN",
            Self::Unavailable(_) => "SERVICE_UNAVAILABLE",
        }
    }
}

impl From<StoreError> for ConfirmEmailError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl<U: Account> Auth<U> {
    /// Makes a secret that proves the user's address, once, within `Policy::verification_ttl`, and mails it. An older one is worth
    /// nothing from then on.
    ///
    /// Unless the policy reveals it, an unknown user, and one whose address is proven, gets the same answer after the same work, and no
    /// mail. The mail is sent on a task of its
    /// own.
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
                if found.is_none() && auth.policy.reveal_unknown_id_on_verify {
                    return Err(RequestEmailVerificationError::UserNotFound(id.clone()));
                }
                // Everybody may ask, and ids can be counted: who has nothing to prove is left in peace, unless LoopBack's answers
                // are wanted.
                found.filter(|found| {
                    auth.policy.reveal_unknown_id_on_verify || found.user.email_verified() != Some(true)
                })
            }
            VerificationOf::Email { email, realm } => {
                let found = self.find_wanted(&auth.policy.wanted_email(email, realm.as_deref())).await?;
                // Who asks by address has no need to hear again of one that is proven.
                found.filter(|found| found.user.email_verified() != Some(true))
            }
        };
        // Nothing that a blocked account proves lets it in.
        let found = found.filter(|found| found.status != AccountStatus::Blocked);
        self.send_verification(found.as_ref().map(|found| &found.user), &request.mails).await?;
        Ok(())
    }

    /// The mail that a new user gets, where one must prove its address. The user is stored; should this fail, it asks again.
    pub(crate) async fn verify_new_user(&self, user: &U, mails: &MailOptions) {
        let policy = &self.0.policy;
        if !policy.email_verification_required || !policy.verify_on_register || user.email_verified() == Some(true) {
            return;
        }
        if let Err(error) = self.send_verification(Some(user), mails).await {
            tracing::error!(%error, "a new user got no verification mail, and has to ask for one");
        }
    }

    async fn send_verification(&self, user: Option<&U>, mails: &MailOptions) -> Result<(), Unavailable> {
        let auth = &*self.0;
        let secret = random::token_secret(&*auth.random)?;
        let record = OneTimeRecord {
            purpose: PURPOSE,
            digest: secret.digest(),
            user_type: U::model_name().into(),
            user_id: user.map(Account::id),
            rev: 0,
            // A decoy has ended when it is made: who asks for many fills no table.
            expires: auth.clock.now().plus_seconds(if user.is_some() { auth.policy.verification_ttl } else { 0 }),
            email: user.and_then(|user| user.email().map(str::to_owned)),
            data: None,
        };
        // Nobody has the id of a decoy, and removing nothing is the same work.
        let id = record.user_id.clone().unwrap_or_else(|| UserId::Text(String::new()));
        self.bounded(auth.one_time.delete_one_time_of(PURPOSE, U::model_name(), &id)).await?;
        self.bounded(auth.one_time.insert_one_time(&record)).await?;
        let Some(user) = user else { return Ok(()) };
        if let Some(to) = user.email() {
            self.post(self.verification_mail(user, to, mails, &secret), auth.verify_options.from.as_deref());
        }
        self.emit(Event::EmailVerificationRequested { user: user.clone(), token: secret }).await;
        Ok(())
    }

    /// Marks the user's address as proven, given the two values of the mailed link.
    ///
    /// The secret is good for the address it was mailed to, and for no later one. Of twenty at the same time one succeeds; a store
    /// that fails leaves the secret as good as it was.
    ///
    /// # Errors
    ///
    /// [`ConfirmEmailError`].
    pub async fn confirm_email(&self, confirm: ConfirmEmail) -> Result<U, ConfirmEmailError> {
        let done = self.spend_verification(confirm).await;
        if matches!(done, Err(ConfirmEmailError::InvalidToken | ConfirmEmailError::UserNotFound(_))) {
            self.reject_secret(PURPOSE, None).await;
        }
        done
    }

    async fn spend_verification(&self, confirm: ConfirmEmail) -> Result<U, ConfirmEmailError> {
        let auth = &*self.0;
        let digest = confirm.token.digest();
        let record = self.bounded(auth.one_time.find_one_time(PURPOSE, &digest)).await?;
        let record = record
            .filter(|record| record.user_type == U::model_name() && auth.clock.now() < record.expires)
            .filter(|record| {
                let names = |id: &UserId| confirm.uid.as_deref().is_none_or(|uid| id.is_named(uid));
                record.user_id.as_ref().is_some_and(names)
            });
        let Some(record) = record else { return Err(self.not_confirmed(confirm.uid).await) };
        let id = record.user_id.ok_or(ConfirmEmailError::InvalidToken)?;
        let email = record.email.ok_or(ConfirmEmailError::InvalidToken)?;
        let verified = self.prove_address(&id, &email).await?.ok_or(ConfirmEmailError::InvalidToken)?;
        // The change is the same however often it is made; who takes the secret is who made it.
        if self.bounded(auth.one_time.take_one_time(PURPOSE, &digest)).await?.is_none() {
            return Err(ConfirmEmailError::InvalidToken);
        }
        self.emit(Event::EmailVerified { user: verified.clone() }).await;
        Ok(verified)
    }

    /// Marks the address as proven, if it is still the user's. Returns the user then.
    pub(crate) async fn prove_address(&self, id: &UserId, email: &str) -> Result<Option<U>, StoreError> {
        for _ in 0..=ATTEMPTS {
            let found = self.bounded(self.0.users.find_user(id)).await?;
            let Some(old) = found.filter(|found| found.user.email() == Some(email)) else { return Ok(None) };
            if let Some(new) = self.store_verified(old).await? {
                return Ok(Some(new));
            }
        }
        Err(changes_too_often())
    }

    /// Stores that the address is proven; `None` if the user was another meanwhile.
    async fn store_verified(&self, old: StoredUser<U>) -> Result<Option<U>, StoreError> {
        if old.user.email_verified() == Some(true) {
            return Ok(Some(old.user));
        }
        let change = UserChange { email_verified: Some(Some(true)), ..UserChange::default() };
        let stored = self.bounded(self.0.users.update_user(&old, change)).await.map_err(|error| match error {
            CreateUserError::Store(error) => error,
            // Nobody else can have what does not change.
            CreateUserError::Taken(_) => StoreError::failed("an address that stays the same is said to be in use"),
        })?;
        Ok(stored.map(|stored| stored.user))
    }

    /// LoopBack tells an unknown user from a wrong secret.
    async fn not_confirmed(&self, uid: Option<String>) -> ConfirmEmailError {
        let Some(uid) = uid.filter(|_| self.0.policy.reveal_unknown_id_on_verify) else {
            return ConfirmEmailError::InvalidToken;
        };
        match self.find_user_named(&uid).await {
            Ok(Some(_)) => ConfirmEmailError::InvalidToken,
            // No id is as long as what a client can send.
            Ok(None) => ConfirmEmailError::UserNotFound(uid.chars().take(64).collect()),
            Err(error) => error.into(),
        }
    }

    /// What the app has set in [`VerifyOptions`] wins over the catalogue; what is as it is by default counts as not set.
    fn verification_mail(&self, user: &U, to: &str, mails: &MailOptions, secret: &TokenSecret) -> MailContent {
        let (options, default) = (&self.0.verify_options, VerifyOptions::default());
        let link = self.page_link(mails, secret).or_else(|| self.verification_link(user, &mails.mount, secret));
        let own = OwnWords {
            subject: Some(options.subject.as_str()).filter(|subject| *subject != default.subject),
            text: Some(options.text.as_str()).filter(|text| *text != default.text),
        };
        self.compose(MailKind::VerifyEmail, to, mails, Ask::new(link, secret), &[], &own)
    }

    fn verification_link(&self, user: &U, mount: &str, secret: &TokenSecret) -> Option<String> {
        let auth = &*self.0;
        let options = &auth.verify_options;
        let href = match (&options.verify_href, &auth.public_url) {
            (Some(href), _) => href.clone(),
            (None, Some(url)) => format!("{url}{}/confirm", mount.trim_end_matches('/')),
            (None, None) => return None,
        };
        let separator = if href.contains('?') { '&' } else { '?' };
        let (uid, redirect) = (encode(&user.id().to_string()), encode(&options.redirect));
        Some(format!("{href}{separator}uid={uid}&redirect={redirect}&token={}", secret.expose()))
    }
}

/// A value of a query, percent-encoded but for what RFC 3986 §2.3 leaves alone.
fn encode(text: &str) -> String {
    use std::fmt::Write;
    text.bytes().fold(String::with_capacity(text.len()), |mut encoded, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(byte.into());
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
        encoded
    })
}
