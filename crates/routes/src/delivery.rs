//! Delivers a token as `?cookie=` asks, and logs a browser out.

use axum::http::StatusCode;
use axum::http::header::{HeaderMap, SET_COOKIE};
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use gatekit_core::{Account, Auth, IssuedToken, TokenDigest};
use gatekit_layer::{AuthRejection, ErrorResponse};
use gatekit_web::{BrowserError, BrowserSignOut, DeliveryError, TokenDelivery, TokenTransport, with_cookies};
use serde_json::{Map, Value};

use crate::call::Call;
use crate::errors::IntoError;

/// The delivery that the request and the mount ask for. See [`TokenDelivery::of_request`].
pub(crate) fn delivery<U: Account>(call: &Call<U>) -> Result<TokenDelivery, ErrorResponse> {
    let asked = asked(&call.query()?)?;
    TokenDelivery::of_request::<U>(call.parts(), asked, call.body_is_json()).map_err(not_delivered)
}

/// The delivery of a token that replaces `old`. See [`TokenDelivery::in_place_of`].
pub(crate) async fn delivery_in_place_of<U: Account>(
    call: &Call<U>,
    old: &TokenDigest,
) -> Result<TokenDelivery, ErrorResponse> {
    let asked = asked(&call.query()?)?;
    let delivery = TokenDelivery::in_place_of::<U>(call.parts(), old, asked, call.body_is_json()).await;
    delivery.map_err(not_delivered)
}

/// The transport in `?cookie=`, if it is there.
fn asked(query: &Map<String, Value>) -> Result<Option<TokenTransport>, ErrorResponse> {
    match query.get("cookie") {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if text == "true" => Ok(Some(TokenTransport::Cookie)),
        Some(Value::String(text)) if text == "both" => Ok(Some(TokenTransport::Both)),
        Some(Value::String(text)) if text == "false" => Ok(Some(TokenTransport::Body)),
        Some(_) => {
            Err(ErrorResponse::new(StatusCode::BAD_REQUEST, "cookie must be true, both or false")
                .code("INVALID_COOKIE"))
        }
    }
}

fn not_delivered(error: DeliveryError) -> ErrorResponse {
    match error {
        DeliveryError::Rejected(rejection) => rejection.to_error(),
        error @ DeliveryError::CookiesNotEnabled => {
            ErrorResponse::new(StatusCode::BAD_REQUEST, error.to_string()).code("COOKIES_NOT_ENABLED")
        }
    }
}

/// Logs the browser in, if there is one: the `Set-Cookie` headers for the response.
pub(crate) async fn deliver<U: Account>(
    call: &Call<U>,
    delivery: &TokenDelivery,
    token: &IssuedToken,
) -> Result<HeaderMap, ErrorResponse> {
    delivery.sign_in(&call.auth, &call.parts().headers, token).await.map_err(failed::<U>)
}

/// The browser that sent this request, if it is to be logged out. See
/// [`BrowserSignOut::of_request`].
pub(crate) async fn signing_out<U: Account>(parts: &Parts) -> Result<Option<BrowserSignOut>, ErrorResponse> {
    BrowserSignOut::of_request::<U>(parts).await.map_err(|rejection| rejection.to_error())
}

/// Logs the browser out after the request has succeeded, or if the response is 401: its token is
/// not valid any more. After another failure the browser stays as it is.
pub(crate) async fn sign_out_after<U: Account>(
    browser: Option<BrowserSignOut>,
    auth: &Auth<U>,
    outcome: Result<impl IntoResponse, ErrorResponse>,
) -> Result<Response, ErrorResponse> {
    let Some(browser) = browser else { return outcome.map(IntoResponse::into_response) };
    match outcome {
        Ok(done) => {
            let headers = browser.sign_out(auth).await.map_err(failed::<U>)?;
            Ok(with_cookies(done.into_response(), &headers))
        }
        Err(error) if error.status() == StatusCode::UNAUTHORIZED => {
            let headers = browser.forget().await.map_err(|rejection: AuthRejection| rejection.to_error())?;
            let cookies = headers.get_all(SET_COOKIE).iter();
            Err(cookies.fold(error, |error, cookie| error.header(SET_COOKIE, cookie.clone())))
        }
        Err(error) => Err(error),
    }
}

fn failed<U: Account>(error: BrowserError) -> ErrorResponse {
    match error {
        BrowserError::Rejected(rejection) => rejection.to_error(),
        BrowserError::Unavailable(error) => error.into_error(U::model_name()),
    }
}
