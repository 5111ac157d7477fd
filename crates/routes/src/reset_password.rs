//! `POST /reset` and `POST /reset-password`: a new password for who has lost the old one.

use axum::Router;
use axum::extract::rejection::NestedPathRejection;
use axum::extract::{NestedPath, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use axum::routing::post;
use gatekit_core::{Account, Auth, Password, PasswordError, PasswordReset, RequestPasswordReset, ResetPasswordError};
use gatekit_layer::{AccessToken, AuthRejection, ErrorResponse, PresentedToken};
use serde_json::{Map, Value};

use crate::body::Args;
use crate::caller::{Anyone, Caller};
use crate::errors::IntoError;
use crate::reply::NoContent;

/// Two routes.
///
/// `POST /reset` with `{"email", "realm"?}`: 204, and a mail with a secret that works once, for `Policy::reset_token_ttl`. An unknown address
/// gets the same answer after the same work, unless `Policy::reveal_unknown_email_on_reset`: then 404 `EMAIL_NOT_FOUND`.
///
/// `POST /reset-password` with `{"newPassword"}`, and the secret where a token goes (`Authorization`, `?access_token=`, …): 204, and all
/// tokens of the user have ended. In LoopBack the secret is a full token of the user, good for anything and any number of times;
/// here it is good for this, once. A login token is refused, unless `Policy::login_token_may_reset_password`.
///
/// | answer | when |
/// | --- | --- |
/// | 400 `EMAIL_REQUIRED` | no address, or it is no text |
/// | 400 | `newPassword` is missing, or no text |
/// | 401 `AUTHORIZATION_REQUIRED` | the secret is unknown, used, or too old |
/// | 422 `PASSWORD_TOO_LONG`, `PASSWORD_TOO_SHORT`, `PASSWORD_TOO_COMMON` | the policy refuses the new password; the secret stays good |
/// | 503 `SERVICE_UNAVAILABLE` | the store fails, or too many passwords wait to be hashed; the secret stays good |
pub fn reset_password<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    Router::new()
        .route("/reset", post(request::<U>))
        .route("/reset-password", post(perform::<U>))
        .with_state(auth.clone())
}

async fn request<U: Account>(
    _: Anyone,
    State(auth): State<Auth<U>>,
    mount: Result<NestedPath, NestedPathRejection>,
    args: Args,
) -> Result<impl IntoResponse, ErrorResponse> {
    let mut body = args.into_object("options")?;
    let Some(Value::String(email)) = body.remove("email") else {
        return Err(ErrorResponse::new(StatusCode::BAD_REQUEST, "Email is required").code("EMAIL_REQUIRED"));
    };
    check_password(&auth, &body)?;
    let mut request = RequestPasswordReset::email(email).mount(mount.as_ref().map_or("", NestedPath::as_str));
    request.realm = realm(&mut body)?;
    auth.request_password_reset(request).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(NoContent)
}

/// LoopBack lets a client try a password here, and forgets it.
fn check_password<U: Account>(auth: &Auth<U>, body: &Map<String, Value>) -> Result<(), ErrorResponse> {
    let checked = match body.get("password") {
        None | Some(Value::Null) => Ok(()),
        Some(Value::String(password)) if password.is_empty() => Ok(()),
        Some(Value::String(password)) => auth.policy().check_password(&Password::from(password.as_str())),
        Some(_) => Err(PasswordError::Empty),
    };
    checked.map_err(|error| error.into_error(U::model_name()))
}

/// In LoopBack an object here is an operator of the query: `{"neq": ""}` finds everybody.
fn realm(body: &mut Map<String, Value>) -> Result<Option<String>, ErrorResponse> {
    match body.remove("realm") {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(realm)) => Ok(Some(realm)),
        Some(_) => Err(ErrorResponse::new(StatusCode::BAD_REQUEST, "Invalid realm").code("INVALID_REALM")),
    }
}

async fn perform<U: Account>(
    token: Result<PresentedToken, AuthRejection>,
    State(auth): State<Auth<U>>,
    caller: OrResetToken<U>,
    args: Args,
) -> Result<impl IntoResponse, ErrorResponse> {
    let new = args.text("newPassword")?;
    let PresentedToken(secret) = token.map_err(|rejection| rejection.to_error())?;
    let done = match caller {
        OrResetToken::ResetToken => auth.reset_password(PasswordReset::new(secret, new.required()?)).await,
        OrResetToken::Caller(Caller(caller)) => {
            let (user, AccessToken(token)) = caller.map_err(|rejection| rejection.to_error())?;
            if !auth.policy().login_token_may_reset_password {
                return Err(AuthRejection::InsufficientScope.to_error());
            }
            auth.set_password(&user.id(), new.required()?, Some(&token)).await
        }
    };
    done.map_err(|error: ResetPasswordError| error.into_error(U::model_name()))?;
    Ok(NoContent)
}

/// What the presented secret is: a reset token, or else whatever a caller is known by.
enum OrResetToken<U> {
    ResetToken,
    Caller(Caller<U>),
}

impl<U: Account> axum::extract::FromRequestParts<Auth<U>> for OrResetToken<U> {
    type Rejection = ErrorResponse;

    async fn from_request_parts(parts: &mut axum::http::request::Parts, auth: &Auth<U>) -> Result<Self, ErrorResponse> {
        if let Ok(PresentedToken(secret)) = PresentedToken::from_request_parts(parts, auth).await {
            let known = auth.is_reset_token(secret.expose()).await;
            if known.map_err(|error| error.into_error(U::model_name()))? {
                return Ok(Self::ResetToken);
            }
        }
        Ok(Self::Caller(Caller::from_request_parts(parts, auth).await.map_err(|rejection| rejection.to_error())?))
    }
}
