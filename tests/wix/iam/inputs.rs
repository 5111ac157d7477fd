//! What nobody's client sends.

use std::time::Duration;

use gatekit::Policy;
use gatekit_tests::{Store, gzip, half_a_body};
use serde_json::{Value, json};

use super::{CHANGE_PASSWORD, CLIENT, LOGIN, RECOVER, REDIRECT_SESSION, REGISTER, SEND_EMAIL, TOKEN, VERIFY, with_sdk};
use crate::site::{Setup, Site};

const ALL: [&str; 8] = [LOGIN, REGISTER, CHANGE_PASSWORD, VERIFY, SEND_EMAIL, RECOVER, REDIRECT_SESSION, TOKEN];

/// Every member that any of them reads.
const MEMBERS: [&str; 19] = [
    "loginId",
    "password",
    "profile",
    "newPassword",
    "code",
    "stateToken",
    "email",
    "redirect",
    "language",
    "recoveryToken",
    "auth",
    "logout",
    "callbacks",
    "clientId",
    "grantType",
    "refreshToken",
    "codeVerifier",
    "redirectUri",
    "captchaTokens",
];

#[tokio::test]
async fn no_body_is_a_failure_of_the_server() {
    let site = Site::iam(Store::Memory).await;
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    for path in ALL {
        for body in ["", "{", "[]", "null", "7", "\"x\"", "{}", "{\"a\":1}", "\u{feff}{}", &deep] {
            let answer = site.post(path).json(body).await;
            assert!(answer.status.is_client_error(), "{path} {body}: {}", answer.status);
            assert!(answer.value()["message"].is_string(), "{path} {body}: {}", answer.body);
        }
        for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""] {
            site.post(path).body(kind, "{}").await.expect_status(415);
        }
        site.post(path).bare_body("{}").await.expect_status(415);
        site.post(path).json("{}").header("content-encoding", "br").await.expect_status(415);
        site.post(path).json("{}").header("content-encoding", "gzip").await.expect_status(400);
        let bomb =
            site.post(path).header("content-encoding", "gzip").body("application/json", gzip("x".repeat(10_000_000)));
        bomb.await.expect_status(413);
        site.post(path).json(format!("{{\"a\":\"{}\"}}", "x".repeat(200 * 1024))).await.expect_status(413);
        site.post(path).body("application/json", vec![0xff, 0xfe]).await.expect_status(400);
        site.get(path).await.expect_status(405);
    }
}

/// V-136
#[tokio::test]
async fn a_body_that_does_not_arrive_in_time_is_408() {
    let mut policy = Policy::default();
    policy.limits.body_timeout = Duration::from_millis(1);
    let site = Site::iam_with(Setup::new(policy).members(with_sdk), Store::Memory).await;
    for path in ALL.into_iter().chain(["/wix/login", "/wix/register", "/wix/apply-session-token", "/wix/verify"]) {
        let answer = site.post(path).body("application/json", half_a_body("{\"code\":")).await;
        answer.expect_status(408);
    }
}

#[tokio::test]
async fn no_member_is_a_failure_of_the_server_whatever_it_is() {
    let site = Site::iam(Store::Memory).await;
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e300),
        json!(""),
        json!("\u{0}"),
        json!("x".repeat(5000)),
        json!("💥\u{202e}"),
        json!([]),
        json!([[]]),
        json!({}),
        json!({"email": {}}),
        json!({"email": ["a"]}),
        json!({"authRequest": 7}),
        json!({"authRequest": {"clientId": CLIENT, "state": [], "sessionToken": {}}}),
        json!({"clientId": CLIENT}),
        json!({"url": 7, "clientId": 7}),
        json!({"postFlowUrl": []}),
    ];
    for path in ALL {
        for member in MEMBERS {
            for value in &values {
                // All others are as they should be, or nearly.
                let mut body = json!({
                    "loginId": {"email": "a@example.com"}, "password": "x", "newPassword": "x", "code": "1", "stateToken": "x", "email": "a@b.com",
                    "recoveryToken": "x", "clientId": CLIENT, "grantType": "authorization_code", "refreshToken": "x", "codeVerifier": "x",
                    "auth": {"authRequest": {}},
                });
                body[member] = value.clone();
                let answer = site.post(path).json(&body).token("x").await;
                assert!(!answer.status.is_server_error(), "{path} {body}: {}", answer.body);
                let told = answer.value();
                let known = answer.status == 200 || told["details"]["applicationError"]["code"].is_string();
                assert!(known, "{path} {body}: {told}");
                assert!(answer.header("cache-control") == "no-store", "{path}");
            }
        }
    }
}

#[tokio::test]
async fn no_authorization_is_a_failure_of_the_server() {
    let site = Site::iam(Store::Memory).await;
    for value in [&b"\xff"[..], b"Bearer", b"Bearer ", b"Basic eDp5", b"a,b", b"Bearer \xc3\xa4", &[b'x'; 5000]] {
        let body = json!({"newPassword": "wrong giraffe charger paperclip"});
        site.post(CHANGE_PASSWORD).json(body).header("authorization", value).await.expect_status(401);
        let body = json!({"logout": {"clientId": CLIENT}});
        site.post(REDIRECT_SESSION).json(body).header("authorization", value).await.expect_status(200);
    }
    let body: Value = json!({"logout": {"clientId": CLIENT}});
    site.post(REDIRECT_SESSION).json(body).header("origin", b"\xff").await.expect_status(403);
}
