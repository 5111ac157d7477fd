//! What the site's owner does: lets members in and keeps them out. In Wix that is backend code; here it is two routes with a key.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::{Json, Router};
use gatekit::core::TokenDigest;
use gatekit::wix::WixMembers;
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

/// `POST /owner/approve` and `POST /owner/block`, each with an address.
pub(crate) fn routes(members: WixMembers, key: &str) -> Router {
    Router::new()
        .route("/owner/approve", post(approve))
        .route("/owner/block", post(block))
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
