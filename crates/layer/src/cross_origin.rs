//! The check that a request with a cookie comes from the app's own pages.
//!
//! 1. `Sec-Fetch-Site: same-origin` or `none` passes. The browser has compared scheme, host and
//!    port itself.
//! 2. An `Origin` that the app trusts passes.
//! 3. Any other `Sec-Fetch-Site` is refused.
//! 4. A request with neither header passes: no page has sent it.
//! 5. The `Origin` of the app's public URL passes, whatever a proxy has made of `Host`. Browsers
//!    that are too old for `Sec-Fetch-Site`, and all browsers on plain HTTP, say nothing else.
//! 6. An `Origin` passes that names the host of the request (`Host`, or `:authority` in HTTP/2) and
//!    whose scheme can be the app's: that of the public URL. Without a public URL, `http` is
//!    refused if the request has a cookie that browsers keep for HTTPS alone, except on this
//!    machine.
//! 7. All else is refused, `Origin: null` too.

use gatekit_core::{InvalidOrigin, Origin, PublicUrl};
use http::header::{COOKIE, HOST, HeaderName, ORIGIN, UPGRADE, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Uri};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// The origins whose pages may do what the app's own may.
#[derive(Clone, Debug, Default)]
pub(crate) struct CrossOrigin {
    /// The app's own, if it has said where users reach it.
    own: Option<Origin>,
    trusted: Vec<Origin>,
}

impl CrossOrigin {
    pub(crate) fn of(public_url: Option<&PublicUrl>) -> Self {
        Self { own: public_url.map(|url| url.origin().clone()), trusted: Vec::new() }
    }

    pub(crate) fn trust(mut self, origin: &str) -> Result<Self, InvalidOrigin> {
        self.trusted.push(origin.parse()?);
        Ok(self)
    }

    /// Whether the request is unsafe and comes neither from the app's own origin nor from a trusted
    /// one. Unsafe is every method but `GET`, `HEAD` and `OPTIONS`, and every WebSocket upgrade
    /// (ASVS 3.5.1, 4.4.2).
    pub(crate) fn refuses(&self, method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
        if is_websocket_upgrade(method, headers) {
            return self.refuses_upgrade(uri, headers);
        }
        if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return false;
        }
        self.refuses_unsafe(headers.get(SEC_FETCH_SITE), uri, headers)
    }

    /// The rules for a WebSocket upgrade, in their order:
    ///
    /// 1. `Sec-Fetch-Site: same-origin` passes.
    /// 2. An upgrade with an `Origin` is judged by it alone. Every browser sends one (RFC 6455
    ///    §4.1), and browsers do not agree on the `Sec-Fetch-Site` of a `wss:` URL.
    /// 3. An upgrade without an `Origin` passes if no browser sent it. A browser is known by
    ///    `Sec-Fetch-Site` or by a `User-Agent` that begins with `Mozilla/`; something on the way
    ///    has taken its `Origin` away.
    fn refuses_upgrade(&self, uri: &Uri, headers: &HeaderMap) -> bool {
        let site = headers.get(SEC_FETCH_SITE);
        if site.is_some_and(|site| site == "same-origin") {
            return false;
        }
        if headers.get(ORIGIN).is_none_or(|origin| origin.is_empty()) {
            return site.is_some() || is_browser(headers);
        }
        self.refuses_unsafe(None, uri, headers)
    }

    /// The rules above, in their order. An empty header counts as none.
    fn refuses_unsafe(&self, site: Option<&HeaderValue>, uri: &Uri, headers: &HeaderMap) -> bool {
        let site = site.map(HeaderValue::as_bytes).filter(|site| !site.is_empty());
        if matches!(site, Some(b"same-origin" | b"none")) {
            return false;
        }
        let mut sent = headers.get_all(ORIGIN).iter().filter(|origin| !origin.is_empty());
        let (origin, second) = (sent.next(), sent.next());
        if origin.is_none() && site.is_none() {
            return false;
        }
        // No browser sends two, and `null` is no origin.
        let origin = origin.filter(|_| second.is_none()).and_then(|origin| origin.to_str().ok());
        let Some(origin) = origin.and_then(|origin| origin.parse::<Origin>().ok()) else { return true };
        if self.trusted.contains(&origin) {
            return false;
        }
        let is_own = self.own.as_ref() == Some(&origin);
        site.is_some() || !(is_own || is_host(&origin, uri, headers) && self.may_be_scheme(&origin, headers))
    }

    /// Whether pages of the app can be of the origin's scheme.
    fn may_be_scheme(&self, origin: &Origin, headers: &HeaderMap) -> bool {
        match &self.own {
            Some(own) => own.is_https() == origin.is_https(),
            None => origin.is_https() || origin.is_loopback() || !has_https_cookie(headers),
        }
    }
}

/// Whether the request asks for a WebSocket: by `Upgrade` with any method (RFC 6455 §4.1), or by an
/// extended `CONNECT` of HTTP/2 or HTTP/3 (RFC 8441 §4, RFC 9220 §3). A plain `CONNECT` counts too:
/// no page can send one.
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

/// Whether the request was sent to the origin's host and port.
fn is_host(origin: &Origin, uri: &Uri, headers: &HeaderMap) -> bool {
    let scheme = if origin.is_https() { "https" } else { "http" };
    let mut hosts = headers.get_all(HOST).iter();
    let header = hosts.next().filter(|_| hosts.next().is_none()).and_then(|host| host.to_str().ok());
    let host = uri.authority().map(|authority| authority.as_str()).or(header);
    // The default port may be there or not, as a proxy likes it.
    host.is_some_and(|host| format!("{scheme}://{host}").parse::<Origin>().is_ok_and(|own| own == *origin))
}

/// Whether there is a cookie that no browser sends over plain HTTP (RFC 6265bis §4.1.3).
fn has_https_cookie(headers: &HeaderMap) -> bool {
    let cookies = headers.get_all(COOKIE).iter().flat_map(|cookies| cookies.as_bytes().split(|byte| *byte == b';'));
    cookies.map(<[u8]>::trim_ascii_start).any(|cookie| {
        ["__Host-", "__Secure-"]
            .iter()
            .any(|prefix| cookie.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes())))
    })
}
