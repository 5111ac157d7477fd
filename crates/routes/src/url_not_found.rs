//! LoopBack's 404s for paths that are no routes: of a class, of the REST root, of the app.
//!
//! They are fallbacks for the app to mount. The route builders of this crate set none: axum merges
//! no two routers that have one.

use axum::extract::Request;
use axum::http::StatusCode;
use gatekit_core::Account;
use gatekit_layer::ErrorResponse;

use crate::not_found::{Mount, missing, relative};

/// LoopBack's 404 for what is below the routes of a user type and is none of them:
/// `Shared class "User" has no method handling GET /1/nothing`. For
/// [`Router::fallback`](axum::Router::fallback) of [`loopback`](crate::loopback) or
/// [`all`](crate::all), before they are nested; see [`url_not_found`].
pub async fn user_url_not_found<U: Account>(mount: Mount, request: Request) -> ErrorResponse {
    missing::<U>(mount.as_ref().ok(), &request)
}

/// LoopBack's 404 for what an app has not: `Cannot GET /nothing`. For
/// [`Router::fallback`](axum::Router::fallback) of the whole app.
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore, User};
/// use gatekit_layer::AuthLayer;
/// use gatekit_routes as routes;
///
/// let auth: Auth = Auth::new(MemoryStore::new());
/// let users = routes::all(&auth).fallback(routes::user_url_not_found::<User>);
/// let rest: Router = Router::new().nest("/users", users).fallback(routes::rest_url_not_found);
/// let app = Router::new().nest("/api", rest).fallback(routes::url_not_found).layer(AuthLayer::new(auth));
/// ```
///
/// The message holds the path alone. LoopBack's holds the query too, where there may be a token.
pub async fn url_not_found(request: Request) -> ErrorResponse {
    let (method, path) = (request.method(), request.uri().path());
    ErrorResponse::new(StatusCode::NOT_FOUND, format!("Cannot {method} {path}")).property("status", 404)
}

/// LoopBack's 404 for what is below the REST root and belongs to no class:
/// `There is no method to handle GET /nothing`. For [`Router::fallback`](axum::Router::fallback) of
/// the router that is nested at the root; see [`url_not_found`]. The path is the one below the
/// root.
pub async fn rest_url_not_found(root: Mount, request: Request) -> ErrorResponse {
    let (method, path) = (request.method(), relative(root.as_ref().ok(), &request));
    ErrorResponse::new(StatusCode::NOT_FOUND, format!("There is no method to handle {method} {path}"))
}
