//! `PATCH /`, `PUT /`, `POST /replaceOrCreate`, `POST /upsertWithWhere` and `POST /update`: changes
//! that may make a user, or change many.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gatekit_core::{Account, Method, Need, UpdateUser, UpdateUserError, UserOperation, UserQuery};
use gatekit_layer::ErrorResponse;
use gatekit_web::{Argument, Route, RouteResponse, Shape, Verb};
use serde_json::{Map, Value, json};

use crate::UserApi;
use crate::call::{Call, id_of, unavailable};
use crate::declared::{BAD_ARGUMENT, BAD_FILTER, COUNT, DENIED, INVALID_USER};
use crate::errors::IntoError;
use crate::feature::{Feature, call, raw};
use crate::find_users::read_where;
use crate::register::create;
use crate::reply::Json;
use crate::shape::loaded_response;
use crate::update_user::{nothing_to_replace, replace, update};

const PATCH: Route = Route::patch("/", "Changes the user with the `id` that is sent, or makes one if none is sent.")
    .method(Method::PATCH_OR_CREATE)
    .arguments(&[Argument::whole_body("data", Shape::UserFields)])
    .responses(&CHANGED)
    .needs(&[Need::Users(UserOperation::Update)]);

const REPLACE: Route =
    Route::post("/replaceOrCreate", "Replaces the user with the `id` that is sent, or makes one if none is sent.")
        .method(Method::REPLACE_OR_CREATE)
        .arguments(&[Argument::whole_body("data", Shape::UserFields)])
        .responses(&CHANGED)
        .needs(&[Need::Users(UserOperation::Update), Need::Users(UserOperation::Find)]);

const ROUTES: [Route; 5] = [
    PATCH,
    REPLACE.at(Verb::Put, "/"),
    REPLACE,
    Route::post("/upsertWithWhere", "Replaces the one user for whom a condition holds, or makes one.")
        .method(Method::UPSERT_WITH_WHERE)
        .arguments(&[Argument::query("where", Shape::Any).optional(), Argument::whole_body("data", Shape::UserFields)])
        .responses(&[RouteResponse::new(200, Shape::User), BAD_FILTER, DENIED, INVALID_USER])
        .needs(&[Need::Users(UserOperation::Update), Need::Users(UserOperation::Find)]),
    Route::post("/update", "Changes all users for whom a condition holds.")
        .method(Method::UPDATE_ALL)
        .arguments(&[Argument::query("where", Shape::Any).optional(), Argument::whole_body("data", Shape::UserFields)])
        .responses(&[RouteResponse::new(200, COUNT), BAD_FILTER, DENIED, INVALID_USER])
        .needs(&[Need::Users(UserOperation::Update), Need::Users(UserOperation::Find)]),
];

const CHANGED: [RouteResponse; 5] = [
    RouteResponse::new(200, Shape::User),
    BAD_ARGUMENT,
    DENIED,
    RouteResponse::error(404, &[], "there is no user with the `id` that is sent"),
    INVALID_USER,
];

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
pub fn upsert_users<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new(
        "upsert_users",
        &ROUTES,
        [call(patch_or_create), raw(put), call(replace_or_create), call(upsert_with_where), call(update_all)],
    )
}

async fn patch_or_create<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
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
    Ok(loaded_response(&call.answers, user))
}

/// LoopBack's `replaceOnPUT`.
async fn put<U: Account>(api: UserApi<U>, route: &'static Route, request: Request) -> Result<Response, ErrorResponse> {
    if api.answers.replace_on_put {
        replace_or_create(Call::begin(api, route, request).await?).await
    } else {
        patch_or_create(Call::begin(api, &PATCH, request).await?).await
    }
}

async fn replace_or_create<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
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

async fn upsert_with_where<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
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

async fn update_all<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
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
