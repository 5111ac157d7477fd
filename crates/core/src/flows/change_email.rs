//! Another address, proven before it becomes the user's.

use crate::flows::step_up::{Proof, Unproven};
use crate::flows::update_user::{ATTEMPTS, changes_too_often, sound_email};
use crate::mails::Ask;
use crate::{
    Account, Auth, CreateUserError, Event, FieldError, Identifier, IdentifierKind, MailKind, MailOptions,
    OneTimePurpose, OneTimeRecord, PasswordUse, Refusal, StoreError, TokenRecord, TokenSecret, Unavailable, UserChange,
    UserId, VerifyPasswordError, random,
};

const PURPOSE: OneTimePurpose = OneTimePurpose::ChangeEmail;

/// A user wants another address.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestEmailChange {
    /// Whose.
    pub user_id: UserId,
    /// The present password, or a token for which it was proven a short time ago.
    pub proof: Proof,
    /// The new address.
    pub email: String,
    /// How the mail is written.
    pub mails: MailOptions,
}

impl RequestEmailChange {
    /// To this address.
    #[must_use]
    pub fn new(user_id: impl Into<UserId>, proof: impl Into<Proof>, email: impl Into<String>) -> Self {
        Self { user_id: user_id.into(), proof: proof.into(), email: email.into(), mails: MailOptions::default() }
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

/// The new address is proven: somebody has the secret that was mailed to it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct ChangeEmail {
    /// The secret.
    pub token: TokenSecret,
    /// A token of the user that stays alive. All others end.
    pub keep: Option<TokenRecord>,
    /// How the notice to the old address is written.
    pub mails: MailOptions,
}

impl ChangeEmail {
    /// With this secret.
    #[must_use]
    pub fn new(token: impl Into<TokenSecret>) -> Self {
        Self { token: token.into(), keep: None, mails: MailOptions::default() }
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

/// Why an address was not changed.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeEmailError {
    /// There is no such user. HTTP status 401.
    #[error("User {0} not found")]
    UserNotFound(UserId),
    /// The password is wrong. HTTP status 400, as at change-password.
    #[error("Invalid current password")]
    WrongPassword,
    /// The password was not proven for the token within `Policy::step_up_ttl`. HTTP status 401.
    #[error("the password must be proven again")]
    StepUpRequired,
    /// A hook refused the attempt. HTTP status 403.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The new address is none, or was taken while its mail was on the way. HTTP status 422.
    #[error("the new address is not valid: {}", .0.message)]
    Invalid(Box<FieldError>),
    /// The secret is unknown, used, replaced by a newer one, too old, or from before the account's last change. HTTP status 400.
    #[error("Invalid token")]
    InvalidToken,
    /// It cannot be done now. HTTP status 503.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

impl ChangeEmailError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::UserNotFound(_) => "USER_NOT_FOUND",
            Self::WrongPassword => "INVALID_PASSWORD",
            Self::StepUpRequired => "STEP_UP_REQUIRED",
            Self::Refused(refusal) => &refusal.code,
            Self::Invalid(_) => "INVALID_EMAIL",
            Self::InvalidToken => "INVALID_TOKEN",
            Self::Unavailable(_) => "SERVICE_UNAVAILABLE",
        }
    }
}

impl From<StoreError> for ChangeEmailError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(error.into())
    }
}

impl From<Unproven> for ChangeEmailError {
    fn from(unproven: Unproven) -> Self {
        match unproven {
            Unproven::Password(VerifyPasswordError::WrongPassword) => Self::WrongPassword,
            Unproven::Password(VerifyPasswordError::Refused(refusal)) => Self::Refused(refusal),
            Unproven::Password(VerifyPasswordError::Unavailable(error)) => Self::Unavailable(error),
            Unproven::StepUpRequired => Self::StepUpRequired,
        }
    }
}

