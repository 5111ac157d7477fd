//! `POST /api/users/change-email` and `POST /api/users/confirm-email-change`.

use std::time::Duration;

use gatekit::core::MailKind;
use gatekit::{Event, Policy};
use gatekit_testkit::Fault::Fail;
use gatekit_testkit::MailBehavior;
use gatekit_tests::{App, EMAIL, PASSWORD, Store, at_once, count, on_every_store};
use serde_json::json;

const CHANGE: &str = "/api/users/change-email";
const CONFIRM: &str = "/api/users/confirm-email-change";
const NEW: &str = "new@bar.com";
const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;
const INVALID: &str = r#"{"error":{"statusCode":400,"name":"Error","message":"Invalid token","code":"INVALID_TOKEN"}}"#;
const TAKEN: &str = r#"{"error":{"statusCode":422,"name":"ValidationError","message":"The `User` instance is not valid. Details: `email` Email already exists (value: \"new@bar.com\").","details":{"context":"User","codes":{"email":["uniqueness"]},"messages":{"email":["Email already exists"]}}}}"#;

on_every_store! {
    /// 7.5.1, 6.3.7, 6.2.3
    async fn an_address_is_the_users_once_it_is_proven(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            let token = app.signed_up().await;
            let (other, _third) = (app.token_of(EMAIL).await, app.token_of(EMAIL).await);
            let _ = app.events.take();
            app.change_email(&token, NEW).await.expect_no_content();
            let mail = app.mails.next().await;
            let secret = app.mails.last_token().await;
            assert_eq!((mail.kind, mail.to.as_str()), (MailKind::ChangeEmail, NEW));
            assert_eq!(mail.link, Some(format!("https://app.example.com/api/users/confirm-email-change/form?token={secret}")));
            assert!(matches!(&app.events.take()[..], [Event::EmailChangeRequested { email, .. }] if email == NEW));
            // Until then nothing has changed.
            app.me(&token).await.is(200, r#"{"username":"Foo","email":"foo@bar.com","id":1}"#);
            app.login(NEW, PASSWORD).await.expect(401, "LOGIN_FAILED");
            app.me(&other).await.expect_status(200);

            let user = r#"{"username":"Foo","email":"new@bar.com","emailVerified":true,"id":1}"#;
            app.confirm_email_change(&secret)
                .token(&token)
                .await
                .is(200, user)
                .expect_header("cache-control", "no-store");
            app.me(&token).await.is(200, user);
            app.me(&other).await.is(401, REFUSED);
            app.login(EMAIL, PASSWORD).await.expect(401, "LOGIN_FAILED");
            app.login(NEW, PASSWORD).await.expect_status(200);
            // The old address hears of it, without a link and without the new one.
            let notice = app.mails.next().await;
            assert_eq!((notice.kind, notice.to.as_str(), notice.link), (MailKind::EmailChanged, EMAIL, None));
            assert!(!notice.text.contains(NEW));
            let events = app.events.take();
            assert!(
                events.iter().any(|event| matches!(event, Event::EmailChanged { old: Some(old), .. } if old == EMAIL)),
                "{events:?}"
            );
            // A second press changes nothing, and is no error.
            app.confirm_email_change(&secret).token(&token).await.is(200, user);
            assert!(app.events.take().is_empty());
            // And the old address is free.
            app.sign_up_as(EMAIL).await;
        }
    }

    /// The mail is read where nobody is logged in, or somebody else: then all tokens end, or all of
    /// that user's.
    async fn only_a_token_of_the_user_is_kept(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        app.sign_up_as("second@bar.com").await;
        let second = app.token_of("second@bar.com").await;
        let secret = app.change_email_token(&token, NEW).await;
        app.confirm_email_change(&secret).token(&second).await.expect_status(200);
        app.me(&token).await.expect_status(401);
        app.me(&second).await.expect_status(200);

        let token = app.token_of(NEW).await;
        let secret = app.change_email_token(&token, "third@bar.com").await;
        app.confirm_email_change(&secret).await.expect_status(200);
        app.me(&token).await.expect_status(401);

        let token = app.token_of("third@bar.com").await;
        let secret = app.change_email_token(&token, "fourth@bar.com").await;
        app.confirm_email_change(&secret).token("bogus").await.expect_status(200);
        app.me(&token).await.expect_status(401);
    }

    /// An expired token in a browser that opens the link is nobody's, unless the policy says
    /// otherwise.
    async fn an_expired_token_fails_the_confirmation_only_under_loopbacks_policy(store) {
        for (policy, status) in [(Policy::default(), 200), (Policy::loopback(), 401)] {
            let app = App::with(policy).start(store).await;
            let token = app.signed_up().await;
            let short = json!({"email": EMAIL, "password": PASSWORD, "ttl": 60});
            let expired = app.post("/api/users/login").json(short).await.text("id");
            let secret = app.change_email_token(&token, NEW).await;
            app.clock.advance(Duration::from_secs(60));
            app.confirm_email_change(&secret).token(&expired).await.expect_status(status);
        }
    }

    /// 6.3.8, V-24, T-12: whose address it is cannot be told.
    async fn an_address_that_is_taken_looks_and_costs_the_same(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            let token = app.signed_up().await;
            app.sign_up_as("second@bar.com").await;
            let cost = async |email: &str| {
                app.faults.reset();
                let hashes = app.auth.hasher().hashes();
                let answer = app.change_email(&token, email).await.expect_no_content();
                (answer, app.auth.hasher().hashes() - hashes, app.faults.calls())
            };
            let free = cost(NEW).await;
            for email in ["second@bar.com", EMAIL] {
                let taken = cost(email).await;
                assert_eq!(free.0.as_sent(), taken.0.as_sent(), "{email}");
                assert_eq!((free.1, &free.2), (taken.1, &taken.2), "{email}");
            }
            assert_eq!(free.1, 1);
            app.mails.wait_for(1).await;
            app.login(EMAIL, PASSWORD).await.expect_status(200);
            assert_eq!(app.mails.attempts(), 1, "the owner of a taken address gets no mail");
            // What was asked for last counts: the free one is given up.
            let secret = app.mails.last_token().await;
            app.confirm_email_change(&secret).await.is(400, INVALID);
        }
    }

    /// 2.4.1, 6.3.8: a user cannot fill the mailboxes of others, and the limit does not tell whose
    /// addresses there are.
    async fn three_mails_an_hour_are_sent_to_addresses_that_a_user_wants(store) {
        for taken in [false, true] {
            let app = App::with(Policy::default()).start(store).await;
            let token = app.signed_up().await;
            app.sign_up_as("second@bar.com").await;
            for n in 0..6 {
                let email = match (taken, n % 2) {
                    (true, 0) => "second@bar.com".to_owned(),
                    _ => format!("new{n}@bar.com"),
                };
                app.change_email(&token, &email).await.expect_no_content();
            }
            app.auth.settled().await;
            let to: Vec<String> = app.mails.mails().into_iter().map(|mail| mail.to).collect();
            let expected: &[&str] =
                if taken { &["new1@bar.com"] } else { &["new0@bar.com", "new1@bar.com", "new2@bar.com"] };
            assert_eq!(to, expected);
            // What was asked for last is not to be the address of whoever got the mail before.
            let secret = app.mails.last_token().await;
            app.confirm_email_change(&secret).await.is(400, INVALID);
            app.clock.advance(Duration::from_secs(3600));
            app.change_email(&token, NEW).await.expect_no_content();
            app.mails.wait_for(expected.len() + 1).await;
            app.confirm_email_change(&app.mails.last_token().await).await.expect_status(200);
        }
    }

    async fn an_address_that_was_taken_meanwhile_is_told_to_who_has_proven_it(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let secret = app.change_email_token(&token, NEW).await;
        app.sign_up_as(NEW).await;
        app.confirm_email_change(&secret).token(&token).await.is(422, TAKEN);
        app.me(&token).await.is(200, r#"{"username":"Foo","email":"foo@bar.com","id":1}"#);
        assert_eq!(app.mails.attempts(), 1);
        // It goes, and the secret is as good as it was.
        let second = app.token_of(NEW).await;
        let removed = app.delete("/api/users/2").token(&second).json(json!({"password": PASSWORD})).await;
        removed.is(200, r#"{"count":1}"#);
        app.confirm_email_change(&secret).token(&token).await.expect_status(200);
    }

    /// V-83, 7.4.3: what ends all tokens ends this too.
    async fn a_secret_ends_with_the_accounts_next_change(store) {
        for end in ["password", "reset", "everywhere", "address", "newer", "deleted"] {
            let app = App::loopback(store).await;
            let token = app.signed_up().await;
            let reset = app.reset_token().await;
            let secret = app.change_email_token(&token, NEW).await;
            match end {
                "password" => {
                    let body = json!({"oldPassword": PASSWORD, "newPassword": "staple"});
                    app.post("/api/users/change-password").token(&token).json(body).await.expect_no_content();
                }
                "reset" => drop(app.reset_password(&reset, "staple").await.expect_no_content()),
                "everywhere" => drop(app.post("/api/users/logout-everywhere").token(&token).await.expect_no_content()),
                "address" => {
                    app.patch("/api/users/1").token(&token).json(json!({"email": "x@x.com"})).await.expect_status(200);
                }
                "newer" => drop(app.change_email_token(&token, "newer@bar.com").await),
                _ => drop(app.delete("/api/users/1").token(&token).await.expect_status(200)),
            }
            app.confirm_email_change(&secret).await.is(400, INVALID);
            app.login(NEW, PASSWORD).await.expect(401, "LOGIN_FAILED");
        }
    }

    /// What is not about tokens does not end it, and is not lost by it.
    async fn a_secret_outlives_changes_of_other_fields(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let secret = app.change_email_token(&token, NEW).await;
        app.patch("/api/users/1").token(&token).json(json!({"username": "x"})).await.expect_status(200);
        app.post("/api/users/logout").token(&token).await.expect_no_content();
        let verify = app.verification_token(1).await;
        app.confirm(1, &verify).await.expect_no_content();
        app.confirm_email_change(&secret)
            .await
            .is(200, r#"{"username":"x","email":"new@bar.com","emailVerified":true,"id":1}"#);
    }

    /// 6.5.5: valid strictly before its end.
    async fn a_secret_ends_with_its_time(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let secret = app.change_email_token(&token, NEW).await;
        app.clock.advance(Duration::from_millis(86_400_000));
        app.confirm_email_change(&secret).await.is(400, INVALID);
        let secret = app.change_email_token(&token, NEW).await;
        app.clock.advance(Duration::from_millis(86_399_999));
        app.confirm_email_change(&secret).await.expect_status(200);
    }

    /// RACE-5, 6.5.1
    async fn of_20_uses_of_one_secret_at_once_one_changes_the_address_and_none_is_told_that_it_failed(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let secret = app.change_email_token(&token, NEW).await;
        let _ = app.events.take();
        app.faults.gather("find_one_time", 20);
        let answers = at_once((0..20).map(|_| app.confirm_email_change(&secret).token(&token))).await;
        assert!(count(&answers, 200) >= 1, "{answers:?}");
        // A request whose token ends between two steps of the winner is answered as ever.
        assert_eq!(count(&answers, 200) + count(&answers, 401), 20, "{answers:?}");
        let changed = |event: &&Event<gatekit::User>| matches!(event, Event::EmailChanged { .. });
        assert_eq!(app.events.take().iter().filter(changed).count(), 1);
        assert_eq!(app.mails.wait_for(2).await.len(), 2, "one mail to the new address, one notice to the old one");
        app.login(NEW, PASSWORD).await.expect_status(200);
    }

    /// RACE-5, V-78: of two that were asked for in parallel each secret has its own address.
    async fn two_changes_at_once_do_not_mix(store) {
        for _ in 0..5 {
            let app = App::new(store).await;
            let token = app.signed_up().await;
            let answers = at_once([app.change_email(&token, "a@x.com"), app.change_email(&token, "b@x.com")]).await;
            assert_eq!(count(&answers, 204), 2);
            let mails = app.mails.wait_for(2).await;
            let mut changed = Vec::new();
            for mail in mails {
                let link = mail.link.unwrap();
                let answer = app.confirm_email_change(link.rsplit('=').next().unwrap()).await;
                if answer.status == 200 {
                    assert_eq!(answer.text("email"), mail.to);
                    changed.push(mail.to);
                } else {
                    answer.is(400, INVALID);
                }
            }
            assert_eq!(changed.len(), 1, "the first that is used ends the other");
            app.login(&changed[0], PASSWORD).await.expect_status(200);
        }
    }

    /// RACE-2, RACE-5: twenty users prove one address at the same moment.
    async fn of_20_who_prove_one_address_at_once_one_has_it(store) {
        let app = App::new(store).await;
        let mut secrets = Vec::new();
        for user in 0..20 {
            let email = format!("u{user}@x.com");
            app.sign_up_as(&email).await;
            let token = app.token_of(&email).await;
            secrets.push(app.change_email_token(&token, NEW).await);
        }
        app.faults.gather("find_one_time", 20);
        let answers = at_once(secrets.iter().map(|secret| app.confirm_email_change(secret))).await;
        assert_eq!((count(&answers, 200), count(&answers, 422)), (1, 19), "{answers:?}");
        for answer in answers.into_iter().filter(|answer| answer.status == 422) {
            answer.is(422, TAKEN);
        }
    }

    /// 2.3.3: the secret is as good as it was.
    async fn a_store_that_fails_leaves_the_secret_good(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let secret = app.change_email_token(&token, NEW).await;
        for call in ["find_one_time", "find_user", "update_user"] {
            app.faults.every_call_of(call, Fail);
            app.confirm_email_change(&secret).await.expect_unavailable();
            app.faults.reset();
        }
        app.login(EMAIL, PASSWORD).await.expect_status(200);
        for call in ["find_user", "find_user_by", "delete_one_time_of", "insert_one_time"] {
            app.faults.every_call_of(call, Fail);
            app.change_email(&token, "other@bar.com").await.expect_unavailable();
            app.faults.reset();
        }
        assert_eq!(app.mails.attempts(), 1);
    }

    async fn the_password_is_asked_for(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let wrong = r#"{"error":{"statusCode":400,"name":"Error","message":"Invalid current password","code":"INVALID_PASSWORD"}}"#;
        for password in ["wrong", "correct horse batterY", &"x".repeat(5000)] {
            // Whatever the address is, the password comes first.
            for email in [NEW, EMAIL, "nope"] {
                let body = json!({"password": password, "email": email});
                app.post(CHANGE).token(&token).json(body).await.is(400, wrong);
            }
        }
        assert_eq!(app.mails.attempts(), 0);
    }

    /// 1.5.2, 1.3.11, FUZZ-9, V-7, V-8
    async fn what_is_wrong_with_a_request_is_told(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let missing = |name: &str| {
            format!(r#"{{"error":{{"statusCode":400,"name":"Error","message":"{name} is a required argument"}}}}"#)
        };
        let no_text = r#"{"error":{"statusCode":400,"name":"Error","message":"Value is not a string."}}"#;
        for (body, answer) in [
            ("{}", missing("password").as_str()),
            ("", &missing("password")),
            ("null", &missing("password")),
            (r#"{"email":"new@bar.com"}"#, &missing("password")),
            (r#"{"email":"new@bar.com","password":""}"#, &missing("password")),
            (r#"{"password":"x"}"#, &missing("email")),
            (r#"{"password":"x","email":""}"#, &missing("email")),
            (r#"{"password":5,"email":"new@bar.com"}"#, no_text),
            (r#"{"password":"x","email":["new@bar.com","x@x.com"]}"#, no_text),
            (r#"{"password":"x","email":null}"#, no_text),
            (r#"{"password":"x","email":{"a":1}}"#, no_text),
        ] {
            app.post(CHANGE).token(&token).json(body).await.is(400, answer);
        }
        for email in ["nope", "a@x.com,b@x.com", "a@x.com\r\nBcc: b@x.com", "a\0b@x.com", "<a@x.com>", "a @x.com", &"a".repeat(5000)] {
            let codes = app.change_email(&token, email).await.expect_error(422).value();
            assert_eq!(codes.pointer("/error/details/codes"), Some(&json!({"email": ["custom.email"]})), "{email}");
        }
        for (body, answer) in [
            ("{}", missing("token").as_str()),
            ("", &missing("token")),
            (r#"{"token":""}"#, &missing("token")),
            (r#"{"token":5}"#, no_text),
            (r#"{"token":["a"]}"#, no_text),
            (r#"{"token":null}"#, no_text),
            (r#"{"token":"bad"}"#, INVALID),
        ] {
            app.post(CONFIRM).json(body).await.is(400, answer);
        }
        // Types, then authorization, then what is missing.
        app.post(CHANGE).json(r#"{"password":5}"#).await.is(400, no_text);
        app.post(CHANGE).json("{}").await.is(401, REFUSED);
        app.post(CHANGE).token("bogus").json("{}").await.is(401, REFUSED);
        // The secret is read from the body alone: a link cannot spend it.
        let secret = app.change_email_token(&token, NEW).await;
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
            let answer = app.call(method, &format!("{CONFIRM}?token={secret}")).await;
            assert!(answer.status.is_client_error(), "{method} {answer:?}");
        }
        app.post(&format!("{CONFIRM}?token={secret}")).await.is(400, &missing("token"));
        app.get(&format!("{CHANGE}?token={secret}")).await.expect_status(401);
        for other in [format!("{secret}x"), secret[1..].to_owned(), secret.to_lowercase(), "x".repeat(5000)] {
            app.confirm_email_change(&other).await.is(400, INVALID);
        }
        app.post(CONFIRM).form(&format!("token={secret}")).await.expect_status(200);
        app.post(CHANGE).form("password=x&email=y%40x.com").await.is(401, REFUSED);
    }

    async fn under_the_default_policy_the_new_address_is_kept_in_lower_case(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        app.sign_up_as("second@bar.com").await;
        app.change_email(&token, "SECOND@Bar.com").await.expect_no_content();
        assert_eq!(app.mails.attempts(), 0);
        let secret = app.change_email_token(&token, "New@Bar.COM").await;
        assert_eq!(app.confirm_email_change(&secret).await.text("email"), NEW);
    }

    /// REL-10
    async fn a_mailer_that_fails_or_hangs_is_not_the_requests_matter(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        for behavior in [MailBehavior::Fail, MailBehavior::Hang] {
            let attempts = app.mails.attempts();
            app.mails.behave(behavior);
            app.change_email(&token, NEW).await.expect_no_content();
            app.wait_for_attempts(attempts + 1).await;
        }
        app.mails.behave(MailBehavior::Deliver);
        let secret = app.change_email_token(&token, NEW).await;
        app.mails.behave(MailBehavior::Fail);
        app.confirm_email_change(&secret).token(&token).await.expect_status(200);
    }

    /// While an address changes by proof, a client that sends the old one back with other fields
    /// does not bring it back.
    async fn a_client_that_sends_the_old_address_back_does_not_undo_the_change(store) {
        for round in 0..20 {
            let app = App::new(store).await;
            let token = app.signed_up().await;
            let secret = app.change_email_token(&token, NEW).await;
            let body = json!({"email": EMAIL, "username": "x"});
            let answers = at_once([
                app.confirm_email_change(&secret).token(&token),
                app.patch("/api/users/1").token(&token).json(&body),
                app.patch("/api/users/1").token(&token).json(&body),
            ])
            .await;
            assert_eq!(answers[0].status, 200, "{round}: {answers:?}");
            for answer in &answers[1..] {
                assert!([200, 401, 403].contains(&answer.status.as_u16()), "{round}: {answer:?}");
            }
            assert_eq!(app.me(&token).await.text("email"), NEW, "{round}");
        }
    }
}

#[tokio::test]
async fn the_link_is_a_page_of_the_app_where_it_has_one() {
    let setup = App::with(Policy::default());
    let setup = setup.configure(|auth| auth.change_email_link("https://web.example.com/new-address#{token}"));
    let app = setup.start(Store::Memory).await;
    let token = app.signed_up().await;
    let secret = app.change_email_token(&token, NEW).await;
    assert_eq!(app.mails.next().await.link, Some(format!("https://web.example.com/new-address#{secret}")));

    let app = App::with(Policy::default()).no_public_url().start(Store::Memory).await;
    let token = app.signed_up().await;
    let secret = app.change_email_token(&token, NEW).await;
    let mail = app.mails.next().await;
    assert!(mail.link.is_none() && mail.text.contains(&secret) && !mail.text.contains("http"));
    app.confirm_email_change(&secret).await.expect_status(200);
}
