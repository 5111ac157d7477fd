//! The headers of helmet, as a generated LoopBack 3 project sends them with every response.

use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;

/// The values of the `middleware.json` that LoopBack's generator writes.
const HEADERS: [(HeaderName, HeaderValue); 5] = [
    (header::X_XSS_PROTECTION, HeaderValue::from_static("1; mode=block")),
    (header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY")),
    // A browser forgets with this value that the host wants HTTPS. Where yours is on HTTPS, write
    // `max-age=31536000`.
    (header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=0; includeSubDomains")),
    (HeaderName::from_static("x-download-options"), HeaderValue::from_static("noopen")),
    (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
];

/// Adds them to a response.
pub(crate) async fn add(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        // In place of one that a response has already: `extend` would add a second one.
        response.headers_mut().insert(name, value);
    }
    response
}
