//! `DELETE /{id}`: a user goes.

use axum::Router;
use axum::response::{IntoResponse, Response};
use gatekit_core::{Account, DeleteAccount, DeleteAccountError, Method, Need, UserOperation};
use gatekit_layer::ErrorResponse;
use gatekit_web::{Argument, Route, RouteResponse, Shape};
use serde_json::json;

use crate::UserApi;
use crate::call::{Call, unavailable};
use crate::declared::{BAD_ARGUMENT, COUNT, DENIED, EXPIRED, WRONG_PASSWORD};
use crate::errors::IntoError;
use crate::feature::{Feature, call};
use crate::reply::Json;

pub(crate) const DELETE: Route = Route::delete("/{id}", "Deletes a user.")
    .method(Method::DELETE_BY_ID)
    .arguments(&[Argument::path("id", Shape::Id), Argument::body("password", Shape::Password).optional()])
    .responses(&[RouteResponse::new(200, COUNT), BAD_ARGUMENT, WRONG_PASSWORD, DENIED, EXPIRED])
    .needs(&[Need::Users(UserOperation::Delete)]);

const ROUTES: [Route; 1] = [DELETE];

/// `DELETE /{id}`: 200 `{"count": 1}`, and the user is gone with all of its tokens; `{"count": 0}`
/// if there is none. By default it is for the user with that id (`$owner` on `deleteById`).
///
/// Unless `policy.passwords.required_for_delete` is off, as it is in `Policy::loopback()`, a user
/// who removes its own account sends `{"password"}`, as to
/// [`delete_account`](crate::delete_account). A caller whom the access control list lets remove
/// others is not asked.
///
/// | answer | when |
/// | --- | --- |
/// | 400 | `password` is missing, or no text |
/// | 400 `INVALID_PASSWORD` | it is wrong |
/// | 401 `AUTHORIZATION_REQUIRED` | there is no valid token, or the list does not let its user |
///
/// # Panics
///
/// If the store of the users does not implement `delete_user`.
pub fn delete_user<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new("delete_user", &ROUTES, [call(delete_by_id)])
}

pub(crate) async fn delete_by_id<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
    let id = call.id().await?;
    call.authorize(Some(&id)).await?;
    if call.auth.policy().passwords.required_for_delete && call.is_about_caller(&id) {
        return delete_own(&call).await;
    }
    let deleted = call.auth.delete_user_named(&id).await.map_err(unavailable)?;
    Ok(Json(json!({ "count": u8::from(deleted) })).into_response())
}

async fn delete_own<U: Account>(call: &Call<U>) -> Result<Response, ErrorResponse> {
    let password = call.body.text("password")?.required()?;
    let (user, _) = call.require_caller()?;
    match call.auth.delete_account(DeleteAccount::new(user.id(), password)).await {
        Ok(()) => Ok(Json(json!({ "count": 1 })).into_response()),
        // Removed by another request meanwhile.
        Err(DeleteAccountError::UserNotFound(_)) => Ok(Json(json!({ "count": 0 })).into_response()),
        Err(error) => Err(error.into_error(U::model_name())),
    }
}
