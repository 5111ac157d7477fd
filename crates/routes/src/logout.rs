//! `POST /logout`: a token given up.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use gatekit_core::{Account, Auth};
use gatekit_layer::{AuthRejection, ErrorResponse};

use crate::body::Args;
use crate::caller::Caller;
use crate::errors::IntoError;
use crate::reply::NoContent;

/// `POST /logout` with a token: 204, and the token has ended. The user's other tokens live on; the body is not looked at.
///
/// | answer | when |
/// | --- | --- |
/// | 401, without a code | there is no token, or one that nobody knows (any more) |
/// | 401 `INVALID_TOKEN` | the token has expired |
/// | 503 `SERVICE_UNAVAILABLE` | the store fails; the token is alive |
pub fn logout<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    Router::new().route("/logout", post(handler::<U>)).with_state(auth.clone())
}

async fn handler<U: Account>(
    Caller(caller): Caller<U>,
    State(auth): State<Auth<U>>,
    _: Args,
) -> Result<impl IntoResponse, ErrorResponse> {
    let (_, token) = caller.map_err(|rejection| match rejection {
        AuthRejection::Missing | AuthRejection::Invalid => {
            ErrorResponse::new(StatusCode::UNAUTHORIZED, "accessToken is required to logout")
        }
        other => other.to_error(),
    })?;
    auth.logout(&token.0.digest).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(NoContent)
}
