//! How what has ended is removed: in bounded batches, between which every other write gets its
//! turn.

use std::sync::Weak;
use std::time::Duration;

use gatekit_core::{Clock, StoreError, SystemClock, Timestamp};

use crate::database::Database;
use crate::error::store_error;
use crate::spellings;
use crate::statement::Statement;

const BATCH: u32 = 500;
const FIRST_AFTER: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(600);

/// A device that a user was not seen on for 400 days is a new one: browsers keep no cookie for
/// longer (RFC 6265bis, section 5.5).
const UNSEEN_SECONDS: i64 = 400 * 24 * 3600;

/// Deletes a batch of the rows of one table that ended at a time or before.
pub(crate) struct Purge(Statement);

pub(crate) static TOKENS: Purge = Purge(Statement::new(
    "DELETE FROM gatekit_access_tokens WHERE token_digest IN \
     (SELECT token_digest FROM gatekit_access_tokens WHERE token_expires <= ? LIMIT ?{skip_locked})",
));

pub(crate) static ONE_TIME: Purge = Purge(Statement::new(
    "DELETE FROM gatekit_one_time WHERE digest IN (SELECT digest FROM gatekit_one_time WHERE expires <= ? LIMIT ?{skip_locked})",
));

/// Of these, what was last seen before the time.
pub(crate) static DEVICES: Purge = Purge(Statement::new(
    "DELETE FROM gatekit_devices WHERE (user_type, user_key, device) IN \
     (SELECT user_type, user_key, device FROM gatekit_devices WHERE seen < ? LIMIT ?{skip_locked})",
));

pub(crate) static NONCES: Purge = Purge(Statement::new(
    "DELETE FROM gatekit_digest_nonces WHERE nonce IN \
     (SELECT nonce FROM gatekit_digest_nonces WHERE expires <= ? LIMIT ?{skip_locked})",
));

pub(crate) static COUNTERS: Purge = Purge(Statement::new(
    "DELETE FROM gatekit_counters WHERE counter IN \
     (SELECT counter FROM gatekit_counters WHERE expires <= ? LIMIT ?{skip_locked})",
));

pub(crate) static SESSIONS: Purge = Purge(Statement::new(
    "DELETE FROM gatekit_sessions WHERE id IN (SELECT id FROM gatekit_sessions WHERE expires <= ? LIMIT ?{skip_locked})",
));

impl Purge {
    /// Deletes up to `limit` rows. Returns how many.
    pub(crate) async fn delete(
        &'static self,
        database: &impl Database,
        now: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let deleted = self.0.on(database).bind(now).bind(limit).change().await;
        Ok(deleted.map_err(store_error)?.count)
    }

    /// Deletes one batch after the other until one is not full. Returns how many rows.
    pub(crate) async fn delete_all(&'static self, database: &impl Database, now: Timestamp) -> Result<u64, StoreError> {
        let mut all = 0;
        loop {
            let deleted = self.delete(database, now, BATCH).await?;
            all += deleted;
            if deleted < u64::from(BATCH) {
                return Ok(all);
            }
        }
    }
}

/// Purges for as long as there is a handle to the store.
pub(crate) async fn run(database: Weak<impl Database>) {
    let mut pause = FIRST_AFTER;
    loop {
        tokio::time::sleep(pause).await;
        pause = EVERY;
        let Some(database) = database.upgrade() else { return };
        if let Err(error) = spellings::fill(&*database).await {
            tracing::warn!(%error, "users that another program has stored may not be found in every spelling");
        }
        match purge(&*database, SystemClock.now()).await {
            Ok(removed) => tracing::debug!(removed, "removed what has ended"),
            Err(error) => tracing::warn!(%error, "what has ended could not be removed; it is dead all the same"),
        }
    }
}

pub(crate) async fn purge(database: &impl Database, now: Timestamp) -> Result<u64, StoreError> {
    let unseen = now.plus_seconds(-UNSEEN_SECONDS);
    let mut removed = DEVICES.delete_all(database, unseen).await?;
    for table in [&TOKENS, &ONE_TIME, &SESSIONS, &NONCES, &COUNTERS] {
        removed += table.delete_all(database, now).await?;
    }
    Ok(removed)
}
