//! How long the app waits for its store.

use std::time::Duration;

/// Time limits of the store. A field of [`Policy`](crate::Policy).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct StorePolicy {
    /// How long a store may take for one call before the request fails with 503. 5 seconds; no
    /// standard has a number, and it must not be zero.
    pub timeout: Duration,
    /// How long the app waits for the outcome of a change after its request was answered 503. If
    /// the change turns out to be made within this time, what follows it (notices, events, the end
    /// of tokens) still happens. 60 seconds; no standard has a number. It must not be less than
    /// [`store.timeout`](Self::timeout).
    pub change_timeout: Duration,
}

impl Default for StorePolicy {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(5), change_timeout: Duration::from_secs(60) }
    }
}
