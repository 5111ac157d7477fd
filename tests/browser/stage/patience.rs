//! How long does a test wait? For a condition and never for a time.

use std::future::Future;
use std::time::{Duration, Instant};

/// How long a condition may take to come true. Far more than it does, for machines with much else
/// to do.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is asked.
const PAUSE: Duration = Duration::from_millis(25);

/// Asks until there is an answer.
///
/// # Panics
///
/// If there is none in [`PATIENCE`].
pub(crate) async fn eventually<T, F>(what: &str, mut ask: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "waited {} s for {what}", PATIENCE.as_secs());
        tokio::time::sleep(PAUSE).await;
    }
}
