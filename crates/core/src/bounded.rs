//! How long a store may take: every call of a flow to a store goes through here.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use crate::StoreError;

/// Runs `call`, and fails with [`StoreError::Timeout`] if it takes longer than `limit`.
///
/// A call that is ready at once, as every call to a store in memory is, costs no timer.
pub(crate) async fn bounded<T, E: From<StoreError>>(
    limit: Duration,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let mut call = pin!(call);
    if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx))).await {
        return done;
    }
    match tokio::time::timeout(limit, call).await {
        Ok(done) => done,
        Err(_) => Err(StoreError::Timeout.into()),
    }
}
