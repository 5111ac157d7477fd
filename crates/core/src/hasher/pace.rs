//! How long a refusal takes: as long as the slowest hash that the store may hold, whatever was
//! verified.
//!
//! 1. A refusal is sent no earlier than `pace` after its work began. The wait holds no permit and
//!    no thread.
//! 2. At first, `pace` is the measured time of one bcrypt hash of the cost that the app expects,
//!    with a margin. One such hash is computed for that, with the first refusal.
//! 3. A verification that takes longer raises `pace` to its own time, with a margin, so that a busy
//!    machine or a slower hash does not stand out again. What was raised falls by half in each
//!    minute.
//! 4. `pace` never exceeds [`LONGEST`].

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A refusal waits no longer than this. A stored hash that takes longer can be told apart by time,
/// and is named in the log.
pub(super) const LONGEST: Duration = Duration::from_secs(2);
/// What was learned from a slow verification falls by half in this time.
const HALF_LIFE: Duration = Duration::from_secs(60);
/// The margin over what was measured, in percent.
const MARGIN: u32 = 25;

/// The time that refusals take at present.
#[derive(Debug)]
pub(super) struct Pace {
    /// The cost of the bcrypt hashes that are expected; `None` if refusals do not wait.
    bcrypt_cost: Option<u32>,
    known: Mutex<Option<Known>>,
}

#[derive(Clone, Copy, Debug)]
struct Known {
    /// What an expected hash takes.
    base: Duration,
    /// What a slower verification has taken.
    raised: Duration,
    /// When `raised` was that.
    at: Instant,
}

impl Known {
    fn at(&self, now: Instant) -> Duration {
        let halvings = now.saturating_duration_since(self.at).as_secs_f64() / HALF_LIFE.as_secs_f64();
        let excess = self.raised.saturating_sub(self.base).mul_f64(0.5_f64.powf(halvings));
        (self.base + excess).min(LONGEST)
    }
}

/// When a refusal may be sent. It is to be awaited after everything that a refusal does.
#[derive(Debug)]
#[must_use = "a refusal that does not wait tells by its time which hash was stored"]
pub(crate) struct Pause(Option<Instant>);

impl Pause {
    pub(crate) const NONE: Self = Self(None);

    /// Waits for the rest of the time.
    pub(crate) async fn over(self) {
        let left = self.0.map(|end| end.saturating_duration_since(Instant::now()));
        if let Some(left) = left.filter(|left| !left.is_zero()) {
            tokio::time::sleep(left).await;
        }
    }
}

impl Pace {
    pub(super) fn new(bcrypt_cost: Option<u32>) -> Self {
        Self { bcrypt_cost, known: Mutex::new(None) }
    }

    /// Whether hashes of this cost take longer than refusals are made to.
    pub(super) fn is_exceeded_by(&self, bcrypt_cost: u32) -> bool {
        self.bcrypt_cost.is_some_and(|expected| bcrypt_cost > expected)
    }

    /// Learns from a verification that began at `began` and has just ended, and says when its
    /// refusal may be sent. It may block for one bcrypt hash.
    pub(super) fn after(&self, began: Instant) -> Pause {
        let Some(cost) = self.bcrypt_cost else { return Pause::NONE };
        let took = began.elapsed();
        // Measured outside the lock: of several at the same time, each measures, and the slowest
        // counts.
        let measured = self.known().is_none().then(|| measure(cost));
        let now = Instant::now();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = match (*known, measured) {
            (Some(known), None) => known,
            (Some(known), Some(base)) => Known { base: known.base.max(base), ..known },
            (None, base) => {
                let base = base.unwrap_or_default();
                Known { base, raised: base, at: now }
            }
        };
        if took > state.at(now) {
            (state.raised, state.at) = (with_margin(took), now);
        }
        *known = Some(state);
        let pace = state.at(now);
        Pause(Some(began + pace))
    }

    fn known(&self) -> Option<Known> {
        *self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What one bcrypt hash takes here and now.
fn measure(cost: u32) -> Duration {
    let began = Instant::now();
    // The password and the salt do not matter: bcrypt's time depends on neither.
    let hashed = bcrypt::hash_with_salt_bytes("measured", cost, [0; 16]);
    drop(std::hint::black_box(hashed));
    with_margin(began.elapsed())
}

fn with_margin(took: Duration) -> Duration {
    (took * (100 + MARGIN) / 100).min(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pace that has measured already, so that the test does not depend on the machine.
    fn known(base: Duration) -> Pace {
        let pace = Pace::new(Some(4));
        *pace.known.lock().unwrap() = Some(Known { base, raised: base, at: Instant::now() });
        pace
    }

    fn ago(millis: u64) -> Instant {
        Instant::now().checked_sub(Duration::from_millis(millis)).unwrap()
    }

    #[test]
    fn a_refusal_ends_one_pace_after_its_work_began() {
        let pace = known(Duration::from_millis(500));
        for began in [ago(0), ago(100), ago(400)] {
            let Pause(end) = pace.after(began);
            assert_eq!(end, Some(began + Duration::from_millis(500)));
        }
    }

    #[test]
    fn a_slower_verification_raises_the_pace_of_the_next_ones_for_a_while() {
        let pace = known(Duration::from_millis(100));
        let _slow = pace.after(ago(400));
        let began = ago(0);
        let Pause(Some(end)) = pace.after(began) else { panic!() };
        let waits = end - began;
        assert!(waits > Duration::from_millis(490) && waits < Duration::from_millis(700), "{waits:?}");

        let later = pace.known().unwrap();
        let at = |seconds| later.at(later.at + Duration::from_secs(seconds));
        assert!(at(60) < Duration::from_millis(450) && at(60) > Duration::from_millis(280), "{:?}", at(60));
        assert!(at(3600) < Duration::from_millis(101), "{:?}", at(3600));
    }

    #[test]
    fn nothing_makes_a_refusal_wait_longer_than_the_limit() {
        let pace = known(Duration::from_millis(100));
        let _slow = pace.after(ago(60_000));
        let began = ago(0);
        let Pause(Some(end)) = pace.after(began) else { panic!() };
        // The raised pace falls from the moment it was raised.
        let waits = end - began;
        assert!(waits <= LONGEST && waits > LONGEST - Duration::from_millis(100), "{waits:?}");
    }

    #[test]
    fn without_an_expected_cost_nothing_waits() {
        let Pause(end) = Pace::new(None).after(ago(100));
        assert_eq!(end, None);
    }
}
