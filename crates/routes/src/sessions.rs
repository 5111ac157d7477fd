//! `GET /sessions`, `DELETE /sessions/{session}` and `POST /logout-everywhere`: a user sees and
//! ends its own tokens.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use gatekit_core::{Account, Auth, Method};
use gatekit_layer::ErrorResponse;
use serde_json::{Value, json};

use crate::access_tokens::token_json;
use crate::call::{Ask, Call, unavailable};
use crate::complete::complete;
use crate::delivery::{sign_out_after, signing_out};
use crate::reply::{Json, NoContent};

/// Three routes for callers with a token, additions of ours (ASVS 7.4.3, 7.5.2).
///
/// `GET /sessions`: 200, an array of the caller's living tokens, the oldest first:
/// `{"id": <handle>, "ttl", "created", "userId", "current"}`. The handle names a token and is worth
/// nothing as one; `current` marks the one of this request. Where they are known: `userAgent` and
/// `network` of the login (`203.0.113.0/24`), and `lastUsed`, give or take
/// `policy.tokens.last_used_precision`.
///
/// `DELETE /sessions/{session}`: 204, and the token with this handle has ended.
///
/// `POST /logout-everywhere` with `{"keepCurrent"?: true}`: 204, and all tokens have ended, in one
/// atomic step; with `keepCurrent` all but the one used.
///
/// Who may is what the access control list says of `logout`, among those who have a token.
///
/// | answer | when |
/// | --- | --- |
/// | 401 `AUTHORIZATION_REQUIRED` | there is no valid token |
/// | 404 `SESSION_NOT_FOUND` | the caller has no such token |
pub fn sessions<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    Router::new()
        .route("/sessions", get(list::<U>))
        .route("/sessions/{session}", delete(revoke::<U>))
        .route("/logout-everywhere", post(logout_everywhere::<U>))
        .with_state(auth.clone())
}

async fn list<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<Response, ErrorResponse> {
    let call = Call::begin_asking(auth, Method::LOGOUT, Ask::Always, request).await?;
    call.authorize(None).await?;
    let (user, current) = call.require_caller()?;
    let tokens = call.auth.list_tokens(&user.id()).await.map_err(unavailable)?;
    let tokens: Vec<Value> = tokens
        .iter()
        .map(|token| {
            let mut json = token_json(&call.auth, token);
            json.insert("current".into(), (token.digest == current.digest).into());
            if let Some(client) = &token.client {
                let known = [("userAgent", &client.user_agent), ("network", &client.network)];
                let known =
                    known.into_iter().filter_map(|(name, text)| Some((name.to_owned(), text.as_deref()?.into())));
                json.extend(known);
            }
            json.extend(token.last_used.map(|time| ("lastUsed".to_owned(), json!(time))));
            Value::Object(json)
        })
        .collect();
    Ok(Json(tokens).into_response())
}

async fn revoke<U: Account>(State(auth): State<Auth<U>>, request: Request) -> Result<NoContent, ErrorResponse> {
    let mut call = Call::begin_asking(auth, Method::LOGOUT, Ask::Always, request).await?;
    let session = call.parameter("session").await?;
    call.authorize(None).await?;
    let (user, _) = call.require_caller()?;
    if call.auth.revoke_token(&user.id(), &session).await.map_err(unavailable)? {
        Ok(NoContent)
    } else {
        Err(ErrorResponse::new(StatusCode::NOT_FOUND, "There is no such session").code("SESSION_NOT_FOUND"))
    }
}

async fn logout_everywhere<U: Account>(
    State(auth): State<Auth<U>>,
    request: Request,
) -> Result<Response, ErrorResponse> {
    complete(&auth.clone(), async move {
        let (parts, body) = request.into_parts();
        let browser = signing_out::<U>(&parts).await?;
        match ended_everywhere(auth.clone(), Request::from_parts(parts, body)).await {
            Ok(Kept::Current) => Ok(NoContent.into_response()),
            Ok(Kept::None) => sign_out_after(browser, &auth, Ok(NoContent)).await,
            Err(error) => Err(error),
        }
    })
    .await
}

/// Which token of the caller's lives on.
enum Kept {
    Current,
    None,
}

async fn ended_everywhere<U: Account>(auth: Auth<U>, request: Request) -> Result<Kept, ErrorResponse> {
    let mut call = Call::begin_asking(auth, Method::LOGOUT, Ask::Always, request).await?;
    let body = call.take_body().into_object_or_empty()?;
    call.authorize(None).await?;
    let (user, current) = call.require_caller()?;
    let keep = match body.get("keepCurrent") {
        None | Some(Value::Null | Value::Bool(false)) => false,
        Some(Value::Bool(true)) => true,
        // A form has texts.
        Some(Value::String(text)) if text == "true" => true,
        Some(Value::String(text)) if text.is_empty() || text == "false" => false,
        Some(_) => return Err(ErrorResponse::new(StatusCode::BAD_REQUEST, "Value is not a boolean.")),
    };
    call.auth.logout_everywhere(&user.id(), keep.then_some(current)).await.map_err(unavailable)?;
    Ok(if keep { Kept::Current } else { Kept::None })
}
