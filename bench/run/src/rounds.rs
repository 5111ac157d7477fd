//! Rates, times and memory: several rounds, in each of which every server has its turn, so that
//! whatever disturbs the measurement for a while disturbs all alike.

use std::time::Duration;

use load::{Result, closed, logins};

use crate::{progress, report::Column, server::Server};

pub(crate) const CONNECTIONS: usize = 32;
pub(crate) const IN_FLIGHT: usize = 64;
const WARM_UP: Duration = Duration::from_millis(500);

/// How much to measure.
pub(crate) struct Plan {
    pub(crate) rounds: usize,
    /// Of `/me` as fast as it goes, per round.
    pub(crate) load_time: Duration,
    /// Of logins, per round. What blocking tasks keep of their memory grows with it.
    pub(crate) login_time: Duration,
    /// The requests of the shorter and of the longer run under callgrind.
    pub(crate) counted_requests: (u32, u32),
}

impl Plan {
    pub(crate) fn full() -> Self {
        Self {
            rounds: 3,
            load_time: Duration::from_secs(5),
            login_time: Duration::from_secs(15),
            counted_requests: (1000, 6000),
        }
    }

    pub(crate) fn quick() -> Self {
        Self {
            rounds: 1,
            load_time: Duration::from_secs(2),
            login_time: Duration::from_secs(3),
            counted_requests: (200, 1200),
        }
    }
}

/// Measures all servers.
pub(crate) async fn run_all(columns: &mut [Column], plan: &Plan) -> Result<()> {
    for _ in 0..plan.rounds {
        for column in columns.iter_mut().filter(|column| !column.kind.only_logins) {
            let server = Server::start(column).await?;
            closed(&server.target, "/me", CONNECTIONS, WARM_UP, None).await?;
            let result = closed(&server.target, "/me", CONNECTIONS, plan.load_time, Some(server.pid)).await?;
            server.stop().await?;
            progress(column.kind, "load", &result);
            column.load.push(result);
        }
    }
    for _ in 0..plan.rounds {
        for column in columns.iter_mut() {
            // A new process each time, since its peak of memory is that of its whole life.
            let server = Server::start(column).await?;
            let result = logins(&server.target, IN_FLIGHT, plan.login_time, Some(server.pid)).await?;
            server.stop().await?;
            progress(column.kind, "logins", &result);
            column.logins.push(result);
        }
    }
    Ok(())
}
