//! The queue before the hashing threads: so many hashes run at a time, so many requests wait, and
//! the next one fails at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Why nothing was hashed. HTTP status 503.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HasherError {
    /// The queue is full.
    #[error("too many passwords are waiting to be hashed")]
    Busy {
        /// Seconds after which there should be room.
        retry_after: u64,
    },
    /// The work was stopped: the runtime is shutting down, or hashing itself failed.
    #[error("the password could not be hashed")]
    Stopped,
}

/// Permits to hash, and the requests that wait for one.
pub(super) struct Queue {
    permits: Arc<Semaphore>,
    /// How many may wait.
    places: usize,
    waiting: AtomicUsize,
}

impl Queue {
    pub(super) fn new(permits: usize, places: usize) -> Self {
        Self { permits: Arc::new(Semaphore::new(permits)), places, waiting: AtomicUsize::new(0) }
    }

    /// Waits for a permit, if there is a place to wait.
    pub(super) async fn permit(&self) -> Result<OwnedSemaphorePermit, HasherError> {
        if let Ok(permit) = Arc::clone(&self.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = Place::take(self)?;
        Arc::clone(&self.permits).acquire_owned().await.map_err(|_| HasherError::Stopped)
    }
}

/// A place in the queue, given back when it is dropped, also if the request is abandoned while it
/// waits.
struct Place<'a>(&'a Queue);

impl<'a> Place<'a> {
    fn take(queue: &'a Queue) -> Result<Self, HasherError> {
        let taken = queue.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(queue);
        if taken >= queue.places { Err(HasherError::Busy { retry_after: RETRY_AFTER }) } else { Ok(place) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Seconds after which a request that found the queue full should be sent again: about what half a
/// queue takes.
const RETRY_AFTER: u64 = 1;
