//! The page in the hidden frame, and which pages are told anything.

use std::time::Duration;

use gatekit_tests::on_every_store;

use super::{SHOP, VERIFIER, full_url, path_of};
use crate::site::{ORIGIN, Site};

on_every_store! {
    async fn the_frame_tells_the_code_to_listed_origins_alone(store) {
        let site = Site::iam(store).await;
        let session = site.iam_session().await;
        let url = full_url(&site.ask_with(&session, |_| {}).await.expect_status(200));
        let page = site.get(path_of(&url)).await.expect_status(200);
        let page = page.expect_header("content-type", "text/html; charset=utf-8").expect_header("cache-control", "no-store");
        let page = page.expect_header("referrer-policy", "no-referrer").expect_header("x-content-type-options", "nosniff");
        let policy = page.header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; script-src 'sha256-"), "{policy}");
        assert!(policy.ends_with(&format!("; frame-ancestors {SHOP} {ORIGIN}")), "{policy}");
        assert!(page.header("x-frame-options").is_empty());
        let code = crate::iam::code_in(&url);
        let script = format!(
            r#"<script>for (const origin of ["{SHOP}","{ORIGIN}"]) parent.postMessage({{"code":"{code}","state":"the state"}}, origin);</script>"#
        );
        assert!(page.body.contains(&script), "{}", page.body);

        // It changes nothing: a browser may load it again. Once the code is spent, it tells
        // nothing.
        site.get(path_of(&url)).await.expect_status(200);
        site.exchange(&code, VERIFIER).await.expect_status(200);
        let spent = site.get(path_of(&url)).await.expect_status(400);
        assert!(!spent.body.contains(&code));
    }

    /// If the browser says which page asks, no other is told.
    async fn who_asks_is_told_and_nobody_else(store) {
        let site = Site::iam(store).await;
        for origin in [SHOP, ORIGIN] {
            let session = site.iam_session().await;
            let asked = site.ask_with(&session, |_| {}).header("origin", origin).await.expect_status(200);
            let page = site.get(path_of(&full_url(&asked))).await.expect_status(200);
            assert!(page.header("content-security-policy").ends_with(&format!("frame-ancestors {origin}")));
            assert!(page.body.contains(&format!("[\"{origin}\"]")), "{}", page.body);
        }
    }

    async fn nothing_in_a_state_becomes_part_of_the_page(store) {
        let site = Site::iam(store).await;
        let session = site.iam_session().await;
        let asked = site.ask_with(&session, |asked| asked["state"] = "</script><script>alert(1)//".into());
        let page = site.get(path_of(&full_url(&asked.await.expect_status(200)))).await.expect_status(200);
        assert_eq!(page.body.matches("<script>").count(), 1, "{}", page.body);
        assert_eq!(page.body.matches("</script>").count(), 1, "{}", page.body);
    }

    async fn an_address_that_has_ended_tells_nothing(store) {
        let site = Site::iam(store).await;
        let session = site.iam_session().await;
        let url = full_url(&site.ask_with(&session, |_| {}).await.expect_status(200));
        let twice = format!("{0}&code={1}", path_of(&url), crate::iam::code_in(&url));
        for path in ["/oauth2/authorize", "/oauth2/authorize?code=", "/oauth2/authorize?code=x&code=y", &twice] {
            site.get(path).await.expect_status(400).expect_header("cache-control", "no-store");
        }
        let long = format!("/oauth2/authorize?code={}", "x".repeat(10_000));
        site.get(&long).await.expect_status(400);
        site.clock.advance(Duration::from_secs(60));
        let late = site.get(path_of(&url)).await.expect_status(400);
        assert!(!late.body.contains("postMessage"));
    }

    /// 3.4.2: pages of listed origins may read the answers, and no cookie is sent with what they
    /// ask.
    async fn pages_of_listed_origins_may_ask(store) {
        let site = Site::iam(store).await;
        for path in [crate::iam::TOKEN, crate::iam::LOGIN, crate::iam::REDIRECT_SESSION] {
            let preflight = |origin: &str| {
                site.call("OPTIONS", path)
                    .header("origin", origin)
                    .header("access-control-request-method", "POST")
                    .header("access-control-request-headers", "authorization,content-type,x-wix-bi-gateway")
            };
            for origin in [SHOP, ORIGIN] {
                let answer = preflight(origin).await.expect_status(200);
                let answer = answer.expect_header("access-control-allow-origin", origin);
                let answer = answer.expect_header("access-control-allow-headers", "authorization,content-type,x-wix-bi-gateway");
                assert_eq!(answer.header("access-control-allow-credentials"), "");
            }
            for origin in ["https://evil.example", "null", "https://shop.example.com.evil.example"] {
                assert_eq!(preflight(origin).await.header("access-control-allow-origin"), "");
            }
        }
        let answer = site.iam_login("nobody@example.com", "x").header("origin", SHOP).await;
        let answer = answer.expect_status(401).expect_header("access-control-allow-origin", SHOP);
        assert!(answer.header("vary").contains("origin"), "{}", answer.header("vary"));
    }
}
