//! Where secrets that work once are kept: [`OneTimeStore`].

use std::borrow::Cow;
use std::hash::{Hash, Hasher};

use async_trait::async_trait;

use crate::{StoreError, Timestamp, TokenDigest, UserId};

/// Where secrets that work once are kept; [`OneTimePurpose`] says what for.
#[async_trait]
pub trait OneTimeStore: Send + Sync + 'static {
    /// Stores a new one.
    async fn insert_one_time(&self, record: &OneTimeRecord) -> Result<(), StoreError>;

    /// In one atomic step: stores `record` if each limit is kept with it, and `decoy` in its place
    /// if not. Returns whether it was the record. So a request that may have no more costs what any
    /// other costs.
    ///
    /// A limit counts the records of the same purpose, type of user, user and `rev`. Of many at the
    /// same time no more are stored than the limits allow. A record that belongs to no user is
    /// within all limits. A decoy takes the place of a decoy with the same digest; a record that
    /// belongs to a user is never replaced.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there is already one with this digest, unless both are decoys.
    async fn insert_one_time_within(
        &self,
        record: &OneTimeRecord,
        limits: &[OneTimeLimit],
        decoy: &OneTimeRecord,
    ) -> Result<bool, StoreError>;

    /// The one with this purpose and digest, ended or not. It stays.
    async fn find_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError>;

    /// Removes and returns it, in one atomic statement: of many at the same time exactly one gets
    /// it.
    async fn take_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError>;

    /// In one atomic statement: gives the record with the purpose and the digest of `old` the data
    /// and the end of `new`, if it still has the data and the end of `old`. Nothing else of it
    /// changes. Returns whether it did: of many at the same time that have read the same, exactly
    /// one is told that it has changed it, unless what they write is the same.
    async fn replace_one_time(&self, old: &OneTimeRecord, new: &OneTimeRecord) -> Result<bool, StoreError>;

    /// In one atomic step: gives the record with this purpose and digest the purpose `used`, and
    /// with it all others with its purpose that belong to the same user of the same type. Returns
    /// the record as it was: of many at the same time exactly one gets it.
    async fn spend_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
        used: OneTimePurpose,
    ) -> Result<Option<OneTimeRecord>, StoreError>;

    /// Removes all with this purpose of the user of this type with this id. Returns how many.
    async fn delete_one_time_of(
        &self,
        purpose: OneTimePurpose,
        user_type: &str,
        user: &UserId,
    ) -> Result<u64, StoreError>;

    /// Removes at most `limit` that ended at or before `now`. Returns how many.
    async fn purge_one_time(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// What a one-time thing is for. One made for a purpose is worth nothing for another. Two with the
/// same word are the same purpose.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum OneTimePurpose {
    /// To choose a new password.
    ResetPassword,
    /// To prove that an address is the user's.
    VerifyEmail,
    /// To prove a new address before it becomes the user's.
    ChangeEmail,
    /// What another crate or the app makes it for: a word of its own, which is none of those above.
    /// It begins with the name of what it belongs to, so that no two choose the same. Those of a
    /// user who is removed end by themselves; whoever takes one finds no user.
    Other(&'static str),
}

impl PartialEq for OneTimePurpose {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for OneTimePurpose {}

impl Hash for OneTimePurpose {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl OneTimePurpose {
    /// To prove an address by a code: of the state that
    /// [`Auth::request_email_code`](crate::Auth::request_email_code) returns.
    pub const EMAIL_CODE: Self = Self::Other("email_code");
    /// A [`VerifyEmail`](Self::VerifyEmail) that was used. It verifies nothing any more. It is kept
    /// until it would have ended, so that a second press on its link is told that the address is
    /// verified already.
    pub const VERIFY_EMAIL_USED: Self = Self::Other("verify_email_used");
    /// A [`ChangeEmail`](Self::ChangeEmail) that was used, kept for the same reason.
    pub const CHANGE_EMAIL_USED: Self = Self::Other("change_email_used");
    /// A [`ResetPassword`](Self::ResetPassword) that was used, kept for the same reason.
    pub const RESET_PASSWORD_USED: Self = Self::Other("reset_password_used");

    /// All that mails have brought to a user, used or not: what is removed with the user.
    #[cfg(feature = "accounts")]
    pub(crate) const MAILED: [Self; 6] = [
        Self::ResetPassword,
        Self::RESET_PASSWORD_USED,
        Self::VerifyEmail,
        Self::VERIFY_EMAIL_USED,
        Self::ChangeEmail,
        Self::CHANGE_EMAIL_USED,
    ];

    /// The word a store keeps.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ResetPassword => "reset_password",
            Self::VerifyEmail => "verify_email",
            Self::ChangeEmail => "change_email",
            Self::Other(word) => word,
        }
    }
}

/// What a store holds of a secret that works once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneTimeRecord {
    /// What it is for.
    pub purpose: OneTimePurpose,
    /// SHA-256 of the secret.
    pub digest: TokenDigest,
    /// What kind of user it is for; see [`TokenRecord::user_type`](crate::TokenRecord::user_type).
    pub user_type: Cow<'static, str>,
    /// Whose it is; `None` for a decoy, stored so that an unknown address costs the same work as a
    /// known one.
    pub user_id: Option<UserId>,
    /// The user's `rev` when it was made; worth nothing once that has changed. Of
    /// [`OneTimePurpose::VerifyEmail`] it is not looked at: there the address counts.
    pub rev: i64,
    /// When it ends.
    pub expires: Timestamp,
    /// The address it was mailed to, where that is what it proves: with
    /// [`OneTimePurpose::VerifyEmail`] and [`OneTimePurpose::ChangeEmail`]. `None` for a password
    /// reset.
    pub email: Option<String>,
    /// Other data, in a form that its maker chooses. The store keeps it as it is, so it must not
    /// contain a secret.
    pub data: Option<String>,
}

/// How many one-time records a user may have that end after a moment. See
/// [`OneTimeStore::insert_one_time_within`].
///
/// The lifetime of a record is known to the code that makes it, so "at most three in the last hour"
/// is a limit on records that end after *now + lifetime - one hour*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneTimeLimit {
    /// Only records that end after this moment are counted.
    pub expires_after: Timestamp,
    /// The greatest number of them, the new one included.
    pub max: u32,
}
