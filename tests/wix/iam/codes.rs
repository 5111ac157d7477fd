//! From a session token to a code, and from a code to tokens.

use std::future::IntoFuture;
use std::time::Duration;

use gatekit::core::AccountName;
use gatekit::{ChangePassword, Event};
use gatekit_testkit::Fault;
use gatekit_tests::{at_once, count, on_every_store};
use serde_json::{Value, json};

use super::{CHALLENGE, CLIENT, GrantAnswer, NEW_PASSWORD, SHOP, Tokens, VERIFIER, code_in, full_url, path_of};
use crate::site::{EMAIL, NOW, ORIGIN, PASSWORD, Site, WixAnswer};

/// What makes one request another.
type Change = fn(&mut Value);

on_every_store! {
    async fn a_code_becomes_tokens_of_the_member(store) {
        let site = Site::iam(store).await;
        let code = site.oauth_code().await;
        let answer = site.exchange(&code, VERIFIER).await.expect_status(200).expect_header("cache-control", "no-store");
        assert_eq!(answer.value()["expires_in"], 14_400);
        let Tokens { access, refresh } = Tokens::of(&answer);
        assert_eq!((access.len(), refresh.len()), (64, 129));
        let me = site.get("/me").token(&access).await.expect_status(200).value();
        assert_eq!((&me["email"], &me["lastLoginDate"]), (&json!(EMAIL), &json!(NOW.0)));
        site.get("/me").header("authorization", format!("Bearer {access}")).await.expect_status(200);
        // It was one login.
        let logins = site.events.take().into_iter().filter(|event| matches!(event, Event::LoggedIn { .. })).count();
        assert_eq!(logins, 1);

        site.clock.advance(Duration::from_secs(14_400));
        assert_eq!(site.me(&access).await, 401);
    }

    /// O-4, 10.4.2
    async fn a_code_works_once_within_a_minute_for_who_asked(store) {
        let site = Site::iam(store).await;
        let code = site.oauth_code().await;
        site.exchange(&code, VERIFIER).await.expect_status(200);
        site.exchange(&code, VERIFIER).await.refuses_grant(400, "invalid_grant");

        let late = site.oauth_code().await;
        site.clock.advance(Duration::from_secs(60));
        site.exchange(&late, VERIFIER).await.refuses_grant(400, "invalid_grant");

        // What is tried with the wrong verifier is spent.
        for wrong in [CHALLENGE, &VERIFIER[1..], "", &"x".repeat(200)] {
            let code = site.oauth_code().await;
            site.exchange(&code, wrong).await.refuses_grant(400, "invalid_grant");
            site.exchange(&code, VERIFIER).await.refuses_grant(400, "invalid_grant");
        }
        for wrong in ["", "x", &"x".repeat(64), &"x".repeat(10_000), "../..", "\u{0}"] {
            site.exchange(wrong, VERIFIER).await.refuses_grant(400, "invalid_grant");
        }
    }

    /// RFC 6749 §4.1.2: a code that comes again was seen by somebody else. The tokens that it gave
    /// end, whoever brings it.
    async fn a_code_that_is_brought_again_ends_the_tokens_that_it_gave(store) {
        let site = Site::iam(store).await;
        let other = site.tokens().await;
        for (verifier, client) in [(VERIFIER, CLIENT), (CHALLENGE, CLIENT), ("", CLIENT)] {
            let code = site.oauth_code().await;
            let tokens = Tokens::of(&site.exchange(&code, VERIFIER).await.expect_status(200));
            assert_eq!(site.me(&tokens.access).await, 200);
            let again = json!({"grantType": "authorization_code", "code": code, "codeVerifier": verifier, "clientId": client});
            site.token(again).await.refuses_grant(400, "invalid_grant");
            assert_eq!(site.me(&tokens.access).await, 401);
            site.refresh(&tokens.refresh).await.refuses_grant(400, "invalid_grant");
            site.exchange(&code, VERIFIER).await.refuses_grant(400, "invalid_grant");
        }
        // The member's other login has come of another code.
        assert_eq!(site.me(&other.access).await, 200);
        site.refresh(&other.refresh).await.expect_status(200);
    }

    /// RFC 6749 §4.1.2, O-6: what the tokens were renewed to ends with them, as long as they can
    /// live.
    async fn a_code_that_is_brought_again_later_ends_what_came_of_it(store) {
        let site = Site::iam(store).await;
        let code = site.oauth_code().await;
        let mut tokens = Tokens::of(&site.exchange(&code, VERIFIER).await.expect_status(200));
        for _ in 0..80 {
            site.clock.advance(Duration::from_secs(14_400));
            tokens = Tokens::of(&site.refresh(&tokens.refresh).await.expect_status(200));
        }
        site.exchange(&code, VERIFIER).await.refuses_grant(400, "invalid_grant");
        assert_eq!(site.me(&tokens.access).await, 401);
        site.refresh(&tokens.refresh).await.refuses_grant(400, "invalid_grant");
    }

    /// 10.4.5, RACE-3: at most one gets tokens for a code. The others have brought it again, so
    /// nothing of it lives.
    async fn of_20_at_once_one_gets_tokens_for_a_code_and_they_end(store) {
        let site = Site::iam(store).await;
        let code = site.oauth_code().await;
        let answers = at_once((0..20).map(|_| site.exchange(&code, VERIFIER))).await;
        assert!(count(&answers, 200) <= 1 && count(&answers, 200) + count(&answers, 400) == 20, "{answers:?}");
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        assert!(site.auth.list_tokens(&user.id).await.unwrap().is_empty());
    }

    /// RACE-3, in the worst order: the code comes again after it was taken and before its tokens
    /// are made.
    async fn a_code_that_is_brought_again_before_its_tokens_are_made_gives_none(store) {
        let site = Site::iam(store).await;
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        for held_call in ["replace_one_time", "insert_token"] {
            let code = site.oauth_code().await;
            let held = site.faults.hold_nth_call_of(held_call, 1);
            let first = tokio::spawn(site.exchange(&code, VERIFIER).into_future());
            held.reached().await;
            site.exchange(&code, VERIFIER).await.refuses_grant(400, "invalid_grant");
            held.release();
            first.await.unwrap().refuses_grant(400, "invalid_grant");
            assert!(site.auth.list_tokens(&user.id).await.unwrap().is_empty(), "{held_call}");
        }
    }

    /// REL-6: a store that fails while a code is exchanged gives no tokens that a second use would
    /// not end.
    async fn a_store_that_fails_during_an_exchange_gives_tokens_that_can_be_ended(store) {
        let site = Site::iam(store).await;
        let mut calls = 0;
        for n in 1.. {
            for fault in [Fault::Fail, Fault::FailAfter] {
                let code = site.oauth_code().await;
                site.faults.reset();
                site.faults.nth(n, fault);
                let answer = site.exchange(&code, VERIFIER).await;
                calls = site.faults.calls().len();
                site.faults.reset();
                if answer.status != 200 {
                    answer.tells_to_try_later();
                    continue;
                }
                let tokens = Tokens::of(&answer);
                assert_eq!(site.me(&tokens.access).await, 200);
                site.exchange(&code, VERIFIER).await.refuses_grant(400, "invalid_grant");
                assert_eq!(site.me(&tokens.access).await, 401, "{fault:?} of call {n}");
            }
            if n > calls {
                break;
            }
        }
        assert!(calls > 5, "{calls}");
    }

    /// J-17
    async fn of_20_at_once_one_gets_a_code_for_a_session_token(store) {
        let site = Site::iam(store).await;
        let session = site.iam_session().await;
        let answers = at_once((0..20).map(|_| site.ask_with(&session, |_| {}))).await;
        assert_eq!((count(&answers, 200), count(&answers, 401)), (1, 19));
        site.apply(&session).await.refuses(401, "-19984");
    }

    /// RACE-9, RACE-10, 7.4.2
    async fn a_code_ends_with_the_password_or_a_block(store) {
        let site = Site::iam(store).await;
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        let code = site.oauth_code().await;
        site.auth.change_password(ChangePassword::new(user.id.clone(), PASSWORD, NEW_PASSWORD)).await.unwrap();
        site.exchange(&code, VERIFIER).await.refuses_grant(400, "invalid_grant");
        site.auth.change_password(ChangePassword::new(user.id.clone(), NEW_PASSWORD, PASSWORD)).await.unwrap();

        let code = site.oauth_code().await;
        site.members.block_by_email(EMAIL).await.unwrap();
        site.exchange(&code, VERIFIER).await.refuses_grant(400, "invalid_grant");
        site.members.approve_by_email(EMAIL).await.unwrap();
        site.exchange(&code, VERIFIER).await.refuses_grant(400, "invalid_grant");
    }

    async fn a_session_token_that_is_not_good_gets_no_code(store) {
        let site = Site::iam(store).await;
        let spent = site.session_token().await;
        site.apply(&spent).await.expect_status(200);
        let late = site.iam_session().await;
        site.clock.advance(Duration::from_secs(120));
        for token in [spent.as_str(), &late, "JWS.a.b.c", "x"] {
            site.ask_with(token, |_| {}).await.refuses(401, "-19984");
        }
        // The SDK would wait for two minutes for a frame that says nothing.
        site.ask_with("", |_| {}).await.refuses(400, "LOGIN_REQUIRED");
        site.ask_with("x", |asked| asked["sessionToken"] = Value::Null).await.refuses(400, "LOGIN_REQUIRED");
    }

    /// 10.4.1, 10.4.6, O-1, O-4. A session token is not spent on what is refused.
    async fn what_a_client_may_not_ask_for_is_refused(store) {
        let site = Site::iam(store).await;
        let session = site.iam_session().await;
        let wrong: [(Change, &str); 17] = [
            (|asked| asked["clientId"] = "another".into(), "INVALID_CLIENT"),
            (|asked| asked["clientId"] = Value::Null, "-19988"),
            (|asked| asked["codeChallengeMethod"] = "plain".into(), "-19988"),
            (|asked| asked["codeChallengeMethod"] = Value::Null, "-19988"),
            (|asked| asked["codeChallenge"] = "short".into(), "-19988"),
            (|asked| asked["codeChallenge"] = Value::Null, "-19988"),
            (|asked| asked["responseType"] = "token".into(), "-19988"),
            (|asked| asked["responseMode"] = "form_post".into(), "-19988"),
            (|asked| asked["state"] = "".into(), "-19988"),
            (|asked| asked["state"] = "x".repeat(513).into(), "-19988"),
            (|asked| asked["state"] = 7.into(), "-19988"),
            (|asked| asked["responseMode"] = "fragment".into(), "-19988"),
            (|asked| asked["redirectUri"] = "https://evil.example/".into(), "INVALID_REDIRECT"),
            (|asked| asked["redirectUri"] = "//evil.example/".into(), "INVALID_REDIRECT"),
            (|asked| asked["redirectUri"] = "/callback".into(), "INVALID_REDIRECT"),
            (|asked| asked["redirectUri"] = "https://shop.example.com.evil.example/".into(), "INVALID_REDIRECT"),
            (|asked| asked["redirectUri"] = "https://shop.example.com/#x".into(), "INVALID_REDIRECT"),
        ];
        for (change, code) in wrong {
            site.ask_with(&session, change).await.refuses(400, code);
        }
        site.ask_with(&session, |_| {}).header("origin", "https://evil.example").await.refuses(403, "INVALID_ORIGIN");
        site.ask_with(&session, |_| {}).header("origin", "null").await.refuses(403, "INVALID_ORIGIN");
        site.ask_with(&session, |_| {}).header("origin", SHOP).await.expect_status(200);
    }

    async fn a_code_in_an_address_is_bound_to_that_address(store) {
        let site = Site::iam(store).await;
        for (mode, mark) in [("fragment", '#'), ("query", '?')] {
            let code = || async {
                let session = site.iam_session().await;
                let asked = site.ask_with(&session, |asked| {
                    asked["redirectUri"] = format!("{SHOP}/callback").into();
                    asked["responseMode"] = mode.into();
                });
                let url = full_url(&asked.await.expect_status(200));
                let answer = site.get(path_of(&url)).await.expect_status(303);
                let answer = answer.expect_header("referrer-policy", "no-referrer").expect_header("cache-control", "no-store");
                let code = code_in(&url);
                answer.expect_header("location", &format!("{SHOP}/callback{mark}code={code}&state=the+state"));
                code
            };
            let exchange = |code: String, uri: Value| {
                let mut body = json!({"grantType": "authorization_code", "code": code, "codeVerifier": VERIFIER});
                body["redirectUri"] = uri;
                site.token(body)
            };
            exchange(code().await, format!("{SHOP}/callback").into()).await.expect_status(200);
            exchange(code().await, format!("{SHOP}/other").into()).await.refuses_grant(400, "invalid_grant");
            exchange(code().await, format!("{ORIGIN}/callback").into()).await.refuses_grant(400, "invalid_grant");
            exchange(code().await, Value::Null).await.refuses_grant(400, "invalid_grant");
        }
    }

    /// 7.5.1: a member that was logged in by the app has verified no factor.
    async fn only_a_password_makes_the_tokens_fresh(store) {
        let site = Site::iam(store).await;
        let by_password = site.members.login(EMAIL, PASSWORD).await.unwrap();
        let by_app = site.members.generate_session_token(EMAIL).await.unwrap();
        for (session, fresh) in [(by_password, true), (by_app, false)] {
            let asked = site.ask_with(session.expose(), |_| {}).await.expect_status(200);
            let answer = site.exchange(&code_in(&full_url(&asked)), VERIFIER).await.expect_status(200);
            let caller = site.auth.authenticate(&answer.text("access_token")).await.unwrap();
            assert_eq!(!caller.token.unwrap().proofs.is_empty(), fresh);
        }
    }
}
