//! `applySessionToken`, `POST /wix/apply-session-token`, and what follows: the current member,
//! logging out.

use std::time::Duration;

use gatekit::core::AccountName;
use gatekit::wix::{Fieldset, MemberUser};
use gatekit::{AuthLayer, ChangePassword, Event, Factor, Policy, TokenSource, TokenSources};
use gatekit_tests::{Call, Store, at_once, count, on_every_store};
use serde_json::{Value, json};

use crate::site::{EMAIL, NOW, ORIGIN, PASSWORD, Setup, Site, WixAnswer};

const REMOVAL: &str = "; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0";

on_every_store! {
    /// 3.3.1, 3.3.2, 3.3.3, 3.3.4, 7.2.4, 14.3.3
    async fn an_applied_token_signs_the_browser_in(store) {
        let site = Site::new(store).await;
        let answer = site.apply(&site.session_token().await).await.expect_status(200);
        let answer = answer.expect_header("cache-control", "no-store");
        let cookie = answer.cookie().unwrap();
        let (token, attributes) = cookie.split_once(';').unwrap();
        assert_eq!(attributes, " Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=1209600");
        assert!(token.len() == 64 && !answer.body.contains(token));
        assert_eq!(answer.value()["member"]["loginEmail"], EMAIL);
        assert_eq!(answer.value()["member"]["lastLoginDate"], NOW.to_string());
        let me = site.get("/me").cookie(token).await.expect_status(200);
        assert_eq!(me.value()["email"], EMAIL);
    }

    async fn without_a_cookie_the_access_token_is_in_the_body(store) {
        let site = Site::new(store).await;
        let answer = site.apply_at("?cookie=false", &site.session_token().await).await.expect_status(200);
        let answer = answer.expect_header("cache-control", "no-store");
        assert_eq!((answer.cookie(), &answer.value()["expiresIn"]), (None, &json!(1_209_600)));
        let bearer = format!("Bearer {}", answer.text("accessToken"));
        site.get("/me").header("authorization", bearer).await.expect_status(200);
    }

    /// J-17, 6.5.1: the very same token, and no other of the member's.
    async fn a_token_is_applied_once(store) {
        let site = Site::new(store).await;
        let (first, second) = (site.session_token().await, site.session_token().await);
        assert_ne!(first, second);
        site.apply(&first).await.expect_status(200);
        for query in ["", "?cookie=false"] {
            site.apply_at(query, &first).await.refuses(401, "-19984");
        }
        site.apply(&second).await.expect_status(200);
    }

    /// RACE-3, 15.4.2
    async fn of_20_at_once_one_is_logged_in(store) {
        let site = Site::new(store).await;
        let token = site.session_token().await;
        site.faults.gather("find_one_time", 20);
        let answers = at_once((0..20).map(|number| match number % 2 {
            0 => site.apply(&token),
            _ => site.apply_at("?cookie=false", &token),
        }))
        .await;
        assert_eq!((count(&answers, 200), count(&answers, 401)), (1, 19));
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        assert_eq!(site.auth.list_tokens(&user.id).await.unwrap().len(), 1);
    }

    /// Two logins of one member at the same moment are two.
    async fn of_20_logins_at_once_each_can_be_applied(store) {
        let site = Site::new(store).await;
        let answers = at_once((0..20).map(|_| site.login(EMAIL, PASSWORD))).await;
        assert_eq!(count(&answers, 200), 20);
        let tokens: std::collections::HashSet<String> =
            answers.iter().map(|answer| answer.text("sessionToken")).collect();
        assert_eq!(tokens.len(), 20);
        let applied = at_once(tokens.iter().map(|token| site.apply(token))).await;
        assert_eq!(count(&applied, 200), 20);
    }

    async fn a_token_is_good_for_two_minutes(store) {
        let site = Site::new(store).await;
        let tokens = [site.session_token().await, site.session_token().await];
        site.clock.advance(Duration::from_millis(119_999));
        site.apply(&tokens[0]).await.expect_status(200);
        site.clock.advance(Duration::from_millis(1));
        site.apply(&tokens[1]).await.refuses(401, "-19984");
    }

    /// 7.4.2, 7.4.3, RACE-9, RACE-10
    async fn a_token_ends_with_the_password_or_a_block(store) {
        let site = Site::new(store).await;
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        let token = site.session_token().await;
        let change = ChangePassword::new(user.id.clone(), PASSWORD, "another horse battery");
        site.auth.change_password(change).await.unwrap();
        site.apply(&token).await.refuses(401, "-19984");

        let token = site.login(EMAIL, "another horse battery").await.text("sessionToken");
        let applied = site.login(EMAIL, "another horse battery").await.text("sessionToken");
        let cookie = site.apply(&applied).await.cookie().unwrap();
        let cookie = cookie.split(';').next().unwrap();
        site.get("/me").cookie(cookie).await.expect_status(200);
        site.members.block_by_email(EMAIL).await.unwrap();
        site.apply(&token).await.refuses(401, "-19984");
        site.get("/me").cookie(cookie).await.expect_status(401);

        // Not even once the member is let in again.
        site.members.approve_by_email(EMAIL).await.unwrap();
        site.apply(&token).await.refuses(401, "-19984");
        site.get("/me").cookie(cookie).await.expect_status(401);
    }

    /// 7.5.1: a session that was begun by a password is fresh, one that the app began by itself is
    /// not.
    async fn only_a_password_makes_a_session_fresh(store) {
        let site = Site::new(store).await;
        let by_password = site.members.login(EMAIL, PASSWORD).await.unwrap();
        let by_app = site.members.generate_session_token(EMAIL).await.unwrap();
        for (token, factors) in [(by_password, &[Factor::Password][..]), (by_app, &[])] {
            let applied = site.members.apply_session_token(&token).await.unwrap();
            let proofs = applied.token.record.proofs;
            assert_eq!(proofs.iter().map(|proof| proof.factor).collect::<Vec<_>>(), factors);
        }
    }

    async fn every_login_is_told_once(store) {
        let site = Site::new(store).await;
        let logins = || site.events.take().iter().filter(|event| matches!(event, Event::LoggedIn { .. })).count();
        assert_eq!(logins(), 0);
        site.apply(&site.session_token().await).await.expect_status(200);
        assert_eq!(logins(), 1);
        let token = site.members.generate_session_token(EMAIL).await.unwrap();
        assert_eq!(logins(), 0);
        site.apply(token.expose()).await.expect_status(200);
        assert_eq!(logins(), 1);
    }

    /// 7.2.4: the browser's session from before ends, whoever's it was.
    async fn an_applied_token_replaces_what_the_browser_had(store) {
        let site = Site::new(store).await;
        site.sign_up("bob@example.com").await;
        let bob = site.login("bob@example.com", PASSWORD).await.text("sessionToken");
        let bob = site.apply(&bob).await.cookie().unwrap();
        let bob = bob.split(';').next().unwrap();
        site.get("/me").cookie(bob).await.expect_status(200);
        let token = site.session_token().await;
        let ada = site.apply(&token).cookie(bob).await.expect_status(200).cookie().unwrap();
        let ada = ada.split(';').next().unwrap();
        assert_eq!(site.get("/me").cookie(ada).await.value()["email"], EMAIL);
        site.get("/me").cookie(bob).await.expect_status(401);
    }

    async fn a_member_logs_out(store) {
        let site = Site::new(store).await;
        let cookie = site.apply(&site.session_token().await).await.cookie().unwrap();
        let cookie = cookie.split(';').next().unwrap();
        let answer = site.post("/wix/logout").cookie(cookie).header("origin", ORIGIN).await.expect_status(204);
        assert_eq!((answer.cookie().as_deref(), answer.header("cache-control")), (Some(REMOVAL), "no-store"));
        site.get("/me").cookie(cookie).await.expect_status(401);

        let token = site.access_token().await;
        site.post("/wix/logout").header("authorization", &token).await.expect_status(204);
        site.get("/me").header("authorization", &token).await.expect_status(401);

        // To be logged out is what was wanted.
        for token in ["", "nonsense", cookie] {
            site.post("/wix/logout").cookie(token).await.expect_status(204);
        }
        site.post("/wix/logout").await.expect_status(204);
    }

    async fn the_current_member_is_who_is_logged_in(store) {
        let site = Site::new(store).await;
        let token = site.access_token().await;
        let get = |query: &str| site.get(&format!("/wix/current-member{query}"));
        let none = get("").await.expect_status(200).expect_header("cache-control", "no-store");
        assert_eq!(none.value(), json!({"member": null}));
        get("").header("authorization", "nonsense").await.is(200, r#"{"member":null}"#);
        let full = get("?fieldsets=FULL").header("authorization", &token).await.expect_status(200).value();
        assert_eq!(full["member"]["loginEmail"], EMAIL);
        assert_eq!(full["member"]["status"], "APPROVED");
        let public = get("?fieldsets=PUBLIC").header("authorization", &token).await.expect_status(200).value();
        assert_eq!(public["member"]["_id"], full["member"]["_id"]);
        for member in ["status", "privacyStatus", "activityStatus"] {
            assert_eq!(public["member"][member], "UNKNOWN");
        }
        assert_eq!(public["member"]["loginEmail"], Value::Null);
        assert_eq!(get("").header("authorization", &token).await.value(), public);
        get("?fieldsets=ALL").header("authorization", &token).await.refuses(400, "-19988");
        let user: MemberUser = site.auth.authenticate(&token).await.unwrap().principal;
        assert_eq!(json!(site.members.current_member(&user, Fieldset::Full)), full["member"]);
    }
}

/// 3.5.1: a request from no page at all brings no token unasked; every other origin is refused, and
/// the token is as good as before.
#[tokio::test]
async fn a_token_is_applied_by_pages_of_the_own_origin_alone() {
    let site = Site::new(Store::Memory).await;
    let token = site.session_token().await;
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "http://app.example.com.evil.example"),
        ("origin", "null"),
    ] {
        for query in ["", "?cookie=false"] {
            site.apply_at(query, &token).header(name, value).await.refuses(403, "CROSS_ORIGIN_REQUEST");
        }
    }
    site.apply(&token).await.expect_status(200);
    site.apply_at("", &site.session_token().await).await.expect_status(200);
}

