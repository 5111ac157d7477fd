//! Many logins at once, and what they do to everybody else.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use serde::Serialize;
use tokio::{
    task::JoinSet,
    time::{sleep, sleep_until, timeout},
};

use crate::{GRACE, Result, Target, check_bounds, client::Connection, process, stats::percentile};

/// One `GET /me` each: a hundred in a second.
const INTERVAL: Duration = Duration::from_millis(10);

/// The result of many logins at once.
#[derive(Clone, Debug, Serialize)]
pub struct Logins {
    /// Completed logins in a second.
    pub logins_per_second: f64,
    /// Logins that the server put off (503).
    pub refused: usize,
    /// Half of the `GET /me` beside them were answered this long after they were due.
    pub me_p50_ms: f64,
    /// And all but one in a hundred.
    pub me_p99_ms: f64,
    /// The most memory the server ever held, in MB.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peak_memory_mb: Option<f64>,
}

/// Keeps `in_flight` logins going for `time`, and `GET /me` at 100 a second beside them.
///
/// # Errors
/// When any `GET /me` fails, or any login is answered with neither 200 nor 503.
pub async fn logins(target: &Target, in_flight: usize, time: Duration, pid: Option<u32>) -> Result<Logins> {
    check_bounds(in_flight, time)?;
    let start = Instant::now();
    let done = Arc::new(AtomicBool::new(false));
    let visits = tokio::spawn(timeout(time + GRACE, visit(target.clone(), start, done.clone())));

    let mut tasks = JoinSet::new();
    for _ in 0..in_flight {
        let target = target.clone();
        tasks.spawn(timeout(time + GRACE, async move { log_in(&target, start + time).await }));
    }
    let (mut completed, mut refused) = (0, 0);
    while let Some(counts) = tasks.join_next().await {
        let (more_completed, more_refused) = counts???;
        completed += more_completed;
        refused += more_refused;
    }
    // Until the last one is answered, since those that are under way at the planned end were worked
    // on before it.
    let elapsed = start.elapsed();
    done.store(true, Ordering::Relaxed);

    let mut times = visits.await???;
    Ok(Logins {
        logins_per_second: f64::from(completed) / elapsed.as_secs_f64(),
        refused,
        me_p50_ms: percentile(&mut times, 50),
        me_p99_ms: percentile(&mut times, 99),
        peak_memory_mb: pid.map(process::peak_memory).transpose()?,
    })
}

async fn log_in(target: &Target, end: Instant) -> Result<(u32, usize)> {
    let mut connection = target.connect().await?;
    let request = target.login();
    let (mut completed, mut refused) = (0, 0);
    while Instant::now() < end {
        match connection.exchange(&request).await?.status {
            200 => completed += 1,
            503 => {
                refused += 1;
                sleep(Duration::from_millis(100)).await;
            }
            status => return Err(format!("login answered {status}").into()),
        }
    }
    Ok((completed, refused))
}

/// Open loop: a request goes out when it is due, whether or not the ones before it are answered,
/// and its time counts from when it was due. A server that stalls cannot hide the requests that it
/// kept from being sent.
async fn visit(target: Target, start: Instant, done: Arc<AtomicBool>) -> Result<Vec<Duration>> {
    let request: Arc<[u8]> = target.get("/me").into();
    let idle = Arc::new(Mutex::new(Vec::new()));
    let mut tasks = JoinSet::new();
    let mut due = start;
    while !done.load(Ordering::Relaxed) {
        sleep_until(due.into()).await;
        tasks.spawn(visit_once(target.clone(), request.clone(), idle.clone(), due));
        due += INTERVAL;
    }
    let mut times = Vec::new();
    while let Some(time) = tasks.join_next().await {
        times.push(time??);
    }
    Ok(times)
}

async fn visit_once(
    target: Target,
    request: Arc<[u8]>,
    idle: Arc<Mutex<Vec<Connection>>>,
    due: Instant,
) -> Result<Duration> {
    let kept = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
    let mut connection = match kept {
        Some(connection) => connection,
        None => target.connect().await?,
    };
    let status = connection.exchange(&request).await?.status;
    let time = due.elapsed();
    if status != 200 {
        return Err(format!("/me answered {status}").into());
    }
    idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    Ok(time)
}
