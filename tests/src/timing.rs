//! Whether two kinds of request take the same time.

use std::time::{Duration, Instant};

use crate::Call;

/// How many requests of each kind are compared.
const MEASURED: usize = 200;
/// By how much the medians may differ.
const TOLERANCE: f64 = 1.2;
/// How often it is measured again.
const ATTEMPTS: usize = 5;

/// How long a request takes. Panics unless it is answered with this status.
pub async fn timed(call: Call, status: u16) -> Duration {
    let begun = Instant::now();
    let answer = call.await;
    let took = begun.elapsed();
    answer.expect_status(status);
    took
}

/// Compares the medians of two kinds of request, each given a number that is another one each time.
/// They are measured in turn, so that a busy machine slows both, and again if they differ: what is
/// measured is the code, and not what else the machine does.
///
/// # Panics
///
/// If they differ by more than 20 % each time.
#[expect(clippy::print_stdout, reason = "what was measured is shown for a test that fails")]
pub async fn same_time(
    what: &str,
    mut one: impl AsyncFnMut(usize) -> Duration,
    mut other: impl AsyncFnMut(usize) -> Duration,
) {
    let mut seen = Vec::new();
    for attempt in 0..ATTEMPTS {
        let (mut ones, mut others) = (Vec::new(), Vec::new());
        for n in 0..MEASURED {
            let n = attempt * MEASURED + n;
            ones.push(one(n).await);
            others.push(other(n).await);
        }
        let (one, other) = (median(&mut ones), median(&mut others));
        let ratio = one.as_secs_f64() / other.as_secs_f64();
        println!("{what}: {one:?} and {other:?}, {ratio:.2}");
        if (1.0 / TOLERANCE..=TOLERANCE).contains(&ratio) {
            return;
        }
        seen.push(ratio);
    }
    panic!("{what}: the medians differ by more than 20 %, {ATTEMPTS} times: {seen:?}");
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().expect("something was measured")
}
