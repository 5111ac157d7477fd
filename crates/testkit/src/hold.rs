//! Calls whose answers are held back, so that a test decides who comes first in a race.

use std::sync::Arc;
use std::time::Duration;

use gatekit_core::StoreError;
use tokio::sync::{Barrier, Semaphore};

/// One call to a store that was made and is not answered yet. See
/// [`Faults::hold_nth_call_of`](crate::Faults::hold_nth_call_of).
#[derive(Clone, Debug)]
#[must_use = "a call that is held is answered by `release`"]
pub struct Held(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    reached: Semaphore,
    released: Semaphore,
}

impl Held {
    /// How long a call is held, and how long [`reached`](Self::reached) waits: 30 seconds. No test
    /// needs them; one that would hang fails.
    pub const LIMIT: Duration = Duration::from_secs(30);

    pub(crate) fn new() -> Self {
        Self(Arc::new(Inner { reached: Semaphore::new(0), released: Semaphore::new(0) }))
    }

    /// Waits until the call was made.
    ///
    /// # Panics
    ///
    /// If nobody makes it within [`LIMIT`](Self::LIMIT).
    pub async fn reached(&self) {
        let reached = tokio::time::timeout(Self::LIMIT, self.0.reached.acquire()).await;
        drop(reached.expect("the call that the test wants to hold was never made"));
    }

    /// Lets the call be answered.
    pub fn release(&self) {
        self.0.released.add_permits(1);
    }

    pub(crate) async fn hold(&self) -> Result<(), StoreError> {
        self.0.reached.add_permits(1);
        match tokio::time::timeout(Self::LIMIT, self.0.released.acquire()).await {
            Ok(_) => Ok(()),
            Err(_) => Err(StoreError::failed("the test never released the call")),
        }
    }
}

/// So many calls that wait for each other. See [`Faults::gather`](crate::Faults::gather).
#[derive(Clone, Debug)]
pub(crate) struct Gathering {
    all: Arc<Barrier>,
    /// Places; who finds none comes later, and does not wait.
    places: Arc<Semaphore>,
}

impl Gathering {
    pub(crate) fn of(calls: usize) -> Self {
        Self { all: Arc::new(Barrier::new(calls)), places: Arc::new(Semaphore::new(calls)) }
    }

    pub(crate) async fn arrive(&self) -> Result<(), StoreError> {
        let Ok(place) = self.places.try_acquire() else { return Ok(()) };
        place.forget();
        match tokio::time::timeout(Held::LIMIT, self.all.wait()).await {
            Ok(_) => Ok(()),
            Err(_) => Err(StoreError::failed("fewer calls were made than the test wants to gather")),
        }
    }
}
