//! `GET /`, `GET /findOne` and `GET /count`: users by what they have.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use gatekit_core::{Account, Auth, Filter, Method, UserOperation, Where};
use gatekit_layer::ErrorResponse;
use serde_json::{Map, Value, json};

use crate::call::{Call, unavailable, unknown};
use crate::errors::IntoError;
use crate::reply::Json;
use crate::shape::loaded;
use crate::support::require;
use crate::user_list::user_list;

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
///
/// # Panics
///
/// If the store of the users does not implement `find_users` and `count_users`.
pub fn find_users<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    require(auth, "find_users", UserOperation::Find);
    Router::new()
        .route("/", get(find::<U>))
        .route("/findOne", get(find_one::<U>))
        .route("/count", get(count::<U>))
        .route("/change-stream", get(change_stream::<U>).post(change_stream::<U>))
        .with_state(auth.clone())
}

/// LoopBack's stream of events is left out, which is told to those only who might have it.
async fn change_stream<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<Response, ErrorResponse> {
    let call = Call::begin(auth, Method::CREATE_CHANGE_STREAM, request).await?;
    call.authorize(None).await?;
    Err(ErrorResponse::new(StatusCode::NOT_FOUND, "There are no change streams").code("CHANGE_STREAM_NOT_SUPPORTED"))
}

async fn find<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<Response, ErrorResponse> {
    let call = Call::begin(auth, Method::FIND, request).await?;
    let filter = call.arguments().object("filter")?;
    call.authorize(None).await?;
    let mut filter = read_filter::<U>(filter)?;
    filter.query.condition = call.auth.canonical_where(filter.query.condition);
    user_list(&call.auth, filter.query, filter.fields).await
}

async fn find_one<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<Response, ErrorResponse> {
    let call = Call::begin(auth, Method::FIND_ONE, request).await?;
    let filter = call.arguments().object("filter")?;
    call.authorize(None).await?;
    let mut filter = read_filter::<U>(filter)?;
    filter.query.condition = call.auth.canonical_where(filter.query.condition);
    filter.query.limit = Some(1);
    let users = call.auth.find_users(&filter.query).await.map_err(unavailable)?;
    let user = users.first().ok_or_else(|| unknown::<U>("undefined"))?;
    Ok(Json(filter.fields.apply(loaded(&call.auth, user))).into_response())
}

async fn count<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<Response, ErrorResponse> {
    let call = Call::begin(auth, Method::COUNT, request).await?;
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
