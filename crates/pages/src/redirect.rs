//! Redirects a browser, and tells neither a cache nor the next page the URL.

use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use gatekit_web::private_url;

use crate::return_to::location;

/// A redirect to `target`, which was found allowed. The URL that leads here may hold a mailed
/// secret: no cache keeps the response, and the next page does not get the URL as `Referer`.
pub(crate) fn redirect(status: StatusCode, target: &str) -> Response {
    private_url((status, [(LOCATION, location(target))]).into_response())
}
