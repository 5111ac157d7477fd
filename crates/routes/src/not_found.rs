//! What is not there.

use axum::extract::rejection::NestedPathRejection;
use axum::extract::{NestedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use gatekit_core::{Account, Auth, UserOperation};
use gatekit_layer::ErrorResponse;

use crate::call::NameIsId;
use crate::{delete_user, find_user, update_user};

/// Where the routes are nested, if they are.
pub(crate) type Mount = Result<NestedPath, NestedPathRejection>;

/// A path that is a route, but not for this method. To LoopBack `GET /logout` asks for the user
/// whose id is `logout`, as `PATCH /count` would change the user `count`.
pub(crate) async fn other_method<U: Account>(
    State(auth): State<Auth<U>>,
    nested: Mount,
    mut request: Request,
) -> Result<Response, ErrorResponse> {
    let below = relative(nested.as_ref().ok(), &request);
    let is_id = below.len() > 1 && !below.strip_prefix('/').unwrap_or(below).contains('/');
    let can = |operation| auth.supports(operation);
    request.extensions_mut().insert(NameIsId);
    match *request.method() {
        Method::GET if is_id => find_user::find_by_id(State(auth), request).await,
        Method::HEAD if is_id => find_user::head(State(auth), request).await,
        Method::PATCH if is_id && can(UserOperation::Update) => {
            update_user::patch_attributes(State(auth), request).await
        }
        Method::PUT if is_id && can(UserOperation::Update) => update_user::put(State(auth), request).await,
        Method::DELETE if is_id && can(UserOperation::Delete) => delete_user::delete_by_id(State(auth), request).await,
        _ => Err(missing::<U>(nested.as_ref().ok(), &request)),
    }
}

/// LoopBack's 404 for a path that no route of the class has.
pub(crate) fn missing<U: Account>(nested: Option<&NestedPath>, request: &Request) -> ErrorResponse {
    let class = U::model_name();
    let (method, path) = (request.method(), relative(nested, request));
    ErrorResponse::new(
        StatusCode::NOT_FOUND,
        format!("Shared class \"{class}\" has no method handling {method} {path}"),
    )
}

/// The path below the mount. A fallback sees the whole one.
pub(crate) fn relative<'a>(nested: Option<&NestedPath>, request: &'a Request) -> &'a str {
    let path = request.uri().path();
    let below = nested.and_then(|nested| path.strip_prefix(nested.as_str())).unwrap_or(path);
    if below.is_empty() { "/" } else { below }
}
