//! `POST /logout`: a token given up.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::post;
use gatekit_core::{Account, Auth, Method};
use gatekit_layer::{AuthRejection, ErrorResponse};

use crate::call::{Ask, Call};
use crate::complete::complete;
use crate::delivery::{sign_out_after, signing_out};
use crate::errors::IntoError;
use crate::reply::NoContent;

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
pub fn logout<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    Router::new().route("/logout", post(handler::<U>)).with_state(auth.clone())
}

async fn handler<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<Response, ErrorResponse> {
    complete(&auth.clone(), async move {
        let (parts, body) = request.into_parts();
        let browser = signing_out::<U>(&parts).await?;
        let outcome = logged_out(auth.clone(), Request::from_parts(parts, body)).await;
        sign_out_after(browser, &auth, outcome).await
    })
    .await
}

async fn logged_out<U: Account>(auth: Auth<U>, request: Request) -> Result<NoContent, ErrorResponse> {
    let call = Call::begin_asking(auth, Method::LOGOUT, Ask::Always, request).await?;
    call.authorize(None).await?;
    if let Some(AuthRejection::Missing | AuthRejection::Invalid) = call.rejection() {
        return Err(ErrorResponse::new(StatusCode::UNAUTHORIZED, "accessToken is required to logout"));
    }
    let (_, token) = call.require_caller()?;
    call.auth.logout(&token.digest).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(NoContent)
}
