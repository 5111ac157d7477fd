//! `POST /change-password`: a new password, with the old one.

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::post;
use gatekit_core::{Account, Auth, ChangePassword, Method};
use gatekit_layer::ErrorResponse;

use crate::call::{Ask, Call};
use crate::errors::IntoError;
use crate::reply::NoContent;

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
pub fn change_password<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    Router::new().route("/change-password", post(handler::<U>)).with_state(auth.clone())
}

async fn handler<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<NoContent, ErrorResponse> {
    let call = Call::begin_asking(auth, Method::CHANGE_PASSWORD, Ask::Always, request).await?;
    let (old, new) = (call.body.text("oldPassword")?, call.body.text("newPassword")?);
    call.authorize_own().await?;
    let (user, token) = call.require_caller()?;
    let change = ChangePassword::new(user.id(), old.required()?, new.required()?);
    let change = change.keep(token.clone()).mails(call.notices());
    call.auth.change_password(change).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(NoContent)
}
