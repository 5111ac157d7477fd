//! `POST /{id}/verify` and `POST /resend-verification`: a mail that verifies an address.
//! `confirm_email.rs` has where its link leads.

use axum::Router;
use axum::http::StatusCode;
use gatekit_core::{Account, Method, Need, RequestEmailVerification, UserOperation, VerificationOf};
use gatekit_layer::ErrorResponse;
use gatekit_web::{Argument, Route, RouteResponse, Shape};
use serde_json::Value;

use crate::UserApi;
use crate::call::{Call, id_of};
use crate::confirm_email;
use crate::declared::DENIED;
use crate::errors::IntoError;
use crate::feature::{Feature, call};
use crate::reply::NoContent;

const ROUTES: [Route; 1] = [Route::post("/{id}/verify", "Mails a link that verifies the user's address.")
    .method(Method::VERIFY)
    .arguments(&[Argument::path("id", Shape::Id)])
    .responses(&[
        RouteResponse::NO_CONTENT,
        DENIED,
        RouteResponse::error(
            404,
            &["MODEL_NOT_FOUND", "USER_NOT_FOUND"],
            "there is no such user, and the policy reveals it",
        ),
    ])
    .needs(&[Need::Users(UserOperation::Update)])];

const RESEND_ROUTES: [Route; 1] = [Route::post("/resend-verification", "Mails that link again, to an address.")
    // A caller that may ask for a reset by address may ask for this.
    .method(Method::RESET_PASSWORD)
    .arguments(&[Argument::body("email", Shape::Email), Argument::body("realm", Shape::String).optional()])
    .responses(&[
        RouteResponse::NO_CONTENT,
        RouteResponse::error(400, &["EMAIL_REQUIRED", "INVALID_REALM"], "the address is missing or no string"),
        DENIED,
    ])
    .needs(&[Need::Users(UserOperation::Update)])];

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
/// | 400 `EMAIL_REQUIRED`, `INVALID_REALM` | `resend-verification` has no address, or no string; a realm that is no string |
/// | 404 `MODEL_NOT_FOUND`, `USER_NOT_FOUND` | there is no such user, and `policy.reveal.unknown_id_on_verify` |
/// | 405 `CONFIRM_BY_POST` | a GET that does not ask for HTML |
///
/// # Panics
///
/// If the store of the users does not implement `update_user`.
pub fn verify_email<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    let api = api.into();
    let confirm = confirm_email::feature(api.auth.policy().email.confirm_by_get);
    [feature(), confirm, resend_feature()]
        .into_iter()
        .map(|feature| feature.alone(&api))
        .fold(Router::new(), Router::merge)
}

/// Without the link, which is in `confirm_email.rs`.
pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new("verify_email", &ROUTES, [call(verify)])
}

pub(crate) fn resend_feature<U: Account>() -> Feature<U> {
    Feature::new("verify_email", &RESEND_ROUTES, [call(resend)]).addition()
}

async fn verify<U: Account>(mut call: Call<U>) -> Result<NoContent, ErrorResponse> {
    let id = call.id().await?;
    call.authorize(Some(&id)).await?;
    let id = id_of(&Value::String(id.clone())).unwrap_or_else(|| id.into());
    let request = RequestEmailVerification::user(id).mails(call.mails().await);
    call.auth.request_email_verification(request).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(NoContent)
}

async fn resend<U: Account>(mut call: Call<U>) -> Result<NoContent, ErrorResponse> {
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
