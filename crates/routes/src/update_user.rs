//! `PATCH /{id}`, `PUT /{id}` and `POST /{id}/replace`: a user's own fields.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gatekit_core::{
    Account, Method, Need, Password, PasswordReset, ResetLink, UpdateUser, UpdateUserError, UserOperation,
};
use gatekit_layer::ErrorResponse;
use gatekit_web::{Argument, Route, RouteResponse, Shape, Verb};
use serde_json::{Map, Value};

use crate::UserApi;
use crate::arguments::written;
use crate::body::Credentials;
use crate::call::{Call, no_instance, unavailable};
use crate::declared::{
    BAD_ARGUMENT, CONFLICT, DENIED, EMAIL_CHANGE_NOT_ALLOWED, INVALID_USER, PASSWORD_CHANGE_NOT_ALLOWED, UNKNOWN_USER,
};
use crate::errors::IntoError;
use crate::feature::{Feature, call, raw};
use crate::reply::Json;
use crate::shape::loaded_response;
use crate::validation_error::shorten;

pub(crate) const PATCH: Route = Route::patch("/{id}", "Changes the fields that are sent.")
    .method(Method::PATCH_ATTRIBUTES)
    .arguments(&[Argument::path("id", Shape::Id), Argument::whole_body("data", Shape::UserFields)])
    .responses(&[
        RouteResponse::new(200, Shape::User),
        BAD_ARGUMENT,
        DENIED,
        PASSWORD_CHANGE_NOT_ALLOWED,
        EMAIL_CHANGE_NOT_ALLOWED,
        UNKNOWN_USER,
        CONFLICT,
        INVALID_USER,
    ])
    .needs(&[Need::Users(UserOperation::Update)]);

pub(crate) const PUT: Route = REPLACE.at(Verb::Put, "/{id}");

const REPLACE: Route = Route::post("/{id}/replace", "Replaces all fields of the user.")
    .method(Method::REPLACE_BY_ID)
    .arguments(&[Argument::path("id", Shape::Id), Argument::whole_body("data", Shape::UserFields)])
    .responses(&[
        RouteResponse::new(200, Shape::User),
        BAD_ARGUMENT,
        DENIED,
        PASSWORD_CHANGE_NOT_ALLOWED,
        EMAIL_CHANGE_NOT_ALLOWED,
        RouteResponse::error(404, &[], "there is no such user"),
        CONFLICT,
        INVALID_USER,
    ])
    .needs(&[Need::Users(UserOperation::Update)]);

const ROUTES: [Route; 3] = [PATCH, PUT, REPLACE];

/// Three routes, which by default are for the user with that id (`$owner` on `patchAttributes` and
/// `replaceById`).
///
/// `PATCH /{id}` with some fields: 200 and the whole user. `PUT /{id}` and `POST /{id}/replace`
/// with all fields, `email` and `password` among them: 200 and the user; what is not sent is gone.
/// With `Answers::replace_on_put` off, `PUT` does what `PATCH` does.
///
/// `emailVerified` and `verificationToken` are not read: nobody proves an address by saying so.
/// `realm` is not read unless
/// [`Policy::clients_set_realm`](gatekit_core::Policy::clients_set_realm). A new password or
/// address ends all tokens of the user but the one used. By default neither can be changed here:
/// `change-password` asks for the old password, `change-email` for a proof of the new address.
///
/// With `policy.passwords.insecure_reset_token_may_patch`, `PATCH /{id}` with `{"password"}` alone
/// takes the secret of a reset mail in place of a token, once.
///
/// | answer | when |
/// | --- | --- |
/// | 400 | the body is no object, or has another id |
/// | 401 `PASSWORD_CHANGE_NOT_ALLOWED` | `policy.passwords.reject_changes_via_patch_or_replace` |
/// | 403 `EMAIL_CHANGE_NOT_ALLOWED` | `policy.email.reject_changes_via_patch_or_replace` |
/// | 404 `MODEL_NOT_FOUND` | the caller may, and there is no such user; without a code where all fields are replaced |
/// | 409 `CONFLICT` | the account was changed again and again at the same time, or the token was ended by another request |
/// | 422 `ValidationError`, or the code of a refused password | as at sign-up |
///
/// # Panics
///
/// If the store of the users does not implement `update_user`.
pub fn update_user<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new("update_user", &ROUTES, [call(patch_attributes), raw(put), call(replace_by_id)])
}

