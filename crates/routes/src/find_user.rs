//! `GET /{id}`: a user reads itself.

use axum::Router;
use axum::extract::{Path, State};
use axum::response::IntoResponse;
use axum::routing::get;
use gatekit_core::{Account, Auth};
use gatekit_layer::{AuthRejection, ErrorResponse};

use crate::caller::Caller;
use crate::reply::Json;

/// `GET /{id}` with a token of the user whose id that is: 200 and the user. Anybody else, and any other id: 401
/// `AUTHORIZATION_REQUIRED`, whether or not there is such a user.
///
/// It costs one query: the user was loaded with the token.
pub fn find_user<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    // LoopBack's access control does not let owners ask whether they exist.
    Router::new().route("/{id}", get(handler::<U>).head(denied)).with_state(auth.clone())
}

async fn handler<U: Account>(
    Caller(caller): Caller<U>,
    State(_): State<Auth<U>>,
    Path(id): Path<String>,
) -> Result<impl IntoResponse, ErrorResponse> {
    let (user, _) = caller.map_err(|rejection| rejection.to_error())?;
    if user.id().is_named(&id) { Ok(Json(user)) } else { Err(AuthRejection::Missing.to_error()) }
}

async fn denied() -> ErrorResponse {
    AuthRejection::Missing.to_error()
}
