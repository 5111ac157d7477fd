//! What the kernel knows of the server's process.

use std::{fs, time::Duration};

use crate::Result;

/// The most memory it ever held, in MB (10^6 bytes).
pub(crate) fn peak_memory(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let kib: f64 = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|value| value.split_whitespace().next())
        .ok_or("no VmHWM")?
        .parse()?;
    Ok(kib * 1024.0 / 1e6)
}

/// The processor time it has taken so far, in user and kernel mode.
pub(crate) fn cpu_time(pid: u32) -> Result<Duration> {
    // The unit of these counters in /proc is 10 ms on every Linux that Rust runs on.
    const TICK: Duration = Duration::from_millis(10);
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    // The name of the program is in parentheses and may hold spaces, so count from behind it.
    let (_, fields) = stat.rsplit_once(')').ok_or("no program name")?;
    let fields: Vec<_> = fields.split_whitespace().collect();
    let mut ticks = 0;
    for at in [11, 12] {
        ticks += fields.get(at).ok_or("too few fields")?.parse::<u32>()?;
    }
    Ok(TICK * ticks)
}
