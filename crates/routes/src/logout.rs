//! `POST /logout`: a token given up.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use gatekit_core::{Account, Method};
use gatekit_layer::{AuthRejection, ErrorResponse};
use gatekit_web::{Route, RouteResponse, TokenUse};

use crate::UserApi;
use crate::call::Call;
use crate::complete::complete;
use crate::declared::EXPIRED;
use crate::delivery::{sign_out_after, signing_out};
use crate::errors::IntoError;
use crate::feature::{Feature, raw};
use crate::reply::NoContent;

const ROUTES: [Route; 1] = [Route::post("/logout", "Ends the token of the request.")
    .method(Method::LOGOUT)
    .token(TokenUse::Required)
    .responses(&[
        RouteResponse::NO_CONTENT,
        RouteResponse::error(401, &[], "there is no token, or one that is not known"),
        EXPIRED,
    ])];

/// `POST /logout` with a token: 204, and the token has ended. The user's other tokens live on; the
/// body is not looked at.
///
/// A browser that is signed in by a cookie or a session is signed out, whatever token the request
/// was made with: its session ends with all that it held, its cookie is taken back. So it is if its
/// token turns out to be none any more (401).
///
/// | answer | when |
/// | --- | --- |
/// | 401, without a code | there is no token, or one that nobody knows (any more) |
/// | 401 `INVALID_TOKEN` | the token has expired |
/// | 503 `SERVICE_UNAVAILABLE` | the store fails; the token is alive |
pub fn logout<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new("logout", &ROUTES, [raw(handler)])
}

async fn handler<U: Account>(
    api: UserApi<U>,
    route: &'static Route,
    request: Request,
) -> Result<Response, ErrorResponse> {
    complete(&api.auth.clone(), async move {
        let (parts, body) = request.into_parts();
        let browser = signing_out::<U>(&parts).await?;
        let outcome = logged_out(api.clone(), route, Request::from_parts(parts, body)).await;
        sign_out_after(browser, &api.auth, outcome).await
    })
    .await
}

async fn logged_out<U: Account>(
    api: UserApi<U>,
    route: &'static Route,
    request: Request,
) -> Result<NoContent, ErrorResponse> {
    let call = Call::begin(api, route, request).await?;
    call.authorize(None).await?;
    if let Some(AuthRejection::Missing | AuthRejection::Invalid) = call.rejection() {
        return Err(ErrorResponse::new(StatusCode::UNAUTHORIZED, "accessToken is required to logout"));
    }
    let (_, token) = call.require_caller()?;
    call.auth.logout(&token.digest).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(NoContent)
}
