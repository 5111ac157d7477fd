//! The work of a sign-up whose address has an account: as much as that of a new account, and a mail
//! to the owner.

use crate::flows::mailed_secret::NewMailedSecret;
use crate::mails::{Ask, OwnWords};
use crate::{
    Account, AccountStatus, Auth, Event, FieldError, IdentifierKind, MailKind, MailOptions, OneTimePurpose,
    OneTimeRecord, RegisterError, StoreError, StoredUser, TokenDigest, Unavailable, UserId,
};

/// A notice that was sent. Its record counts it, and its secret is told to nobody.
const NOTICE: OneTimePurpose = OneTimePurpose::Other("account_exists");
/// A name that a sign-up wanted which stored no user.
const NAME: OneTimePurpose = OneTimePurpose::Other("reserved_name");
/// How long a notice is counted, in seconds: the longest of the windows in which mails are counted.
const COUNTED: i64 = 86_400;

impl<U: Account> Auth<U> {
    /// Tells the owner of an address that somebody has signed up with it. It costs one commit, as
    /// the verification mail of a new user does, whether or not there is a mail. No mail goes to a
    /// blocked account, nor to one that has got as many as it may.
    pub(crate) async fn tell_owner(
        &self,
        owner: &StoredUser<U>,
        mails: &MailOptions,
        notices: &MailOptions,
    ) -> Result<(), Unavailable> {
        let user = &owner.user;
        let is_blocked = owner.status == AccountStatus::Blocked;
        if user.email_verified() == Some(true) {
            self.post_account_exists(owner, notices).await?;
        } else {
            // It has to be verified before anything else can be done with the account.
            let secret = self.new_verification_secret((!is_blocked).then_some(user)).await?;
            match (secret, user.email()) {
                (Some(secret), Some(to)) => {
                    let ask = Ask::new(self.verification_href(user, mails, &secret), &secret);
                    let kind = MailKind::AccountUnverified;
                    self.post(self.compose(kind, to, mails, ask, &[], &OwnWords::default()), None);
                    self.emit(Event::EmailVerificationRequested { user: user.clone(), token: secret }).await;
                }
                _ => self.post_decoy(MailKind::AccountUnverified, mails),
            }
        }
        self.emit(Event::SignUpRepeated { user: user.clone() }).await;
        Ok(())
    }

    /// Tells a user that somebody wanted to sign up with its address, for a sign-up that is not
    /// [`sign_up`](Self::sign_up) and hides whose addresses are taken. It costs one commit, whether
    /// or not the user gets the mail.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn notify_account_exists(&self, user: &UserId, notices: &MailOptions) -> Result<(), Unavailable> {
        match self.bounded::<_, StoreError>(self.0.users.find_user(user)).await? {
            Some(owner) => {
                self.post_account_exists(&owner, notices).await?;
                self.emit(Event::SignUpRepeated { user: owner.user }).await;
                Ok(())
            }
            // It was removed meanwhile.
            None => {
                let secret = self.new_secret()?;
                self.insert_decoy(NOTICE, &secret).await
            }
        }
    }

    async fn post_account_exists(&self, owner: &StoredUser<U>, notices: &MailOptions) -> Result<(), Unavailable> {
        let (user, is_blocked) = (&owner.user, owner.status == AccountStatus::Blocked);
        let owner = (!is_blocked).then(|| (user.id(), 0));
        let notice = NewMailedSecret { purpose: NOTICE, owner, email: None, ttl: COUNTED, limited: true };
        match self.new_mailed_secret(notice).await? {
            Some(_) => self.post_notice(MailKind::AccountExists, user.email(), notices, &[]),
            None => self.post_decoy(MailKind::AccountExists, notices),
        }
        Ok(())
    }

    /// Stores something in place of the user: the name, which counts as taken from then on, or a
    /// decoy if there is none.
    pub(crate) async fn reserve_name(&self, name: Option<(String, String)>) -> Result<(), RegisterError> {
        let auth = &*self.0;
        let Some((namespace, name)) = name else {
            let secret = self.new_secret()?;
            return Ok(self.insert_decoy(NAME, &secret).await?);
        };
        let record = OneTimeRecord {
            purpose: NAME,
            digest: name_digest::<U>(&namespace, &name),
            user_type: U::model_name().into(),
            user_id: None,
            rev: 0,
            expires: auth.clock.now().plus_seconds(auth.policy.identifiers.reserved_name_ttl),
            email: None,
            data: None,
        };
        let Err(error) = self.bounded::<_, StoreError>(auth.one_time.insert_one_time(&record)).await else {
            return Ok(());
        };
        // Either another request has reserved the name meanwhile, or a reservation that has ended
        // was not cleared away yet.
        let found = self.bounded(auth.one_time.find_one_time(NAME, &record.digest)).await?;
        let Some(old) = found else { return Err(error.into()) };
        let has_ended = old.expires <= auth.clock.now();
        if has_ended && self.bounded::<_, StoreError>(auth.one_time.replace_one_time(&old, &record)).await? {
            return Ok(());
        }
        Err(RegisterError::Invalid(FieldError::taken(IdentifierKind::Username, &name).into()))
    }

    /// Whether a sign-up that stored no user has reserved this name.
    pub(crate) async fn is_reserved(&self, namespace: &str, name: &str) -> Result<bool, StoreError> {
        let found = self.bounded(self.0.one_time.find_one_time(NAME, &name_digest::<U>(namespace, name))).await?;
        Ok(found.is_some_and(|record| self.0.clock.now() < record.expires))
    }
}

/// What a reservation is found by. It is no secret.
fn name_digest<U: Account>(namespace: &str, name: &str) -> TokenDigest {
    let words = [NAME.as_str(), U::model_name(), namespace, name].map(|word| format!("{}:{word}", word.len()));
    TokenDigest::of(&words.concat())
}
