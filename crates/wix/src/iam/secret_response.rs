//! Finishes a response that holds a secret.

use axum::http::HeaderValue;
use axum::http::header::X_CONTENT_TYPE_OPTIONS;
use axum::response::{IntoResponse, Response};
use gatekit_web::private_url;

/// No cache keeps the response, no other site gets its URL, and no browser guesses its type.
pub(crate) fn secret_response(response: impl IntoResponse) -> Response {
    let mut response = private_url(response.into_response());
    response.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}
