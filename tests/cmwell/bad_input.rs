//! What nobody should send: it gets a 4xx, and nothing of it is repeated or logged.

use std::time::Duration;

use gatekit::Policy;
use gatekit_testkit::LogCapture;
use gatekit_tests::{Call, Store, half_a_body, on_every_store};
use serde_json::json;

use crate::site::{NAME, PASSWORD, Site, basic};

on_every_store! {
    /// LOAD-4, FUZZ-2
    async fn hostile_headers_get_an_answer_and_let_nobody_in(store) {
        let site = Site::new(store).await;
        let hostile: [&[u8]; 14] = [
            b"\xff\xfe\xfd",
            b"Basic \xff",
            b"Basic\x09dTpw",
            b"basicdTpw",
            b"Basic,Digest",
            b"Basic dTpw, Basic dTpw",
            b"Basic dTpw,",
            b"Basic Basic dTpw",
            b"dTpw",
            b":",
            b"Digest",
            b"Digest username=\"",
            b" Basic dTpw",
            "Basic é".as_bytes(),
        ];
        for value in hostile {
            let answer = site.get("/_login").header("authorization", value).await;
            assert!([400, 401].contains(&answer.status.as_u16()), "{value:?} {answer:?}");
            for router in [&site.router, &site.filtered] {
                let call = Call::new(router, "GET", "/me").header("x-cm-well-token", value);
                assert!([401, 403].contains(&call.await.status.as_u16()), "{value:?}");
                let call = Call::new(router, "GET", "/me").header("authorization", value);
                assert!([401, 403].contains(&call.await.status.as_u16()), "{value:?}");
            }
        }
        for length in [15_000, 17_000, 200_000] {
            for value in ["Basic ".to_owned() + &"A".repeat(length), "A".repeat(length), "Bearer ".to_owned() + &".".repeat(length)] {
                let answer = site.get("/_login").header("authorization", &value).await;
                assert!([400, 401].contains(&answer.status.as_u16()));
                site.get("/me").header("authorization", &value).await.expect_status(401);
                site.get("/me").header("x-cm-well-token", &value).await.expect_status(401);
            }
        }
    }

    /// V-136
    async fn a_body_that_does_not_arrive_in_time_is_408(store) {
        let mut policy = Policy::default();
        policy.limits.body_timeout = Duration::from_millis(1);
        let site = Site::with().policy(policy).start(store).await;
        let answer = site.call("POST", "/_auth").body("application/json", half_a_body("{\"op\":")).await;
        answer.is(408, r#"{"success":false,"message":"the body did not arrive in time"}"#);
    }

    async fn names_that_nobody_has_are_unknown(store) {
        let site = Site::new(store).await;
        let long = "x".repeat(5000);
        for name in ["\0", "a\0b", "\u{202e}", " ", "'; drop table gatekit_users; --", "%", "_", "{\"neq\":\"x\"}", "$1", &long] {
            site.login(name, PASSWORD).await.is(401, "Not authenticated.\n");
        }
        site.token().await;
    }

    /// SQL that would answer more than one row of a name is not asked, and case counts.
    async fn another_name_is_another_user(store) {
        let site = Site::new(store).await;
        for name in ["MyUser", "MYUSER", "my User", "myUser\u{301}", "m%55ser", "my_ser", "myU%"] {
            site.login(name, PASSWORD).await.expect_status(401);
        }
    }

    /// V-16: CM-Well's login has the normaliser of all others. The name in the token is the stored
    /// one.
    async fn another_spelling_of_a_name_is_the_same_user(store) {
        let site = Site::new(store).await;
        for name in ["myUser ", " myUser", "my\u{200b}User", "\u{feff}myUser", "\u{ff4d}yUser", "my\u{ad}User\u{202c}"] {
            site.login(name, PASSWORD).await.expect_status(200);
        }
    }
}

/// 14.2.1, U9, V-51: neither an answer nor a log line holds what was typed.
#[tokio::test]
async fn no_secret_is_repeated_or_logged() {
    let log = LogCapture::new();
    let _guard = log.start();
    let site = Site::new(Store::Memory).await;
    let wrong = "marker-wrong-password-8841";
    let token = site.token().await;
    let mut answers = vec![
        site.login(NAME, wrong).await,
        site.login(wrong, PASSWORD).await,
        site.get("/_login").header("authorization", format!("Basic {wrong}")).await,
        site.get("/_login").header("authorization", format!("{wrong} x")).await,
        site.get(&format!("/_login?exp={wrong}")).header("authorization", basic(NAME, wrong)).await,
        site.login(NAME, wrong).header("authorization", wrong).await,
        site.me(wrong).await,
        site.me(&format!("{token}{wrong}")).await,
        Call::new(&site.filtered, "GET", "/me").header("x-cm-well-token", format!("{token}{wrong}")).await,
        Call::new(&site.filtered, "PUT", "/docs").header("x-cm-well-token", &token).await,
    ];
    for body in [
        json!({"op": "change-password", "current": wrong, "new": wrong}),
        json!({"op": "change-password", "current": PASSWORD, "new": wrong}),
        json!({"op": "invalidate-cache", "current": wrong}),
    ] {
        answers.push(site.call("POST", "/_auth").header("x-cm-well-token", &token).json(body).await);
    }
    let broken = site.call("POST", "/_auth").header("x-cm-well-token", &token).json(format!("{{\"new\":\"{wrong}\""));
    answers.push(broken.await);
    for answer in &answers {
        let shown = format!("{answer:?}").replace("asked", "");
        let (headers, body) = (format!("{:?}", answer.headers), &answer.body);
        for secret in [wrong, PASSWORD, &token] {
            assert!(!headers.contains(secret) && !body.contains(secret), "{shown}");
        }
    }
    log.assert_free_of(&[wrong, PASSWORD, &token, crate::site::KEY]);
}
