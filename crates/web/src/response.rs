//! Finishes a response: no cache keeps it, its URL stays private, and the browser gets its cookies.

use axum::http::Response;
use axum::http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, REFERRER_POLICY, SET_COOKIE};

/// Sets `Cache-Control: no-store`. A response that holds a user's data, a token, or a page for one
/// user is kept by no cache (ASVS 14.3.2, RFC 6749 section 5.1).
///
/// ```
/// use axum::http::Response;
///
/// let response = gatekit_web::private(Response::new("a token"));
/// assert_eq!(response.headers()["cache-control"], "no-store");
/// ```
#[must_use]
pub fn private<B>(mut response: Response<B>) -> Response<B> {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// As [`private`], for a request whose URL may hold a secret: `Referrer-Policy: no-referrer` is set
/// too, so that the next page does not get the URL as `Referer`.
#[must_use]
pub fn private_url<B>(response: Response<B>) -> Response<B> {
    let mut response = private(response);
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}

/// Adds the `Set-Cookie` headers of `headers` to a response.
#[must_use]
pub fn with_cookies<B>(mut response: Response<B>, headers: &HeaderMap) -> Response<B> {
    for cookie in headers.get_all(SET_COOKIE) {
        response.headers_mut().append(SET_COOKIE, cookie.clone());
    }
    response
}
