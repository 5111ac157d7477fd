//! What the site's owner does: sees who waits, lets members in, keeps them out, and resets their
//! passwords. In Wix that is backend code; here it is a few routes with a key. One has no key,
//! because the token from the owner's mail is as good as one.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use gatekit::core::TokenDigest;
use gatekit::wix::{ApprovalToken, WixMembers};
use serde::Deserialize;
use serde_json::json;

#[derive(Clone)]
struct Owner {
    members: WixMembers,
    key: TokenDigest,
}

#[derive(Deserialize)]
struct Whom {
    email: String,
}

#[derive(Deserialize)]
struct Approval {
    token: String,
}

/// `POST /owner/approve`, `/owner/block` and `/owner/reset-password`, each with an address;
/// `/owner/pending`; and `/owner/approve-by-token`, for the page where the mail leads.
pub(crate) fn routes(members: WixMembers, key: &str) -> Router {
    Router::new()
        .route("/owner/approve", post(approve))
        .route("/owner/approve-by-token", post(approve_by_token))
        .route("/owner/block", post(block))
        .route("/owner/pending", post(pending))
        .route("/owner/reset-password", post(reset_password))
        .with_state(Owner { members, key: TokenDigest::of(key) })
}

async fn approve(State(owner): State<Owner>, headers: HeaderMap, Json(whom): Json<Whom>) -> Response {
    if !owner.knows(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match owner.members.approve_by_email(&whom.email).await {
        // The session token would log the member in; here the member does that by itself.
        Ok(_) => Json(json!({ "approved": whom.email })).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn approve_by_token(State(owner): State<Owner>, Json(approval): Json<Approval>) -> Response {
    match owner.members.approve_by_token(&ApprovalToken::from(approval.token.as_str())).await {
        Ok(_) => Json(json!({ "approved": true })).into_response(),
        Err(error) => error.into_response(),
    }
}

/// The first hundred members that wait.
async fn pending(State(owner): State<Owner>, headers: HeaderMap) -> Response {
    if !owner.knows(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match owner.members.pending_members(None, 100).await {
        Ok(members) => Json(json!({ "members": members })).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn reset_password(State(owner): State<Owner>, headers: HeaderMap, Json(whom): Json<Whom>) -> Response {
    if !owner.knows(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match owner.members.reset_password_by_email(&whom.email).await {
        Ok(()) => Json(json!({ "reset": whom.email })).into_response(),
        Err(error) => error.into_response(),
    }
}

async fn block(State(owner): State<Owner>, headers: HeaderMap, Json(whom): Json<Whom>) -> Response {
    if !owner.knows(&headers) {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    match owner.members.block_by_email(&whom.email).await {
        Ok(()) => Json(json!({ "blocked": whom.email })).into_response(),
        Err(error) => error.into_response(),
    }
}

impl Owner {
    /// Digests are compared, which tells nobody how much of a key was right.
    fn knows(&self, headers: &HeaderMap) -> bool {
        let key = headers.get("x-owner-key").and_then(|key| key.to_str().ok());
        key.is_some_and(|key| TokenDigest::of(key) == self.key)
    }
}
