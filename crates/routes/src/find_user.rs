//! `GET /{id}`, `GET /{id}/exists` and `HEAD /{id}`: a user is read, or asked whether it is there.

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gatekit_core::{Account, Method};
use gatekit_layer::ErrorResponse;
use gatekit_web::{Argument, Field, Route, RouteResponse, Schema, Shape};
use serde_json::json;

use crate::UserApi;
use crate::call::{Call, unknown};
use crate::declared::{BAD_FILTER, DENIED, EXPIRED, UNKNOWN_USER};
use crate::feature::{Feature, call};
use crate::find_users::read_filter;
use crate::reply::Json;
use crate::shape::{loaded, loaded_response};

pub(crate) const FIND_BY_ID: Route = Route::get("/{id}", "Returns a user.")
    .method(Method::FIND_BY_ID)
    .arguments(&[Argument::path("id", Shape::Id), Argument::anywhere("filter", Shape::Any).optional()])
    .responses(&[RouteResponse::new(200, Shape::User), BAD_FILTER, DENIED, EXPIRED, UNKNOWN_USER]);

pub(crate) const HEAD: Route = Route::head("/{id}", "Tells by the status whether there is a user with this id.")
    .method(Method::EXISTS)
    .arguments(&[Argument::path("id", Shape::Id)])
    .responses(&[RouteResponse::new(200, Shape::Empty), DENIED, EXPIRED, RouteResponse::new(404, Shape::Empty)]);

const ROUTES: [Route; 3] = [
    FIND_BY_ID,
    HEAD,
    Route::get("/{id}/exists", "Tells whether there is a user with this id.")
        .method(Method::EXISTS)
        .arguments(&[Argument::path("id", Shape::Id)])
        .responses(&[
            RouteResponse::new(200, Shape::Object(&Schema::new("Exists", &[Field::new("exists", Shape::Boolean)]))),
            DENIED,
            EXPIRED,
        ]),
];

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
pub fn find_user<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new("find_user", &ROUTES, [call(find_by_id), call(head), call(exists)])
}

pub(crate) async fn find_by_id<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
    let id = call.id().await?;
    let filter = call.arguments().object("filter")?;
    call.authorize(Some(&id)).await?;
    let user = call.find(&id).await?.ok_or_else(|| unknown::<U>(&id))?;
    let Some(filter) = filter else { return Ok(loaded_response(&call.answers, user)) };
    let filter = read_filter::<U>(Some(filter))?;
    Ok(Json(filter.fields.apply(loaded(&call.answers, &user))).into_response())
}

/// Whether the user is there, if the caller may know.
async fn is_there<U: Account>(mut call: Call<U>) -> Result<bool, ErrorResponse> {
    let id = call.id().await?;
    call.authorize(Some(&id)).await?;
    Ok(call.find(&id).await?.is_some())
}

async fn exists<U: Account>(call: Call<U>) -> Result<Response, ErrorResponse> {
    Ok(Json(json!({ "exists": is_there(call).await? })).into_response())
}

pub(crate) async fn head<U: Account>(call: Call<U>) -> Result<Response, ErrorResponse> {
    let status = if is_there(call).await? { StatusCode::OK } else { StatusCode::NOT_FOUND };
    // The body is not sent, its type is.
    Ok((status, Json(json!({}))).into_response())
}
