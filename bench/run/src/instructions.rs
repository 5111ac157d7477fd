//! Instructions that a server executes for one request. Unlike time, they do not depend on what
//! else is running.

use load::{Result, count};
use tokio::process::Command;

use crate::{progress, report::Column, rounds::Plan, server::Server};

/// Requests before the counted ones: first uses of anything lazy.
const WARM_UP: u32 = 500;

/// Counts for all servers, on both routes.
pub(crate) async fn count_all(columns: &mut [Column], plan: &Plan) -> Result<()> {
    if Command::new("valgrind").arg("--version").output().await.is_err() {
        eprintln!("no valgrind (apt-get install valgrind): instructions are left out");
        return Ok(());
    }
    for column in columns.iter_mut().filter(|column| !column.kind.only_logins) {
        let open = per_request(column, "/open", plan).await?;
        progress(column.kind, "instructions of /open", open);
        let me = per_request(column, "/me", plan).await?;
        progress(column.kind, "instructions of /me", me);
        (column.open_instructions, column.me_instructions) = (Some(open), Some(me));
    }
    Ok(())
}

/// The difference of two runs that differ in the number of requests only, so that start, login and
/// warm-up cancel out.
async fn per_request(column: &Column, path: &str, plan: &Plan) -> Result<f64> {
    let (few, many) = plan.counted_requests;
    let less = total(column, path, few).await?;
    let more = total(column, path, many).await?;
    Ok((more - less) / f64::from(many - few))
}

async fn total(column: &Column, path: &str, requests: u32) -> Result<f64> {
    let server = Server::start_counting(column).await?;
    count(&server.target, path, WARM_UP + requests).await?;
    let log = server.stop().await?;
    let collected = log
        .lines()
        .find_map(|line| line.split_once("Collected : "))
        .ok_or_else(|| format!("callgrind did not count: {log}"))?;
    Ok(collected.1.trim().parse()?)
}
