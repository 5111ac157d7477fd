//! Reading the body of a request, with a bound on its size and on the time it may take.
//!
//! A server that waits for a body as long as the client likes can be stopped by clients that send
//! half of one: each of them holds a connection and what it has sent so far. Every route of the kit
//! reads its body here.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use gatekit_core::Policy;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::InflateError;
use crate::inflate::Encoding;

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
    /// It has more bytes than the route reads, as it was sent or after it was unpacked. HTTP status
    /// 413.
    #[error("the body is too large")]
    TooLarge,
    /// It was not complete within `policy.limits.body_timeout`. HTTP status 408.
    #[error("the body did not arrive in time")]
    TooSlow,
    /// The connection broke off, or the client sent something that is no HTTP. HTTP status 400.
    #[error("the body was cut off")]
    Broken,
    /// Its content encoding is not `identity`, `gzip` or `deflate`, or it has several. HTTP status
    /// 415.
    #[error("the body must be sent as it is, or as gzip or deflate")]
    UnsupportedEncoding,
    /// It is not what its content encoding says. HTTP status 400.
    #[error("the body cannot be unpacked: {0}")]
    Inflate(#[from] InflateError),
}

/// How many bytes a compressed body may have beyond the limit: the frame of gzip, with names,
/// around what cannot be compressed.
const FRAME: usize = 1024;

/// Reads the body of a request with these headers: at most `max_bytes`, within
/// `policy.limits.body_timeout` for all of it.
///
/// A body with `Content-Encoding: gzip` or `deflate` is unpacked. The limit then holds for what
/// comes out, and no more than that is unpacked.
///
/// A client that sends one byte now and then does not gain time by it.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() {
/// use axum::body::Body;
/// use axum::http::HeaderMap;
/// use gatekit_core::Policy;
/// use gatekit_routes::{BodyError, read_body};
///
/// let (policy, headers) = (Policy::default(), HeaderMap::new());
/// assert_eq!(read_body(&policy, &headers, Body::from("four"), 4).await.unwrap(), "four");
/// assert_eq!(read_body(&policy, &headers, Body::from("fives"), 4).await, Err(BodyError::TooLarge));
/// # }
/// ```
///
/// # Errors
///
/// [`BodyError`].
pub async fn read_body(policy: &Policy, headers: &HeaderMap, body: Body, max_bytes: usize) -> Result<Bytes, BodyError> {
    let encoding = Encoding::of(headers)?;
    if encoding == Encoding::Identity {
        return collect(policy, body, max_bytes).await;
    }
    let packed = collect(policy, body, max_bytes.saturating_add(FRAME)).await?;
    Ok(encoding.unpack(&packed, max_bytes)?.into())
}

/// The bytes of a body as it was sent.
async fn collect(policy: &Policy, body: Body, max_bytes: usize) -> Result<Bytes, BodyError> {
    let mut read = pin!(Limited::new(body, max_bytes).collect());
    // A body that is there already, as most are, costs no timer.
    let done = match poll_fn(|cx| Poll::Ready(read.as_mut().poll(cx))).await {
        Poll::Ready(done) => done,
        Poll::Pending => {
            tokio::time::timeout(policy.limits.body_timeout, read).await.map_err(|_| BodyError::TooSlow)?
        }
    };
    match done {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::Broken),
    }
}
