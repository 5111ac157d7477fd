//! Closed loop: each connection sends its next request when the last one is answered.

use std::time::{Duration, Instant};

use serde::Serialize;
use tokio::{task::JoinSet, time::timeout};

use crate::{GRACE, Result, Target, check_bounds, client::Connection, process, stats::percentile};

/// The result of a closed loop.
#[derive(Clone, Debug, Serialize)]
pub struct Closed {
    /// Answers in a second.
    pub requests_per_second: f64,
    /// Half of them came within this time.
    pub p50_ms: f64,
    /// All but one in a hundred came within this time.
    pub p99_ms: f64,
    /// Processor time of the server for one request: unlike the rate, it holds nothing of the load
    /// generator's own work.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server_cpu_us: Option<f64>,
}

/// Sends `GET path` over some connections for some time.
///
/// # Errors
/// When any answer is not 200.
pub async fn closed(
    target: &Target,
    path: &str,
    connections: usize,
    time: Duration,
    pid: Option<u32>,
) -> Result<Closed> {
    check_bounds(connections, time)?;
    let mut ready = Vec::new();
    for _ in 0..connections {
        ready.push(target.connect().await?);
    }

    let before = pid.map(process::cpu_time).transpose()?;
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for connection in ready {
        tasks.spawn(timeout(time + GRACE, repeat(connection, target.get(path), start + time)));
    }
    let mut times = Vec::new();
    while let Some(done) = tasks.join_next().await {
        times.extend(done???);
    }
    let elapsed = start.elapsed();
    let spent = pid.map(process::cpu_time).transpose()?;

    let count = times.len() as f64;
    Ok(Closed {
        requests_per_second: count / elapsed.as_secs_f64(),
        p50_ms: percentile(&mut times, 50),
        p99_ms: percentile(&mut times, 99),
        server_cpu_us: spent.zip(before).map(|(spent, before)| (spent - before).as_secs_f64() * 1e6 / count),
    })
}

async fn repeat(mut connection: Connection, request: Vec<u8>, end: Instant) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut sent = Instant::now();
    while sent < end {
        let status = connection.exchange(&request).await?.status;
        if status != 200 {
            return Err(format!("answered {status}").into());
        }
        let answered = Instant::now();
        times.push(answered - sent);
        sent = answered;
    }
    Ok(times)
}