/// 14.2.1: a URL stands in logs.
#[tokio::test]
async fn a_token_in_the_query_is_not_looked_at() {
    let site = Site::new(Store::Memory).await;
    let token = site.session_token().await;
    for query in [format!("?sessionToken={token}"), format!("?token={token}")] {
        site.post(&format!("/wix/apply-session-token{query}")).json("{}").await.refuses(400, "-19988");
        site.get(&format!("/wix/apply-session-token{query}")).await.expect_status(405);
    }
    for body in [json!({"token": token}), json!({"sessionToken": [token]}), json!({"sessionToken": {"x": token}})] {
        site.post("/wix/apply-session-token").json(body).await.refuses(400, "-19988");
    }
    site.apply_at("?cookie=perhaps", &token).await.refuses(400, "-19988");
    site.apply(&token).await.expect_status(200);
}

#[tokio::test]
async fn a_form_applies_a_token_only_where_the_app_allows_it() {
    let form = |site: &Site, body: &str| Call::new(&site.router, "POST", "/wix/apply-session-token").form(body);
    let site = Site::new(Store::Memory).await;
    form(&site, &format!("token={}", site.session_token().await)).await.refuses(415, "-19988");

    let site = Setup::new(Policy::default()).members(|members| members.form_token(true)).start(Store::Memory).await;
    site.sign_up(EMAIL).await;
    let token = site.session_token().await;
    let evil = form(&site, &format!("token={token}")).header("origin", "https://evil.example");
    evil.await.refuses(403, "CROSS_ORIGIN_REQUEST");
    for body in ["", "token=", "sessionToken=x", &format!("token={token}&token={token}")] {
        form(&site, body).await.refuses(400, "-19988");
    }
    form(&site, &format!("token={token}")).header("origin", ORIGIN).await.expect_status(200);
    // JSON is taken as before.
    site.apply(&site.session_token().await).await.expect_status(200);
}

