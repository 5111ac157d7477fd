//! `POST /delete-account`: a user goes, and proves with the password that it is the one.

use axum::Router;
use axum::extract::{Request, State};
use axum::response::Response;
use axum::routing::post;
use gatekit_core::{Account, Auth, DeleteAccount, Method, UserOperation};
use gatekit_layer::ErrorResponse;

use crate::call::{Ask, Call};
use crate::complete::complete;
use crate::delivery::{sign_out_after, signing_out};
use crate::errors::IntoError;
use crate::reply::NoContent;
use crate::support::require;

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
pub fn delete_account<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    require(auth, "delete_account", UserOperation::Delete);
    Router::new().route("/delete-account", post(handler::<U>)).with_state(auth.clone())
}

async fn handler<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<Response, ErrorResponse> {
    complete(&auth.clone(), async move {
        let (parts, body) = request.into_parts();
        let browser = signing_out::<U>(&parts).await?;
        deleted(auth.clone(), Request::from_parts(parts, body)).await?;
        sign_out_after(browser, &auth, Ok(NoContent)).await
    })
    .await
}

async fn deleted<U: Account>(auth: Auth<U>, request: Request) -> Result<(), ErrorResponse> {
    let call = Call::begin_asking(auth, Method::CHANGE_PASSWORD, Ask::Always, request).await?;
    let password = call.body.text("password")?;
    call.authorize(None).await?;
    let user_id = call.require_caller()?.0.id();
    let delete = DeleteAccount::new(user_id, password.required()?);
    call.auth.delete_account(delete).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(())
}
