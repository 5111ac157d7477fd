//! `GET /{id}`, `GET /{id}/exists` and `HEAD /{id}`: a user is read, or asked whether it is there.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use gatekit_core::{Account, Auth, Method};
use gatekit_layer::ErrorResponse;
use serde_json::json;

use crate::call::{Call, unknown};
use crate::find_users::read_filter;
use crate::reply::Json;
use crate::shape::{loaded, loaded_response};

/// Three routes.
///
/// `GET /{id}`: 200 and the user. With `filter`, a JSON text or `filter[fields]=email`, from query
/// or header, only some of its fields. By default who may is the user with that id (`$owner` on
/// `findById`); it costs one query, since the user was loaded with the token.
///
/// `GET /{id}/exists`: 200 `{"exists": true}` or `false`; `HEAD /{id}`: 200 or 404. By default
/// nobody may (`exists`), as in LoopBack.
///
/// | answer | when |
/// | --- | --- |
/// | 400 | `filter` is no object, or asks for what there is not |
/// | 401 `AUTHORIZATION_REQUIRED` | the access control list says no, whether or not there is such a user |
/// | 404 `MODEL_NOT_FOUND` | the caller may, and there is no such user |
pub fn find_user<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    Router::new()
        .route("/{id}", get(find_by_id::<U>).head(head::<U>))
        .route("/{id}/exists", get(exists::<U>))
        .with_state(auth.clone())
}

pub(crate) async fn find_by_id<U: Account>(
    State(auth): State<Auth<U>>,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let mut call = Call::begin(auth, Method::FIND_BY_ID, request).await?;
    let id = call.id().await?;
    let filter = call.arguments().object("filter")?;
    call.authorize(Some(&id)).await?;
    let user = call.find(&id).await?.ok_or_else(|| unknown::<U>(&id))?;
    let Some(filter) = filter else { return Ok(loaded_response(&call.auth, user)) };
    let filter = read_filter::<U>(Some(filter))?;
    Ok(Json(filter.fields.apply(loaded(&call.auth, &user))).into_response())
}

/// Whether the user is there, if the caller may know.
async fn is_there<U: Account>(auth: Auth<U>, request: Request) -> Result<bool, ErrorResponse> {
    let mut call = Call::begin(auth, Method::EXISTS, request).await?;
    let id = call.id().await?;
    call.authorize(Some(&id)).await?;
    Ok(call.find(&id).await?.is_some())
}

async fn exists<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<Response, ErrorResponse> {
    Ok(Json(json!({ "exists": is_there(auth, request).await? })).into_response())
}

pub(crate) async fn head<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<Response, ErrorResponse> {
    let status = if is_there(auth, request).await? { StatusCode::OK } else { StatusCode::NOT_FOUND };
    // The body is not sent, its type is.
    Ok((status, Json(json!({}))).into_response())
}