#[tokio::test]
async fn where_browsers_cannot_be_signed_in_the_answer_says_how_to_mend_it() {
    let mut site = Site::new(Store::Memory).await;
    let layer = AuthLayer::new(site.auth.clone()).sources(TokenSources::new([TokenSource::bearer()]));
    site.router = axum::Router::new().nest("/wix", site.members.router()).layer(layer);
    let token = site.session_token().await;
    let answer = site.apply(&token).await.refuses(500, "MISCONFIGURED");
    assert!(answer.body.contains("AuthLayer"));
    site.apply_at("?cookie=false", &token).await.expect_status(200);
    // No layer at all.
    site.router = axum::Router::new().nest("/wix", site.members.router());
    site.get("/wix/current-member").await.refuses(500, "MISCONFIGURED");
}

#[tokio::test]
async fn a_session_lasts_as_long_as_the_app_says() {
    let site = Setup::new(Policy::default()).members(|members| members.session_ttl(3600)).start(Store::Memory).await;
    site.sign_up(EMAIL).await;
    let cookie = site.apply(&site.session_token().await).await.cookie().unwrap();
    assert!(cookie.ends_with("Max-Age=3600"), "{cookie}");
    let token = cookie.split(';').next().unwrap();
    site.clock.advance(Duration::from_millis(3_599_999));
    site.get("/me").cookie(token).await.expect_status(200);
    site.clock.advance(Duration::from_millis(1));
    site.get("/me").cookie(token).await.expect_status(401);
}
