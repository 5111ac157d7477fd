//! Another address, verified before it becomes the user's.

use crate::flow_error::flow_error;
use crate::flows::compare_and_set::{ATTEMPTS, changes_too_often};
use crate::flows::step_up::{Reauthentication, ReauthenticationError};
use crate::flows::verify_email::is_verified;
use crate::mails::Ask;
use crate::{
    Account, Auth, CreateUserError, EmailLink, Event, FieldError, FieldErrors, HookVeto, Identifier, IdentifierKind,
    MailKind, MailOptions, OneTimePurpose, OneTimeRecord, PasswordUse, StoreError, TokenRecord, TokenSecret,
    Unavailable, UserChange, UserId, random,
};

const PURPOSE: OneTimePurpose = OneTimePurpose::ChangeEmail;

/// A user wants another address.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct RequestEmailChange {
    /// Whose.
    pub user_id: UserId,
    /// The present password, or a token for which a factor was verified a short time ago.
    pub reauthentication: Reauthentication,
    /// The new address.
    pub email: String,
    /// How the mail is written.
    pub mails: MailOptions,
}

impl RequestEmailChange {
    /// To this address.
    #[must_use]
    pub fn new(
        user_id: impl Into<UserId>,
        reauthentication: impl Into<Reauthentication>,
        email: impl Into<String>,
    ) -> Self {
        Self {
            user_id: user_id.into(),
            reauthentication: reauthentication.into(),
            email: email.into(),
            mails: MailOptions::default(),
        }
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

/// The new address is verified: somebody has the secret that was mailed to it.
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

flow_error! {
    /// Why an address was not changed.
    pub enum ChangeEmailError {
        /// There is no such user.
        #[error("User {0} not found")]
        UserNotFound(UserId) = Unauthenticated "USER_NOT_FOUND",
        /// The password is wrong.
        #[error("Invalid current password")]
        WrongPassword = Invalid "INVALID_PASSWORD",
        /// No factor was verified for the token within `policy.tokens.step_up_ttl`.
        #[error("the password must be proven again")]
        StepUpRequired = Unauthenticated "STEP_UP_REQUIRED",
        /// The secret is unknown, used, replaced by a newer one, too old, or from before the
        /// account's last change.
        #[error("Invalid token")]
        InvalidToken = Invalid "INVALID_TOKEN",
    }
    or {
        /// A hook refused the attempt.
        Refused(HookVeto),
        /// The new address is not valid, or was taken while its mail was on the way.
        Invalid(FieldErrors),
    }
    from ReauthenticationError { WrongPassword, StepUpRequired, Refused(veto), Unavailable(error) }
}

impl<U: Account> Auth<U> {
    /// Makes a secret that changes the user's address, once, within
    /// `policy.email.verification_ttl`, and mails it to the new one. The old address stays the
    /// user's until the secret comes back (ASVS 6.2.3 for the password that is asked for).
    ///
    /// An address that somebody else has gets the same answer after the same work, and no mail:
    /// nobody learns which addresses have an account. A user can have `policy.mail.per_hour` of
    /// these mails sent, to whatever addresses. A request beyond that gets the same answer and
    /// sends nothing; it ends the earlier secret too.
    ///
    /// # Errors
    ///
    /// [`ChangeEmailError`].
    pub async fn request_email_change(&self, request: RequestEmailChange) -> Result<(), ChangeEmailError> {
        let auth = &*self.0;
        let RequestEmailChange { user_id, reauthentication, email, mails } = request;
        let Some(found) = self.bounded(auth.users.find_user(&user_id)).await? else {
            return Err(ChangeEmailError::UserNotFound(user_id));
        };
        let found = self.reauthenticate(found, reauthentication, PasswordUse::ChangeEmail).await?;
        if let Some(error) = self.check_email(Some(&email)) {
            return Err(ChangeEmailError::Invalid(error.into()));
        }
        let (typed, email) = (email.clone(), auth.policy.canonical_email(&email));
        let namespace = auth.policy.namespace(found.user.realm());
        let identifier = Identifier { namespace, kind: IdentifierKind::Email, value: email.clone() };
        let free = !self.is_taken(&identifier, &typed, None).await?;
        let secret = random::token_secret(&*auth.random)?;
        // For an address that is taken the same record is stored, whose secret is told to nobody.
        // So neither this request nor the next one, which ends it, costs less or more.
        let record = OneTimeRecord {
            purpose: PURPOSE,
            digest: secret.digest(),
            user_type: U::model_name().into(),
            user_id: Some(user_id.clone()),
            rev: found.rev,
            expires: auth.clock.now().plus_seconds(auth.policy.email.verification_ttl),
            email: Some(email.clone()),
            data: None,
        };
        let auth = self.clone();
        self.change(|mut change| async move {
            // The user has verified itself and may have mistyped the address before: here a new
            // secret does end the earlier one.
            auth.bounded(auth.0.one_time.delete_one_time_of(PURPOSE, U::model_name(), &user_id)).await?;
            // Every request counts, also for an address that is taken, or the limit would tell
            // which addresses are.
            if !auth.count_mail(PURPOSE, &user_id, auth.0.policy.email.verification_ttl).await? {
                return Ok(());
            }
            auth.commit_secret(&mut change, &record).await?;
            if free {
                let link = auth.0.links.change_email(&mails, &secret);
                auth.post_mail(MailKind::ChangeEmail, &email, &mails, Ask::new(link, &secret), &[]);
                auth.emit(Event::EmailChangeRequested { user: found.user, email, token: secret }).await;
            } else {
                auth.post_decoy(MailKind::ChangeEmail, &mails);
            }
            Ok(())
        })
        .await
    }

    /// Makes the new address the user's, verified, given the secret that was mailed to it, and ends
    /// all tokens but the one to keep.
    ///
    /// What makes the secret work once is the user's `rev`, as for a password reset: a later
    /// password, or another address, ends it. The same secret again, while the address is the
    /// user's, changes nothing and succeeds: a second press is no error.
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
            return self.changed_already(&change_email.token).await;
        };
        let (auth, mut attempts) = (self.clone(), 0..ATTEMPTS);
        self.change(|mut change| async move {
            let ChangeEmail { keep, mails, .. } = change_email;
            let (old, new) = loop {
                let found = auth.bounded(auth.0.users.find_user(&id)).await?;
                let old = match found {
                    Some(found) if found.rev == rev => found,
                    // Another request with this secret was quicker, or has not come to mark it as
                    // used.
                    Some(found) if is_verified(&found.user, &email) => return Ok(found.user),
                    _ => return Err(ChangeEmailError::InvalidToken),
                };
                let new = UserChange {
                    email: Some(Some(email.clone())),
                    email_verified: Some(Some(true)),
                    bump_rev: true,
                    ..UserChange::default()
                };
                let stored = auth.commit_update(&mut change, &old, new).await.map_err(|error| match error {
                    CreateUserError::Taken(kind) => ChangeEmailError::Invalid(FieldError::taken(kind, &email).into()),
                    error => ChangeEmailError::from(error.of_update()),
                })?;
                if let Some(new) = stored {
                    break (old, new);
                }
                attempts.next().ok_or_else(changes_too_often)?;
            };
            let spent = auth.0.one_time.spend_one_time(PURPOSE, &digest, OneTimePurpose::CHANGE_EMAIL_USED);
            if let Err(error) = auth.bounded::<_, StoreError>(spent).await {
                tracing::warn!(%error, "a used secret is dead but could not be marked as used");
            }
            auth.after_new_rev(&id, keep.as_ref(), new.rev).await;
            auth.emit(Event::UserUpdated { user: new.user.clone() }).await;
            auth.after_new_email(&old.user, &new.user, &mails).await;
            Ok(new.user)
        })
        .await
    }

