//! What is not there.

use axum::extract::rejection::NestedPathRejection;
use axum::extract::{NestedPath, Request, State};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use gatekit_core::{Account, UserOperation};
use gatekit_layer::ErrorResponse;

use crate::UserApi;
use crate::call::{Call, NameIsId};
use crate::delete_user::{self, delete_by_id};
use crate::find_user::{self, find_by_id, head};
use crate::update_user::{self, patch_attributes, put};

/// Where the routes are nested, if they are.
pub(crate) type Mount = Result<NestedPath, NestedPathRejection>;

/// A path that is a route, but not for this method. To LoopBack `GET /logout` asks for the user
/// whose id is `logout`, as `PATCH /count` would change the user `count`.
pub(crate) async fn other_method<U: Account>(
    State(api): State<UserApi<U>>,
    nested: Mount,
    mut request: Request,
) -> Result<Response, ErrorResponse> {
    let below = relative(nested.as_ref().ok(), &request);
    let is_id = below.len() > 1 && !below.strip_prefix('/').unwrap_or(below).contains('/');
    let can = |operation| api.auth.supports(operation);
    request.extensions_mut().insert(NameIsId);
    match *request.method() {
        Method::GET if is_id => find_by_id(Call::begin(api, &find_user::FIND_BY_ID, request).await?).await,
        Method::HEAD if is_id => head(Call::begin(api, &find_user::HEAD, request).await?).await,
        Method::PATCH if is_id && can(UserOperation::Update) => {
            patch_attributes(Call::begin(api, &update_user::PATCH, request).await?).await
        }
        Method::PUT if is_id && can(UserOperation::Update) => put(api, &update_user::PUT, request).await,
        Method::DELETE if is_id && can(UserOperation::Delete) => {
            delete_by_id(Call::begin(api, &delete_user::DELETE, request).await?).await
        }
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
