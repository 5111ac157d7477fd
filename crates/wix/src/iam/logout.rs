//! `GET /_api/iam/authentication/v1/logout`: where a browser is sent after a logout, and on to
//! where it came from.
//!
//! The logout itself has happened before, when the client asked for this address with its token. A
//! GET that a page of another site can cause ends nothing.

use axum::extract::Request;
use axum::http::header::LOCATION;
use axum::http::{HeaderValue, StatusCode};
use axum::response::Response;
use gatekit_web::form_pairs;

use super::context::IamContext;
use super::reply::Refusal;
use super::secret_response::secret_response;

/// Where this is.
pub(super) const PATH: &str = "/_api/iam/authentication/v1/logout";

pub(super) async fn logout(iam: IamContext, request: Request) -> Result<Response, Refusal> {
    let query = request.uri().query().unwrap_or_default();
    let pairs: Option<Vec<_>> = form_pairs(query.as_bytes()).collect();
    let pairs = pairs.ok_or_else(Refusal::redirect)?;
    let mut targets = pairs.into_iter().filter(|(name, _)| name == "postLogoutRedirectUri");
    let target = match (targets.next(), targets.next()) {
        (None, _) => iam.clients.public_url.outside("/"),
        (Some((_, target)), None) if iam.clients.may_lead_to(&target) => target,
        _ => return Err(Refusal::redirect()),
    };
    let location = HeaderValue::try_from(target).map_err(|_| Refusal::redirect())?;
    Ok(secret_response((StatusCode::SEE_OTHER, [(LOCATION, location)])))
}

/// The address of this endpoint that leads on to `target`.
pub(super) fn url(base: &str, client_id: &str, target: &str) -> String {
    let pairs = [("postLogoutRedirectUri", target), ("clientId", client_id)];
    format!("{base}{PATH}?{}", form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish())
}
