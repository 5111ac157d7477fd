//! Counters that go wrong when a test wants it.

use async_trait::async_trait;
use gatekit_core::{CounterLimit, CounterStore, StoreError, Timestamp, TokenDigest};

use super::FaultyStore;

#[async_trait]
impl<S: CounterStore> CounterStore for FaultyStore<S> {
    async fn add_event(&self, key: &TokenDigest, limit: CounterLimit, now: Timestamp) -> Result<bool, StoreError> {
        self.faults.call("add_event", self.inner.add_event(key, limit, now)).await
    }

    async fn has_room(&self, key: &TokenDigest, limit: CounterLimit, now: Timestamp) -> Result<bool, StoreError> {
        self.faults.call("has_room", self.inner.has_room(key, limit, now)).await
    }

    async fn clear_counter(&self, key: &TokenDigest) -> Result<bool, StoreError> {
        self.faults.call("clear_counter", self.inner.clear_counter(key)).await
    }

    async fn purge_counters(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.faults.call("purge_counters", self.inner.purge_counters(now, limit)).await
    }
}
