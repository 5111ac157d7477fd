//! `load closed|logins|count --url http://127.0.0.1:PORT ...`: logs in, puts load on a server and
//! prints one line of JSON.

use std::time::Duration;

use load::{Args, Result, Target, closed, count, logins};

const USAGE: &str = "\
load closed --url URL [--path /me] [--connections 32] [--seconds 5] [--pid PID]
load logins --url URL [--in-flight 64] [--seconds 10] [--pid PID]
load count  --url URL [--path /me] [--requests 1000]";

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::from_env(&["url", "path", "connections", "in-flight", "seconds", "requests", "pid"], &[])?;
    let mut target = Target::new(&args.get::<String>("url")?.ok_or(USAGE)?)?;
    target.log_in().await?;

    let path = args.get("path")?.unwrap_or("/me".to_owned());
    let seconds = |default| -> Result<Duration> { Ok(Duration::from_secs(args.get("seconds")?.unwrap_or(default))) };
    let pid = args.get("pid")?;
    match args.command() {
        Some("closed") => {
            let connections = args.get("connections")?.unwrap_or(32);
            let result = closed(&target, &path, connections, seconds(5)?, pid).await?;
            println!("{}", serde_json::to_string(&result)?);
        }
        Some("logins") => {
            let in_flight = args.get("in-flight")?.unwrap_or(64);
            let result = logins(&target, in_flight, seconds(10)?, pid).await?;
            println!("{}", serde_json::to_string(&result)?);
        }
        Some("count") => {
            let requests = args.get("requests")?.unwrap_or(1000);
            count(&target, &path, requests).await?;
            println!("{}", serde_json::json!({ "requests": requests }));
        }
        _ => return Err(USAGE.into()),
    }
    Ok(())
}
