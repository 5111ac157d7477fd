//! `POST /{id}/verify`, `GET /confirm` and `POST /resend-verification`: an address is proven.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, HeaderValue, LOCATION, REFERRER_POLICY};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use gatekit_core::{
    Account, Auth, ConfirmEmail, ConfirmEmailError, Method, RequestEmailVerification, UserOperation, VerificationOf,
};
use gatekit_layer::ErrorResponse;
use serde_json::Value;

use crate::call::{Call, NameIsId, id_of};
use crate::errors::IntoError;
use crate::find_user::head;
use crate::reply::NoContent;
use crate::support::require;

/// Three routes, which by default are for everyone.
///
/// `POST /{id}/verify`: 204, and a mail with a link that proves the address, within `Policy::verification_ttl`; an older link is worth nothing
/// from then on. An unknown id gets the same answer, unless `Policy::reveal_unknown_id_on_verify`: then 404 `MODEL_NOT_FOUND`.
///
/// `GET /confirm?uid=&token=[&redirect=]`, where the link leads: 204, or 302 to `redirect`, if that is a path of the own site or below an
/// origin of `Builder::redirect_origin`; any other is ignored. (LoopBack goes anywhere.) As in LoopBack a GET spends the token; an app whose users' mail
/// passes through scanners that follow links gives `VerifyOptions::verify_href` a page of its own, with a button.
///
/// `POST /resend-verification` with `{"email", "realm"?}`, an addition of ours: 204, and the mail again, if the address is somebody's and
/// not proven yet; the answer does not tell.
///
/// | answer | when |
/// | --- | --- |
/// | 400 | `uid` or `token` is missing |
/// | 400 `INVALID_TOKEN` | the secret is unknown, used, replaced by a newer one, or too old |
/// | 404 `USER_NOT_FOUND` | there is no such user, and `Policy::reveal_unknown_id_on_verify` |
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
    Router::new()
        .route("/{id}/verify", post(verify::<U>))
        .route("/confirm", get(confirm::<U>).head(head_of_confirm::<U>))
        .with_state(auth.clone())
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

/// It spends nothing: to LoopBack it asks for the user `confirm`.
async fn head_of_confirm<U: Account>(auth: State<Auth<U>>, mut request: Request) -> Result<Response, ErrorResponse> {
    request.extensions_mut().insert(NameIsId);
    head(auth, request).await
}

async fn confirm<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<Response, ErrorResponse> {
    let call = Call::begin(auth, Method::CONFIRM, request).await?;
    let arguments = call.arguments();
    let (uid, token, redirect) = (arguments.text("uid")?, arguments.text("token")?, arguments.text("redirect")?);
    call.authorize(None).await?;
    let required = |value: Option<String>, name: &str| {
        let message = format!("{name} is a required argument");
        value.filter(|text| !text.is_empty()).ok_or_else(|| ErrorResponse::new(StatusCode::BAD_REQUEST, message))
    };
    let (uid, token) = (required(uid, "uid")?, required(token, "token")?);
    // LoopBack's generated SDKs always send `redirect={}`, so one that is refused cannot fail the call.
    let redirect = redirect.filter(|target| call.auth.may_redirect_to(target));
    let confirmed = call.auth.confirm_email(ConfirmEmail::new(uid, token.as_str())).await;
    confirmed.map_err(|error| match error {
        ConfirmEmailError::InvalidToken => ErrorResponse::new(StatusCode::BAD_REQUEST, invalid_token(&token))
            .code(ConfirmEmailError::InvalidToken.code()),
        error => error.into_error(U::model_name()),
    })?;
    // The secret stands in the URL: neither cache nor the next page has to know it, spent or not.
    let private = [
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
        (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    ];
    match redirect.as_deref().map(HeaderValue::from_str) {
        Some(Ok(target)) => Ok((StatusCode::FOUND, private, [(LOCATION, target)]).into_response()),
        // What a header cannot hold is no path.
        Some(Err(_)) | None => Ok((private, NoContent).into_response()),
    }
}

/// LoopBack repeats what was sent. What looks like a secret of ours may be one, sent with the wrong user, so it is not repeated.
fn invalid_token(token: &str) -> String {
    let shown = token.len() < 32 && token.chars().all(|c| !c.is_control());
    if shown { format!("Invalid token: {token}") } else { "Invalid token".to_owned() }
}
