//! `POST /{id}/verify` and `POST /resend-verification`: a mail that verifies an address.
//! `confirm_email.rs` has where its link leads.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::routing::post;
use gatekit_core::{Account, Auth, Method, RequestEmailVerification, UserOperation, VerificationOf};
use gatekit_layer::ErrorResponse;
use serde_json::Value;

use crate::call::{Call, id_of};
use crate::confirm_email::confirm_email;
use crate::errors::IntoError;
use crate::reply::NoContent;
use crate::support::require;

/// The routes that verify an address. By default they are for everyone.
///
/// `POST /{id}/verify`: 204, and a mail with a link that verifies the address within
/// `policy.email.verification_ttl`. Links that were mailed before stay good. An account gets
/// `policy.mail.per_hour` of these mails, whoever asks for them; beyond that the response is the
/// same and no mail is sent. An unknown id gets the same response, unless
/// `policy.reveal.unknown_id_on_verify` is set: then 404 `MODEL_NOT_FOUND`.
///
/// `GET /confirm?uid=&token=[&redirect=]`, where the link leads, changes nothing: mail scanners
/// open every link. A browser (a client that accepts `text/html`) is sent on to
/// `GET /confirm-email`, a page with a button. Any other client gets 405 `CONFIRM_BY_POST`.
///
/// `POST /confirm` with `{"token", "uid"?, "redirect"?}` uses the link: 204. A browser gets 303 to
/// `redirect`, if that is a path of the own site or below an origin of `Builder::redirect_origin`,
/// and a page otherwise. The same link again is answered the same, as long as it would have been
/// good: the address is verified.
///
/// With `policy.email.confirm_by_get`, which `Policy::loopback()` sets, `GET /confirm` uses the
/// link as in LoopBack: 204, or 302 to `redirect`. (LoopBack goes to any URL.)
///
/// `POST /resend-verification` with `{"email", "realm"?}`, an addition of ours: 204, and the mail
/// again, if the address is somebody's and not verified yet; the response does not tell. The same
/// limit holds.
///
/// | answer | when |
/// | --- | --- |
/// | 400 | `token` is missing, or with LoopBack's GET `uid` |
/// | 400 `INVALID_TOKEN` | the secret is unknown or too old, or the user has another address |
/// | 404 `USER_NOT_FOUND` | there is no such user, and `policy.reveal.unknown_id_on_verify` |
/// | 405 `CONFIRM_BY_POST` | a GET that does not ask for HTML |
///
/// # Panics
///
/// If the store of the users does not implement `update_user`.
pub fn verify_email<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    loopback(auth).merge(Router::new().route("/resend-verification", post(resend::<U>)).with_state(auth.clone()))
}

/// Without what is ours alone.
pub(crate) fn loopback<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    require(auth, "verify_email", UserOperation::Update);
    Router::new().route("/{id}/verify", post(verify::<U>)).with_state(auth.clone()).merge(confirm_email(auth))
}

async fn verify<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<NoContent, ErrorResponse> {
    let mut call = Call::begin(auth, Method::VERIFY, request).await?;
    let id = call.id().await?;
    call.authorize(Some(&id)).await?;
    let id = id_of(&Value::String(id.clone())).unwrap_or_else(|| id.into());
    let request = RequestEmailVerification::user(id).mails(call.mails().await);
    call.auth.request_email_verification(request).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(NoContent)
}

async fn resend<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<NoContent, ErrorResponse> {
    // Who may ask for a reset by address may ask for this.
    let mut call = Call::begin(auth, Method::RESET_PASSWORD, request).await?;
    let body = call.take_body().into_credentials()?;
    call.authorize(None).await?;
    let mut body = body.required("options")?;
    let Some(Value::String(email)) = body.remove("email") else {
        return Err(ErrorResponse::new(StatusCode::BAD_REQUEST, "Email is required").code("EMAIL_REQUIRED"));
    };
    let realm = crate::reset_password::realm(&mut body)?;
    let mut request = RequestEmailVerification::email(email.clone()).mails(call.mails().await);
    request.of = VerificationOf::Email { email, realm };
    call.auth.request_email_verification(request).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(NoContent)
}
