//! How many events hooks have not finished with, and how many they never will.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Events that hooks have not finished with, and those they never will.
#[derive(Debug, Default)]
pub(crate) struct EventCounters {
    pub(crate) pending: AtomicUsize,
    pub(crate) dropped: AtomicU64,
}

impl EventCounters {
    pub(crate) fn drop_one(&self) {
        self.dropped.fetch_add(1, Ordering::Relaxed);
    }
}
