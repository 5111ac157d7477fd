//! `POST /oauth2/token`: tokens for a visitor, for a client that brings a refresh token, and for a
//! client that brings a code (RFC 6749 §4.1.3, §5, §6, with the names that Wix gives to the
//! members).

use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use gatekit_core::{Client, Unavailable};
use serde_json::{Map, Value, json};

use super::code::{self, Brought};
use super::context::IamContext;
use super::family::{self, GrantError, MemberTokens};
use super::reply::{self, Refusal};
use super::visitor::{Use, Visitor};

/// How long a visitor's access token lasts, in seconds: as long as a member's.
const VISITOR_TTL: i64 = family::ACCESS_TTL;
/// How long a visitor's refresh token lasts, in seconds. Each time it is used there is another.
const VISITOR_REFRESH_TTL: i64 = family::FAMILY_TTL;

pub(super) async fn token(iam: IamContext, request: Request) -> Result<Response, Refusal> {
    let (parts, body) = reply::read(&iam, request).await?;
    let client_id = known_client(&iam, &body)?;
    match text(&body, "grantType", "grant_type") {
        Some("anonymous") => visitor(&iam, Visitor { id: new_visitor(&iam)?, client_id: client_id.to_owned() }),
        Some("refresh_token") => refresh(&iam, &parts, &body, client_id).await,
        Some("authorization_code") => exchange(&iam, &parts, &body, client_id).await,
        Some(_) => Err(refused("unsupported_grant_type", "this grant is not supported")),
        None => Err(refused("invalid_request", "grantType is required")),
    }
}

fn known_client<'a>(iam: &IamContext, body: &'a Map<String, Value>) -> Result<&'a str, Refusal> {
    let client_id = text(body, "clientId", "client_id").filter(|id| iam.clients.knows(id));
    client_id.ok_or_else(|| Refusal::oauth(StatusCode::UNAUTHORIZED, "invalid_client", "the client is not known"))
}

async fn refresh(
    iam: &IamContext,
    parts: &Parts,
    body: &Map<String, Value>,
    client_id: &str,
) -> Result<Response, Refusal> {
    let token = text(body, "refreshToken", "refresh_token").ok_or_else(|| missing("refreshToken"))?;
    let auth = iam.auth();
    if let Some(known) = iam.visitors.verify(token, Use::Refresh, auth.now()) {
        return if known.client_id == client_id { visitor(iam, known) } else { Err(invalid_grant()) };
    }
    let device = gatekit_web::client(auth, parts);
    let renewed = family::renew(auth, token, client_id, iam.clients.refresh, without_device(device)).await;
    if matches!(renewed, Err(GrantError::Invalid)) {
        auth.reject_secret(family::FAMILY, None).await;
    }
    answer(renewed)
}

async fn exchange(
    iam: &IamContext,
    parts: &Parts,
    body: &Map<String, Value>,
    client_id: &str,
) -> Result<Response, Refusal> {
    let code = text(body, "code", "code").ok_or_else(|| missing("code"))?;
    let verifier = text(body, "codeVerifier", "code_verifier").ok_or_else(|| missing("codeVerifier"))?;
    let redirect_uri = text(body, "redirectUri", "redirect_uri");
    let device = without_device(gatekit_web::client(iam.auth(), parts));
    let (members, client, code) = (iam.members.clone(), client_id.to_owned(), code.to_owned());
    let (verifier, redirect_uri) = (verifier.to_owned(), redirect_uri.map(str::to_owned));
    let exchanged = iam.auth().change(|_| async move {
        let auth = members.auth();
        let brought = Brought { client: &client, verifier: &verifier, redirect_uri: redirect_uri.as_deref() };
        let exchanged = code::exchange(auth, &code, brought, device).await;
        if matches!(exchanged, Err(GrantError::Invalid)) {
            auth.reject_secret(code::CODE, None).await;
        }
        let (tokens, account) = match exchanged {
            Ok(exchanged) => exchanged,
            Err(error) => return answer(Err(error)),
        };
        members.note_login(account.user).await;
        answer(Ok(tokens))
    });
    exchanged.await
}

/// A token is issued, nobody logs in: which device it is was noted at the login.
fn without_device(mut client: Client) -> Client {
    client.device = None;
    client
}

fn answer(tokens: Result<MemberTokens, GrantError>) -> Result<Response, Refusal> {
    match tokens {
        Ok(MemberTokens { access, refresh, expires_in }) => {
            Ok(tokens_json(access.expose(), refresh.expose(), expires_in))
        }
        Err(GrantError::Invalid) => Err(invalid_grant()),
        Err(GrantError::Unavailable(error)) => Err(error.into()),
    }
}

/// Tokens for a visitor. Nothing is stored, so anybody may ask for as many as they like.
fn visitor(iam: &IamContext, visitor: Visitor) -> Result<Response, Refusal> {
    let sign = |used_for, seconds| iam.visitors.sign(&visitor, used_for, iam.auth().now(), seconds);
    match (sign(Use::Access, VISITOR_TTL), sign(Use::Refresh, VISITOR_REFRESH_TTL)) {
        (Some(access), Some(refresh)) => Ok(tokens_json(&access, &refresh, VISITOR_TTL)),
        _ => Err(Unavailable::Random.into()),
    }
}

/// 128 random bits in hex.
fn new_visitor(iam: &IamContext) -> Result<String, Refusal> {
    let mut bytes = [0; 16];
    iam.auth().fill_random(&mut bytes)?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

fn tokens_json(access: &str, refresh: &str, seconds: i64) -> Response {
    reply::json(json!({
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": seconds,
        "refresh_token": refresh,
    }))
}

/// A member of the body, as Wix writes its name or as the RFC does.
fn text<'a>(body: &'a Map<String, Value>, camel: &str, snake: &str) -> Option<&'a str> {
    body.get(camel).or_else(|| body.get(snake)).and_then(Value::as_str)
}

fn refused(error: &'static str, why: &'static str) -> Refusal {
    Refusal::oauth(StatusCode::BAD_REQUEST, error, why)
}

fn missing(member: &'static str) -> Refusal {
    Refusal::oauth(StatusCode::BAD_REQUEST, "invalid_request", format!("{member} is required"))
}

/// Nobody is told which of the reasons it is.
fn invalid_grant() -> Refusal {
    refused("invalid_grant", "the grant is unknown, was used, has ended, or is another client's")
}