    /// The user whose address this secret has changed, while it has that address.
    async fn changed_already(&self, token: &TokenSecret) -> Result<U, ChangeEmailError> {
        let used = self.find_one_time(OneTimePurpose::CHANGE_EMAIL_USED, token.expose()).await?;
        let Some(OneTimeRecord { user_id: Some(id), email: Some(email), .. }) = used else {
            return Err(ChangeEmailError::InvalidToken);
        };
        let found = self.bounded(self.0.users.find_user(&id)).await?;
        found.map(|found| found.user).filter(|user| is_verified(user, &email)).ok_or(ChangeEmailError::InvalidToken)
    }

    /// What the link would do if [`change_email`](Self::change_email) were called with its secret
    /// now. It changes nothing: a page asks it before it shows a button. An invalid link raises
    /// [`Event::SecretRefused`].
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn check_email_change_link(&self, token: &TokenSecret) -> Result<EmailLink, Unavailable> {
        let link = self.email_change_link(token).await?;
        if link == EmailLink::Invalid {
            self.reject_secret(PURPOSE, None).await;
        }
        Ok(link)
    }

    async fn email_change_link(&self, token: &TokenSecret) -> Result<EmailLink, Unavailable> {
        let Some(record) = self.find_one_time(PURPOSE, token.expose()).await? else {
            return match self.changed_already(token).await {
                Ok(user) => {
                    let email = user.email().unwrap_or_default().to_owned();
                    Ok(EmailLink::Used { user_id: user.id(), email })
                }
                Err(ChangeEmailError::Unavailable(error)) => Err(error),
                Err(_) => Ok(EmailLink::Invalid),
            };
        };
        let (Some(user_id), Some(email)) = (record.user_id, record.email) else { return Ok(EmailLink::Invalid) };
        let found = self.bounded::<_, StoreError>(self.0.users.find_user(&user_id)).await?;
        let is_good = found.is_some_and(|found| found.rev == record.rev);
        Ok(if is_good { EmailLink::Good { user_id, email } } else { EmailLink::Invalid })
    }

    /// Tells the old address, whose owner may not be who did it, and the app.
    pub(crate) async fn after_new_email(&self, old: &U, new: &U, mails: &MailOptions) {
        let to = old.email().map(str::to_owned);
        if self.0.policy.mail.notify_email_changed {
            self.post_notice(MailKind::EmailChanged, to.as_deref(), mails, &[]);
        }
        self.emit(Event::EmailChanged { user: new.clone(), old: to }).await;
    }
}
