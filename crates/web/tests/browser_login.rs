//! Logging a browser in and out, as an app's own handlers do it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

use std::convert::Infallible;

use axum::body::Body;
use axum::http::header::{COOKIE, HeaderMap, SET_COOKIE};
use axum::http::request::{Builder, Parts};
use axum::http::{Request, Response};
use gatekit_core::{Auth, LoggedIn, Login, MemoryStore, Policy, Register, User};
use gatekit_layer::{AuthLayer, AuthRejection, BrowserTransport};
use gatekit_testkit::fast_hasher;
use gatekit_web::{self as web, DeliveryError, TokenDelivery, TokenTransport};
use tower::{Layer, ServiceExt, service_fn};

/// An app with one user, whose tokens live for an hour.
async fn app(renewed: bool) -> Auth {
    let mut policy = Policy::default();
    (policy.tokens.ttl, policy.tokens.max_ttl) = (3600, 86_400);
    policy.tokens.renew_after = renewed.then_some(60);
    let store = MemoryStore::new();
    let builder = Auth::builder(store.clone()).tokens(store).policy(policy).hasher(fast_hasher());
    let auth: Auth = builder.build().unwrap();
    auth.register(Register::email("ada@example.com", "correct horse battery")).await.unwrap();
    auth
}

async fn log_in(auth: &Auth) -> LoggedIn<User> {
    auth.login(Login::email("ada@example.com", "correct horse battery")).await.unwrap()
}

/// The request as a handler inside the `AuthLayer` gets it.
async fn received(auth: &Auth, request: Builder) -> Parts {
    let handler = service_fn(async |request: Request<Body>| {
        let mut response = Response::new(Body::empty());
        response.extensions_mut().insert(request.into_parts().0);
        Ok::<_, Infallible>(response)
    });
    let request = request.body(Body::empty()).unwrap();
    let mut response = AuthLayer::new(auth.clone()).layer(handler).oneshot(request).await.unwrap();
    response.extensions_mut().remove().unwrap()
}

/// A request of a page of the app itself.
fn own_page() -> Builder {
    Request::post("https://www.example.com/").header("host", "www.example.com").header("sec-fetch-site", "same-origin")
}

fn browser(parts: &Parts) -> BrowserTransport {
    BrowserTransport::of_user::<User>(&parts.extensions).unwrap()
}

fn cookie(headers: &HeaderMap) -> &str {
    headers[SET_COOKIE].to_str().unwrap()
}

#[tokio::test]
async fn the_cookie_lasts_as_long_as_the_token() {
    let auth = app(false).await;
    let parts = received(&auth, own_page()).await;
    let headers = web::sign_in(&auth, &browser(&parts), &parts.headers, &log_in(&auth).await.token).await.unwrap();
    assert!(cookie(&headers).ends_with("; Max-Age=3600"), "{headers:?}");
}

#[tokio::test]
async fn the_cookie_outlives_the_first_lifetime_where_tokens_are_renewed() {
    let auth = app(true).await;
    let parts = received(&auth, own_page()).await;
    let headers = web::sign_in(&auth, &browser(&parts), &parts.headers, &log_in(&auth).await.token).await.unwrap();
    assert!(cookie(&headers).ends_with("; Max-Age=86400"), "{headers:?}");
}

#[tokio::test]
async fn a_login_ends_the_token_that_the_browser_had() {
    let auth = app(false).await;
    let (old, new) = (log_in(&auth).await, log_in(&auth).await);
    let sent = own_page().header(COOKIE, format!("__Host-access_token={}", old.token.secret.expose()));
    let parts = received(&auth, sent).await;
    web::sign_in(&auth, &browser(&parts), &parts.headers, &new.token).await.unwrap();
    let alive = auth.list_tokens(&new.user.id).await.unwrap();
    assert_eq!(alive.iter().map(|token| token.digest).collect::<Vec<_>>(), [new.token.record.digest]);
}

#[tokio::test]
async fn a_logout_ends_the_tokens_and_takes_the_cookie_back() {
    let auth = app(false).await;
    let (in_cookie, in_header) = (log_in(&auth).await, log_in(&auth).await);
    let sent = own_page().header(COOKIE, format!("__Host-access_token={}", in_cookie.token.secret.expose()));
    let parts = received(&auth, sent).await;
    let other = Some(in_header.token.record.digest);
    let headers = web::sign_out(&auth, &browser(&parts), &parts.headers, other).await.unwrap();
    assert!(cookie(&headers).ends_with("; Max-Age=0"), "{headers:?}");
    assert!(auth.list_tokens(&in_cookie.user.id).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_token_is_delivered_to_another_origin_only_in_the_response_to_json() {
    let auth = app(false).await;
    let foreign = Request::post("/").header("host", "www.example.com").header("sec-fetch-site", "cross-site");
    let parts = received(&auth, foreign).await;
    let delivery = |transport, is_json| TokenDelivery::of_request::<User>(&parts, Some(transport), is_json);
    let refused = |delivery| matches!(delivery, Err(DeliveryError::Rejected(AuthRejection::CrossOrigin)));
    assert!(refused(delivery(TokenTransport::Cookie, true)));
    assert!(refused(delivery(TokenTransport::Body, false)));
    assert!(delivery(TokenTransport::Body, true).unwrap().shows_secret());
}
