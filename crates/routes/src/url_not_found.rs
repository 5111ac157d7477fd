//! What is neither a page of the app nor below the REST root.

use axum::extract::Request;
use axum::http::StatusCode;
use gatekit_layer::ErrorResponse;

use crate::not_found::{Mount, relative};

/// LoopBack's 404 for what an app has not: `Cannot GET /nothing`. For [`Router::fallback`](axum::Router::fallback) of the whole app.
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_layer::AuthLayer;
/// use gatekit_routes as routes;
///
/// let auth = Auth::new(MemoryStore::new());
/// let rest: Router = Router::new().nest("/users", routes::all(&auth)).fallback(routes::rest_url_not_found);
/// let app = Router::new().nest("/api", rest).fallback(routes::url_not_found).layer(AuthLayer::new(auth));
/// ```
///
/// The message holds the path alone. LoopBack's holds the query too, where there may be a token.
pub async fn url_not_found(request: Request) -> ErrorResponse {
    let (method, path) = (request.method(), request.uri().path());
    ErrorResponse::new(StatusCode::NOT_FOUND, format!("Cannot {method} {path}")).property("status", 404)
}

/// LoopBack's 404 for what is below the REST root and belongs to no class: `There is no method to handle GET /nothing`. For
/// [`Router::fallback`](axum::Router::fallback) of the router that is nested at the root; see [`url_not_found`]. The path is the one
/// below the root.
pub async fn rest_url_not_found(root: Mount, request: Request) -> ErrorResponse {
    let (method, path) = (request.method(), relative(root.as_ref().ok(), &request));
    ErrorResponse::new(StatusCode::NOT_FOUND, format!("There is no method to handle {method} {path}"))
}
