//! `POST /_api/redirects-api/v1/redirect-session`: an address to send a browser or a hidden frame
//! to, which leads back with a code, or from a logout.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::ORIGIN;
use axum::http::request::Parts;
use axum::response::Response;
use gatekit_core::{AuthenticateError, MailOptions, Proofs, Unavailable};
use serde_json::{Map, Value, json};

use super::code::{self, CodeRequest, ResponseMode};
use super::context::IamContext;
use super::pkce::Challenge;
use super::reply::{self, Refusal, required, text};
use super::{family, logout};

/// The longest `state` that is kept. The SDK's has 43 characters.
const MAX_STATE: usize = 512;

pub(super) async fn redirect_session(iam: IamContext, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = reply::read(&iam, request).await?;
    // What is not sent by a browser has no origin. What is, says the truth.
    let origin = match parts.headers.get(ORIGIN) {
        None => None,
        Some(origin) => {
            let allowed = origin.to_str().ok().filter(|origin| iam.clients.allows_origin(origin));
            Some(allowed.ok_or_else(refused_origin)?.to_owned())
        }
    };
    let member = |name| body.get(name).and_then(Value::as_object);
    if let Some(asked) = member("logout") {
        return log_out(&iam, &parts, asked, member("callbacks")).await;
    }
    let Some(asked) = member("auth").and_then(|auth| auth.get("authRequest")).and_then(Value::as_object) else {
        return Err(Refusal::validation("auth.authRequest or logout is required"));
    };
    authorize(&iam, &parts, asked, origin).await
}

async fn authorize(
    iam: &IamContext,
    parts: &Parts,
    asked: &Map<String, Value>,
    origin: Option<String>,
) -> Result<Response, Refusal> {
    let mut request = code_request(iam, asked, origin)?;
    let Some(token) = text(asked, "sessionToken").filter(|token| !token.is_empty()) else {
        return Err(Refusal::new(
            StatusCode::BAD_REQUEST,
            "LOGIN_REQUIRED",
            "there is no page to log in at: log in first, and bring the session token",
        ));
    };
    // All else is right: the token is spent on something.
    let device = gatekit_web::client(iam.auth(), parts);
    let taken = iam.members.take_session_token(&token.into(), &device, &MailOptions::default()).await?;
    request.proofs = taken.proofs.clone();
    let secret = code::issue(iam.auth(), &taken.account, request).await?;
    let endpoint = format!("{}/oauth2/authorize", iam.clients.public_url);
    Ok(answer(&format!("{endpoint}?code={}", secret.expose()), &endpoint))
}

fn code_request(iam: &IamContext, asked: &Map<String, Value>, origin: Option<String>) -> Result<CodeRequest, Refusal> {
    let client = required(asked, "clientId")?;
    if !iam.clients.knows(client) {
        return Err(Refusal::client());
    }
    if required(asked, "responseType")? != "code" {
        return Err(Refusal::validation("responseType must be code"));
    }
    let mode = ResponseMode::parse(text(asked, "responseMode").unwrap_or("fragment"))
        .ok_or_else(|| Refusal::validation("responseMode must be web_message, fragment or query"))?;
    let challenge = Challenge::parse(required(asked, "codeChallenge")?, required(asked, "codeChallengeMethod")?)
        .ok_or_else(|| Refusal::validation("codeChallenge must be of the method S256"))?;
    let state = required(asked, "state")?;
    if state.is_empty() || state.len() > MAX_STATE {
        return Err(Refusal::validation(format!("state must have 1 to {MAX_STATE} bytes")));
    }
    let redirect_uri = text(asked, "redirectUri");
    match redirect_uri {
        Some(uri) if !iam.clients.may_answer_at(uri) => return Err(Refusal::redirect()),
        None if mode != ResponseMode::WebMessage => return Err(Refusal::validation("redirectUri is required")),
        _ => {}
    }
    Ok(CodeRequest {
        client: client.to_owned(),
        challenge,
        mode,
        redirect_uri: redirect_uri.map(str::to_owned),
        state: state.to_owned(),
        origin,
        proofs: Proofs::default(),
    })
}

/// Ends what the caller asks with, and nothing if that is a visitor's token. Where the browser goes
/// is checked before.
async fn log_out(
    iam: &IamContext,
    parts: &Parts,
    asked: &Map<String, Value>,
    callbacks: Option<&Map<String, Value>>,
) -> Result<Response, Refusal> {
    let client = required(asked, "clientId")?;
    if !iam.clients.knows(client) {
        return Err(Refusal::client());
    }
    let home = iam.clients.public_url.outside("/");
    let target = callbacks.and_then(|callbacks| text(callbacks, "postFlowUrl")).unwrap_or(&home);
    if !iam.clients.may_lead_to(target) {
        return Err(Refusal::redirect());
    }
    if let Some(token) = reply::bearer(&parts.headers) {
        match iam.auth().authenticate(token).await {
            Ok(_) => family::log_out(iam.auth(), token).await?,
            Err(AuthenticateError::Unavailable(error)) => return Err(Unavailable::from(error).into()),
            Err(_) => {}
        }
    }
    let url = logout::url(iam.clients.public_url.as_str(), client, target);
    Ok(answer(&url, &format!("{}{}", iam.clients.public_url, logout::PATH)))
}

fn answer(url: &str, endpoint: &str) -> Response {
    reply::json(json!({"redirectSession": {"fullUrl": url, "urlDetails": {"endpoint": endpoint}}}))
}

fn refused_origin() -> Refusal {
    Refusal::new(StatusCode::FORBIDDEN, "INVALID_ORIGIN", "the page is not of an allowed origin")
}
