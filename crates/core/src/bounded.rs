//! How long a store may take: every call of a flow to a store goes through here.

use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use crate::StoreError;

thread_local! {
    /// Until when the store that is called must have answered: set while the call is polled.
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// Puts the deadline back that was there before, also when the call panics.
struct Restore(Option<Instant>);

impl Drop for Restore {
    fn drop(&mut self) {
        DEADLINE.set(self.0);
    }
}

/// How much time is left for the call to a store that is under way; `None` outside of the calls of
/// an [`Auth`](crate::Auth), and zero once it is over. For a store: what cannot be done in this
/// time should not be done later, because the request is answered 503 by then.
///
/// It is nine tenths of [`policy.store.timeout`](crate::StorePolicy::timeout), so that a store
/// which keeps to it is heard.
///
/// ```
/// assert_eq!(gatekit_core::time_left(), None);
/// ```
#[must_use]
pub fn time_left() -> Option<Duration> {
    DEADLINE.get().map(|deadline| deadline.saturating_duration_since(Instant::now()))
}

/// Runs a call to a store that may take this long, and can see by [`time_left`] what is left of it.
pub(crate) fn with_deadline<F: Future>(limit: Duration, mut call: Pin<&mut F>) -> impl Future<Output = F::Output> {
    let deadline = Instant::now() + limit.saturating_sub(limit / 10);
    poll_fn(move |cx| {
        let _restore = Restore(DEADLINE.replace(Some(deadline)));
        call.as_mut().poll(cx)
    })
}

/// Awaits `work` for no longer than `limit`; `None` if it takes longer. What is ready at once costs
/// no timer, and no room for one.
pub(crate) async fn within<F: Future>(limit: Duration, mut work: Pin<&mut F>) -> Option<F::Output> {
    if let Poll::Ready(done) = poll_fn(|cx| Poll::Ready(work.as_mut().poll(cx))).await {
        return Some(done);
    }
    Box::pin(tokio::time::timeout(limit, work)).await.ok()
}

/// Runs `call`, and fails with [`StoreError::Timeout`] if it takes longer than `limit`.
pub(crate) async fn bounded<T, E: From<StoreError>>(
    limit: Duration,
    call: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    let call = pin!(call);
    let call = pin!(with_deadline(limit, call));
    match within(limit, call).await {
        Some(done) => done,
        None => Err(StoreError::Timeout.into()),
    }
}
