//! `POST /change-password`: a new password, with the old one.

use axum::Router;
use gatekit_core::{Account, ChangePassword, Method};
use gatekit_layer::ErrorResponse;
use gatekit_web::{Argument, Route, RouteResponse, Shape, TokenUse};

use crate::UserApi;
use crate::call::Call;
use crate::declared::{BAD_ARGUMENT, CONFLICT, DENIED, EXPIRED, OF_ANOTHER_TYPE, REFUSED_PASSWORD, WRONG_PASSWORD};
use crate::errors::IntoError;
use crate::feature::{Feature, call};
use crate::reply::NoContent;

const ROUTES: [Route; 1] = [Route::post("/change-password", "Changes the caller's password.")
    .method(Method::CHANGE_PASSWORD)
    .token(TokenUse::Required)
    .arguments(&[Argument::body("oldPassword", Shape::Password), Argument::body("newPassword", Shape::Password)])
    .responses(&[
        RouteResponse::NO_CONTENT,
        BAD_ARGUMENT,
        WRONG_PASSWORD,
        DENIED,
        EXPIRED,
        OF_ANOTHER_TYPE,
        CONFLICT,
        REFUSED_PASSWORD,
    ])];

/// `POST /change-password` with `{"oldPassword", "newPassword"}` and a token: 204. All tokens of
/// the user end but the one used.
///
/// | answer | when |
/// | --- | --- |
/// | 400 | an argument is missing, or no text |
/// | 400 `INVALID_PASSWORD` | the old password is wrong |
/// | 401 `AUTHORIZATION_REQUIRED` | there is no valid token |
/// | 403 | the token is one of another user type over the same store, as in LoopBack |
/// | 409 `CONFLICT` | the account was changed at the same time |
/// | 422 `PASSWORD_TOO_LONG`, `PASSWORD_TOO_SHORT`, `PASSWORD_TOO_COMMON`, `PASSWORD_TOO_GUESSABLE` | the policy refuses the new password |
/// | 503 `SERVICE_UNAVAILABLE` | the store fails, or too many passwords wait to be hashed |
pub fn change_password<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new("change_password", &ROUTES, [call(handler)])
}

async fn handler<U: Account>(call: Call<U>) -> Result<NoContent, ErrorResponse> {
    let (old, new) = (call.body.text("oldPassword")?, call.body.text("newPassword")?);
    call.authorize_own().await?;
    let (user, token) = call.require_caller()?;
    let change = ChangePassword::new(user.id(), old.required()?, new.required()?);
    let change = change.keep(token.clone()).mails(call.notices());
    call.auth.change_password(change).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(NoContent)
}
