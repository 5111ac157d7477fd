//! A load generator for one server on this machine. It never sends to any address but 127.0.0.1,
//! and every run is bounded in count and time.

mod args;
mod client;
mod closed;
mod count;
mod logins;
mod process;
mod stats;

use std::time::Duration;

pub use args::Args;
pub use client::{Reply, Target};
pub use closed::{Closed, closed};
pub use count::count;
pub use logins::{Logins, logins};

/// The result of anything here. Nobody reads its errors but people.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// How long after its planned end a run may wait for the last answers.
const GRACE: Duration = Duration::from_secs(60);
/// The bounds of every run.
const MAX_CONNECTIONS: usize = 1024;
const MAX_TIME: Duration = Duration::from_secs(120);

fn check_bounds(connections: usize, time: Duration) -> Result<()> {
    if connections == 0 || connections > MAX_CONNECTIONS || time > MAX_TIME {
        return Err(format!("at most {MAX_CONNECTIONS} connections and {} seconds", MAX_TIME.as_secs()).into());
    }
    Ok(())
}
