//! `GET /api/users/sessions`, `DELETE /api/users/sessions/{session}` and
//! `POST /api/users/logout-everywhere`.

use std::time::Duration;

use gatekit::{Event, IssueToken, Policy, UserId};
use gatekit_testkit::Fault::{Fail, FailAfter};
use gatekit_tests::{App, Call, EMAIL, PASSWORD, at_once, count, on_every_store};
use serde_json::{Value, json};

const SESSIONS: &str = "/api/users/sessions";
const EVERYWHERE: &str = "/api/users/logout-everywhere";
const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;
const NOT_FOUND: &str =
    r#"{"error":{"statusCode":404,"name":"Error","message":"There is no such session","code":"SESSION_NOT_FOUND"}}"#;

async fn list(app: &App, token: &str) -> Vec<Value> {
    let answer = app.get(SESSIONS).token(token).await.expect_status(200);
    match answer.expect_header("cache-control", "no-store").value() {
        Value::Array(sessions) => sessions,
        other => panic!("{other}"),
    }
}

/// The handle of the token that asks.
async fn handle(app: &App, token: &str) -> String {
    let sessions = list(app, token).await;
    let current = sessions.iter().find(|session| session["current"] == true).unwrap();
    current["id"].as_str().unwrap().to_owned()
}

on_every_store! {
    /// 7.5.2
    async fn a_user_sees_its_living_tokens_and_no_secret(store) {
        let app = App::new(store).await;
        let first = app.signed_up().await;
        app.sign_up_as("second@bar.com").await;
        let stranger = app.token_of("second@bar.com").await;
        app.clock.advance(Duration::from_secs(1));
        let second = app.token_of(EMAIL).await;
        app.clock.advance(Duration::from_secs(1));
        let short = json!({"email": EMAIL, "password": PASSWORD, "ttl": 60});
        let third = app.post("/api/users/login").json(short).await.text("id");
        let sessions = list(&app, &second).await;
        assert_eq!(sessions.len(), 3);
        let members: Vec<&String> = sessions[0].as_object().unwrap().keys().collect();
        assert_eq!(members, ["id", "ttl", "created", "userId", "current"]);
        let column = |name: &str| sessions.iter().map(|session| session[name].clone()).collect::<Vec<_>>();
        assert_eq!(column("current"), [json!(false), json!(true), json!(false)], "the oldest first");
        assert_eq!(column("ttl"), [json!(1_209_600), json!(1_209_600), json!(60)]);
        assert_eq!(column("userId"), [json!(1), json!(1), json!(1)]);
        let text = app.get(SESSIONS).token(&second).await.body;
        for token in [&first, &second, &third, &stranger] {
            assert!(!text.contains(token.as_str()));
        }
        for session in &sessions {
            let handle = session["id"].as_str().unwrap();
            assert!(handle.len() == 32 && handle.bytes().all(|byte| byte.is_ascii_hexdigit()));
            app.me(handle).await.is(401, REFUSED);
        }
        // What has ended is not shown: logged out, expired, from before a new password.
        app.post("/api/users/logout").token(&first).await.expect_no_content();
        assert_eq!(list(&app, &second).await.len(), 2);
        app.clock.advance(Duration::from_secs(60));
        assert_eq!(list(&app, &second).await.len(), 1);
        let fourth = app.token_of(EMAIL).await;
        let change = json!({"oldPassword": PASSWORD, "newPassword": "staple battery horse"});
        app.faults.every_call_of("delete_tokens_of", Fail);
        app.post("/api/users/change-password").token(&fourth).json(change).await.expect_no_content();
        app.faults.reset();
        let sessions = list(&app, &fourth).await;
        assert_eq!((sessions.len(), &sessions[0]["current"]), (1, &json!(true)), "the dead row is still stored");
        assert_eq!(list(&app, &stranger).await.len(), 1);
    }

    /// 7.5.2, 7.4.1
    async fn a_user_ends_one_of_its_tokens_by_its_handle(store) {
        let app = App::new(store).await;
        let (a, b) = (app.signed_up().await, app.token_of(EMAIL).await);
        let (of_a, of_b) = (handle(&app, &a).await, handle(&app, &b).await);
        let _ = app.events.take();
        app.delete(&format!("{SESSIONS}/{of_b}")).token(&a).await.expect_no_content();
        assert!(matches!(&app.events.take()[..], [Event::LoggedOut { .. }]));
        app.me(&b).await.is(401, REFUSED);
        app.delete(&format!("{SESSIONS}/{of_b}")).token(&a).await.is(404, NOT_FOUND);
        // Its own too.
        app.delete(&format!("{SESSIONS}/{of_a}")).token(&a).await.expect_no_content();
        app.me(&a).await.is(401, REFUSED);
        app.delete(&format!("{SESSIONS}/{of_a}")).token(&a).await.is(401, REFUSED);
    }

    /// 8.2.2: whose it is cannot be told either.
    async fn nobody_ends_the_token_of_another(store) {
        let app = App::new(store).await;
        let mine = app.signed_up().await;
        app.sign_up_as("second@bar.com").await;
        let other = app.token_of("second@bar.com").await;
        let of_other = handle(&app, &other).await;
        for name in [of_other.as_str(), &other, "x", "%00", "..", "0", &"f".repeat(32), &"x".repeat(5000), "%F0%9F%A6%80"] {
            app.delete(&format!("{SESSIONS}/{name}")).token(&mine).await.is(404, NOT_FOUND);
        }
        app.delete(&format!("{SESSIONS}/%zz")).token(&mine).await.expect_error(400);
        app.me(&other).await.expect_status(200);
        for token in ["", "bogus", &of_other] {
            app.delete(&format!("{SESSIONS}/{of_other}")).token(token).await.is(401, REFUSED);
            app.get(SESSIONS).token(token).await.is(401, REFUSED);
            app.post(EVERYWHERE).token(token).await.is(401, REFUSED);
        }
        app.me(&other).await.expect_status(200);
        // A handle is compared as it is.
        let handle = handle(&app, &mine).await;
        app.delete(&format!("{SESSIONS}/{}", handle.to_uppercase())).token(&mine).await.expect_status(
            if handle == handle.to_uppercase() { 204 } else { 404 },
        );
    }

    /// 7.4.3, 7.5.2
    async fn all_tokens_end_at_once_or_all_but_the_one_used(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        app.sign_up_as("second@bar.com").await;
        let stranger = app.token_of("second@bar.com").await;
        for (body, keeps) in [
            ("", false),
            ("{}", false),
            ("null", false),
            (r#"{"keepCurrent":false}"#, false),
            (r#"{"keepCurrent":null}"#, false),
            (r#"{"keepCurrent":""}"#, false),
            (r#"{"keepCurrent":"false"}"#, false),
            (r#"{"keepcurrent":true}"#, false),
            (r#"{"keepCurrent":true}"#, true),
            (r#"{"keepCurrent":"true"}"#, true),
        ] {
            let (a, b) = (app.token_of(EMAIL).await, app.token_of(EMAIL).await);
            let _ = app.events.take();
            app.post(EVERYWHERE).token(&a).json(body).await.expect_no_content();
            assert!(matches!(&app.events.take()[..], [Event::LoggedOutEverywhere { .. }]));
            app.me(&a).await.expect_status(if keeps { 200 } else { 401 });
            app.me(&b).await.is(401, REFUSED);
            app.me(&stranger).await.expect_status(200);
        }
        let a = app.token_of(EMAIL).await;
        app.post(EVERYWHERE).token(&a).form("keepCurrent=true").await.expect_no_content();
        app.me(&a).await.expect_status(200);
        for body in [r#"{"keepCurrent":1}"#, r#"{"keepCurrent":"yes"}"#, r#"{"keepCurrent":[]}"#, r#"{"keepCurrent":{}}"#, "[]", "5", "{"] {
            app.post(EVERYWHERE).token(&a).json(body).await.expect_error(400);
            app.me(&a).await.expect_status(200);
        }
        // In the query it is not read.
        app.post(&format!("{EVERYWHERE}?keepCurrent=true")).token(&a).await.expect_no_content();
        app.me(&a).await.is(401, REFUSED);
    }

    /// 7.4.3: what was mailed to reset a password ends too; what proves an address does not.
    async fn ending_all_ends_reset_secrets_too(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let (reset, verify) = (app.reset_token().await, app.verification_token(1).await);
        app.post(EVERYWHERE).token(&token).await.expect_no_content();
        app.reset_password(&reset, "staple battery horse").await.is(401, REFUSED);
        app.confirm(1, &verify).await.expect_no_content();
    }

    /// It is one atomic step: an error in the middle never leaves one alive.
    async fn the_rows_of_dead_tokens_need_not_be_gone(store) {
        let app = App::new(store).await;
        let (a, b) = (app.signed_up().await, app.token_of(EMAIL).await);
        app.faults.every_call_of("bump_rev", Fail);
        app.post(EVERYWHERE).token(&a).json(json!({"keepCurrent": true})).await.expect_unavailable();
        app.faults.reset();
        app.me(&a).await.expect_status(200);
        // It was done, and nobody can tell by whom: so no token is carried over, and the event is
        // raised.
        let _ = app.events.take();
        app.faults.every_call_of("bump_rev", FailAfter);
        app.post(EVERYWHERE).token(&a).json(json!({"keepCurrent": true})).await.expect_no_content();
        app.faults.reset();
        assert!(matches!(&app.events.take()[..], [Event::LoggedOutEverywhere { .. }]));
        app.me(&a).await.is(401, REFUSED);
        app.me(&b).await.is(401, REFUSED);
        let (a, b) = (app.token_of(EMAIL).await, app.token_of(EMAIL).await);
        app.faults.every_call_of("carry_token_over", Fail);
        app.faults.every_call_of("delete_tokens_of", Fail);
        app.post(EVERYWHERE).token(&a).json(json!({"keepCurrent": true})).await.expect_no_content();
        app.faults.reset();
        // It could not be carried over: then it is dead like the rest, never the other way about.
        app.me(&a).await.is(401, REFUSED);
        app.me(&b).await.is(401, REFUSED);
    }

    /// RACE-9, RACE-8: a login that is under way meanwhile either counts as later, or its token is
    /// dead.
    async fn logins_and_ends_at_the_same_moment_leave_nothing_between(store) {
        for round in 0..10 {
            let app = App::new(store).await;
            let token = app.signed_up().await;
            let old = app.token_of(EMAIL).await;
            let mut calls: Vec<Call> = (0..6).map(|_| app.login(EMAIL, PASSWORD)).collect();
            calls.push(app.post(EVERYWHERE).token(&token));
            let answers = at_once(calls).await;
            assert_eq!((count(&answers, 200), count(&answers, 204)), (6, 1), "{round}: {answers:?}");
            app.me(&token).await.is(401, REFUSED);
            app.me(&old).await.is(401, REFUSED);
            let mut living = 0;
            for login in &answers[..6] {
                living += usize::from(app.me(&login.text("id")).await.status == 200);
            }
            let fresh = app.token_of(EMAIL).await;
            assert_eq!(list(&app, &fresh).await.len(), living + 1, "{round}: what is listed is what lives");
            app.post(EVERYWHERE).token(&fresh).await.expect_no_content();
            for login in &answers[..6] {
                app.me(&login.text("id")).await.is(401, REFUSED);
            }
        }
    }

    /// Two devices at once, each of which wants to stay: never both, and never a third.
    async fn two_who_keep_their_own_at_the_same_moment_do_not_both_stay(store) {
        for round in 0..10 {
            let app = App::new(store).await;
            let (a, b, c) = (app.signed_up().await, app.token_of(EMAIL).await, app.token_of(EMAIL).await);
            let keep = |token: &str| app.post(EVERYWHERE).token(token).json(json!({"keepCurrent": true}));
            let answers = at_once([keep(&a), keep(&b)]).await;
            assert_eq!(count(&answers, 204) + count(&answers, 401), 2, "{round}: {answers:?}");
            let alive = [app.me(&a).await.status == 200, app.me(&b).await.status == 200];
            assert!(alive != [true, true], "{round}");
            app.me(&c).await.is(401, REFUSED);
        }
    }

    /// Of twenty who end one session one has ended it.
    async fn of_20_who_end_one_session_at_once_one_has(store) {
        let app = App::new(store).await;
        let (a, b) = (app.signed_up().await, app.token_of(EMAIL).await);
        let of_b = handle(&app, &b).await;
        let _ = app.events.take();
        let answers = at_once((0..20).map(|_| app.delete(&format!("{SESSIONS}/{of_b}")).token(&a))).await;
        assert_eq!((count(&answers, 204), count(&answers, 404)), (1, 19), "{answers:?}");
        assert_eq!(app.events.take().len(), 1);
    }

    /// 8.1.1: a token for something else sees and ends nothing, but is listed for whom it belongs
    /// to.
    async fn a_token_for_other_scopes_is_no_key_to_the_sessions(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let scoped = app.auth.issue_token(&UserId::from(1), IssueToken::default().scopes(["reports"])).await.unwrap();
        let scoped = scoped.secret.expose();
        for request in [app.get(SESSIONS), app.post(EVERYWHERE), app.delete(&format!("{SESSIONS}/x"))] {
            request.token(scoped).await.expect(401, "AUTHORIZATION_REQUIRED");
        }
        let sessions = list(&app, &token).await;
        assert_eq!(sessions.len(), 2);
        assert!(sessions.iter().any(|session| session["scopes"] == json!(["reports"])));
        app.post(EVERYWHERE).token(&token).await.expect_no_content();
        assert!(app.auth.authenticate(scoped).await.is_err());
    }

    /// 3.5.1: a cookie from another site ends nothing.
    async fn a_cookie_from_another_origin_ends_nothing(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let handle = handle(&app, &token).await;
        for request in [app.post(EVERYWHERE), app.delete(&format!("{SESSIONS}/{handle}"))] {
            request.cookie(&token).header("sec-fetch-site", "cross-site").await.expect(403, "CROSS_ORIGIN_REQUEST");
        }
        app.me(&token).await.expect_status(200);
        app.post(EVERYWHERE).cookie(&token).header("sec-fetch-site", "same-origin").await.expect_no_content();
        app.me(&token).await.is(401, REFUSED);
    }

    /// 3.5.1, 4.1.4
    async fn other_methods_end_nothing(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            let token = app.signed_up().await;
            let handle = handle(&app, &token).await;
            for (method, path) in [
                ("GET", EVERYWHERE),
                ("HEAD", EVERYWHERE),
                ("DELETE", EVERYWHERE),
                ("DELETE", SESSIONS),
                ("PUT", SESSIONS),
                ("POST", SESSIONS),
            ] {
                let answer = app.call(method, path).token(&token).await;
                assert!(answer.status.is_client_error(), "{method} {path}: {answer:?}");
            }
            for method in ["GET", "POST", "PUT", "PATCH"] {
                app.call(method, &format!("{SESSIONS}/{handle}")).token(&token).await.expect_status(404);
            }
            app.me(&token).await.expect_status(200);
        }
    }
}
