//! `GET /sessions`, `DELETE /sessions/{session}` and `POST /logout-everywhere`: a user sees and
//! ends its own tokens.

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gatekit_core::{Account, Method};
use gatekit_layer::ErrorResponse;
use gatekit_web::{Argument, Field, Route, RouteResponse, Schema, Shape, TokenUse};
use serde_json::{Value, json};

use crate::UserApi;
use crate::access_tokens::token_json;
use crate::call::{Call, unavailable};
use crate::complete::complete;
use crate::declared::{BAD_ARGUMENT, DENIED, EXPIRED};
use crate::delivery::{sign_out_after, signing_out};
use crate::feature::{Feature, call, raw};
use crate::reply::{Json, NoContent};

const ROUTES: [Route; 3] = [
    Route::get("/sessions", "Returns where the caller is logged in: its living tokens, the oldest first.")
        .method(Method::LOGOUT)
        .token(TokenUse::Required)
        .responses(&[RouteResponse::new(200, Shape::Array(&SESSION)), DENIED, EXPIRED]),
    Route::delete("/sessions/{session}", "Ends one of the caller's tokens.")
        .method(Method::LOGOUT)
        .token(TokenUse::Required)
        .arguments(&[Argument::path("session", Shape::String)])
        .responses(&[
            RouteResponse::NO_CONTENT,
            DENIED,
            EXPIRED,
            RouteResponse::error(404, &["SESSION_NOT_FOUND"], "the caller has no such token"),
        ]),
    Route::post("/logout-everywhere", "Ends all tokens of the caller, or all but the one used.")
        .method(Method::LOGOUT)
        .token(TokenUse::Required)
        .arguments(&[Argument::body("keepCurrent", Shape::Boolean).optional()])
        .responses(&[RouteResponse::NO_CONTENT, BAD_ARGUMENT, DENIED, EXPIRED]),
];

const SESSION: Shape = Shape::Object(&Schema::new(
    "Session",
    &[
        Field::new("id", Shape::String),
        Field::new("ttl", Shape::Integer),
        Field::optional("scopes", Shape::Array(&Shape::String)),
        Field::new("created", Shape::Time),
        Field::new("userId", Shape::Id),
        Field::optional("principalType", Shape::String),
        Field::new("current", Shape::Boolean),
        Field::optional("userAgent", Shape::String),
        Field::optional("network", Shape::String),
        Field::optional("lastUsed", Shape::Time),
    ],
));

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
pub fn sessions<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new("sessions", &ROUTES, [call(list), call(revoke), raw(logout_everywhere)]).addition()
}

async fn list<U: Account>(call: Call<U>) -> Result<Response, ErrorResponse> {
    call.authorize(None).await?;
    let (user, current) = call.require_caller()?;
    let tokens = call.auth.list_tokens(&user.id()).await.map_err(unavailable)?;
    let tokens: Vec<Value> = tokens
        .iter()
        .map(|token| {
            let mut json = token_json::<U>(&call.answers, token);
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

async fn revoke<U: Account>(mut call: Call<U>) -> Result<NoContent, ErrorResponse> {
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
    api: UserApi<U>,
    route: &'static Route,
    request: Request,
) -> Result<Response, ErrorResponse> {
    complete(&api.auth.clone(), async move {
        let (parts, body) = request.into_parts();
        let browser = signing_out::<U>(&parts).await?;
        match ended_everywhere(api.clone(), route, Request::from_parts(parts, body)).await {
            Ok(Kept::Current) => Ok(NoContent.into_response()),
            Ok(Kept::None) => sign_out_after(browser, &api.auth, Ok(NoContent)).await,
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

async fn ended_everywhere<U: Account>(
    api: UserApi<U>,
    route: &'static Route,
    request: Request,
) -> Result<Kept, ErrorResponse> {
    let mut call = Call::begin(api, route, request).await?;
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
