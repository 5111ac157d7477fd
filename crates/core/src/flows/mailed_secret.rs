//! The secret of a mailed link: how it is made, how many of them a user gets, and the work of a
//! mail that is not sent.
//!
//! The rules, for each kind of mail ([`OneTimePurpose`]):
//!
//! 1. A new secret ends no earlier one. A stranger may ask for a mail too, and must not take away
//!    the link that the owner has.
//! 2. An account gets at most `policy.mail.per_hour` and `policy.mail.per_day` mails. A secret
//!    whose life is shorter than the hour or the day is counted for its life only. So while no mail
//!    is sent, that many links in the owner's mailbox are good, and no stranger can keep the owner
//!    out by asking.
//! 3. A request that sends no mail costs one commit, as one that does.
//! 4. A code, and the link for a new address, do end the one before. So there are no records that
//!    could be counted, and the mails are counted by [`CounterStore`](crate::CounterStore), within
//!    the same limits.

use crate::{
    Account, Auth, CounterLimit, OneTimeLimit, OneTimePurpose, OneTimeRecord, StoreError, Timestamp, TokenDigest,
    TokenSecret, Unavailable, UserId, random,
};

const HOUR: i64 = 3_600;
const DAY: i64 = 86_400;
/// How many decoys a store keeps at most. With one for all, requests at the same time would wait
/// for the same row.
const DECOYS: u8 = 64;

/// A secret that is to be mailed.
pub(crate) struct NewMailedSecret {
    pub(crate) purpose: OneTimePurpose,
    /// The user and its `rev`, as the record keeps it; `None` for a decoy.
    pub(crate) owner: Option<(UserId, i64)>,
    /// The address it verifies, if it verifies one.
    pub(crate) email: Option<String>,
    /// How long it is good, in seconds.
    pub(crate) ttl: i64,
    /// Whether the limits on mails hold. They do not for a mail that the app's own code asks for.
    pub(crate) limited: bool,
}

impl<U: Account> Auth<U> {
    /// Makes a secret and stores it, with one call of the store. Returns `None` if no mail may be
    /// sent: there is no owner, or it has got as many as it may. A decoy is stored then.
    pub(crate) async fn new_mailed_secret(&self, new: NewMailedSecret) -> Result<Option<TokenSecret>, Unavailable> {
        let auth = &*self.0;
        let secret = random::token_secret(&*auth.random)?;
        let now = auth.clock.now();
        let NewMailedSecret { purpose, owner, email, ttl, limited } = new;
        let decoy = self.decoy(purpose, &secret);
        let limits = if limited { self.mail_limits(now, ttl) } else { Vec::new() };
        let Some((user_id, rev)) = owner else {
            // With the same limits, so that it is the same statement. None of them holds for a
            // decoy.
            self.bounded(auth.one_time.insert_one_time_within(&decoy, &limits, &decoy)).await?;
            return Ok(None);
        };
        let record = OneTimeRecord {
            purpose,
            digest: secret.digest(),
            user_type: U::model_name().into(),
            user_id: Some(user_id),
            rev,
            expires: now.plus_seconds(ttl),
            email,
            data: None,
        };
        let is_stored = self.bounded(auth.one_time.insert_one_time_within(&record, &limits, &decoy)).await?;
        Ok(is_stored.then_some(secret))
    }

    /// Stores a decoy, so that a request that changes nothing costs a commit as well.
    pub(crate) async fn insert_decoy(&self, purpose: OneTimePurpose, secret: &TokenSecret) -> Result<(), Unavailable> {
        let decoy = self.decoy(purpose, secret);
        self.bounded(self.0.one_time.insert_one_time_within(&decoy, &[], &decoy)).await?;
        Ok(())
    }

    /// A record that belongs to no user and has ended. It has one of a few digests that no secret
    /// has: however many are stored, the store does not grow.
    fn decoy(&self, purpose: OneTimePurpose, secret: &TokenSecret) -> OneTimeRecord {
        let mut bytes = [0; 32];
        let digest = secret.digest();
        let ([first, ..], [.., last]) = (digest.as_bytes(), &mut bytes);
        *last = first % DECOYS;
        OneTimeRecord {
            purpose,
            digest: TokenDigest::from_bytes(bytes),
            user_type: U::model_name().into(),
            user_id: None,
            rev: 0,
            expires: self.now(),
            email: None,
            data: None,
        }
    }

    fn mail_limits(&self, now: Timestamp, ttl: i64) -> Vec<OneTimeLimit> {
        let limits = self.mails_within(ttl).into_iter();
        limits
            .map(|(window, max)| OneTimeLimit { expires_after: now.plus_seconds(ttl.saturating_sub(window)), max })
            .collect()
    }

    /// How many mails an account gets, each with the window in seconds, for secrets that are good
    /// for `ttl` seconds.
    fn mails_within(&self, ttl: i64) -> Vec<(i64, u32)> {
        let policy = &self.0.policy;
        let limits = [(HOUR, policy.mail.per_hour), (DAY, policy.mail.per_day)];
        limits.into_iter().filter(|(_, max)| *max < u32::MAX).map(|(window, max)| (window.min(ttl), max)).collect()
    }

    /// Counts a mail whose secret ends the one before (rule 4). Returns whether it may be sent.
    pub(crate) async fn count_mail(
        &self,
        purpose: OneTimePurpose,
        owner: &UserId,
        ttl: i64,
    ) -> Result<bool, StoreError> {
        let mut limits = self.mails_within(ttl);
        // Of two limits on the same time the smaller one is enough.
        limits.sort_unstable();
        limits.dedup_by_key(|(window, _)| *window);
        for (window, max) in limits {
            let key = mails_of::<U>(purpose, owner, window);
            let limit = CounterLimit { events: max, window_ms: window.saturating_mul(1000) };
            if !self.bounded(self.counters()?.add_event(&key, limit, self.now())).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Under which key the mails of one kind to a user are counted.
fn mails_of<U: Account>(purpose: OneTimePurpose, user: &UserId, window: i64) -> TokenDigest {
    let kind = if matches!(user, UserId::Int(_)) { "number" } else { "text" };
    let words = ["mail", purpose.as_str(), U::model_name(), kind, &user.to_string(), &window.to_string()];
    TokenDigest::of(&words.map(|word| format!("{}:{word}", word.len())).concat())
}
