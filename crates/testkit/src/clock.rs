//! A clock that stands still until a test moves it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use gatekit_core::{Clock, SystemClock, Timestamp};

/// A clock that a test sets. Clones are the same clock.
///
/// ```
/// use std::time::Duration;
/// use gatekit_core::{Clock, Timestamp};
/// use gatekit_testkit::FrozenClock;
///
/// let clock = FrozenClock::at(Timestamp(1_000));
/// clock.advance(Duration::from_secs(2));
/// assert_eq!(clock.now(), Timestamp(3_000));
/// ```
#[derive(Clone, Debug)]
pub struct FrozenClock(Arc<AtomicI64>);

impl FrozenClock {
    /// Stands at this moment.
    #[must_use]
    pub fn at(moment: Timestamp) -> Self {
        Self(Arc::new(AtomicI64::new(moment.0)))
    }

    /// Stands at the moment it was made.
    #[must_use]
    pub fn now() -> Self {
        Self::at(SystemClock.now())
    }

    /// Moves on. It counts in milliseconds; what is less is lost.
    pub fn advance(&self, by: Duration) {
        let by = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        // The closure never says no.
        let _ = self.0.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |now| Some(now.saturating_add(by)));
    }

    /// Jumps to this moment, also back.
    pub fn set(&self, moment: Timestamp) {
        self.0.store(moment.0, Ordering::SeqCst);
    }
}

impl Clock for FrozenClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_until_it_is_moved_and_clones_move_with_it() {
        let clock = FrozenClock::now();
        let (other, before) = (clock.clone(), Clock::now(&clock));
        std::thread::sleep(Duration::from_millis(3));
        assert_eq!(Clock::now(&clock), before);
        other.advance(Duration::from_millis(1_500));
        assert_eq!(Clock::now(&clock), Timestamp(before.0 + 1_500));
        other.set(Timestamp(0));
        assert_eq!(Clock::now(&clock), Timestamp(0));
    }

    #[test]
    fn it_stops_at_the_end_of_time() {
        let clock = FrozenClock::at(Timestamp(i64::MAX - 1));
        clock.advance(Duration::MAX);
        assert_eq!(Clock::now(&clock), Timestamp(i64::MAX));
    }
}
