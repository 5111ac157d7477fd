//! `POST /api/users/reset` and `POST /api/users/reset-password`.

use std::sync::Arc;
use std::time::Duration;

use gatekit::Policy;
use gatekit::core::{MailKind, ResetPasswordError};
use gatekit_testkit::{MailBehavior, MailSink};
use gatekit_tests::{App, EMAIL, PASSWORD, Store, at_once, count, on_every_store};
use serde_json::json;
use tokio::sync::Barrier;

const RESET: &str = "/api/users/reset";
const PERFORM: &str = "/api/users/reset-password";
const NEW: &str = "staple battery horse";
const NOT_FOUND: &str =
    r#"{"error":{"statusCode":404,"name":"Error","message":"Email not found","code":"EMAIL_NOT_FOUND"}}"#;
const REQUIRED: &str =
    r#"{"error":{"statusCode":400,"name":"Error","message":"Email is required","code":"EMAIL_REQUIRED"}}"#;
const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;

on_every_store! {
    /// Reset pages from before LoopBack had `POST /reset-password`. Off unless set; and then for
    /// this, once, and for nothing else.
    async fn the_secret_of_a_reset_patches_the_password_only_where_the_policy_says_so(store) {
        for (base, on) in [(Policy::loopback(), false), (Policy::default(), false), (Policy::loopback(), true), (Policy::default(), true)] {
            let mut policy = base;
            policy.passwords.insecure_reset_token_may_patch = on;
            let app = App::with(policy).start(store).await;
            app.sign_up().await;
            app.sign_up_as("second@bar.com").await;
            let login = app.token_of(EMAIL).await;
            app.post(RESET).json(json!({"email": EMAIL})).await.expect_no_content();
            app.mails.wait_for(1).await;
            let secret = app.mails.last_token().await;
            let patch = |id: &str, body: serde_json::Value| app.patch(&format!("/api/users/{id}")).token(&secret).json(body);
            // Another user, more than the password, no password, another route.
            patch("2", json!({"password": NEW})).await.is(401, REFUSED);
            patch("1", json!({"password": NEW, "email": "mine@bar.com"})).await.is(401, REFUSED);
            patch("1", json!({"username": "mine"})).await.is(401, REFUSED);
            patch("1", json!({})).await.is(401, REFUSED);
            patch("1", json!({"password": 5})).await.is(401, REFUSED);
            app.get("/api/users/1").token(&secret).await.is(401, REFUSED);
            app.delete("/api/users/1").token(&secret).await.is(401, REFUSED);
            app.put("/api/users/1").token(&secret).json(json!({"email": EMAIL, "password": NEW})).await.is(401, REFUSED);
            app.patch("/api/users/1").json(json!({"password": NEW})).await.is(401, REFUSED);
            app.patch("/api/users/1").token("bogus").json(json!({"password": NEW})).await.is(401, REFUSED);
            app.me(&login).await.expect_status(200);
            if !on {
                patch("1", json!({"password": NEW})).await.is(401, REFUSED);
                app.login(EMAIL, PASSWORD).await.expect_status(200);
                continue;
            }
            // A password that is refused spends nothing.
            patch("1", json!({"password": ""})).await.expect_error(422);
            patch("1", json!({"password": "x".repeat(2000)})).await.expect(422, "PASSWORD_TOO_LONG");
            // As such pages send it.
            let in_query = app.patch(&format!("/api/users/1?access_token={secret}")).json(json!({"password": NEW}));
            in_query.await.is(200, r#"{"username":"Foo","email":"foo@bar.com","id":1}"#);
            app.login(EMAIL, NEW).await.expect_status(200);
            app.login(EMAIL, PASSWORD).await.expect(401, "LOGIN_FAILED");
            app.me(&login).await.expect_status(401);
            patch("1", json!({"password": PASSWORD})).await.is(401, REFUSED);
            let again = app.post(PERFORM).token(&secret).json(json!({"newPassword": PASSWORD}));
            again.await.is(401, REFUSED);
        }
    }

    /// Too old, or from before a change of the account.
    async fn a_dead_reset_secret_patches_nothing(store) {
        let mut policy = Policy::loopback();
        policy.passwords.insecure_reset_token_may_patch = true;
        let app = App::with(policy).start(store).await;
        app.sign_up().await;
        let secret = async |number| {
            app.post(RESET).json(json!({"email": EMAIL})).await.expect_no_content();
            app.mails.wait_for(number).await;
            app.mails.last_token().await
        };
        let patch = |secret: &str| app.patch("/api/users/1").token(secret).json(json!({"password": NEW}));
        let old = secret(1).await;
        app.clock.advance(Duration::from_secs(900));
        patch(&old).await.is(401, REFUSED);
        let outdated = secret(2).await;
        let token = app.token_of(EMAIL).await;
        let body = json!({"oldPassword": PASSWORD, "newPassword": "another"});
        app.post("/api/users/change-password").token(&token).json(body).await.expect_no_content();
        patch(&outdated).await.is(401, REFUSED);
        app.login(EMAIL, "another").await.expect_status(200);
    }

    async fn a_request_is_answered_as_loopback_answers_it(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let too_long = r#"{"error":{"statusCode":422,"name":"Error","message":"The password entered was too long. Max length is 72 (entered 73)","code":"PASSWORD_TOO_LONG"}}"#;
        for (body, status, answer) in [
            (r#"{"email":"foo@bar.com"}"#, 204, ""),
            (r#"{"email":"foo@bar.com","password":"xyz"}"#, 204, ""),
            (r#"{"email":"nobody@bar.com"}"#, 404, NOT_FOUND),
            (r#"{"email":"FOO@bar.com"}"#, 404, NOT_FOUND),
            (r#"{"email":""}"#, 404, NOT_FOUND),
            (r#"{"email":"nope"}"#, 404, NOT_FOUND),
            (r#"{"email":"foo@bar.com","realm":"zz"}"#, 404, NOT_FOUND),
            (r#"{}"#, 400, REQUIRED),
            ("", 400, REQUIRED),
            (r#"{"email":5}"#, 400, REQUIRED),
            (r#"{"email":{"like":"%"}}"#, 400, REQUIRED),
            (r#"{"username":"Foo"}"#, 400, REQUIRED),
            ("null", 400, r#"{"error":{"statusCode":400,"name":"Error","message":"options is a required argument"}}"#),
            ("[]", 400, r#"{"error":{"statusCode":400,"name":"Error","message":"Value is not an object."}}"#),
            (
                r#"{"email":"foo@bar.com","password":5}"#,
                422,
                r#"{"error":{"statusCode":422,"name":"Error","message":"Invalid password.","code":"INVALID_PASSWORD"}}"#,
            ),
            (&format!(r#"{{"email":"foo@bar.com","password":"{}"}}"#, "x".repeat(73)), 422, too_long),
            // In LoopBack an operator here finds everybody.
            (
                r#"{"email":"foo@bar.com","realm":{"neq":"zz"}}"#,
                400,
                r#"{"error":{"statusCode":400,"name":"Error","message":"Invalid realm","code":"INVALID_REALM"}}"#,
            ),
        ] {
            let answer_got = app.post(RESET).json(body).await.is(status, answer);
            assert_eq!(answer_got.header("content-type"), "application/json; charset=utf-8", "{body}");
        }
        app.post(RESET).form("email=foo%40bar.com").await.expect_no_content();
        assert_eq!(app.mails.wait_for(3).await.len(), 3);
    }

    /// 6.4.3, 6.5.1
    async fn the_secret_of_the_mail_chooses_a_new_password_once(store) {
        let app = App::loopback(store).await;
        let before = app.signed_up().await;
        let secret = app.reset_token().await;
        let answer = app.reset_password(&secret, NEW).await.expect_no_content();
        assert!(answer.headers.get("set-cookie").is_none(), "nobody is logged in by it");
        app.reset_password(&secret, "and another").await.is(401, REFUSED);
        app.login(EMAIL, PASSWORD).await.expect(401, "LOGIN_FAILED");
        app.login(EMAIL, "and another").await.expect(401, "LOGIN_FAILED");
        app.login(EMAIL, NEW).await.expect_status(200);
        app.me(&before).await.expect(401, "AUTHORIZATION_REQUIRED");
    }

    /// 6.5.1, RACE-1: what is stored is the winner's.
    async fn of_20_uses_of_one_secret_at_once_one_wins(store) {
        let app = Arc::new(App::new(store).await);
        app.sign_up().await;
        let secret = app.reset_token().await;
        app.faults.gather("find_one_time", 20);
        let barrier = Arc::new(Barrier::new(20));
        let racers: Vec<_> = (0..20)
            .map(|racer| {
                let (app, barrier, secret) = (Arc::clone(&app), Arc::clone(&barrier), secret.clone());
                tokio::spawn(async move {
                    barrier.wait().await;
                    app.reset_password(&secret, &format!("{NEW} {racer}")).await
                })
            })
            .collect();
        let mut winners = Vec::new();
        for (racer, task) in racers.into_iter().enumerate() {
            let answer = task.await.unwrap();
            if answer.status == 204 {
                winners.push(racer);
            } else {
                answer.is(401, REFUSED);
            }
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        for racer in 0..20 {
            let status = if winners.contains(&racer) { 200 } else { 401 };
            app.login(EMAIL, &format!("{NEW} {racer}")).await.expect_status(status);
        }
    }

    /// 6.5.5: valid strictly before its end.
    async fn the_secret_ends_with_its_time(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let secret = app.reset_token().await;
        app.clock.advance(Duration::from_millis(899_999));
        app.reset_password(&secret, "").await.expect_error(400);
        app.clock.advance(Duration::from_millis(1));
        app.reset_password(&secret, NEW).await.is(401, REFUSED);
        app.login(EMAIL, PASSWORD).await.expect_status(200);
    }

    /// V-83, 7.4.3: a change of the password in between ends it.
    async fn every_secret_ends_with_the_next_new_password(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let (first, second, third) = (app.reset_token().await, app.reset_token().await, app.reset_token().await);
        app.reset_password(&first, NEW).await.expect_no_content();
        app.reset_password(&second, "x").await.is(401, REFUSED);
        app.me(&token).await.expect_status(401);
        let token = app.login(EMAIL, NEW).await.text("id");
        let fourth = app.reset_token().await;
        let body = json!({"oldPassword": NEW, "newPassword": "changed"});
        app.post("/api/users/change-password").token(&token).json(body).await.expect_no_content();
        for secret in [third, fourth] {
            app.reset_password(&secret, "x").await.is(401, REFUSED);
        }
    }

    /// 2.4.1, RACE-3: of 60 that are asked for three are mailed and good, and asking for more ends
    /// none of them, nor keeps the owner out once they have ended.
    async fn an_account_has_three_secrets_at_a_time_and_a_stranger_ends_none(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            for which in 0..3 {
                let app = App::with(policy.clone()).start(store).await;
                app.sign_up().await;
                let owners = app.reset_token().await;
                let answers = at_once((0..59).map(|_| app.post(RESET).json(json!({"email": EMAIL})))).await;
                assert_eq!(count(&answers, 204), 59, "{answers:?}");
                let mut secrets: Vec<String> = app.mails.mails().iter().filter_map(MailSink::token_in).collect();
                assert_eq!((secrets.len(), &secrets[0]), (3, &owners));
                app.clock.advance(Duration::from_millis(899_999));
                app.reset_password(&secrets.remove(which), NEW).await.expect_no_content();
                for other in secrets {
                    app.reset_password(&other, "another").await.is(401, REFUSED);
                }
                // The account has changed: it begins anew.
                let next = app.reset_token().await;
                app.clock.advance(Duration::from_millis(900_000));
                app.reset_password(&next, NEW).await.is(401, REFUSED);
                let next = app.reset_token().await;
                app.reset_password(&next, NEW).await.expect_no_content();
            }
        }
    }

    /// N-40: where an address must be verified, or the setting says so, as in `Policy::strict()`,
    /// no other address gets a reset mail; and a new user gets the mail that verifies it. Where no
    /// address must be verified, an unverified one gets it.
    async fn a_reset_mail_goes_to_a_verified_address_where_the_policy_wants_it(store) {
        let mut required = Policy::default();
        required.email.verification_required = true;
        for (policy, only_verified) in
            [(Policy::default(), false), (Policy::loopback(), false), (Policy::strict(), true), (required, true)]
        {
            let app = App::with(policy).start(store).await;
            app.sign_up().await;
            let resets = || app.mails.mails().iter().filter(|mail| mail.kind == MailKind::ResetPassword).count();
            let ask = || app.post(RESET).json(json!({"email": EMAIL}));
            ask().await.expect_no_content();
            assert_eq!(resets(), usize::from(!only_verified));
            if only_verified {
                let mail = app.mails.next().await;
                assert_eq!(mail.kind, MailKind::VerifyEmail);
                app.confirm(1, &MailSink::token_in(&mail).unwrap()).await.expect_no_content();
                ask().await.expect_no_content();
                assert_eq!(resets(), 1);
            }
        }
    }

    /// V-81: in LoopBack it is a full token.
    async fn the_secret_is_good_for_nothing_else(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let secret = app.reset_token().await;
        app.me(&secret).await.expect(401, "AUTHORIZATION_REQUIRED");
        app.get("/api/users/1").token(&secret).await.expect(401, "AUTHORIZATION_REQUIRED");
        app.get("/maybe").token(&secret).await.is(200, "anonymous");
        app.post("/api/users/logout").token(&secret).await.expect_error(401);
        let body = json!({"oldPassword": PASSWORD, "newPassword": NEW});
        app.post("/api/users/change-password").token(&secret).json(body).await.expect(401, "AUTHORIZATION_REQUIRED");
        app.reset_password(&secret, NEW).await.expect_no_content();
    }

    /// V-76
    async fn a_refused_password_does_not_use_the_secret_up(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let secret = app.reset_token().await;
        let missing = r#"{"error":{"statusCode":400,"name":"Error","message":"newPassword is a required argument"}}"#;
        let no_text = r#"{"error":{"statusCode":400,"name":"Error","message":"Value is not a string."}}"#;
        for (body, status, answer) in [
            ("{}", 400, missing),
            ("", 400, missing),
            (r#"{"newPassword":""}"#, 400, missing),
            (r#"{"newPassword":null}"#, 400, no_text),
            (r#"{"newPassword":5}"#, 400, no_text),
        ] {
            app.post(PERFORM).token(&secret).json(body).await.is(status, answer);
        }
        app.post(&format!("{PERFORM}?newPassword=n1")).token(&secret).await.is(400, missing);
        for (new, code) in [
            ("short", "PASSWORD_TOO_SHORT"),
            ("password1", "PASSWORD_TOO_COMMON"),
            (&"x1y2z".repeat(205), "PASSWORD_TOO_LONG"),
        ] {
            app.reset_password(&secret, new).await.expect(422, code);
        }
        app.reset_password(&secret, NEW).await.expect_no_content();
    }

    async fn the_secret_is_taken_wherever_a_token_is(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let secret = app.reset_token().await;
        app.post(&format!("{PERFORM}?access_token={secret}")).form("newPassword=n3").await.expect_no_content();
        app.login(EMAIL, "n3").await.expect_status(200);
        let secret = app.reset_token().await;
        app.post(PERFORM)
            .header("authorization", format!("Bearer {secret}"))
            .json(json!({"newPassword": "n4"}))
            .await
            .expect_no_content();
        app.login(EMAIL, "n4").await.expect_status(200);
    }

    async fn the_body_does_not_say_whose_password_it_is(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        app.sign_up_as("second@bar.com").await;
        let secret = app.reset_token().await;
        app.post(PERFORM).token(&secret).json(json!({"id": 2, "newPassword": NEW})).await.expect_no_content();
        app.login("second@bar.com", PASSWORD).await.expect_status(200);
        app.login(EMAIL, NEW).await.expect_status(200);
    }

    /// 6.2.3
    async fn a_login_token_chooses_a_new_password_only_under_loopbacks_policy(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let other = app.token_of(EMAIL).await;
        app.reset_password(&token, NEW).await.expect_no_content();
        app.login(EMAIL, NEW).await.expect_status(200);
        app.me(&token).await.expect_status(200);
        app.me(&other).await.expect_status(401);

        let app = App::new(store).await;
        let token = app.signed_up().await;
        app.reset_password(&token, NEW).await.expect(401, "AUTHORIZATION_REQUIRED");
        app.login(EMAIL, PASSWORD).await.expect_status(200);
    }

    async fn nobody_is_refused(store) {
        let app = App::loopback(store).await;
        app.post(PERFORM)
            .json(json!({"newPassword": NEW}))
            .await
            .is(401, REFUSED)
            .expect_header("www-authenticate", "Bearer");
        app.reset_password("bogus", NEW).await.is(401, REFUSED);
        app.reset_password(&"x".repeat(5000), NEW).await.is(401, REFUSED);
        app.post(PERFORM).json("{}").await.is(401, REFUSED);
    }

    /// 6.3.8, T-2: same answer, same headers, same calls to the store, no hashing.
    async fn an_unknown_address_looks_and_costs_the_same(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let cost = async |email: &str| {
            app.faults.reset();
            let before = app.auth.hasher().hashes();
            let answer = app.post(RESET).json(json!({"email": email})).await.expect_no_content();
            (answer, app.auth.hasher().hashes() - before, app.faults.calls())
        };
        let known = cost(EMAIL).await;
        app.mails.wait_for(1).await;
        for unknown in ["nobody@bar.com", "nope", "", "a\0b@x.com", &"a".repeat(5000)] {
            let unknown = cost(unknown).await;
            assert_eq!(known.0.as_sent(), unknown.0.as_sent());
            assert_eq!((known.1, unknown.1), (0, 0));
            let writes = |calls: &[&'static str]| {
                calls.iter().filter(|call| !call.starts_with("find")).copied().collect::<Vec<_>>()
            };
            assert_eq!(writes(&known.2), ["insert_one_time_within"]);
            assert_eq!(writes(&known.2), writes(&unknown.2));
        }
        let (known, unknown) = (cost(EMAIL).await, cost("nobody@bar.com").await);
        assert_eq!(known.2, unknown.2);
        app.mails.wait_for(2).await;
        assert!(app.mails.mails().iter().all(|mail| mail.to == EMAIL), "nobody else gets a mail");
    }

    /// REL-10
    async fn a_mailer_that_fails_or_hangs_is_not_the_requests_matter(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        for behavior in [MailBehavior::Fail, MailBehavior::Hang] {
            app.mails.behave(behavior);
            app.post(RESET).json(json!({"email": EMAIL})).await.expect_no_content();
        }
        app.mails.behave(MailBehavior::Deliver);
        let secret = app.reset_token().await;
        app.reset_password(&secret, NEW).await.expect_no_content();
    }

    /// V-85, 4.1.3: what a request says of its host is not believed.
    async fn the_link_is_made_of_the_mount_and_the_public_url(store) {
        for prefix in ["/api/users", "/accounts", "/v2/api/Users"] {
            let app = App::with(Policy::loopback()).prefix(prefix).start(store).await;
            app.post(prefix).json(json!({"email": EMAIL, "password": PASSWORD})).await.expect_status(200);
            let request = app.post(&format!("{prefix}/reset")).json(json!({"email": EMAIL}));
            let request = request.header("host", "evil.example").header("x-forwarded-host", "evil.example");
            request
                .header("forwarded", "host=evil.example")
                .header("x-forwarded-proto", "http")
                .header("origin", "https://evil.example")
                .await
                .expect_no_content();
            let mail = app.mails.next().await;
            let secret = app.mails.last_token().await;
            assert_eq!(
                mail.link,
                Some(format!("https://app.example.com{prefix}/reset-password/form?token={secret}"))
            );
            assert_eq!((mail.to.as_str(), mail.text.contains("evil")), (EMAIL, false));
            let body = json!({"newPassword": NEW});
            app.post(&format!("{prefix}/reset-password")).token(&secret).json(body).await.expect_no_content();
        }
    }
}

#[tokio::test]
async fn without_a_public_url_the_mail_holds_the_secret_and_no_link() {
    let app = App::with(Policy::loopback()).no_public_url().start(Store::Memory).await;
    app.sign_up().await;
    let secret = app.reset_token().await;
    let mail = app.mails.next().await;
    assert_eq!(mail.link, None);
    assert!(mail.text.contains(&secret) && !mail.text.contains("http"));
    app.reset_password(&secret, NEW).await.expect_no_content();
}

/// RACE-8: a login token that has been ended, here between the question who calls and the change,
/// takes no account.
#[tokio::test]
async fn a_token_that_was_ended_chooses_no_password() {
    let app = App::loopback(Store::Memory).await;
    let token = app.signed_up().await;
    let caller = app.auth.authenticate(&token).await.unwrap();
    app.auth.logout_everywhere(&1.into(), None).await.unwrap();
    let done = app.auth.set_password(&1.into(), NEW.into(), caller.token.as_ref()).await;
    assert!(matches!(done, Err(ResetPasswordError::InvalidToken)), "{done:?}");
    app.login(EMAIL, PASSWORD).await.expect_status(200);
}
