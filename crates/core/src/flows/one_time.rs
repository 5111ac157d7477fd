//! Things that work once, for other crates and the app: what a purpose of one's own
//! ([`OneTimePurpose::Other`]) is made with.

use crate::{
    Account, Auth, OneTimePurpose, OneTimeRecord, StoreError, Timestamp, TokenDigest, TokenSecret, Unavailable, UserId,
};

/// A one-time thing to be made.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NewOneTime {
    /// What it is for.
    pub purpose: OneTimePurpose,
    /// Whose it is.
    pub user: UserId,
    /// The user's `rev`, as [`KnownAccount::rev`](crate::KnownAccount::rev) has it. It is kept, and
    /// whoever takes the thing compares it with the user's then: a new password or a block in
    /// between ends it.
    pub rev: i64,
    /// How long it can be taken, in milliseconds.
    pub ttl_ms: i64,
    /// What else is to be remembered. It is stored as it is: no secret belongs in here.
    pub data: Option<String>,
}

impl NewOneTime {
    /// For this purpose and user, who has this `rev`, for so many milliseconds.
    #[must_use]
    pub fn new(purpose: OneTimePurpose, user: &UserId, rev: i64, ttl_ms: i64) -> Self {
        Self { purpose, user: user.clone(), rev, ttl_ms, data: None }
    }

    /// With something to be remembered.
    #[must_use]
    pub fn data(mut self, data: impl Into<String>) -> Self {
        self.data = Some(data.into());
        self
    }
}

impl<U: Account> Auth<U> {
    /// Makes a secret that can be taken once.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::{Auth, MemoryStore, NewOneTime, OneTimePurpose, Register};
    ///
    /// const INVITATION: OneTimePurpose = OneTimePurpose::Other("club_invitation");
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    /// let account = auth.find_account_by_id(&ada.id).await?.ok_or("nobody")?;
    ///
    /// let invitation = NewOneTime::new(INVITATION, &ada.id, account.rev, 60_000).data("the tea party");
    /// let secret = auth.issue_one_time(invitation).await?;
    ///
    /// let taken = auth.take_one_time(INVITATION, secret.expose()).await?.ok_or("ended")?;
    /// assert_eq!(taken.data.as_deref(), Some("the tea party"));
    /// assert_eq!(taken.rev, account.rev, "nothing has ended it meanwhile");
    /// assert!(auth.take_one_time(INVITATION, secret.expose()).await?.is_none());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails or there are no random bytes.
    pub async fn issue_one_time(&self, new: NewOneTime) -> Result<TokenSecret, Unavailable> {
        let secret = self.new_secret()?;
        self.record_one_time(new, secret.expose()).await?;
        Ok(secret)
    }

    /// As [`issue_one_time`](Self::issue_one_time), for a secret made elsewhere, such as a signed
    /// token. It is stored as SHA-256, so it must have 112 bits nobody can guess (ASVS 6.5.2).
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails, which it does too if the secret was recorded before.
    pub async fn record_one_time(&self, new: NewOneTime, secret: &str) -> Result<(), Unavailable> {
        let record = OneTimeRecord {
            purpose: new.purpose,
            digest: TokenDigest::of(secret),
            user_type: U::model_name().into(),
            user_id: Some(new.user),
            rev: new.rev,
            expires: Timestamp(self.now().0.saturating_add(new.ttl_ms)),
            email: None,
            data: new.data,
        };
        Ok(self.bounded(self.0.one_time.insert_one_time(&record)).await?)
    }

    /// What is remembered of a secret that can still be taken; `None` if it is unknown, ended, or
    /// of another type of user. It stays.
    ///
    /// Whether the user still has the record's `rev` is left to the caller, who looks the user up
    /// anyway.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn find_one_time(
        &self,
        purpose: OneTimePurpose,
        secret: &str,
    ) -> Result<Option<OneTimeRecord>, Unavailable> {
        let found = self.bounded(self.0.one_time.find_one_time(purpose, &TokenDigest::of(secret))).await?;
        let now = self.now();
        let counts = |record: &OneTimeRecord| {
            record.user_type == U::model_name() && record.user_id.is_some() && now < record.expires
        };
        Ok(found.filter(counts))
    }

    /// As [`find_one_time`](Self::find_one_time), and it is gone: of many at the same time one gets
    /// it.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn take_one_time(
        &self,
        purpose: OneTimePurpose,
        secret: &str,
    ) -> Result<Option<OneTimeRecord>, Unavailable> {
        // Looked at first: what another type of user could take must not be taken from it.
        if self.find_one_time(purpose, secret).await?.is_none() {
            return Ok(None);
        }
        Ok(self.bounded(self.0.one_time.take_one_time(purpose, &TokenDigest::of(secret))).await?)
    }

    /// Gives what was found other data and another end, if nobody has changed or taken it since.
    /// Returns whether it did: of many at the same time one does. Write data that nobody else would
    /// write, so that it can be told whose they are if the store fails to say so.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use gatekit_core::{Auth, MemoryStore, NewOneTime, OneTimePurpose, Register};
    /// # const INVITATION: OneTimePurpose = OneTimePurpose::Other("club_invitation");
    /// # let auth = Auth::new(MemoryStore::new());
    /// # let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
    /// let secret = auth.issue_one_time(NewOneTime::new(INVITATION, &ada.id, 0, 60_000).data("sent")).await?;
    /// let found = auth.find_one_time(INVITATION, secret.expose()).await?.ok_or("ended")?;
    /// assert!(auth.replace_one_time(&found, "opened by 7", found.expires).await?);
    /// assert!(!auth.replace_one_time(&found, "opened by 8", found.expires).await?, "it is not what was found any more");
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn replace_one_time(
        &self,
        found: &OneTimeRecord,
        data: impl Into<String>,
        expires: Timestamp,
    ) -> Result<bool, Unavailable> {
        let (auth, old) = (self.clone(), found.clone());
        let new = OneTimeRecord { data: Some(data.into()), expires, ..found.clone() };
        self.change(|mut change| async move { Ok(auth.commit_one_time_replacement(&mut change, &old, &new).await?) })
            .await
    }

    /// Removes all of a user for this purpose. Returns how many.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the store fails.
    pub async fn discard_one_time_of(&self, purpose: OneTimePurpose, user: &UserId) -> Result<u64, Unavailable> {
        let removed = self.0.one_time.delete_one_time_of(purpose, U::model_name(), user);
        Ok(self.bounded::<_, StoreError>(removed).await?)
    }
}
