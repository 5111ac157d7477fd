//! `GET /oauth2/authorize?code=…`: where a browser learns the code, as a message from a hidden
//! frame or in the address it is sent to.
//!
//! It changes nothing: the code is spent by a caller that brings it to `/oauth2/token`. In the URL
//! it is worth as much as it is in that of any OAuth client: without the verifier, which never
//! leaves the page, nothing (RFC 9700 §2.1.1).

use axum::extract::Request;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use gatekit_web::form_pairs;

use super::code::{self, ResponseMode};
use super::context::IamContext;
use super::frame;
use super::reply::Refusal;
use super::secret_response::secret_response;

pub(super) async fn authorize(iam: IamContext, request: Request) -> Result<Response, Refusal> {
    let query = request.uri().query().unwrap_or_default();
    let pairs: Option<Vec<_>> = form_pairs(query.as_bytes()).collect();
    let mut codes = pairs.unwrap_or_default().into_iter().filter(|(name, _)| name == "code");
    let secret = match (codes.next(), codes.next()) {
        (Some((_, secret)), None) => secret,
        _ => return Ok(ended()),
    };
    let found = code::find(iam.auth(), &secret).await?;
    let Some(asked) = found else { return Ok(ended()) };
    let answer = [("code", secret.as_str()), ("state", asked.state.as_str())];
    if asked.mode == ResponseMode::WebMessage {
        let told = match &asked.origin {
            Some(origin) => std::slice::from_ref(origin),
            None => iam.clients.origins.as_slice(),
        };
        return Ok(frame::tell(&answer, told));
    }
    let location = asked.location(&answer).and_then(|location| HeaderValue::try_from(location).ok());
    let Some(location) = location else { return Ok(ended()) };
    Ok(secret_response((StatusCode::SEE_OTHER, [(LOCATION, location)])))
}

/// For a person who has come too late.
fn ended() -> Response {
    secret_response((StatusCode::BAD_REQUEST, "This link has ended. Please log in again.\n"))
}
