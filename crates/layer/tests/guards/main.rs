//! Guards beyond "somebody is there": roles, scopes, owners, fresh passwords, in axum apps and in
//! plain tower.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod bodies;
mod caller;
mod fresh;
mod owner;
mod plain_tower;
mod roles;
mod scopes;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use gatekit_core::{
    AuthenticateError, Authenticated, Authenticator, Proofs, StoreError, Timestamp, TokenDigest, TokenRecord,
    async_trait,
};
use gatekit_layer::{Role, Scope};
use http::Request;
use http_body_util::BodyExt;
use tower::ServiceExt;

#[derive(Clone, Debug, PartialEq)]
struct Member(&'static str);

#[derive(Clone, Debug, PartialEq)]
struct Robot(&'static str);

/// Members have stored tokens, some of them with scopes. It counts the questions about tokens and
/// about roles.
#[derive(Clone, Default)]
struct Members {
    tokens: Arc<AtomicUsize>,
    roles: Arc<AtomicUsize>,
}

#[async_trait]
impl Authenticator for Members {
    type Principal = Member;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<Member>, AuthenticateError> {
        self.tokens.fetch_add(1, Ordering::SeqCst);
        // Not at once, as with any store.
        tokio::task::yield_now().await;
        let (name, scopes) = token.split_once(':').unwrap_or((token, "none"));
        let (member, roles): (_, &[&str]) = match name {
            "ada" => (Member("ada"), &["admin", "author"]),
            "bob" => (Member("bob"), &["author"]),
            "eve" => (Member("eve"), &[]),
            "old" => return Err(AuthenticateError::Expired),
            "down" => return Err(AuthenticateError::Unavailable(StoreError::failed("down"))),
            _ => return Err(AuthenticateError::Invalid),
        };
        let scopes = match scopes {
            "none" => None,
            "" => Some(Vec::new()),
            scopes => Some(scopes.split(' ').map(str::to_owned).collect()),
        };
        let record = TokenRecord {
            digest: TokenDigest::of(token),
            user_type: "Member".into(),
            user_id: member.0.into(),
            rev: 0,
            ttl: 60,
            created: Timestamp(0),
            renewed: None,
            scopes,
            proofs: Proofs::default(),
            client: None,
            last_used: None,
        };
        Ok(Authenticated::with_token(member, record).roles(roles.iter().copied()))
    }

    async fn is_in_role(&self, caller: &Authenticated<Member>, role: &str) -> Result<bool, StoreError> {
        self.roles.fetch_add(1, Ordering::SeqCst);
        tokio::task::yield_now().await;
        match role {
            "unknowable" => Err(StoreError::failed("down")),
            role => Ok(caller.roles.iter().flatten().any(|known| known == role)),
        }
    }
}

/// Robots have keys that are not stored, and the roles that come with them.
struct Robots;

#[async_trait]
impl Authenticator for Robots {
    type Principal = Robot;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<Robot>, AuthenticateError> {
        match token {
            "wall-e" => Ok(Authenticated::new(Robot("WALL·E")).roles(["cleaner"])),
            "hal" => Ok(Authenticated::new(Robot("HAL")).roles(["admin"])),
            _ => Err(AuthenticateError::Invalid),
        }
    }
}

struct Admin;
impl Role for Admin {
    const NAME: &'static str = "admin";
}

struct Author;
impl Role for Author {
    const NAME: &'static str = "author";
}

struct Unknowable;
impl Role for Unknowable {
    const NAME: &'static str = "unknowable";
}

struct Read;
impl Scope for Read {
    const NAME: &'static str = "read";
}

/// Status and body of a request with this token.
async fn ask(router: &Router, path: &str, token: &str) -> (u16, String) {
    let mut request = Request::get(path);
    if !token.is_empty() {
        request = request.header("authorization", token);
    }
    send(router, request.body(Body::empty()).unwrap()).await
}

async fn send(router: &Router, request: Request<Body>) -> (u16, String) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.into()).unwrap())
}

fn ok(text: &str) -> (u16, String) {
    (200, text.to_owned())
}

/// A whole error body.
fn error(status: u16, message: &str, code: &str) -> (u16, String) {
    (status, format!(r#"{{"error":{{"statusCode":{status},"name":"Error","message":"{message}","code":"{code}"}}}}"#))
}

fn anonymous() -> (u16, String) {
    error(401, "Authorization Required", "AUTHORIZATION_REQUIRED")
}

fn denied() -> (u16, String) {
    error(403, "Access Denied", "ACCESS_DENIED")
}
