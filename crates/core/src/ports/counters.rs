//! Where tries are counted, so that all nodes share one count.

use async_trait::async_trait;

use crate::{StoreError, Timestamp, TokenDigest};

/// How many events may be counted under one key, and for how long each counts.
///
/// ```
/// use gatekit_core::CounterLimit;
///
/// let five_in_ten_minutes = CounterLimit { events: 5, window_ms: 600_000 };
/// # let _ = five_in_ten_minutes;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CounterLimit {
    /// How many: at most [`CounterLimit::MAX_EVENTS`].
    pub events: u32,
    /// For how long an event counts, in milliseconds. An event that was counted at `t` counts until
    /// just before `t + window_ms`.
    pub window_ms: i64,
}

impl CounterLimit {
    /// The most events that a counter holds: 100. A store keeps the time of each, so a limit beyond
    /// it counts as this one.
    pub const MAX_EVENTS: u32 = 100;

    /// How many events a store keeps.
    #[must_use]
    pub fn kept(self) -> u32 {
        self.events.min(Self::MAX_EVENTS)
    }

    /// The last moment whose events do not count at `now` any more.
    #[must_use]
    pub fn since(self, now: Timestamp) -> Timestamp {
        Timestamp(now.0.saturating_sub(self.window_ms))
    }

    /// When an event of `now` stops counting.
    #[must_use]
    pub fn ends(self, now: Timestamp) -> Timestamp {
        Timestamp(now.0.saturating_add(self.window_ms))
    }
}

/// Counts events, such as codes that somebody tried. The count is the store's, so all nodes share
/// it.
///
/// A key is a digest, so that a store holds neither addresses nor names in it. A key is always used
/// with the same limit.
#[async_trait]
pub trait CounterStore: Send + Sync + 'static {
    /// In one atomic step: counts one event under `key` at `now`, unless as many as the limit
    /// allows count already. Returns whether it was counted. Of many at the same time no more are
    /// counted than there is room for. An event that is not counted changes nothing.
    async fn add_event(&self, key: &TokenDigest, limit: CounterLimit, now: Timestamp) -> Result<bool, StoreError>;

    /// Whether an event of `now` would be counted. It is not.
    async fn has_room(&self, key: &TokenDigest, limit: CounterLimit, now: Timestamp) -> Result<bool, StoreError>;

    /// Forgets all events under `key`. Returns whether there were any.
    async fn clear_counter(&self, key: &TokenDigest) -> Result<bool, StoreError>;

    /// Removes at most `limit` counters whose events all stopped counting at or before `now`.
    /// Returns how many.
    async fn purge_counters(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
