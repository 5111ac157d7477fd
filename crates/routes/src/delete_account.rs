//! `POST /delete-account`: a user goes, and proves with the password that it is the one.

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use gatekit_core::{Account, DeleteAccount, Method, Need, UserOperation};
use gatekit_layer::ErrorResponse;
use gatekit_web::{Argument, Route, RouteResponse, Shape, TokenUse};

use crate::UserApi;
use crate::call::Call;
use crate::complete::complete;
use crate::declared::{BAD_ARGUMENT, DENIED, EXPIRED, WRONG_PASSWORD};
use crate::delivery::{sign_out_after, signing_out};
use crate::errors::IntoError;
use crate::feature::{Feature, raw};
use crate::reply::NoContent;

const ROUTES: [Route; 1] = [Route::post("/delete-account", "Deletes the caller's account.")
    .method(Method::CHANGE_PASSWORD)
    .token(TokenUse::Required)
    .arguments(&[Argument::body("password", Shape::Password)])
    .responses(&[RouteResponse::NO_CONTENT, BAD_ARGUMENT, WRONG_PASSWORD, DENIED, EXPIRED])
    .needs(&[Need::Users(UserOperation::Delete)])];

/// `POST /delete-account` with `{"password"}` and a token, an addition of ours: 204, and the caller
/// is gone with all of its tokens.
///
/// Who may is what the access control list says of `changePassword`, which proves the same.
///
/// | answer | when |
/// | --- | --- |
/// | 400 | `password` is missing, or no text |
/// | 400 `INVALID_PASSWORD` | it is wrong |
/// | 401 `AUTHORIZATION_REQUIRED` | there is no valid token |
///
/// # Panics
///
/// If the store of the users does not implement `delete_user`.
pub fn delete_account<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new("delete_account", &ROUTES, [raw(handler)]).addition()
}

async fn handler<U: Account>(
    api: UserApi<U>,
    route: &'static Route,
    request: Request,
) -> Result<Response, ErrorResponse> {
    complete(&api.auth.clone(), async move {
        let (parts, body) = request.into_parts();
        let browser = signing_out::<U>(&parts).await?;
        deleted(api.clone(), route, Request::from_parts(parts, body)).await?;
        sign_out_after(browser, &api.auth, Ok(NoContent)).await
    })
    .await
}

async fn deleted<U: Account>(api: UserApi<U>, route: &'static Route, request: Request) -> Result<(), ErrorResponse> {
    let call = Call::begin(api, route, request).await?;
    let password = call.body.text("password")?;
    call.authorize(None).await?;
    let user_id = call.require_caller()?.0.id();
    let delete = DeleteAccount::new(user_id, password.required()?);
    call.auth.delete_account(delete).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(())
}
