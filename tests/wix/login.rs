//! `login`, and `POST /wix/login`: a password for a session token.

use gatekit::Policy;
use gatekit::core::AccountStatus;
use gatekit::wix::{SessionToken, WixError};
use gatekit_tests::{Store, gzip, on_every_store};
use serde_json::json;

use crate::site::{EMAIL, PASSWORD, Setup, Site, WixAnswer, session_keys, site_id};

on_every_store! {
    async fn the_right_password_gets_a_session_token_and_logs_nobody_in(store) {
        let site = Site::new(store).await;
        let answer = site.login(EMAIL, PASSWORD).await.expect_status(200);
        let answer = answer.expect_header("cache-control", "no-store");
        assert!(answer.headers.get("set-cookie").is_none());
        assert_eq!(answer.value()["member"]["loginEmail"], EMAIL);
        assert_eq!(answer.value()["member"]["status"], "APPROVED");
        let token = answer.text("sessionToken");
        let claims = SessionToken::from(&*token).verify(&session_keys(), &site_id(), site.auth.now()).unwrap();
        assert_eq!(claims.id, answer.value()["member"]["_id"]);
        assert_eq!(claims.expires_in, 1_209_600_000);
        assert_eq!((claims.expiration_time - claims.creation_time).div_euclid(1000), 120);
        assert!(!claims.owner && !claims.admin && claims.last_refreshed == 0);
        site.get("/me").header("authorization", &token).await.expect_status(401);
        site.get("/me").cookie(&token).await.expect_status(401);
    }

    /// 16.3.1, 16.3.3
    async fn what_is_refused_is_an_event_with_its_client(store) {
        let site = Site::new(store).await;
        let token = site.login(EMAIL, PASSWORD).await.expect_status(200).text("sessionToken");
        site.apply(&token).await.expect_status(200);
        let _ = site.events.take();
        site.login(EMAIL, "wrong").await.expect_status(401);
        site.login("nobody@example.com", "wrong").await.expect_status(401);
        site.apply(&token).await.expect_status(401);
        let names: Vec<_> = site.events.take().iter().map(|event| event.name()).collect();
        assert_eq!(names, ["authn_login_fail", "authn_login_fail", "authn_secret_fail"]);
    }

    async fn from_code_a_login_is_the_same(store) {
        let site = Site::new(store).await;
        let token = site.members.login(EMAIL, PASSWORD).await.unwrap();
        site.apply(token.expose()).await.expect_status(200);
        for (email, password) in [(EMAIL, "wrong"), ("nobody@example.com", PASSWORD)] {
            let refused = site.members.login(email, password).await.unwrap_err();
            assert!(matches!(refused, WixError::InvalidCredentials));
        }
        assert!(matches!(site.members.login("", PASSWORD).await.unwrap_err(), WixError::EmailMissing));
    }

    async fn an_address_is_read_as_the_policy_says(store) {
        let site = Site::new(store).await;
        site.login("ADA@Example.COM", PASSWORD).await.expect_status(200);
        site.login(" ada@example.com", PASSWORD).await.expect_status(200);
        site.login("a da@example.com", PASSWORD).await.refuses(401, "-19976");
    }

    /// 6.3.8, V-21: status, bytes, headers, number of hashes and calls to the store are the same; a
    /// status shows only with the right password.
    async fn a_wrong_password_tells_nothing(store) {
        let site = Site::new(store).await;
        for (email, status) in [
            ("pending@example.com", AccountStatus::Pending),
            ("blocked@example.com", AccountStatus::Blocked),
        ] {
            site.sign_up(email).await;
            let account = site.auth.find_account(&gatekit::core::AccountName::email(email)).await.unwrap().unwrap();
            site.auth.set_account_status(&account.user.id, status).await.unwrap();
        }
        let all = [EMAIL, "nobody@example.com", "pending@example.com", "blocked@example.com", "no address"];
        for password in ["a wrong one", "nul\0", "   ", &"x".repeat(5000)] {
            let known = site.cost(site.login(EMAIL, password)).await;
            known.0.clone().refuses(401, "-19976");
            assert_eq!((known.1, known.2.as_slice()), (1, ["find_user_by"].as_slice()));
            for email in all {
                let other = site.cost(site.login(email, password)).await;
                assert_eq!(known.0.as_sent(), other.0.as_sent(), "{email}");
                assert_eq!((known.1, &known.2), (other.1, &other.2), "{email}");
            }
        }
        let pending = site.cost(site.login("pending@example.com", PASSWORD)).await;
        pending.0.refuses(403, "-19958");
        let blocked = site.cost(site.login("blocked@example.com", PASSWORD)).await;
        blocked.0.refuses(403, "-19956");
        assert_eq!((pending.1, blocked.1), (1, 1));
    }

    /// 1.5.2, 3.5.2, V-2
    async fn what_is_no_login_is_refused(store) {
        let site = Site::new(store).await;
        for (body, code) in [
            (json!({"password": PASSWORD}), "-18880"),
            (json!({"email": "", "password": PASSWORD}), "-18880"),
            (json!({"email": null, "password": PASSWORD}), "-18880"),
            (json!({"email": 5, "password": PASSWORD}), "-19988"),
            (json!({"email": {"neq": "x"}, "password": PASSWORD}), "-19988"),
            (json!({"email": [EMAIL], "password": PASSWORD}), "-19988"),
            (json!({"email": EMAIL}), "-19988"),
            (json!({"email": EMAIL, "password": ""}), "-19988"),
            (json!({"email": EMAIL, "password": 5}), "-19988"),
            (json!({"email": EMAIL, "password": {"ne": ""}}), "-19988"),
        ] {
            let answer = site.post("/wix/login").json(&body).await.refuses(400, code);
            // The SDK looks for a type in each violation.
            for violation in answer.value()["details"]["validationError"]["fieldViolations"].as_array().into_iter().flatten() {
                assert!(violation["field"].is_string() && violation["data"]["type"].is_string(), "{answer:?}");
            }
        }
        let wrong = json!({"email": EMAIL, "password": 5});
        let answer = site.post("/wix/login").json(wrong).await;
        let violation = &answer.value()["details"]["validationError"]["fieldViolations"][0];
        assert_eq!(violation["field"], "password");
    }
}

