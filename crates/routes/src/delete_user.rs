//! `DELETE /{id}`: a user goes.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use axum::routing::delete;
use gatekit_core::{Account, Auth, Method, UserOperation};
use gatekit_layer::ErrorResponse;
use serde_json::json;

use crate::call::{Call, unavailable};
use crate::reply::Json;
use crate::support::require;

/// `DELETE /{id}`: 200 `{"count": 1}`, and the user is gone with all of its tokens; `{"count": 0}` if there is none. By default it is for the
/// user with that id (`$owner` on `deleteById`).
///
/// As in LoopBack it asks for no password. An app that wants one denies this
/// (`Acl::user().deny("$owner", "deleteById")`) and has [`delete_account`](crate::delete_account).
///
/// # Panics
///
/// If the store of the users does not implement `delete_user`.
pub fn delete_user<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    require(auth, "delete_user", UserOperation::Delete);
    Router::new().route("/{id}", delete(delete_by_id::<U>)).with_state(auth.clone())
}

pub(crate) async fn delete_by_id<U: Account>(
    State(auth): State<Auth<U>>,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let mut call = Call::begin(auth, Method::DELETE_BY_ID, request).await?;
    let id = call.id().await?;
    call.authorize(Some(&id)).await?;
    let deleted = match call.find(&id).await? {
        Some(user) => call.auth.delete_user(&user.id()).await.map_err(unavailable)?,
        None => false,
    };
    Ok(Json(json!({ "count": u8::from(deleted) })).into_response())
}
