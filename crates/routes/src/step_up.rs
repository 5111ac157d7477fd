//! `POST /step-up`: who has a token proves the password again.

use axum::Router;
use axum::response::Response;
use gatekit_core::{Account, Method, StepUp};
use gatekit_layer::ErrorResponse;
use gatekit_web::{Argument, Route, RouteResponse, Shape, TokenUse, with_cookies};

use crate::UserApi;
use crate::call::Call;
use crate::complete::complete;
use crate::declared::{BAD_ARGUMENT, DENIED, EXPIRED, WRONG_PASSWORD};
use crate::delivery::{deliver, delivery_in_place_of};
use crate::errors::IntoError;
use crate::feature::{Feature, call};
use crate::login;

const ROUTES: [Route; 1] = [Route::post("/step-up", "Verifies the caller's password again and issues a fresh token.")
    .method(Method::CHANGE_PASSWORD)
    .token(TokenUse::Required)
    .arguments(&[Argument::body("password", Shape::Password), Argument::query("cookie", Shape::String).optional()])
    .responses(&[RouteResponse::new(200, login::LOGIN), BAD_ARGUMENT, WRONG_PASSWORD, DENIED, EXPIRED])];

/// `POST /step-up` with `{"password"}` and a token, an addition of ours: 200, and a new token as
/// from a login, `{"id": <the token>, "ttl": <seconds>, "created", "userId"}`. The token of the
/// request has ended (ASVS 7.2.4).
///
/// The new one is what [`Fresh`](gatekit_layer::Fresh) and
/// [`RequireFreshLayer`](gatekit_layer::RequireFreshLayer) ask for. It has the lifetime and the
/// scopes of the old one. It goes where the old one was: a browser that is signed in by a cookie or
/// a session stays so, and finds no `id` in the body; else mount and query say it, as at a login.
/// Who may is what the access control list says of `changePassword`, which proves the same.
///
/// | answer | when |
/// | --- | --- |
/// | 400 | `password` is missing, or no text |
/// | 400 `INVALID_PASSWORD` | it is wrong |
/// | 401 `AUTHORIZATION_REQUIRED` | there is no valid token, or it was replaced or ended at the same time |
/// | 503 `SERVICE_UNAVAILABLE` | the store fails, or too many passwords wait to be hashed |
pub fn step_up<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new("step_up", &ROUTES, [call(handler)]).addition()
}

async fn handler<U: Account>(call: Call<U>) -> Result<Response, ErrorResponse> {
    let password = call.body.text("password")?;
    call.authorize(None).await?;
    let (_, token) = call.require_caller()?;
    let step_up = StepUp::new(token.clone(), password.required()?);
    let delivery = delivery_in_place_of(&call, &token.digest).await?;
    complete(&call.auth.clone(), async move {
        let fresh = call.auth.step_up(step_up).await.map_err(|error| error.into_error(U::model_name()))?;
        let signed_in = deliver(&call, &delivery, &fresh).await?;
        Ok(with_cookies(login::answer::<U>(&call.answers, &delivery, fresh, None), &signed_in))
    })
    .await
}
