//! Percentiles.

use std::time::Duration;

/// The value below which `percent` of the times lie, in milliseconds; sorts them.
pub(crate) fn percentile(times: &mut [Duration], percent: usize) -> f64 {
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100).saturating_sub(1);
    times.get(rank).map_or(f64::NAN, |time| time.as_secs_f64() * 1e3)
}
