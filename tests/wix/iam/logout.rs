//! `redirect-session` for a logout, and where it leads.

use gatekit::core::AccountName;
use gatekit_testkit::Fault;
use gatekit_tests::{Call, on_every_store};
use serde_json::{Value, json};

use super::{CLIENT, GrantAnswer, REDIRECT_SESSION, SHOP, full_url, path_of};
use crate::site::{EMAIL, Site, WixAnswer};

fn log_out(site: &Site, target: Value) -> Call {
    site.post(REDIRECT_SESSION).json(json!({"logout": {"clientId": CLIENT}, "callbacks": {"postFlowUrl": target}}))
}

on_every_store! {
    /// 7.4.1
    async fn a_logout_ends_both_tokens_and_leads_back(store) {
        let site = Site::iam(store).await;
        let (here, there) = (site.tokens().await, site.tokens().await);
        let target = format!("{SHOP}/goodbye?a=b&c");
        let answer = log_out(&site, target.as_str().into()).token(&here.access).await.expect_status(200);
        assert_eq!(site.me(&here.access).await, 401);
        site.refresh(&here.refresh).await.refuses_grant(400, "invalid_grant");
        let back = site.get(path_of(&full_url(&answer))).await.expect_status(303);
        back.expect_header("location", &target).expect_header("cache-control", "no-store");
        assert_eq!(site.me(&there.access).await, 200);
        site.refresh(&there.refresh).await.expect_status(200);
    }

    async fn who_is_nobody_is_led_back_too(store) {
        let site = Site::iam(store).await;
        for token in ["", "x", &"x".repeat(1000)] {
            let answer = log_out(&site, "/".into()).token(token).await.expect_status(200);
            site.get(path_of(&full_url(&answer))).await.expect_status(303).expect_header("location", "/");
        }
    }

    /// A renewal that is under way cannot bring a session back that was logged out.
    async fn after_a_logout_no_renewal_succeeds(store) {
        let site = Site::iam(store).await;
        for _ in 0..10 {
            let tokens = site.tokens().await;
            let calls = [site.refresh(&tokens.refresh), log_out(&site, "/".into()).token(&tokens.access)];
            let answers = gatekit_tests::at_once(calls).await;
            answers[1].clone().expect_status(200);
            let renewed = answers[0].clone();
            if renewed.status != 200 {
                renewed.refuses_grant(400, "invalid_grant");
                let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
                assert!(site.auth.list_tokens(&user.id).await.unwrap().is_empty());
            } else {
                // It was faster: the logout was of a token that had ended.
                let access = renewed.text("access_token");
                log_out(&site, "/".into()).token(&access).await.expect_status(200);
                assert_eq!(site.me(&access).await, 401);
            }
        }
    }

    /// 3.7.2, O-1, RFC 9700 §4.11
    async fn nobody_is_led_elsewhere(store) {
        let site = Site::iam(store).await;
        let tokens = site.tokens().await;
        for target in [
            "https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "https://shop.example.com@evil.example/",
            "https://shop.example.com.evil.example/", "http://shop.example.com/", "/\r\nX: y", "", "evil", "https:evil.example",
        ] {
            log_out(&site, target.into()).token(&tokens.access).await.refuses(400, "INVALID_REDIRECT");
            let query: String = form(target);
            let path = format!("/_api/iam/authentication/v1/logout?postLogoutRedirectUri={query}");
            site.get(&path).await.refuses(400, "INVALID_REDIRECT");
        }
        let twice = "/_api/iam/authentication/v1/logout?postLogoutRedirectUri=/a&postLogoutRedirectUri=/b";
        site.get(twice).await.refuses(400, "INVALID_REDIRECT");
        // Nobody was logged out by what was refused.
        assert_eq!(site.me(&tokens.access).await, 200);
    }

    /// FM-5: a link that a page of another site makes somebody open ends nothing.
    async fn the_address_itself_ends_nothing(store) {
        let site = Site::iam(store).await;
        let token = site.access_token().await;
        let path = "/_api/iam/authentication/v1/logout?postLogoutRedirectUri=/";
        let answer = site.get(path).cookie(&token).token(&token).await.expect_status(303);
        assert_eq!(answer.header("set-cookie"), "");
        assert_eq!(site.me(&token).await, 200);
    }

    async fn the_client_must_be_known(store) {
        let site = Site::iam(store).await;
        let body = json!({"logout": {"clientId": "another"}, "callbacks": {"postFlowUrl": "/"}});
        site.post(REDIRECT_SESSION).json(body).await.refuses(400, "INVALID_CLIENT");
    }

    /// 7.4.1: with the store down nobody is told that it is done.
    async fn a_store_that_fails_fails_the_logout(store) {
        let site = Site::iam(store).await;
        let tokens = site.tokens().await;
        for n in 1..=3 {
            site.faults.nth(n, Fault::Fail);
            log_out(&site, "/".into()).token(&tokens.access).await.tells_to_try_later();
            site.faults.reset();
        }
        log_out(&site, "/".into()).token(&tokens.access).await.expect_status(200);
        assert_eq!(site.me(&tokens.access).await, 401);
    }
}

/// Percent-encodes all of it.
fn form(text: &str) -> String {
    text.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"))
}
