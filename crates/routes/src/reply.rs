//! What LoopBack's successes look like.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, HeaderValue};
use axum::http::{Response, StatusCode};
use axum::response::IntoResponse;
use gatekit_layer::ErrorResponse;
use gatekit_web::private;
use serde::Serialize;

const JSON: HeaderValue = HeaderValue::from_static("application/json; charset=utf-8");

/// 200 with a JSON body, not to be kept by any cache: it holds somebody's data or token (ASVS
/// 14.3.2, RFC 6749 §5.1).
pub(crate) struct Json<T>(pub(crate) T);

impl<T: Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response<Body> {
        match serde_json::to_vec(&self.0) {
            Ok(bytes) => json_response(bytes.into()),
            // Only an app's own `Serialize` can fail.
            Err(error) => {
                tracing::error!(%error, "a user could not be serialized; see its Serialize implementation");
                ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error").into_response()
            }
        }
    }
}

/// 200 with a body that is JSON already.
pub(crate) fn json_response(body: Body) -> Response<Body> {
    private(([(CONTENT_TYPE, JSON)], body).into_response())
}

/// 204 without a body and with the JSON content type, which LoopBack's own tests ask for.
pub(crate) struct NoContent;

impl IntoResponse for NoContent {
    fn into_response(self) -> Response<Body> {
        (StatusCode::NO_CONTENT, [(CONTENT_TYPE, JSON)]).into_response()
    }
}
