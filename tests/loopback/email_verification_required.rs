//! `policy.email.verification_required`: who must prove the address, and what it may do before.

use gatekit::{Event, Policy};
use gatekit_testkit::Fault::Fail;
use gatekit_tests::{App, EMAIL, PASSWORD, Store, answering, on_every_store};
use serde_json::{Value, json};

const RESEND: &str = "/api/users/resend-verification";
const FAILED: &str = r#"{"error":{"statusCode":401,"name":"Error","message":"login failed","code":"LOGIN_FAILED"}}"#;
const NOT_VERIFIED: &str = r#"{"error":{"statusCode":401,"name":"Error","message":"login failed as the email has not been verified","code":"LOGIN_FAILED_EMAIL_NOT_VERIFIED","details":{"userId":1}}}"#;

async fn app(mut policy: Policy, store: Store) -> App {
    policy.email.verification_required = true;
    App::with(policy).start(store).await
}

/// Users 1 and 2, and the mails that they get.
async fn two_sign_up(app: &App) {
    app.sign_up().await;
    app.sign_up_as("second@bar.com").await;
    let policy = app.auth.policy();
    if policy.email.verification_required && policy.email.verify_on_register {
        app.mails.wait_for(2).await;
    }
}

on_every_store! {
    /// Transcript 05: [1] to [5], [24].
    async fn who_has_not_proven_the_address_is_answered_as_by_loopback(store) {
        let app = app(Policy::loopback(), store).await;
        app.post("/api/users")
            .json(json!({"email": EMAIL, "password": PASSWORD, "username": "foo"}))
            .await
            .is(200, r#"{"username":"foo","email":"foo@bar.com","id":1}"#);
        assert_eq!(app.mails.attempts(), 0, "LoopBack sends none by itself");
        app.login(EMAIL, PASSWORD).await.is(401, NOT_VERIFIED);
        let by_name = json!({"username": "foo", "password": PASSWORD});
        app.post("/api/users/login").json(&by_name).await.is(401, NOT_VERIFIED);
        app.login(EMAIL, "x").await.is(401, FAILED);
        app.post("/api/users/reset").json(json!({"email": EMAIL})).await.is(
            401,
            r#"{"error":{"statusCode":401,"name":"Error","message":"Email has not been verified","code":"RESET_FAILED_EMAIL_NOT_VERIFIED"}}"#,
        );
        app.post("/api/users/reset").json(json!({"email": "no@bar.com"})).await.expect(404, "EMAIL_NOT_FOUND");
        let secret = app.verification_token(1).await;
        app.confirm(1, &secret).await.expect_no_content();
        let answer = app.post("/api/users/login?include=user").json(&by_name).await.expect_status(200);
        assert!(answer.body.ends_with(r#""user":{"username":"foo","email":"foo@bar.com","emailVerified":true,"id":1}}"#));
        let secret = app.reset_token().await;
        app.reset_password(&secret, "another").await.expect_no_content();
    }

    /// Transcript 05: [30] to [39], but for what lets anybody prove any address.
    async fn a_new_address_has_to_be_proven_again_and_living_tokens_go_on(store) {
        let app = app(Policy::loopback(), store).await;
        app.sign_up().await;
        let secret = app.verification_token(1).await;
        app.confirm(1, &secret).await.expect_no_content();
        let token = app.token_of(EMAIL).await;
        for (body, user) in [
            (json!({"email": "new@bar.com"}), r#"{"username":"Foo","email":"new@bar.com","emailVerified":false,"id":1}"#),
            (
                json!({"email": "new2@bar.com", "emailVerified": true}),
                r#"{"username":"Foo","email":"new2@bar.com","emailVerified":false,"id":1}"#,
            ),
            (json!({"emailVerified": true}), r#"{"username":"Foo","email":"new2@bar.com","emailVerified":false,"id":1}"#),
        ] {
            app.patch("/api/users/1").token(&token).json(body).await.is(200, user);
            app.me(&token).await.is(200, user);
        }
        app.put("/api/users/1")
            .token(&token)
            .json(json!({"email": "new3@bar.com", "password": PASSWORD, "emailVerified": true}))
            .await
            .is(200, r#"{"email":"new3@bar.com","emailVerified":false,"id":1}"#);
        let change = json!({"oldPassword": PASSWORD, "newPassword": "bar2"});
        app.post("/api/users/change-password").token(&token).json(change).await.expect_no_content();
        app.reset_password(&token, "bar3").await.expect_no_content();
        app.login("new3@bar.com", "bar3").await.is(401, NOT_VERIFIED);
        // LoopBack takes the client's word for it in an array.
        app.post("/api/users")
            .json(json!([{"email": "b@bar.com", "password": "bar", "emailVerified": true}]))
            .await
            .is(200, r#"[{"email":"b@bar.com","emailVerified":false,"id":2}]"#);
        app.login("b@bar.com", "bar").await.expect(401, "LOGIN_FAILED_EMAIL_NOT_VERIFIED");
        let secret = app.verification_token(1).await;
        app.confirm(1, &secret).await.expect_no_content();
        app.login("new3@bar.com", "bar3").await.expect_status(200);
    }

    async fn under_the_default_policy_who_signs_up_gets_the_mail(store) {
        let mut policy = Policy::default();
        policy.email.verification_required = true;
        let app = App::with(answering(policy, |answers| answers.max_batch = 2)).start(store).await;
        app.sign_up().await;
        let mail = app.mails.next().await;
        let secret = app.mails.last_token().await;
        assert_eq!(mail.to, EMAIL);
        assert_eq!(
            mail.link,
            Some(format!("https://app.example.com/api/users/confirm?uid=1&redirect=%2F&token={secret}"))
        );
        app.login(EMAIL, PASSWORD).await.is(401, FAILED);
        app.confirm(1, &secret).await.expect_no_content();
        app.login(EMAIL, PASSWORD).await.expect_status(200);
        // Each of several.
        let users = json!([{"email": "a@x.com", "password": PASSWORD}, {"email": "b@x.com", "password": PASSWORD}]);
        app.post("/api/users").json(users).await.expect_status(200);
        let mails = app.mails.wait_for(3).await;
        let to: std::collections::BTreeSet<_> = mails[1..].iter().map(|mail| mail.to.as_str()).collect();
        assert_eq!(to.into_iter().collect::<Vec<_>>(), ["a@x.com", "b@x.com"]);
    }

    /// A sign-up is not undone by a mail that cannot be prepared: it can be asked for again.
    async fn who_signs_up_while_the_mail_cannot_be_prepared_is_signed_up(store) {
        let app = app(Policy::default(), store).await;
        app.faults.every_call_of("insert_one_time_within", Fail);
        app.sign_up().await;
        app.faults.reset();
        assert_eq!(app.mails.attempts(), 0);
        app.post(RESEND).json(json!({"email": EMAIL})).await.expect_no_content();
        app.mails.wait_for(1).await;
        let secret = app.mails.last_token().await;
        app.confirm(1, &secret).await.expect_no_content();
        app.login(EMAIL, PASSWORD).await.expect_status(200);
    }

    /// T-5, 6.3.8: who does not know the password does not learn that the address is not proven,
    /// nor that there is one.
    async fn a_wrong_password_is_a_wrong_password_proven_or_not(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = app(policy, store).await;
            two_sign_up(&app).await;
            let secret = app.verification_token(2).await;
            app.confirm(2, &secret).await.expect_no_content();
            let cost = async |email: &str| {
                app.faults.reset();
                let before = app.auth.hasher().hashes();
                let answer = app.login(email, "wrong").await.is(401, FAILED);
                (answer, app.auth.hasher().hashes() - before, app.faults.calls())
            };
            let unknown = cost("nobody@bar.com").await;
            for email in [EMAIL, "second@bar.com"] {
                let known = cost(email).await;
                assert_eq!(known.0.as_sent(), unknown.0.as_sent());
                assert_eq!((known.1, known.2), (unknown.1, unknown.2.clone()));
            }
            // And who does know it gets no token, and is counted as a failure.
            let _ = app.events.take();
            app.faults.reset();
            let answer = if app.auth.policy().hides_taken_email() { FAILED } else { NOT_VERIFIED };
            app.login(EMAIL, PASSWORD).await.is(401, answer);
            assert!(!app.faults.calls().contains(&"insert_token"));
            assert!(matches!(&app.events.take()[..], [Event::LoginFailed { user_id: Some(_), .. }]));
        }
    }

    /// 6.3.8, T-2: unknown, not proven and proven look and cost the same.
    async fn under_the_default_policy_a_reset_does_not_tell(store) {
        let app = app(Policy::default(), store).await;
        two_sign_up(&app).await;
        let secret = app.verification_token(2).await;
        app.confirm(2, &secret).await.expect_no_content();
        let mails = app.mails.mails().len();
        let cost = async |email: &str| {
            app.faults.reset();
            let answer = app.post("/api/users/reset").json(json!({"email": email})).await.expect_no_content();
            (answer, app.faults.calls())
        };
        let proven = cost("second@bar.com").await;
        for email in [EMAIL, "nobody@bar.com"] {
            let other = cost(email).await;
            assert_eq!((proven.0.as_sent(), &proven.1), (other.0.as_sent(), &other.1), "{email}");
        }
        assert_eq!(app.mails.wait_for(mails + 1).await[mails].to, "second@bar.com");
        app.mails.behave(gatekit_testkit::MailBehavior::Deliver);
        assert_eq!(app.mails.mails().len(), mails + 1, "who has not proven the address gets no reset link");
    }

    /// V-22, 6.3.8: unknown, not proven and proven look and cost the same, and one of them gets the
    /// mail.
    async fn asking_for_the_mail_again_does_not_tell_whose_address_it_is(store) {
        for (policy, required) in
            [(Policy::default(), true), (Policy::default(), false), (Policy::loopback(), true), (Policy::loopback(), false)]
        {
            let mut policy = policy;
            policy.email.verification_required = required;
            let app = App::with(policy).start(store).await;
            two_sign_up(&app).await;
            let secret = app.verification_token(2).await;
            app.confirm(2, &secret).await.expect_no_content();
            let signed_up = if required && app.auth.policy().email.verify_on_register { 3 } else { 1 };
            app.mails.wait_for(signed_up).await;
            let cost = async |email: &str| {
                app.faults.reset();
                let hashes = app.auth.hasher().hashes();
                let answer = app.post(RESEND).json(json!({"email": email})).await.expect_no_content();
                assert_eq!(app.auth.hasher().hashes(), hashes);
                (answer, app.faults.calls())
            };
            let pending = cost(EMAIL).await;
            assert_eq!(pending.1, ["find_user_by", "insert_one_time_within"]);
            for email in ["second@bar.com", "nobody@bar.com"] {
                let other = cost(email).await;
                assert_eq!((pending.0.as_sent(), &pending.1), (other.0.as_sent(), &other.1), "{email}");
            }
            for odd in ["", "nope", "a\0b@x.com", &"a".repeat(5000)] {
                assert_eq!(cost(odd).await.0.as_sent(), pending.0.as_sent(), "{odd}");
            }
            let mails = app.mails.wait_for(signed_up + 1).await;
            assert_eq!((mails.len(), mails[signed_up].to.as_str()), (signed_up + 1, EMAIL));
            let link = mails[signed_up].link.clone().unwrap();
            app.confirm(1, link.rsplit('=').next().unwrap()).await.expect_no_content();
        }
    }

    /// 1.5.2, FUZZ-9, V-7
    async fn what_is_no_address_is_told(store) {
        let app = app(Policy::default(), store).await;
        app.sign_up().await;
        let required = r#"{"error":{"statusCode":400,"name":"Error","message":"Email is required","code":"EMAIL_REQUIRED"}}"#;
        for body in ["{}", "", r#"{"email":null}"#, r#"{"email":5}"#, r#"{"email":["foo@bar.com"]}"#, r#"{"email":{"neq":"x"}}"#, r#"{"username":"Foo"}"#] {
            app.post(RESEND).json(body).await.is(400, required);
        }
        app.post(RESEND).json("null").await.is(400, r#"{"error":{"statusCode":400,"name":"Error","message":"options is a required argument"}}"#);
        app.post(RESEND).json("[]").await.is(400, r#"{"error":{"statusCode":400,"name":"Error","message":"Value is not an object."}}"#);
        app.post(RESEND).json(json!({"email": EMAIL, "realm": {"neq": "x"}})).await.expect(400, "INVALID_REALM");
        app.post(RESEND).form("email=nobody%40bar.com").await.expect_no_content();
        let list: Value = json!({"email": "foo@bar.com,evil@x.com"});
        app.post(RESEND).json(list).await.expect_no_content();
        app.mails.wait_for(1).await;
        assert_eq!(app.mails.attempts(), 1, "the one of the sign-up");
    }

    /// An address that was proven by a change is proven.
    async fn an_address_that_was_changed_by_mail_is_proven(store) {
        let app = app(Policy::default(), store).await;
        app.sign_up().await;
        app.mails.wait_for(1).await;
        let secret = app.mails.last_token().await;
        app.confirm(1, &secret).await.expect_no_content();
        let token = app.token_of(EMAIL).await;
        let secret = app.change_email_token(&token, "new@bar.com").await;
        app.confirm_email_change(&secret).await.expect_status(200);
        app.login("new@bar.com", PASSWORD).await.expect_status(200);
    }
}
