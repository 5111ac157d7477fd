//! Faults of counters.

use gatekit_core::{CounterLimit, CounterStore, StoreError, Timestamp, TokenDigest, async_trait};

use super::Fault::*;
use super::Faulty;

impl Faulty {
    fn counter(&self, key: &TokenDigest) -> TokenDigest {
        if self.has(EventsOfAllKeysAreOne) { TokenDigest::of("all") } else { *key }
    }
}

#[async_trait]
impl CounterStore for Faulty {
    async fn add_event(&self, key: &TokenDigest, limit: CounterLimit, now: Timestamp) -> Result<bool, StoreError> {
        let key = self.counter(key);
        match self.fault {
            Some(EventsAreNotCounted) => return Ok(limit.events > 0),
            Some(EventsChecksFirst) => {
                let room = self.store.has_room(&key, limit, now).await?;
                self.pause().await;
                self.store.add_event(&key, limit, now).await?;
                return Ok(room);
            }
            // A window that begins with its first event and ends for all of them.
            Some(EventsEndTogether) => {
                let mut memory = self.memory.lock().unwrap();
                let times = memory.events.entry(key).or_default();
                if times.first().is_some_and(|first| *first <= limit.since(now)) {
                    times.clear();
                }
                let counts = times.len() < limit.kept() as usize;
                if counts {
                    times.push(now);
                }
                return Ok(counts);
            }
            _ => {}
        }
        let limit = match self.fault {
            Some(EventsCountForever) => CounterLimit { window_ms: 1 << 40, ..limit },
            Some(EventsOfTheMomentDoNotCount) => CounterLimit { window_ms: limit.window_ms - 1, ..limit },
            _ => limit,
        };
        let counts = self.store.add_event(&key, limit, now).await?;
        if self.has(RefusedEventsCount) && !counts {
            self.store.clear_counter(&key).await?;
            for _ in 0..limit.events {
                self.store.add_event(&key, limit, now).await?;
            }
        }
        Ok(counts)
    }

    async fn has_room(&self, key: &TokenDigest, limit: CounterLimit, now: Timestamp) -> Result<bool, StoreError> {
        let key = self.counter(key);
        match self.fault {
            Some(RoomIsAlways | EventsAreNotCounted) => Ok(true),
            Some(AskingForRoomCounts) => self.store.add_event(&key, limit, now).await,
            _ => self.store.has_room(&key, limit, now).await,
        }
    }

    async fn clear_counter(&self, key: &TokenDigest) -> Result<bool, StoreError> {
        let key = self.counter(key);
        match self.fault {
            Some(ClearingACounterDoesNothing) => Ok(true),
            Some(ClearingACounterClearsAll) => {
                let there = self.store.clear_counter(&key).await?;
                self.store.purge_counters(Timestamp(i64::MAX), u32::MAX).await?;
                Ok(there)
            }
            Some(ClearingIsAlwaysTrue) => self.store.clear_counter(&key).await.map(|_| true),
            _ => self.store.clear_counter(&key).await,
        }
    }

    async fn purge_counters(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        match self.fault {
            Some(CounterPurgeIgnoresTheLimit) => self.store.purge_counters(now, u32::MAX).await,
            Some(CounterPurgeTakesAll) => self.store.purge_counters(Timestamp(i64::MAX), limit).await,
            Some(CounterPurgeSparesWhatEndsNow) => self.store.purge_counters(Timestamp(now.0 - 1), limit).await,
            _ => self.store.purge_counters(now, limit).await,
        }
    }
}
