//! Reading the body of a request, with a bound on its size and on the time it may take.
//!
//! A server that waits for a body as long as the client likes can be stopped by clients that send half of one: each of them
//! holds a connection and what it has sent so far. Every route of the kit reads its body here.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use axum::body::{Body, Bytes};
use gatekit_core::Policy;
use http_body_util::{BodyExt, LengthLimitError, Limited};

/// Why the body of a request was not read.
///
/// ```
/// use gatekit_routes::BodyError;
///
/// assert_eq!(BodyError::TooSlow.to_string(), "the body did not arrive in time");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// It has more bytes than the route reads. HTTP status 413.
    #[error("the body is too large")]
    TooLarge,
    /// It was not complete within `Policy::body_timeout`. HTTP status 408.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The connection broke off, or the client sent something that is no HTTP. HTTP status 400.
    #[error("the body was cut off")]
    Broken,
}

/// Reads the body of a request: at most `max_bytes`, within `Policy::body_timeout` for all of it.
///
/// A client that sends one byte now and then does not gain time by it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use axum::body::Body;
/// use gatekit_core::Policy;
/// use gatekit_routes::{BodyError, read_body};
///
/// let policy = Policy::default();
/// assert_eq!(read_body(&policy, Body::from("four"), 4).await.unwrap(), "four");
/// assert_eq!(read_body(&policy, Body::from("fives"), 4).await, Err(BodyError::TooLarge));
/// # }
/// ```
///
/// # Errors
///
/// [`BodyError`].
pub async fn read_body(policy: &Policy, body: Body, max_bytes: usize) -> Result<Bytes, BodyError> {
    let mut read = pin!(Limited::new(body, max_bytes).collect());
    // A body that is there already, as most are, costs no timer.
    let done = match poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await {
        Poll::Ready(done) => done,
        Poll::Pending => tokio::time::timeout(policy.body_timeout, read).await.map_err(|_| BodyError::TooSlow)?,
    };
    match done {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::Broken),
    }
}
