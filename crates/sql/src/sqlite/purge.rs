//! How what has ended is removed: in bounded batches, between which every other write gets its
//! turn.

use std::sync::Weak;
use std::time::Duration;

use gatekit_core::{Clock, StoreError, SystemClock, Timestamp};

use super::connections::Connections;
use super::{Inner, queries, spellings};
use crate::own::store_error;

const BATCH: u32 = 500;
const FIRST_AFTER: Duration = Duration::from_secs(60);
const EVERY: Duration = Duration::from_secs(600);

/// A device that a user was not seen on for 400 days is a new one: browsers keep no cookie for
/// longer (RFC 6265bis, section 5.5).
const UNSEEN_SECONDS: i64 = 400 * 24 * 3600;

/// Purges for as long as there is a handle to the store.
pub(super) async fn run(store: Weak<Inner>) {
    let mut pause = FIRST_AFTER;
    loop {
        tokio::time::sleep(pause).await;
        pause = EVERY;
        let Some(store) = store.upgrade() else { return };
        if let Err(error) = spellings::fill(&store.connections).await {
            tracing::warn!(%error, "users that another program has stored may not be found in every spelling");
        }
        match purge(&store.connections, SystemClock.now()).await {
            Ok(removed) => tracing::debug!(removed, "removed what has ended"),
            Err(error) => tracing::warn!(%error, "what has ended could not be removed; it is dead all the same"),
        }
    }
}

pub(super) async fn purge(connections: &Connections, now: Timestamp) -> Result<u64, StoreError> {
    let unseen = now.plus_seconds(-UNSEEN_SECONDS);
    Ok(all(|| tokens(connections, now, BATCH)).await?
        + all(|| one_time(connections, now, BATCH)).await?
        + all_sessions(connections, now).await?
        + all(|| devices(connections, unseen, BATCH)).await?
        + all(|| nonces(connections, now, BATCH)).await?
        + all(|| counters(connections, now, BATCH)).await?)
}

pub(super) async fn all_sessions(connections: &Connections, now: Timestamp) -> Result<u64, StoreError> {
    all(|| sessions(connections, now)).await
}

/// One batch after the other until one is not full.
async fn all<Removed>(batch: impl Fn() -> Removed) -> Result<u64, StoreError>
where
    Removed: Future<Output = Result<u64, StoreError>>,
{
    let mut all = 0;
    loop {
        let removed = batch().await?;
        all += removed;
        if removed < u64::from(BATCH) {
            return Ok(all);
        }
    }
}

pub(super) async fn tokens(connections: &Connections, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let delete = "DELETE FROM gatekit_access_tokens WHERE token_digest IN \
                  (SELECT token_digest FROM gatekit_access_tokens WHERE token_expires <= ? LIMIT ?)";
    batch(connections, delete, now, limit).await
}

pub(super) async fn one_time(connections: &Connections, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let delete = "DELETE FROM gatekit_one_time WHERE digest IN \
                  (SELECT digest FROM gatekit_one_time WHERE expires <= ? LIMIT ?)";
    batch(connections, delete, now, limit).await
}

pub(super) async fn devices(connections: &Connections, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let delete = "DELETE FROM gatekit_devices WHERE (user_type, user_id, device) IN \
                  (SELECT user_type, user_id, device FROM gatekit_devices WHERE seen < ? LIMIT ?)";
    batch(connections, delete, before, limit).await
}

pub(super) async fn nonces(connections: &Connections, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let delete = "DELETE FROM gatekit_digest_nonces WHERE nonce IN \
                  (SELECT nonce FROM gatekit_digest_nonces WHERE expires <= ? LIMIT ?)";
    batch(connections, delete, now, limit).await
}

pub(super) async fn counters(connections: &Connections, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let delete = "DELETE FROM gatekit_counters WHERE key IN \
                  (SELECT key FROM gatekit_counters WHERE expires <= ? LIMIT ?)";
    batch(connections, delete, now, limit).await
}

async fn sessions(connections: &Connections, now: Timestamp) -> Result<u64, StoreError> {
    let delete = "DELETE FROM gatekit_sessions WHERE id IN \
                  (SELECT id FROM gatekit_sessions WHERE expires <= ? LIMIT ?)";
    batch(connections, delete, now, BATCH).await
}

async fn batch(connections: &Connections, delete: &'static str, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let delete = sqlx::query(delete).bind(now.0).bind(limit);
    Ok(queries::change(connections, delete).await.map_err(store_error)?.count)
}
