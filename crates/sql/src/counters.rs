//! Events that are counted.
//!
//! A row holds the times of the newest events of a key, as many as its limit allows: 16 digits
//! each, the newest first. Numbers of equal length compare as text as they do as numbers, so one
//! statement of plain SQL reads the oldest and puts another one in front.

use async_trait::async_trait;
use gatekit_core::{CounterLimit, CounterStore, StoreError, Timestamp, TokenDigest};

use crate::database::Database;
use crate::error::store_error;
use crate::purge;
use crate::statement::Statement;
use crate::store::SqlStore;

/// Digits of a time. Milliseconds since 1970 have no more until the year 318,857.
const DIGITS: u32 = 16;

/// The unique key decides between an insert and an update, and the condition is about the row as it
/// is written over.
static ADD: Statement = Statement::new(
    "INSERT INTO gatekit_counters (counter, times, expires) VALUES (?, ?, ?) \
     {on_conflict(counter)} times = substr({new(times)} || gatekit_counters.times, 1, CAST(? AS INTEGER)), \
     expires = {new(expires)} \
     WHERE length(gatekit_counters.times) < ? OR substr(gatekit_counters.times, CAST(? AS INTEGER), 16) <= ?",
);

static FULL: Statement = Statement::new(
    "SELECT expires FROM gatekit_counters \
     WHERE counter = ? AND length(times) >= ? AND substr(times, CAST(? AS INTEGER), 16) > ?",
);

static CLEAR: Statement = Statement::new("DELETE FROM gatekit_counters WHERE counter = ?");

#[async_trait]
impl<D: Database> CounterStore for SqlStore<D> {
    async fn add_event(&self, key: &TokenDigest, limit: CounterLimit, now: Timestamp) -> Result<bool, StoreError> {
        let Some(oldest) = place_of_oldest(limit) else { return Ok(false) };
        let length = limit.kept() * DIGITS;
        let add = ADD
            .on(self.database())
            .bind(key)
            .bind(digits(now))
            .bind(limit.ends(now))
            .bind(length)
            .bind(length)
            .bind(oldest)
            .bind(digits(limit.since(now)));
        Ok(add.change().await.map_err(store_error)?.count > 0)
    }

    async fn has_room(&self, key: &TokenDigest, limit: CounterLimit, now: Timestamp) -> Result<bool, StoreError> {
        let Some(oldest) = place_of_oldest(limit) else { return Ok(false) };
        let full =
            FULL.on(self.database()).bind(key).bind(limit.kept() * DIGITS).bind(oldest).bind(digits(limit.since(now)));
        Ok(full.find().await?.is_none())
    }

    async fn clear_counter(&self, key: &TokenDigest) -> Result<bool, StoreError> {
        Ok(CLEAR.on(self.database()).bind(key).change().await.map_err(store_error)?.count > 0)
    }

    async fn purge_counters(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        purge::COUNTERS.delete(self.database(), now, limit).await
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
