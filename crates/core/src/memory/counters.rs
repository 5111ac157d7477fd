//! Events that are counted, and until when each counts.

use async_trait::async_trait;

use super::contents::{Counter, removed, take_one};
use super::store::MemoryStore;
use crate::{CounterLimit, CounterStore, Profile, StoreError, Timestamp, TokenDigest};

#[async_trait]
impl<P: Profile> CounterStore for MemoryStore<P> {
    async fn add_event(&self, key: &TokenDigest, limit: CounterLimit, now: Timestamp) -> Result<bool, StoreError> {
        let mut contents = self.write();
        contents.make_room(self.clock.now());
        let counter =
            contents.counters.entry(*key).or_insert_with(|| Counter { times: Vec::new(), expires: Timestamp(0) });
        let counts = !counter.is_full(limit, now);
        if counts {
            counter.times.insert(0, now);
            counter.times.truncate(limit.kept() as usize);
            counter.expires = limit.ends(now);
        }
        Ok(counts)
    }

    async fn has_room(&self, key: &TokenDigest, limit: CounterLimit, now: Timestamp) -> Result<bool, StoreError> {
        Ok(limit.events > 0 && self.read().counters.get(key).is_none_or(|counter| !counter.is_full(limit, now)))
    }

    async fn clear_counter(&self, key: &TokenDigest) -> Result<bool, StoreError> {
        Ok(self.write().counters.remove(key).is_some())
    }

    async fn purge_counters(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut contents = self.write();
        let (mut left, before) = (limit, contents.counters.len());
        contents.counters.retain(|_, counter| !(counter.has_ended(now) && take_one(&mut left)));
        Ok(removed(before, contents.counters.len()))
    }
}
