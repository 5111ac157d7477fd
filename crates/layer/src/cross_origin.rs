//! Whether a request with a cookie comes from the app's own pages: tower-http's check, asked about one request's head.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use tower_http::csrf::CsrfLayer;
use tower_layer::Layer;
use tower_service::Service;

use crate::AuthRejection;

/// An origin that no browser would ever send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an origin: write scheme, host and port alone, such as https://admin.example.com")]
pub struct InvalidOrigin(String);

#[derive(Clone, Debug, Default)]
pub(crate) struct CrossOrigin(CsrfLayer);

impl CrossOrigin {
    pub(crate) fn trust(self, origin: &str) -> Result<Self, InvalidOrigin> {
        self.0.add_trusted_origin(origin).map(Self).map_err(|_| InvalidOrigin(origin.into()))
    }

    /// Whether the method is unsafe and the request neither of the app's own origin nor of a trusted one.
    pub(crate) fn refuses(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return false;
        }
        let mut head = Request::new(());
        *head.method_mut() = method.clone();
        *head.uri_mut() = uri.clone();
        *head.headers_mut() = headers.clone();
        let answer = pin!(self.0.layer(Passed).call(head));
        // The check itself does not wait for anything; if it ever should, nothing passes.
        match answer.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Ok(response)) => response.status() != StatusCode::OK,
            Poll::Pending => true,
        }
    }
}

/// Refuses an unsafe request that a page of another origin has sent, whether or not it brings a cookie: for routes that sign
/// somebody in, where a page of another site could sign its visitors in as somebody else (login CSRF).
///
/// It is the check that the [`AuthLayer`](crate::AuthLayer) makes of cookies, with its trusted origins. `GET`, `HEAD` and `OPTIONS` pass, and
/// so does a request from no page at all, which has neither `Sec-Fetch-Site` nor `Origin`.
///
/// ```
/// use gatekit_layer::{AuthRejection, refuse_cross_origin};
/// use http::request::Parts;
///
/// fn check(parts: &Parts) -> Result<(), AuthRejection> {
///     refuse_cross_origin(parts)
/// }
/// ```
///
/// # Errors
///
/// [`AuthRejection::CrossOrigin`]. Where no layer is mounted no origin but the app's own is trusted.
pub fn refuse_cross_origin(parts: &Parts) -> Result<(), AuthRejection> {
    refuse(parts, crate::context::cross_origin(&parts.extensions))
}

/// [`refuse_cross_origin`] by the trusted origins of the layer whose users are `U`s, where layers for several types are stacked: who is trusted with
/// one kind of account is not trusted with another.
///
/// # Errors
///
/// [`AuthRejection::CrossOrigin`]. Where no such layer is mounted no origin but the app's own is trusted.
pub fn refuse_cross_origin_of<U: 'static>(parts: &Parts) -> Result<(), AuthRejection> {
    refuse(parts, crate::context::cross_origin_of::<U>(&parts.extensions))
}

fn refuse(parts: &Parts, cross_origin: Option<&CrossOrigin>) -> Result<(), AuthRejection> {
    let none = CrossOrigin::default();
    let forged = cross_origin.unwrap_or(&none).refuses(&parts.method, &parts.uri, &parts.headers);
    if forged { Err(AuthRejection::CrossOrigin) } else { Ok(()) }
}

/// The service behind the check: whoever gets here has passed.
struct Passed;

impl Service<Request<()>> for Passed {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(())))
    }
}
