//! What happens to a visitor who may not see a page yet? It is sent to where that can be changed, and comes back.

use axum::extract::{OriginalUri, Request};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};

/// What browsers may do with the site's own pages: show them, with their stylesheet, and in no frame.
const CONTENT_SECURITY_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'");

/// Goes around the site's own pages. `AuthUser` and `Fresh` answer programs with 401; a person gets the page to log in, or to enter the
/// password again.
pub(crate) async fn ask_to_log_in(OriginalUri(uri): OriginalUri, request: Request, next: Next) -> Response {
    let is_get = request.method() == Method::GET;
    let mut response = next.run(request).await;
    if is_get && response.status() == StatusCode::UNAUTHORIZED {
        // RFC 9470: known, but the password was entered too long ago.
        let challenge = response.headers().get(header::WWW_AUTHENTICATE).and_then(|value| value.to_str().ok());
        let is_stale = challenge.is_some_and(|it| it.contains("insufficient_user_authentication"));
        let page = if is_stale { "/confirm-password" } else { "/login" };
        response = Redirect::to(&format!("{page}?return_to={}", uri.path())).into_response();
    }
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY);
    // They differ from user to user, and must not come back from a cache after a logout.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