/// 1.5.2, 3.5.2, 4.1.1, LOAD-4: each POST reads its body in the same way.
#[tokio::test]
async fn a_body_that_is_no_json_object_is_refused_everywhere() {
    let site = Site::new(Store::Memory).await;
    for path in [
        "login",
        "register",
        "apply-session-token",
        "verify",
        "resend-verification",
        "send-set-password-email",
        "set-password",
    ] {
        let post = || site.post(&format!("/wix/{path}"));
        for (body, status) in
            [("", 400), ("{", 400), ("[]", 400), ("null", 400), ("5", 400), (r#""x""#, 400), ("{}{}", 400)]
        {
            post().json(body).await.refuses(status, "-19988");
        }
        post().json("[".repeat(10_000)).await.refuses(400, "-19988");
        post().body("application/json", vec![b'{', b'"', 0xff, b'"', b':', b'1', b'}']).await.refuses(400, "-19988");
        post().json(format!(r#"{{"email":"{}"}}"#, "x".repeat(110_000))).await.refuses(413, "-19988");
        let body = json!({"email": EMAIL, "password": PASSWORD}).to_string();
        for kind in [
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "application/jsonp",
            "application/json; charset=utf-16",
            "",
        ] {
            post().body(kind, body.clone()).await.refuses(415, "-19988");
        }
        post().bare_body(body.clone()).await.refuses(415, "-19988");
        post().json(&body).header("content-encoding", "br").await.refuses(415, "-19988");
        post().json(&body).header("content-encoding", "gzip").await.refuses(400, "-19988");
        let packed = |body: Vec<u8>| post().header("content-encoding", "gzip").body("application/json", body);
        packed(gzip("x".repeat(10_000_000))).await.refuses(413, "-19988");
        packed(gzip("[]")).await.refuses(400, "-19988");
        for method in ["GET", "PUT", "PATCH", "DELETE"] {
            site.call(method, &format!("/wix/{path}")).await.expect_status(405);
        }
    }
}

/// 3.5.1: a page of another origin signs nobody in, up or out.
#[tokio::test]
async fn a_post_of_another_origin_is_refused_everywhere() {
    let site = Site::new(Store::Memory).await;
    for path in [
        "login",
        "register",
        "apply-session-token",
        "logout",
        "verify",
        "resend-verification",
        "send-set-password-email",
        "set-password",
    ] {
        for (name, value) in [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "https://app.example.com:8443"),
        ] {
            let call = site.post(&format!("/wix/{path}")).json(json!({"email": EMAIL, "password": PASSWORD}));
            call.header(name, value).await.refuses(403, "CROSS_ORIGIN_REQUEST");
        }
    }
}

/// A hook is asked after the password, and its no is the client's to read.
#[tokio::test]
async fn a_hook_that_refuses_is_403() {
    struct Closed;
    #[gatekit::async_trait]
    impl gatekit::Hooks<gatekit::wix::MemberUser> for Closed {
        async fn before_login(&self, _: &gatekit::wix::MemberUser) -> Result<(), gatekit::HookVeto> {
            Err(gatekit::HookVeto::new("CLOSED", "We are closed"))
        }
    }
    let site = Setup::new(Policy::default()).auth(|auth| auth.hooks(Closed)).start(Store::Memory).await;
    // Whoever has just signed up has a session token, and is refused when it is applied.
    let body = json!({"email": EMAIL, "password": PASSWORD});
    let token = site.post("/wix/register").json(body).await.expect_status(200).text("sessionToken");
    site.apply(&token).await.refuses(403, "CLOSED");
    site.login(EMAIL, PASSWORD).await.refuses(403, "CLOSED");
    site.login(EMAIL, "wrong").await.refuses(401, "-19976");
}
