//! `PATCH /`, `PUT /`, `POST /replaceOrCreate`, `POST /upsertWithWhere` and `POST /update`: changes
//! that may make a user, or change many.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{patch, post};
use gatekit_core::{Account, Auth, Method, UpdateUser, UpdateUserError, UserOperation, UserQuery};
use gatekit_layer::ErrorResponse;
use serde_json::{Map, Value, json};

use crate::call::{Call, id_of, unavailable};
use crate::errors::IntoError;
use crate::find_users::read_where;
use crate::register::create;
use crate::reply::Json;
use crate::shape::loaded_response;
use crate::support::require;
use crate::update_user::{nothing_to_replace, replace, update};

/// Five routes, which by default nobody may use, as in LoopBack.
///
/// | route | with | does |
/// | --- | --- | --- |
/// | `PATCH /` (`patchOrCreate`) | fields | changes the user with that `id`, or makes one if none is sent |
/// | `PUT /`, `POST /replaceOrCreate` (`replaceOrCreate`) | all fields | replaces the user with that `id`, or makes one |
/// | `POST /upsertWithWhere` (`upsertWithWhere`) | `where` and all fields | replaces the one user that is meant, or makes one |
/// | `POST /update` (`updateAll`) | `where` and fields | changes all that are meant: `{"count": 2}` |
///
/// `emailVerified` is not read here either, and no password or address is changed that
/// `PATCH /{id}` would not change.
///
/// | answer | when |
/// | --- | --- |
/// | 400 `INVALID_FILTER` | `where` is about `password` or `verificationToken` |
/// | 400 | `where` is no object, asks for what there is not, or means several users at `upsertWithWhere` |
/// | 404 | there is no user with the `id` that is sent |
/// | 422 `ValidationError` | as at sign-up |
///
/// # Panics
///
/// If the store of the users does not implement `update_user`, `find_users` and `count_users`.
pub fn upsert_users<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    require(auth, "upsert_users", UserOperation::Update);
    require(auth, "upsert_users", UserOperation::Find);
    Router::new()
        .route("/", patch(patch_or_create::<U>).put(put::<U>))
        .route("/replaceOrCreate", post(replace_or_create::<U>))
        .route("/upsertWithWhere", post(upsert_with_where::<U>))
        .route("/update", post(update_all::<U>))
        .with_state(auth.clone())
}

async fn patch_or_create<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<Response, ErrorResponse> {
    let mut call = Call::begin(auth, Method::PATCH_OR_CREATE, request).await?;
    let fields = call.take_body().into_object_or_empty()?;
    call.authorize(None).await?;
    let Some(id) = fields.get("id").and_then(id_of) else {
        return Ok(Json(create(&mut call, fields).await?).into_response());
    };
    let user = update(&call, UpdateUser::patch(id, fields)).await.map_err(|error| match error {
        UpdateUserError::NotFound(id) => {
            let message = format!("Could not update attributes. Object with id {id} does not exist!");
            ErrorResponse::new(StatusCode::NOT_FOUND, message)
        }
        error => error.into_error(U::model_name()),
    })?;
    Ok(loaded_response(&call.auth, user))
}

/// LoopBack's `replaceOnPUT`.
async fn put<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<Response, ErrorResponse> {
    if auth.policy().answers.replace_on_put {
        replace_or_create(State(auth), request).await
    } else {
        patch_or_create(State(auth), request).await
    }
}

async fn replace_or_create<U: Account>(
    State(auth): State<Auth<U>>,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let mut call = Call::begin(auth, Method::REPLACE_OR_CREATE, request).await?;
    let fields = call.take_body().into_object_or_empty()?;
    call.authorize(None).await?;
    let user = match fields.get("id").and_then(id_of) {
        None => create(&mut call, fields).await?,
        Some(id) => {
            let id = id.to_string();
            let user = call.find(&id).await?.ok_or_else(|| nothing_to_replace(&id))?;
            replace(&call, user, fields).await?
        }
    };
    Ok(Json(user).into_response())
}

async fn upsert_with_where<U: Account>(
    State(auth): State<Auth<U>>,
    request: Request,
) -> Result<Response, ErrorResponse> {
    let mut call = Call::begin(auth, Method::UPSERT_WITH_WHERE, request).await?;
    let condition = call.query_object("where")?;
    let fields = call.take_body().into_object_or_empty()?;
    call.authorize(None).await?;
    let mut query = UserQuery::default();
    query.condition = read_where(&call.auth, condition)?;
    query.limit = Some(2);
    let mut found = call.auth.find_users(&query).await.map_err(unavailable)?.into_iter();
    let user = match (found.next(), found.next()) {
        (None, _) => create(&mut call, fields).await?,
        (Some(user), None) => replace(&call, user, fields).await?,
        (Some(_), Some(_)) => {
            let message = "There are multiple instances found. Upsert Operation will not be performed!";
            return Err(ErrorResponse::new(StatusCode::BAD_REQUEST, message));
        }
    };
    Ok(Json(user).into_response())
}

async fn update_all<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<Response, ErrorResponse> {
    let mut call = Call::begin(auth, Method::UPDATE_ALL, request).await?;
    let condition = call.query_object("where")?;
    let body = call.take_body().into_credentials()?;
    call.authorize(None).await?;
    let mut fields: Map<String, Value> = body.required("data")?;
    let mut query = UserQuery::default();
    query.condition = read_where(&call.auth, condition)?;
    // In LoopBack an `id` here passes for the user's own and opens everybody's (the contract's
    // surprise 20).
    fields.shift_remove("id");
    let (mut count, mut from) = (0, None);
    loop {
        let page = call.auth.find_users_page(&query, from).await.map_err(unavailable)?;
        for user in page.users {
            match update(&call, UpdateUser::patch(user.id(), fields.clone())).await {
                Ok(_) => count += 1,
                // It went while the others were changed.
                Err(UpdateUserError::NotFound(_)) => {}
                Err(error) => return Err(error.into_error(U::model_name())),
            }
        }
        from = page.next;
        if from.is_none() {
            return Ok(Json(json!({ "count": count })).into_response());
        }
    }
}
