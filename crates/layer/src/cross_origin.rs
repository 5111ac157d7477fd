//! Whether a request with a cookie comes from the app's own pages: tower-http's check, asked about one request's head.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use http::header::{HeaderName, ORIGIN, UPGRADE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, Method, Request, Response, StatusCode, Uri};
use tower_http::csrf::CsrfLayer;
use tower_layer::Layer;
use tower_service::Service;

use crate::context::Settings;
use crate::{AuthRejection, ClientIp};

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

    /// Whether the request is unsafe and comes neither from the app's own origin nor from a trusted one. Unsafe is every
    /// method but `GET`, `HEAD` and `OPTIONS`, and every WebSocket upgrade (ASVS 3.5.1, 4.4.2).
    pub(crate) fn refuses(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
        if is_websocket_upgrade(method, headers) {
            return self.refuses_upgrade(uri, headers);
        }
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return false;
        }
        self.refuses_unsafe(method, uri, headers)
    }

    /// The rules for a WebSocket upgrade, in their order:
    ///
    /// 1. `Sec-Fetch-Site: same-origin` passes.
    /// 2. An upgrade with an `Origin` is judged by it alone. Every browser sends one (RFC 6455 §4.1), and browsers do not
    ///    agree on the `Sec-Fetch-Site` of a `wss:` URL.
    /// 3. An upgrade without an `Origin` passes if no browser sent it. A browser is known by `Sec-Fetch-Site` or by a
    ///    `User-Agent` that begins with `Mozilla/`; something on the way has taken its `Origin` away.
    fn refuses_upgrade(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let site = headers.get(SEC_FETCH_SITE);
        if site.is_some_and(|site| site == "same-origin") {
            return false;
        }
        if headers.get(ORIGIN).is_none_or(|origin| origin.is_empty()) {
            return site.is_some() || is_browser(headers);
        }
        let mut headers = headers.clone();
        headers.remove(SEC_FETCH_SITE);
        self.refuses_unsafe(&Method::POST, uri, &headers)
    }

    fn refuses_unsafe(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
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

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Whether the request asks for a WebSocket: by `Upgrade` with any method (RFC 6455 §4.1), or by an extended `CONNECT` of HTTP/2 or
/// HTTP/3 (RFC 8441 §4, RFC 9220 §3). A plain `CONNECT` counts too: no page can send one.
pub(crate) fn is_websocket_upgrade(method: &Method, headers: &HeaderMap) -> bool {
    // A protocol may have a version after a slash (RFC 9110 §7.8).
    let names = |protocol: &[u8]| {
        let name = protocol.split(|byte| *byte == b'/').next().unwrap_or_default();
        name.trim_ascii().eq_ignore_ascii_case(b"websocket")
    };
    let mut upgrades = headers.get_all(UPGRADE).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b','));
    *method == Method::CONNECT || upgrades.any(names)
}

/// Every browser's `User-Agent` begins so.
fn is_browser(headers: &HeaderMap) -> bool {
    headers.get(USER_AGENT).is_some_and(|agent| agent.as_bytes().starts_with(b"Mozilla/"))
}

/// Refuses an unsafe request that a page of another origin has sent, whether or not it brings a cookie: for routes that sign
/// somebody in, where a page of another site could sign its visitors in as somebody else (login CSRF), and for a WebSocket
/// that knows its caller by other means than the layer (ASVS 4.4.2).
///
/// It is the check that the [`AuthLayer`](crate::AuthLayer) makes of cookies, with its trusted origins. `GET`, `HEAD` and `OPTIONS` pass unless
/// they ask for a WebSocket. A request from no page at all, which has neither `Sec-Fetch-Site` nor `Origin`, passes too.
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
    refuse(parts, crate::context::innermost_settings(&parts.extensions))
}

/// [`refuse_cross_origin`] by the trusted origins of the layer whose users are `U`s, where layers for several types are stacked: who is trusted with
/// one kind of account is not trusted with another.
///
/// # Errors
///
/// [`AuthRejection::CrossOrigin`]. Where no such layer is mounted no origin but the app's own is trusted.
pub fn refuse_cross_origin_of<U: 'static>(parts: &Parts) -> Result<(), AuthRejection> {
    refuse(parts, crate::context::settings_of::<U>(&parts.extensions))
}

fn refuse(parts: &Parts, settings: Option<&Settings>) -> Result<(), AuthRejection> {
    let none = CrossOrigin::default();
    let check = settings.map_or(&none, |settings| &settings.cross_origin);
    if !check.refuses(&parts.method, &parts.uri, &parts.headers) {
        return Ok(());
    }
    let ip = ClientIp::from_extensions(&parts.extensions).map(|ClientIp(ip)| ip);
    Err(settings.map_or(AuthRejection::CrossOrigin, |settings| settings.report_cross_origin(&parts.headers, ip)))
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
