//! Until when the statements on a connection may run: what is left of the request's time.
//!
//! 1. A statement that waits for the lock of another process waits for as long as is left (SQLite's
//!    busy timeout), and then fails: nothing has happened.
//! 2. A statement that runs on past the deadline is interrupted, and what it has changed is undone.
//! 3. A commit that has begun is not interrupted. Core waits for it, so that its outcome is known.

use std::sync::Arc;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::SqliteConnection;

/// How many steps of SQLite's machine are between two looks at the clock: some tens of
/// microseconds.
const STEPS: i32 = 10_000;

/// The deadline of one connection, shared with the handler that SQLite asks.
#[derive(Clone, Debug)]
pub(super) struct Deadline(Arc<AtomicU64>);

/// There is none.
const NEVER: u64 = u64::MAX;

static EPOCH: LazyLock<Instant> = LazyLock::new(Instant::now);

impl Deadline {
    /// Has SQLite ask for the deadline while it works on this connection.
    pub(super) async fn install(connection: &mut SqliteConnection) -> Result<Self, sqlx::Error> {
        let deadline = Self(Arc::new(AtomicU64::new(NEVER)));
        let asked = deadline.clone();
        connection.lock_handle().await?.set_progress_handler(STEPS, move || !asked.is_over());
        Ok(deadline)
    }

    /// For the statements that come now.
    pub(super) fn set(&self, left: Option<Duration>) {
        let at = left.map_or(NEVER, |left| millis().saturating_add(u64::try_from(left.as_millis()).unwrap_or(NEVER)));
        self.0.store(at, Ordering::Relaxed);
    }

    fn is_over(&self) -> bool {
        let at = self.0.load(Ordering::Relaxed);
        at != NEVER && millis() >= at
    }
}

fn millis() -> u64 {
    u64::try_from(EPOCH.elapsed().as_millis()).unwrap_or(NEVER)
}

/// How long to wait for a lock when this much is left: rounded down, so that the setting need not
/// be changed for each statement.
pub(super) fn busy_timeout(left: Duration) -> Duration {
    const GRAIN: u64 = 250;
    let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(if millis > GRAIN { millis - millis % GRAIN } else { millis })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_statement_waits_for_longer_than_is_left() {
        for (left, wait) in [(4_499, 4_250), (4_500, 4_500), (251, 250), (250, 250), (100, 100), (0, 0)] {
            assert_eq!(busy_timeout(Duration::from_millis(left)), Duration::from_millis(wait), "{left}");
        }
    }
}
