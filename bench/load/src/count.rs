//! A given number of requests, one after the other on one connection: for counting a server's
//! instructions.

use tokio::time::timeout;

use crate::{GRACE, Result, Target};

const MAX_REQUESTS: u32 = 1_000_000;

/// Sends `GET path` `requests` times.
///
/// # Errors
/// When any answer is not 200, or when it takes minutes.
pub async fn count(target: &Target, path: &str, requests: u32) -> Result<()> {
    if requests > MAX_REQUESTS {
        return Err(format!("at most {MAX_REQUESTS} requests").into());
    }
    timeout(GRACE * 5, async {
        let mut connection = target.connect().await?;
        let request = target.get(path);
        for _ in 0..requests {
            let status = connection.exchange(&request).await?.status;
            if status != 200 {
                return Err(format!("answered {status}").into());
            }
        }
        Ok(())
    })
    .await?
}
