//! `POST /api/users/{id}/verify` and `GET /api/users/confirm`.

use std::time::Duration;

use axum::Router;
use gatekit::core::{MailKind, redirect};
use gatekit::{Auth, AuthLayer, Event, MemoryStore, Policy, VerifyOptions, routes};
use gatekit_testkit::Fault::{Fail, FailAfter};
use gatekit_testkit::{MailBehavior, fast_hasher};
use gatekit_tests::{App, Call, EMAIL, PASSWORD, Store, at_once, count, on_every_store};
use serde_json::json;

const CONFIRM: &str = "/api/users/confirm";

fn invalid_token(shown: &str) -> String {
    format!(
        r#"{{"error":{{"statusCode":400,"name":"Error","message":"Invalid token{shown}","code":"INVALID_TOKEN"}}}}"#
    )
}

fn required(name: &str) -> String {
    format!(r#"{{"error":{{"statusCode":400,"name":"Error","message":"{name} is a required argument"}}}}"#)
}

/// With as many mails as the test asks for.
fn unlimited(mut policy: Policy) -> Policy {
    (policy.mail.per_hour, policy.mail.per_day) = (u32::MAX, u32::MAX);
    policy
}

async fn is_verified(app: &App, token: &str) -> bool {
    app.me(token).await.expect_status(200).value().get("emailVerified") == Some(&json!(true))
}

on_every_store! {
    /// Where the kit does not know how users reach the app, there is no link to open.
    async fn without_a_link_the_mail_says_that_there_is_a_code(store) {
        let app = App::with(gatekit::Policy::loopback()).no_public_url().start(store).await;
        app.sign_up().await;
        app.post("/api/users/1/verify").await.expect_no_content();
        let mail = app.mails.next().await;
        assert_eq!(mail.link, None);
        assert!(mail.text.contains("entering this code") && !mail.text.contains("link"));
    }

    /// Contract §5.7: everyone may ask, the body is ignored, and the mail is LoopBack's.
    async fn the_mail_is_loopbacks_and_its_link_proves_the_address(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        assert_eq!(app.mails.attempts(), 0);
        app.post("/api/users/1/verify").json(r#"{"type":"sms","to":"evil@x.com","from":"z@z.z"}"#).await.expect_no_content();
        let mail = app.mails.next().await;
        let secret = app.mails.last_token().await;
        let link = format!("https://app.example.com/api/users/confirm?uid=1&redirect=%2F&token={secret}");
        assert!(secret.len() == 64 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
        assert_eq!((mail.kind, mail.to.as_str(), mail.subject.as_str()), (MailKind::VerifyEmail, EMAIL, "Thanks for Registering"));
        assert_eq!(mail.text, format!("Please verify your email by opening this link in a web browser:\n\t{link}"));
        assert_eq!(mail.link.as_deref(), Some(link.as_str()));
        assert!(!is_verified(&app, &token).await, "asking proves nothing");
        let _ = app.events.take();
        let path = link.strip_prefix("https://app.example.com").unwrap();
        let answer = app.get(path).await.is(302, "").expect_header("location", "/");
        assert!(answer.headers.get("content-type").is_none() && answer.headers.get("set-cookie").is_none());
        assert!(matches!(&app.events.take()[..], [Event::EmailVerified { user }] if user.email_verified == Some(true)));
        app.get("/api/users/1")
            .token(&token)
            .await
            .is(200, r#"{"username":"Foo","email":"foo@bar.com","emailVerified":true,"id":1}"#);
        assert_eq!(app.mails.attempts(), 1);
    }

    /// Contract §5.8, transcript 05: [12] to [28].
    async fn a_confirmation_is_answered_as_loopback_answers_it(store) {
        let app = App::with(unlimited(Policy::loopback())).start(store).await;
        let token = app.signed_up().await;
        let secret = app.verification_token(1).await;
        let old = "x".repeat(64);
        let unknown = |uid: &str| {
            format!(r#"{{"error":{{"statusCode":404,"name":"Error","message":"User not found: {uid}","code":"USER_NOT_FOUND"}}}}"#)
        };
        for (query, status, answer) in [
            (String::new(), 400, required("uid")),
            ("?uid=1".into(), 400, required("token")),
            ("?uid=1&token=".into(), 400, required("token")),
            (format!("?token={secret}"), 400, required("uid")),
            (format!("?uid=&token={secret}"), 400, required("uid")),
            ("?uid=1&token=bad".into(), 400, invalid_token(": bad")),
            ("?uid=1&token=bad&redirect=/x".into(), 400, invalid_token(": bad")),
            // LoopBack repeats it. What looks like a secret of ours may be one.
            (format!("?uid=1&token={old}"), 400, invalid_token("")),
            (format!("?uid=999&token={secret}"), 404, unknown("999")),
            (format!("?uid=abc&token={secret}"), 404, unknown("abc")),
            (format!("?uid=01&token={secret}"), 404, unknown("01")),
            ("?uid=999&token=bad".into(), 404, unknown("999")),
            (format!("?uid=1&token={}-", &secret[..63]), 400, invalid_token("")),
            (format!("?uid=1&token={}", secret.to_lowercase()), 400, invalid_token("")),
        ] {
            app.get(&format!("{CONFIRM}{query}")).await.is(status, &answer);
            assert!(!is_verified(&app, &token).await, "{query}");
        }
        let path = format!("{CONFIRM}?uid=1&redirect=%2Fwelcome&token={secret}");
        app.get(&path).await.is(302, "").expect_header("location", "/welcome");
        assert!(is_verified(&app, &token).await);
        // Again, who has verified it already: by the same link, and by others with no redirect and
        // an empty one.
        app.get(&path).await.is(302, "").expect_header("location", "/welcome");
        for end in ["", "&redirect="] {
            let secret = app.verification_token(1).await;
            app.get(&format!("{CONFIRM}?uid=1&token={secret}{end}")).await.expect_no_content();
            assert!(is_verified(&app, &token).await);
        }
        // LoopBack's Angular SDK sends this, always.
        let secret = app.verification_token(1).await;
        app.get(&format!("{CONFIRM}?uid=1&token={secret}&redirect=%7B%7D")).await.expect_no_content();
    }

    /// Whoever asks for another link takes nothing away: the one in the mailbox stays good.
    async fn earlier_links_stay_good_until_one_is_used(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            for which in 0..3 {
                let app = App::with(policy.clone()).start(store).await;
                let token = app.signed_up().await;
                let mut secrets = Vec::new();
                for _ in 0..3 {
                    secrets.push(app.verification_token(1).await);
                }
                app.confirm(1, &secrets[which]).await.expect_no_content();
                assert!(is_verified(&app, &token).await);
            }
        }
    }

    /// The used link and all others of the user end with one use: none of them verifies the address
    /// again once it is unverified.
    async fn a_used_link_and_its_neighbours_verify_nothing_again(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let (first, second) = (app.verification_token(1).await, app.verification_token(1).await);
        app.confirm(1, &first).await.expect_no_content();
        for email in ["new@bar.com", EMAIL] {
            app.patch("/api/users/1").token(&token).json(json!({"email": email})).await.expect_status(200);
        }
        assert!(!is_verified(&app, &token).await);
        for secret in [&first, &second] {
            app.confirm(1, secret).await.is(400, &invalid_token(""));
        }
        assert!(!is_verified(&app, &token).await);
    }

    /// 2.4.1: one account gets three mails within an hour and ten within a day, whoever asks and by
    /// which route; and while no more are sent, as many links as that are good.
    async fn one_account_gets_a_few_mails_and_all_of_their_links_are_good(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            app.sign_up().await;
            app.sign_up_as("second@bar.com").await;
            let ask = async |count: usize| {
                for n in 0..count {
                    let answer = match n % 2 {
                        0 => app.post("/api/users/1/verify").await,
                        _ => app.post("/api/users/resend-verification").json(json!({"email": EMAIL})).await,
                    };
                    answer.expect_no_content();
                }
                app.mails.mails().len()
            };
            assert_eq!(ask(3).await, 3);
            assert_eq!(ask(10).await, 3, "three in an hour");
            app.post("/api/users/2/verify").await.expect_no_content();
            assert_eq!(app.mails.mails().len(), 4, "another account has limits of its own");
            let hour = Duration::from_secs(3600);
            app.clock.advance(hour - Duration::from_millis(1));
            assert_eq!(ask(1).await, 4);
            for expected in [7, 10, 11] {
                app.clock.advance(hour);
                assert_eq!(ask(5).await, expected, "three in each hour, and ten in a day");
            }
            app.clock.advance(Duration::from_secs(20 * 3600) - Duration::from_millis(1));
            for mail in app.mails.mails().iter().filter(|mail| mail.to == EMAIL) {
                let path = mail.link.as_deref().and_then(|link| link.rsplit_once('=')).unwrap().1;
                app.confirm(1, path).await.expect_no_content();
            }
        }
    }

    /// Case 10: done already is not told as failed.
    async fn a_link_that_was_used_leads_where_it_led_the_first_time(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let secret = app.verification_token(1).await;
        for _ in 0..3 {
            app.confirm(1, &secret).await.expect_no_content();
        }
        let events = app.events.take();
        let verified = events.iter().filter(|event| matches!(event, Event::EmailVerified { .. })).count();
        assert_eq!(verified, 1, "it is verified once");
        // For as long as it would have been good, of its own user, and no longer.
        app.post("/api/users/confirm").json(json!({"uid": "2", "token": &secret})).await.is(400, &invalid_token(""));
        app.clock.advance(Duration::from_secs(86_400));
        app.confirm(1, &secret).await.is(400, &invalid_token(""));
        assert!(is_verified(&app, &token).await);
    }

    /// 3.5.1: mail scanners and previews open every link.
    async fn under_the_default_policy_a_get_changes_nothing_and_leads_a_browser_to_a_page_with_a_button(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let secret = app.verification_token(1).await;
        let link = app.mails.mails()[0].link.clone().unwrap();
        let path = link.strip_prefix("https://app.example.com").unwrap();
        for accept in ["*/*", "application/json", "application/json, text/plain, */*"] {
            let answer = app.get(path).header("accept", accept).await.expect(405, "CONFIRM_BY_POST");
            answer.expect_header("allow", "POST");
        }
        let browser = "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8";
        let answer = app.get(path).header("accept", browser).await.is(302, "");
        let query = path.split_once('?').unwrap().1;
        answer.expect_header("location", &format!("confirm-email?{query}")).expect_header("cache-control", "no-store");
        let page = app.get(&format!("/api/users/confirm-email?{query}")).header("accept", browser).await.expect_status(200);
        assert!(page.body.contains(EMAIL) && page.body.contains("action=\"confirm\"") && page.body.contains(&secret));
        assert!(!is_verified(&app, &token).await, "no GET verifies it");
        let form = format!("uid=1&redirect=%2F&token={secret}");
        for _ in 0..2 {
            let answer = app.post(CONFIRM).header("accept", browser).form(&form).await;
            answer.expect_status(303).expect_header("location", "/").expect_header("referrer-policy", "no-referrer");
            assert!(is_verified(&app, &token).await);
        }
        let page = app.get(&format!("/api/users/confirm-email?{query}")).header("accept", browser).await.expect_status(200);
        assert!(page.body.contains("already") && !page.body.contains("<form"));
        let bad = app.get("/api/users/confirm-email?uid=1&token=bad").header("accept", browser).await.expect_status(400);
        assert!(!bad.body.contains("<form"));
        let bad = app.post(CONFIRM).header("accept", browser).form("uid=1&token=bad").await.expect_status(400);
        assert!(bad.body.contains("does not work"));
    }

    /// 1.2.1: what stands in the page is escaped, and the page may load and run nothing.
    async fn the_page_of_the_link_is_escaped(store) {
        let app = App::new(store).await;
        app.post("/api/users").json(json!({"email": "\"<b>&x\"@bar.com", "password": PASSWORD})).await;
        app.sign_up().await;
        let query = "uid=1&token=%22%3E%3Cscript%3E&redirect=%2F%22%3E%3Cscript%3E";
        let page = app.get(&format!("/api/users/confirm-email?{query}")).header("accept", "text/html").await;
        assert!(!page.body.contains("<script"), "{page:?}");
        let csp = page.headers["content-security-policy"].to_str().unwrap();
        assert!(csp.starts_with("default-src 'none'; form-action 'self';"), "{csp}");
    }

    /// 6.5.5: in LoopBack it never ends. Valid strictly before its end.
    async fn a_link_ends_with_its_time(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let secret = app.verification_token(1).await;
        app.clock.advance(Duration::from_millis(86_399_999));
        app.confirm(1, "x").await.expect(400, "INVALID_TOKEN");
        app.clock.advance(Duration::from_millis(1));
        app.confirm(1, &secret).await.is(400, &invalid_token(""));
        assert!(!is_verified(&app, &token).await);
        let secret = app.verification_token(1).await;
        app.clock.advance(Duration::from_millis(86_399_999));
        app.confirm(1, &secret).await.expect_no_content();
        assert!(is_verified(&app, &token).await);
    }

    /// V-78, V-79: a secret is for the address it was mailed to.
    async fn a_link_to_an_old_address_does_not_prove_the_new_one(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let secret = app.verification_token(1).await;
        app.patch("/api/users/1").token(&token).json(json!({"email": "new@bar.com"})).await.expect_status(200);
        app.confirm(1, &secret).await.is(400, &invalid_token(""));
        assert!(!is_verified(&app, &token).await);
        let new = app.verification_token(1).await;
        assert_eq!(app.mails.mails().last().unwrap().to, "new@bar.com");
        app.confirm(1, &secret).await.is(400, &invalid_token(""));
        app.confirm(1, &new).await.expect_no_content();
        assert!(is_verified(&app, &token).await);
    }

    /// The same at the same moment: whatever comes first, an address that nobody proved is never
    /// shown as proven.
    async fn a_link_that_is_used_while_the_address_changes_proves_only_its_own(store) {
        for round in 0..10 {
            let app = App::loopback(store).await;
            let token = app.signed_up().await;
            let secret = app.verification_token(1).await;
            let answers = at_once([
                app.confirm(1, &secret),
                app.patch("/api/users/1").token(&token).json(json!({"email": "new@bar.com"})),
            ])
            .await;
            assert_eq!(answers[1].status, 200, "{round}");
            assert!([204, 400].contains(&answers[0].status.as_u16()), "{round}: {:?}", answers[0]);
            let user = app.me(&token).await.value();
            assert_eq!(user["email"], "new@bar.com");
            assert_ne!(user.get("emailVerified"), Some(&json!(true)), "{round}: {user}");
        }
    }

    /// RACE-3, 6.5.1, V-65
    async fn of_20_uses_of_one_link_at_once_one_verifies_and_none_is_told_that_it_failed(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let secret = app.verification_token(1).await;
        let _ = app.events.take();
        let answers = at_once((0..20).map(|_| app.confirm(1, &secret))).await;
        assert_eq!(count(&answers, 204), 20, "the address is verified, whoever was first: {answers:?}");
        assert!(is_verified(&app, &token).await);
        assert_eq!(app.events.take().len(), 1, "it is told once");
    }

    /// RACE-3, 2.4.1: what is asked for at once does not end each other, nor go beyond the limit.
    async fn of_20_mails_asked_for_at_once_three_are_sent_and_all_are_good(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let answers = at_once((0..20).map(|_| app.post("/api/users/1/verify"))).await;
        assert_eq!(count(&answers, 204), 20);
        let mails = app.mails.mails();
        assert_eq!(mails.len(), 3);
        for mail in mails {
            let link = mail.link.unwrap();
            app.confirm(1, link.rsplit('=').next().unwrap()).await.expect_no_content();
        }
    }

    /// 2.3.3, REL-3: the secret is as good as it was.
    async fn a_store_that_fails_leaves_the_secret_good(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let secret = app.verification_token(1).await;
        for call in ["find_one_time", "find_user", "update_user", "spend_one_time"] {
            app.faults.every_call_of(call, Fail);
            app.confirm(1, &secret).await.expect_unavailable();
            app.faults.reset();
        }
        app.confirm(1, &secret).await.expect_no_content();
        assert!(is_verified(&app, &token).await);
        // An asked-for mail that could not be stored is not sent.
        for call in ["find_user", "insert_one_time_within"] {
            for fault in [Fail, FailAfter] {
                app.faults.every_call_of(call, fault);
                app.post("/api/users/1/verify").await.expect_unavailable();
                app.faults.reset();
            }
        }
        assert_eq!(app.mails.attempts(), 1);
    }

    /// CWE-601, 14.2.1: LoopBack goes wherever the link says.
    async fn a_redirect_stays_on_the_site_or_goes_where_the_app_said(store) {
        let setup = App::with(unlimited(Policy::loopback()));
        let setup = setup.configure(|auth| auth.redirect_origin("https://web.example.com").redirect_origin("http://localhost:8080"));
        let app = setup.start(store).await;
        app.sign_up().await;
        for target in [
            "/welcome",
            "/",
            "/a?b=c#d",
            "/%2F%2Fevil.example",
            "https://web.example.com",
            "https://web.example.com/x?y=z",
            "http://localhost:8080/done",
        ] {
            let secret = app.verification_token(1).await;
            let path = format!("{CONFIRM}?uid=1&token={secret}&redirect={}", encode(target));
            app.get(&path).await.is(302, "").expect_header("location", target);
        }
        for target in [
            "https://evil.example/",
            "//evil.example",
            "///evil.example",
            "/\\evil.example",
            "\\\\evil.example",
            "/\t/evil.example",
            "/\n/evil.example",
            "\t//evil.example",
            " //evil.example",
            "https:evil.example",
            "https:/evil.example",
            "https://web.example.com.evil.example/",
            "https://web.example.com@evil.example/",
            "https://web.example.com:443@evil.example/",
            "https://web.example.com:8443/",
            "http://web.example.com/",
            "HTTPS://WEB.EXAMPLE.COM/",
            "javascript:alert(1)",
            "data:text/html,x",
            "welcome",
            "?x",
            "/a\r\nSet-Cookie: access_token=x",
            "/a\0b",
            "{}",
            "null",
        ] {
            let secret = app.verification_token(1).await;
            let path = format!("{CONFIRM}?uid=1&token={secret}&redirect={}", encode(target));
            let answer = app.get(&path).await.expect_no_content();
            assert!(answer.headers.get("location").is_none() && answer.headers.get("set-cookie").is_none(), "{target:?}");
            assert!(!redirect::is_allowed(target, &["https://web.example.com".to_owned()]), "{target:?}");
        }
        // What no header can hold.
        for target in ["/ümlaut", "/🦀"] {
            let secret = app.verification_token(1).await;
            let path = format!("{CONFIRM}?uid=1&token={secret}&redirect={}", encode(target));
            let answer = app.get(&path).await;
            assert!([204, 302].contains(&answer.status.as_u16()), "{answer:?}");
        }
        // None of it without the right secret.
        app.get(&format!("{CONFIRM}?uid=1&token=bad&redirect=/x")).await.is(400, &invalid_token(": bad"));
    }

    /// 6.3.8, V-21: an unknown id cannot be told from a known one.
    async fn under_the_default_policy_an_unknown_id_looks_and_costs_the_same(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let cost = async |id: &str| {
            app.faults.reset();
            let answer = app.post(&format!("/api/users/{id}/verify")).await.expect_no_content();
            (answer, app.faults.calls())
        };
        let known = cost("1").await;
        for id in ["2", "999", "-1", "9223372036854775807"] {
            let unknown = cost(id).await;
            assert_eq!(known.0.as_sent(), unknown.0.as_sent(), "{id}");
            assert_eq!(known.1, unknown.1, "{id}");
        }
        for id in ["abc", "01", "1.0", "x%00", "%F0%9F%A6%80", "99999999999999999999"] {
            let unknown = cost(id).await;
            assert_eq!(known.0.as_sent(), unknown.0.as_sent(), "{id}");
        }
        assert_eq!(app.mails.wait_for(1).await.len(), 1);

        let secret = app.verification_token(1).await;
        let wrong = app.confirm(1, "bad").await.is(400, &invalid_token(": bad"));
        for uid in ["2", "abc", "01", "%00", "-1"] {
            let unknown = app.post(&format!("{CONFIRM}?uid={uid}&token=bad")).await;
            assert_eq!(wrong.as_sent(), unknown.as_sent(), "{uid}");
            app.post(&format!("{CONFIRM}?uid={uid}&token={secret}")).await.is(400, &invalid_token(""));
        }
        app.confirm(1, &secret).await.expect_no_content();
    }

    /// 2.4.1: everybody may ask for anybody's mail, but not for one that nobody needs.
    async fn under_the_default_policy_a_proven_address_gets_no_more_mails(store) {
        for (policy, mails) in [(Policy::default(), 1), (Policy::loopback(), 2)] {
            let app = App::with(policy).start(store).await;
            app.sign_up().await;
            app.faults.reset();
            let first = app.post("/api/users/1/verify").await.expect_no_content();
            let cost = app.faults.calls();
            app.mails.wait_for(1).await;
            let secret = app.mails.last_token().await;
            app.confirm(1, &secret).await.expect_no_content();
            app.faults.reset();
            let second = app.post("/api/users/1/verify").await.expect_no_content();
            assert_eq!((first.as_sent(), cost), (second.as_sent(), app.faults.calls()));
            app.wait_for_attempts(mails).await;
            tokio::task::yield_now().await;
            assert_eq!(app.mails.attempts(), mails);
        }
    }

    async fn under_loopbacks_policy_an_unknown_id_is_told(store) {
        let app = App::loopback(store).await;
        for id in ["1", "999", "abc"] {
            app.post(&format!("/api/users/{id}/verify")).await.is(
                404,
                &format!(
                    r#"{{"error":{{"statusCode":404,"name":"Error","message":"could not find a model with id {id}","code":"MODEL_NOT_FOUND"}}}}"#
                ),
            );
        }
        app.post("/api/users/%zz/verify").await.expect_error(400);
        assert_eq!(app.mails.attempts(), 0);
    }

    /// 6.6.2, 9.2.2: each secret opens its own door.
    async fn a_secret_for_one_purpose_is_good_for_no_other(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        app.sign_up_as("second@bar.com").await;
        let verify = app.verification_token(1).await;
        let reset = app.reset_token().await;
        let change = app.change_email_token(&token, "new@bar.com").await;
        for other in [&reset, &change, &token] {
            app.confirm(1, other).await.is(400, &invalid_token(""));
        }
        for other in [&reset, &verify, &token] {
            app.confirm_email_change(other).await.expect(400, "INVALID_TOKEN");
        }
        for other in [&verify, &change] {
            app.reset_password(other, "staple").await.expect(401, "AUTHORIZATION_REQUIRED");
            app.me(other).await.expect(401, "AUTHORIZATION_REQUIRED");
            app.get("/maybe").token(other).await.is(200, "anonymous");
            app.delete("/api/users/1").token(other).await.expect(401, "AUTHORIZATION_REQUIRED");
        }
        // Of user 1, for user 2.
        app.confirm(2, &verify).await.is(400, &invalid_token(""));
        let second = app.token_of("second@bar.com").await;
        assert!(!is_verified(&app, &second).await && !is_verified(&app, &token).await);
        app.confirm(1, &verify).await.expect_no_content();
    }

    /// 3.5.1: a GET that only looks is no use of it, and other methods are other routes.
    async fn only_a_get_spends_a_secret(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let secret = app.verification_token(1).await;
        let path = format!("{CONFIRM}?uid=1&token={secret}");
        for method in ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"] {
            let answer = app.call(method, &path).await;
            assert!(answer.status.is_client_error(), "{method}: {answer:?}");
            assert!(!is_verified(&app, &token).await, "{method}");
        }
        let mails = app.mails.attempts();
        for method in ["GET", "PUT", "PATCH", "DELETE", "HEAD"] {
            app.call(method, "/api/users/1/verify").token(&token).await.expect_status(404);
        }
        assert_eq!(app.mails.attempts(), mails);
        app.get(&path).await.expect_no_content();
    }

    /// 1.5.2, FUZZ-9
    async fn arguments_of_any_kind_are_a_clients_matter(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            app.sign_up().await;
            let long = "x".repeat(5000);
            for value in ["%00", "%ff", "%", "%zz", "%0d%0a", "[]", "%7B%7D", "1e400", "🦀", "null", &long] {
                let value = value.replace('🦀', "%F0%9F%A6%80");
                for query in [format!("uid={value}&token=x"), format!("uid=1&token={value}"), format!("uid=1&token=x&redirect={value}")] {
                    for call in [app.get(&format!("{CONFIRM}?{query}")), app.post(&format!("{CONFIRM}?{query}"))] {
                        let answer = call.await;
                        assert!([400, 404, 405].contains(&answer.status.as_u16()), "{query}: {answer:?}");
                    }
                    let page = app.get(&format!("/api/users/confirm-email?{query}")).await;
                    assert!([400, 401, 404].contains(&page.status.as_u16()), "{query}: {page:?}");
                }
            }
        }
    }

    /// REL-10
    async fn a_mailer_that_fails_or_hangs_is_not_the_requests_matter(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        for behavior in [MailBehavior::Fail, MailBehavior::Hang] {
            let attempts = app.mails.attempts();
            app.mails.behave(behavior);
            app.post("/api/users/1/verify").await.expect_no_content();
            app.wait_for_attempts(attempts + 1).await;
        }
        app.mails.behave(MailBehavior::Deliver);
        let secret = app.verification_token(1).await;
        app.confirm(1, &secret).await.expect_no_content();
    }

    /// V-85, 4.1.3: what a request says of its host is not believed.
    async fn the_link_is_made_of_the_mount_and_the_public_url(store) {
        for prefix in ["/api/users", "/accounts", "/v2/api/Users"] {
            let app = App::with(Policy::loopback()).prefix(prefix).start(store).await;
            app.post(prefix).json(json!({"email": EMAIL, "password": PASSWORD})).await.expect_status(200);
            app.post(&format!("{prefix}/1/verify"))
                .header("host", "evil.example")
                .header("x-forwarded-host", "evil.example")
                .header("x-forwarded-proto", "http")
                .header("origin", "https://evil.example")
                .await
                .expect_no_content();
            let mail = app.mails.next().await;
            let secret = app.mails.last_token().await;
            let path = format!("{prefix}/confirm?uid=1&redirect=%2F&token={secret}");
            assert_eq!(mail.link, Some(format!("https://app.example.com{path}")));
            assert!(!mail.text.contains("evil"));
            app.get(&path).await.expect_status(302);
        }
    }
}

/// A value of a query, percent-encoded.
fn encode(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// LoopBack's `verifyOptions`.
#[tokio::test]
async fn the_app_says_what_the_mail_says_and_where_its_link_leads() {
    let mut options = VerifyOptions::default();
    options.from = Some("me@my.org".into());
    options.subject = "S".into();
    options.text = "Go {href} now".into();
    options.redirect = "/done?a=b&c".into();
    let with = |options: VerifyOptions| App::with(Policy::loopback()).configure(|auth| auth.verify_options(options));
    let app = with(options.clone()).start(Store::Memory).await;
    app.sign_up().await;
    let secret = app.verification_token(1).await;
    let mail = app.mails.next().await;
    let link = format!("https://app.example.com/api/users/confirm?uid=1&redirect=%2Fdone%3Fa%3Db%26c&token={secret}");
    assert_eq!((mail.from.as_deref(), mail.subject.as_str()), (Some("me@my.org"), "S"));
    assert_eq!((mail.text, mail.link.as_deref()), (format!("Go {link} now"), Some(link.as_str())));
    let path = link.strip_prefix("https://app.example.com").unwrap();
    app.get(path).await.is(302, "").expect_header("location", "/done?a=b&c");

    // A page of the app, which sends the two values on.
    for (href, separator) in [("https://web.example.com/verified", "?"), ("https://web.example.com/v?lang=de", "&")] {
        options.verify_href = Some(href.into());
        let app = with(options.clone()).start(Store::Memory).await;
        app.sign_up().await;
        let secret = app.verification_token(1).await;
        let link = format!("{href}{separator}uid=1&redirect=%2Fdone%3Fa%3Db%26c&token={secret}");
        assert_eq!(app.mails.next().await.link, Some(link));
        app.confirm(1, &secret).await.expect_no_content();
    }
}

#[tokio::test]
async fn without_a_public_url_the_mail_holds_the_secret_and_no_link() {
    let app = App::with(Policy::loopback()).no_public_url().start(Store::Memory).await;
    app.sign_up().await;
    let secret = app.verification_token(1).await;
    let mail = app.mails.next().await;
    assert_eq!(mail.link, None);
    assert!(mail.text.contains(&secret) && !mail.text.contains("http"));
    app.confirm(1, &secret).await.expect_no_content();
}

/// Contract, surprise 12: in LoopBack one such request from anybody ends the process.
#[tokio::test]
async fn an_app_without_a_mailer_goes_on() {
    let store = MemoryStore::new();
    let auth: Auth = Auth::builder(store)
        .policy(Policy::loopback())
        .hasher(fast_hasher())
        .public_url("https://app.example.com")
        .build()
        .unwrap();
    let router: Router = Router::new().nest("/api/users", routes::all(&auth)).layer(AuthLayer::new(auth));
    let body = json!({"email": EMAIL, "password": PASSWORD});
    Call::new(&router, "POST", "/api/users").json(body).await.expect_status(200);
    Call::new(&router, "POST", "/api/users/1/verify").await.expect_no_content();
    Call::new(&router, "GET", "/api/users/confirm?uid=1&token=x").await.expect(400, "INVALID_TOKEN");
}
