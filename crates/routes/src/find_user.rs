//! `GET /{id}`: a user reads itself.

use axum::Router;
use axum::extract::{FromRequestParts, RawPathParams, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
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
    Id(id): Id,
) -> Result<impl IntoResponse, ErrorResponse> {
    let (user, _) = caller.map_err(|rejection| rejection.to_error())?;
    if user.id().is_named(&id) { Ok(Json(user)) } else { Err(AuthRejection::Missing.to_error()) }
}

/// The id in the path. One that cannot be decoded is answered before it is asked who wants to know, as in LoopBack.
struct Id(String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = ErrorResponse;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, ErrorResponse> {
        let written = parts.uri.path().rsplit('/').next().unwrap_or_default().to_owned();
        let decoded = RawPathParams::from_request_parts(parts, state).await.ok().filter(|_| is_decodable(&written));
        // A prefix may have parameters too; ours is the last.
        let id = decoded.as_ref().and_then(|params| params.iter().filter(|(name, _)| *name == "id").last());
        match id {
            Some((_, id)) => Ok(Self(id.to_owned())),
            None => Err(ErrorResponse::new(StatusCode::BAD_REQUEST, format!("Failed to decode param '{written}'"))
                .name("URIError")),
        }
    }
}

/// Whether two hex digits follow each `%`. axum leaves others as they are.
fn is_decodable(segment: &str) -> bool {
    segment.split('%').skip(1).all(|after| after.bytes().take(2).filter(u8::is_ascii_hexdigit).count() == 2)
}

async fn denied() -> ErrorResponse {
    AuthRejection::Missing.to_error()
}
