//! `GET /`, `GET /findOne` and `GET /count`: users by what they have.

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gatekit_core::{Account, Auth, Filter, Method, Need, UserOperation, Where};
use gatekit_layer::ErrorResponse;
use gatekit_web::{Argument, Route, RouteResponse, Shape};
use serde_json::{Map, Value, json};

use crate::UserApi;
use crate::call::{Call, unavailable, unknown};
use crate::declared::{BAD_FILTER, COUNT, DENIED, UNKNOWN_USER};
use crate::errors::IntoError;
use crate::feature::{Feature, call};
use crate::reply::Json;
use crate::shape::loaded;
use crate::user_list::user_list;

const CHANGE_STREAM: [RouteResponse; 2] =
    [DENIED, RouteResponse::error(404, &["CHANGE_STREAM_NOT_SUPPORTED"], "the caller may, and there is none")];

const ROUTES: [Route; 5] = [
    Route::get("/", "Returns the users that a filter selects.")
        .method(Method::FIND)
        .arguments(&[Argument::anywhere("filter", Shape::Any).optional()])
        .responses(&[RouteResponse::new(200, Shape::Array(&Shape::User)), BAD_FILTER, DENIED])
        .needs(&[Need::Users(UserOperation::Find)]),
    Route::get("/findOne", "Returns the first user that a filter selects.")
        .method(Method::FIND_ONE)
        .arguments(&[Argument::anywhere("filter", Shape::Any).optional()])
        .responses(&[RouteResponse::new(200, Shape::User), BAD_FILTER, DENIED, UNKNOWN_USER])
        .needs(&[Need::Users(UserOperation::Find)]),
    Route::get("/count", "Counts the users for whom a condition holds.")
        .method(Method::COUNT)
        .arguments(&[Argument::anywhere("where", Shape::Any).optional()])
        .responses(&[RouteResponse::new(200, COUNT), BAD_FILTER, DENIED])
        .needs(&[Need::Users(UserOperation::Find)]),
    Route::get("/change-stream", "Refuses: there are no streams of changes.")
        .method(Method::CREATE_CHANGE_STREAM)
        .responses(&CHANGE_STREAM)
        .needs(&[Need::Users(UserOperation::Find)]),
    Route::post("/change-stream", "Refuses: there are no streams of changes.")
        .method(Method::CREATE_CHANGE_STREAM)
        .responses(&CHANGE_STREAM)
        .needs(&[Need::Users(UserOperation::Find)]),
];

/// Routes which by default nobody may use (`find`, `findOne`, `count`), as in LoopBack.
///
/// `GET /` with `filter`: 200 and the users, all of them unless a limit is asked for. A long list
/// is written while it is read, so that it takes no more memory than a short one; if the store
/// fails meanwhile the connection is closed before the list has ended. `GET /findOne` with
/// `filter`: 200 and the first of them. `GET /count` with `where`: 200 `{"count": 2}`.
///
/// `/change-stream` is known so that who may not use it is told so, as by LoopBack; who may gets
/// 404, for there is none.
///
/// `filter` has `where`, `fields`, `order`, `limit` and `skip`. It is a JSON text or written with
/// brackets (`filter[limit]=1`), in the query, the body or a header of that name. Password and
/// verification token can be neither seen nor asked for. A user whose row cannot be read is left
/// out of the list, and named in the log.
///
/// | answer | when |
/// | --- | --- |
/// | 400 | `filter` or `where` is no object, or asks for what there is not |
/// | 400 `INVALID_FILTER` | `where` or `order` is about `password` or `verificationToken`; the filter has a field that no filter has |
/// | 401 `AUTHORIZATION_REQUIRED` | the access control list says no |
/// | 404 `MODEL_NOT_FOUND` | `findOne` finds none |
/// | 404 `CHANGE_STREAM_NOT_SUPPORTED` | the caller may use `/change-stream`, and there is none |
///
/// # Panics
///
/// If the store of the users does not implement `find_users` and `count_users`.
pub fn find_users<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new(
        "find_users",
        &ROUTES,
        [call(find), call(find_one), call(count), call(change_stream), call(change_stream)],
    )
}

/// LoopBack's stream of events is left out, which is told to those only who might have it.
async fn change_stream<U: Account>(call: Call<U>) -> Result<Response, ErrorResponse> {
    call.authorize(None).await?;
    Err(ErrorResponse::new(StatusCode::NOT_FOUND, "There are no change streams").code("CHANGE_STREAM_NOT_SUPPORTED"))
}

async fn find<U: Account>(call: Call<U>) -> Result<Response, ErrorResponse> {
    let filter = call.arguments().object("filter")?;
    call.authorize(None).await?;
    let mut filter = read_filter::<U>(filter)?;
    filter.query.condition = call.auth.canonical_where(filter.query.condition);
    user_list(&call, filter.query, filter.fields).await
}

async fn find_one<U: Account>(call: Call<U>) -> Result<Response, ErrorResponse> {
    let filter = call.arguments().object("filter")?;
    call.authorize(None).await?;
    let mut filter = read_filter::<U>(filter)?;
    filter.query.condition = call.auth.canonical_where(filter.query.condition);
    filter.query.limit = Some(1);
    let users = call.auth.find_users(&filter.query).await.map_err(unavailable)?;
    let user = users.first().ok_or_else(|| unknown::<U>("undefined"))?;
    Ok(Json(filter.fields.apply(loaded(&call.answers, user))).into_response())
}

async fn count<U: Account>(call: Call<U>) -> Result<Response, ErrorResponse> {
    let condition = call.arguments().object("where")?;
    call.authorize(None).await?;
    let condition = read_where(&call.auth, condition)?;
    let count = call.auth.count_users(&condition).await.map_err(unavailable)?;
    Ok(Json(json!({ "count": count })).into_response())
}

/// The argument `filter`; none is everybody and all of them. To include `accessTokens` is allowed
/// and does nothing, as in LoopBack.
pub(crate) fn read_filter<U: Account>(filter: Option<Map<String, Value>>) -> Result<Filter, ErrorResponse> {
    let filter = Filter::from_json(&Value::Object(filter.unwrap_or_default()));
    let checked = filter.and_then(|filter| filter.check_include(&["accessTokens"]).map(|()| filter));
    checked.map_err(|error| error.into_error(U::model_name()))
}

/// The argument `where`; none is everybody.
pub(crate) fn read_where<U: Account>(
    auth: &Auth<U>,
    condition: Option<Map<String, Value>>,
) -> Result<Where, ErrorResponse> {
    let condition = Value::Object(condition.unwrap_or_default());
    let condition = Where::from_json(&condition).map_err(|error| error.into_error(U::model_name()))?;
    Ok(auth.canonical_where(condition))
}
