//! What is not there.

use axum::extract::rejection::NestedPathRejection;
use axum::extract::{NestedPath, Request};
use axum::http::{Method, StatusCode};
use gatekit_core::Account;
use gatekit_layer::{AuthRejection, ErrorResponse};

/// Where the routes are nested, if they are.
type Mount = Result<NestedPath, NestedPathRejection>;

/// LoopBack's 404 for a path that no route of the class has.
pub(crate) async fn not_found<U: Account>(nested: Mount, request: Request) -> ErrorResponse {
    missing::<U>(nested.as_ref().ok(), &request)
}

/// A path that is a route, but not for this method. To LoopBack `GET /logout` (or HEAD) asks for the user whose id is `logout`, and nobody
/// is that user.
pub(crate) async fn other_method<U: Account>(nested: Mount, request: Request) -> ErrorResponse {
    let asks_for_user =
        matches!(*request.method(), Method::GET | Method::HEAD) && relative(nested.as_ref().ok(), &request) != "/";
    if asks_for_user { AuthRejection::Missing.to_error() } else { missing::<U>(nested.as_ref().ok(), &request) }
}

fn missing<U: Account>(nested: Option<&NestedPath>, request: &Request) -> ErrorResponse {
    let class = U::model_name();
    let (method, path) = (request.method(), relative(nested, request));
    ErrorResponse::new(
        StatusCode::NOT_FOUND,
        format!("Shared class \"{class}\" has no method handling {method} {path}"),
    )
}

/// The path below the mount. A fallback sees the whole one.
fn relative<'a>(nested: Option<&NestedPath>, request: &'a Request) -> &'a str {
    let path = request.uri().path();
    let below = nested.and_then(|nested| path.strip_prefix(nested.as_str())).unwrap_or(path);
    if below.is_empty() { "/" } else { below }
}
