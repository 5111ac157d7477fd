//! Reads the body of a request, within a limit in bytes and a limit in time.
//!
//! A server that waits for a body without a limit can be stopped by clients that send half of one:
//! each of them holds a connection and what it has sent so far. Every route of the kit reads its
//! body here.

use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;

use axum::body::{Body, Bytes};
use axum::http::HeaderMap;
use gatekit_core::Policy;
use http_body_util::{BodyExt, LengthLimitError, Limited};

use crate::body_error::BodyError;
use crate::inflate::Encoding;

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
/// use gatekit_web::{BodyError, read_body};
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