impl<U: Account> Auth<U> {
    /// Makes a secret that changes the user's address, once, within `Policy::verification_ttl`, and mails it to the new one. The old
    /// address stays the user's until the secret comes back (ASVS 6.2.3 for the password that is asked for).
    ///
    /// An address that somebody else has gets the same answer after the same work, and no mail: whose addresses there are is
    /// nobody's business.
    ///
    /// # Errors
    ///
    /// [`ChangeEmailError`].
    pub async fn request_email_change(&self, request: RequestEmailChange) -> Result<(), ChangeEmailError> {
        let auth = &*self.0;
        let RequestEmailChange { user_id, proof, email, mails } = request;
        let Some(found) = self.bounded(auth.users.find_user(&user_id)).await? else {
            return Err(ChangeEmailError::UserNotFound(user_id));
        };
        self.check_proof(&found, proof, PasswordUse::ChangeEmail).await?;
        sound_email(&email).map_err(ChangeEmailError::Invalid)?;
        let email = auth.policy.canonical_email(&email);
        let namespace = auth.policy.namespace(found.user.realm());
        let identifier = Identifier { namespace, kind: IdentifierKind::Email, value: email.clone() };
        let free = self.bounded(auth.users.find_user_by(&identifier)).await?.is_none();
        let secret = random::token_secret(&*auth.random)?;
        let record = OneTimeRecord {
            purpose: PURPOSE,
            digest: secret.digest(),
            user_type: U::model_name().into(),
            user_id: free.then(|| user_id.clone()),
            rev: found.rev,
            // A decoy has ended when it is made: who asks for many fills no table.
            expires: auth.clock.now().plus_seconds(if free { auth.policy.verification_ttl } else { 0 }),
            email: Some(email.clone()),
            data: None,
        };
        self.bounded(auth.one_time.delete_one_time_of(PURPOSE, U::model_name(), &user_id)).await?;
        self.bounded(auth.one_time.insert_one_time(&record)).await?;
        if free {
            let link = self.page_link(&mails, &secret).or_else(|| self.change_email_link(&mails.mount, &secret));
            self.post_mail(MailKind::ChangeEmail, &email, &mails, Ask::new(link, &secret), &[]);
            self.emit(Event::EmailChangeRequested { user: found.user, email, token: secret }).await;
        }
        Ok(())
    }

    /// Makes the new address the user's, proven, given the secret that was mailed to it, and ends all tokens but the one to keep.
    ///
    /// What makes the secret work once is the user's `rev`, as for a password reset: a later password, or another address, ends it.
    ///
    /// # Errors
    ///
    /// [`ChangeEmailError`].
    pub async fn change_email(&self, change_email: ChangeEmail) -> Result<U, ChangeEmailError> {
        let done = self.spend_email_change(change_email).await;
        if matches!(done, Err(ChangeEmailError::InvalidToken)) {
            self.reject_secret(PURPOSE, None).await;
        }
        done
    }

    async fn spend_email_change(&self, change_email: ChangeEmail) -> Result<U, ChangeEmailError> {
        let auth = &*self.0;
        let digest = change_email.token.digest();
        let record = self.bounded(auth.one_time.find_one_time(PURPOSE, &digest)).await?;
        let now = auth.clock.now();
        let record = record.filter(|record| record.user_type == U::model_name() && now < record.expires);
        let Some(OneTimeRecord { user_id: Some(id), rev, email: Some(email), .. }) = record else {
            return Err(ChangeEmailError::InvalidToken);
        };
        let (auth, mut attempts) = (self.clone(), 0..ATTEMPTS);
        self.change(|mut change| async move {
            let ChangeEmail { keep, mails, .. } = change_email;
            let (old, new) = loop {
                let found = auth.bounded(auth.0.users.find_user(&id)).await?;
                let old = found.filter(|found| found.rev == rev).ok_or(ChangeEmailError::InvalidToken)?;
                let new = UserChange {
                    email: Some(Some(email.clone())),
                    email_verified: Some(Some(true)),
                    bump_rev: true,
                    ..UserChange::default()
                };
                let stored = auth.commit_update(&mut change, &old, new).await.map_err(|error| match error {
                    CreateUserError::Store(error) => ChangeEmailError::from(error),
                    CreateUserError::Taken(kind) => {
                        ChangeEmailError::Invalid(Box::new(FieldError::taken(kind, &email)))
                    }
                })?;
                if let Some(new) = stored {
                    break (old, new);
                }
                attempts.next().ok_or_else(changes_too_often)?;
            };
            if let Err(error) = auth.bounded(auth.0.one_time.take_one_time(PURPOSE, &digest)).await {
                tracing::warn!(%error, "a used secret is dead but could not be removed");
            }
            auth.after_new_rev(&id, keep.as_ref(), new.rev).await;
            auth.emit(Event::UserUpdated { user: new.user.clone() }).await;
            auth.after_new_email(&old.user, &new.user, &mails).await;
            Ok(new.user)
        })
        .await
    }

    /// Tells the old address, whose owner may not be who did it, and the app.
    pub(crate) async fn after_new_email(&self, old: &U, new: &U, mails: &MailOptions) {
        let to = old.email().map(str::to_owned);
        if self.0.policy.notify_email_changed {
            self.post_notice(MailKind::EmailChanged, to.as_deref(), mails, &[]);
        }
        self.emit(Event::EmailChanged { user: new.clone(), old: to }).await;
    }

    fn change_email_link(&self, mount: &str, secret: &TokenSecret) -> Option<String> {
        let auth = &*self.0;
        match (&auth.change_email_link, &auth.public_url) {
            (Some(template), _) => Some(template.replace("{token}", secret.expose())),
            (None, Some(url)) => {
                Some(format!("{url}{}/change-email#token={}", mount.trim_end_matches('/'), secret.expose()))
            }
            (None, None) => None,
        }
    }
}
