//! Events that are counted.
//!
//! A row holds the times of the newest events of a key, as many as its limit allows: 16 digits
//! each, the newest first. Numbers of equal length compare as texts as they do as numbers, so one
//! statement of plain SQL reads the oldest and puts another one in front.

use async_trait::async_trait;
use gatekit_core::{CounterLimit, CounterStore, StoreError, Timestamp, TokenDigest};

use super::{SqliteStore, purge};
use crate::own::store_error;

/// Digits of a time. Milliseconds since 1970 have no more until the year 318,857.
const DIGITS: u32 = 16;

#[async_trait]
impl CounterStore for SqliteStore {
    async fn add_event(&self, key: &TokenDigest, limit: CounterLimit, now: Timestamp) -> Result<bool, StoreError> {
        let Some(oldest) = place_of_oldest(limit) else { return Ok(false) };
        // The index decides between an insert and an update, and the condition is that of the row
        // as it is written over.
        let add = sqlx::query(
            "INSERT INTO gatekit_counters (key, times, expires) VALUES (?1, ?2, ?3) \
             ON CONFLICT (key) DO UPDATE SET times = substr(?2 || times, 1, ?4), expires = ?3 \
             WHERE length(times) < ?4 OR substr(times, ?5, ?6) <= ?7",
        )
        .bind(key.as_bytes().as_slice())
        .bind(digits(now))
        .bind(limit.ends(now).0)
        .bind(limit.kept() * DIGITS)
        .bind(oldest)
        .bind(DIGITS)
        .bind(digits(limit.since(now)));
        Ok(self.change(add).await.map_err(store_error)?.count > 0)
    }

    async fn has_room(&self, key: &TokenDigest, limit: CounterLimit, now: Timestamp) -> Result<bool, StoreError> {
        let Some(oldest) = place_of_oldest(limit) else { return Ok(false) };
        let full = sqlx::query(
            "SELECT 1 FROM gatekit_counters WHERE key = ? AND length(times) >= ? AND substr(times, ?, ?) > ?",
        )
        .bind(key.as_bytes().as_slice())
        .bind(limit.kept() * DIGITS)
        .bind(oldest)
        .bind(DIGITS)
        .bind(digits(limit.since(now)));
        Ok(self.find(full).await?.is_none())
    }

    async fn clear_counter(&self, key: &TokenDigest) -> Result<bool, StoreError> {
        let delete = sqlx::query("DELETE FROM gatekit_counters WHERE key = ?").bind(key.as_bytes().as_slice());
        Ok(self.change(delete).await.map_err(store_error)?.count > 0)
    }

    async fn purge_counters(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        purge::counters(&self.inner.connections, now, limit).await
    }
}

/// Where the time of the oldest event begins in the text of a full counter, counted from one;
/// `None` if no event may be counted.
fn place_of_oldest(limit: CounterLimit) -> Option<u32> {
    limit.kept().checked_sub(1).map(|before| before * DIGITS + 1)
}

/// A time as text. One before 1970, which only a clock that is wrong has, counts as 1970.
fn digits(time: Timestamp) -> String {
    format!("{:016}", time.0.max(0))
}