pub(crate) async fn patch_attributes<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
    let id = call.id().await?;
    let body = call.take_body().into_credentials()?;
    if let Some(user) = patch_with_reset_token(&mut call, &id, &body).await? {
        return Ok(loaded_response(&call.answers, user));
    }
    call.authorize(Some(&id)).await?;
    let user = call.find_instance(&id).await?;
    let changes = body.required("data")?;
    let user = update(&call, UpdateUser::patch(user.id(), changes)).await.map_err(|error| match error {
        UpdateUserError::NotFound(_) => no_instance(&id),
        UpdateUserError::IdChange { from, to } => {
            let to = shown(&to);
            bad_request(format!("id cannot be updated from {from} to {to} when forceId is set to true"))
        }
        error => error.into_error(U::model_name()),
    })?;
    Ok(loaded_response(&call.answers, user))
}

/// What reset pages did before LoopBack had `POST /reset-password`: see
/// `policy.passwords.insecure_reset_token_may_patch`. `None` where the request is anything else,
/// which is then for its caller to be allowed.
async fn patch_with_reset_token<U: Account>(
    call: &mut Call<U>,
    id: &str,
    body: &Credentials,
) -> Result<Option<U>, ErrorResponse> {
    if !call.auth.policy().passwords.insecure_reset_token_may_patch {
        return Ok(None);
    }
    let Some(new) = body.only_text("password").map(Password::from) else { return Ok(None) };
    let Some(secret) = call.unknown_token().await else { return Ok(None) };
    let user = match call.auth.check_reset_link(&secret).await.map_err(unavailable)? {
        ResetLink::Good(user) if user.id().is_named(id) => *user,
        _ => return Ok(None),
    };
    let reset = PasswordReset::new(secret, new).mails(call.notices());
    call.auth.reset_password(reset).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(Some(user))
}

/// LoopBack's `replaceOnPUT`.
pub(crate) async fn put<U: Account>(
    api: UserApi<U>,
    _: &'static Route,
    request: Request,
) -> Result<Response, ErrorResponse> {
    if api.answers.replace_on_put {
        replace_by_id(Call::begin(api, &PUT, request).await?).await
    } else {
        patch_attributes(Call::begin(api, &PATCH, request).await?).await
    }
}

async fn replace_by_id<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
    let id = call.id().await?;
    let body = call.take_body().into_credentials()?;
    call.authorize(Some(&id)).await?;
    let fields = body.required("data")?;
    let user = call.find(&id).await?.ok_or_else(|| nothing_to_replace(&id))?;
    replace(&call, user, fields).await.map(|user| Json(user).into_response())
}

/// Replaces all fields of a user that is there.
pub(crate) async fn replace<U: Account>(
    call: &Call<U>,
    user: U,
    fields: Map<String, Value>,
) -> Result<U, ErrorResponse> {
    let id = user.id();
    update(call, UpdateUser::replace(id.clone(), fields)).await.map_err(|error| match error {
        UpdateUserError::NotFound(_) => nothing_to_replace(&id.to_string()),
        UpdateUserError::IdChange { from, to } => {
            bad_request(format!("id property (id) cannot be updated from {from} to {}", shown(&to)))
        }
        error => error.into_error(U::model_name()),
    })
}

/// Makes a change for the caller, whose token stays alive if it is the caller's own user that is
/// changed.
pub(crate) async fn update<U: Account>(call: &Call<U>, mut update: UpdateUser) -> Result<U, UpdateUserError> {
    update.keep = call.token().cloned();
    update.mails = call.notices();
    call.auth.update_user(update).await
}

pub(crate) fn nothing_to_replace(id: &str) -> ErrorResponse {
    let message = format!("Could not replace. Object with id {id} does not exist!");
    ErrorResponse::new(StatusCode::NOT_FOUND, message)
}

fn bad_request(message: String) -> ErrorResponse {
    ErrorResponse::new(StatusCode::BAD_REQUEST, message)
}

/// A value as JavaScript puts it into a text, but not at any length.
fn shown(value: &Value) -> String {
    shorten(&written(value))
}
