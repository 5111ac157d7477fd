//! A store that fails is a page that says so, and nothing else: not "logged out", not "wrong
//! password".

use gatekit_testkit::Fault;
use gatekit_tests::{EMAIL, PASSWORD, on_every_store};

use crate::site::{PageAnswer, Site};

on_every_store! {
    async fn a_store_that_fails_is_a_503_page(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        site.app.faults.every(Fault::Fail);
        for path in ["/account", "/change-password", "/change-email", "/confirm-password", "/delete-account", "/login"] {
            let answer = browser.get(path).await.page(503, "Not available right now").expect_header("retry-after", "1");
            answer.says(&format!(r#"<a href="{path}">Try again</a>"#));
        }
        for (path, fields) in [
            ("/login", &[("email", EMAIL), ("password", PASSWORD)][..]),
            ("/register", &[("email", "new@bar.com"), ("password", PASSWORD)]),
            ("/forgot-password", &[("email", EMAIL)]),
            ("/resend-verification", &[("email", EMAIL)]),
            ("/change-password", &[("current_password", PASSWORD), ("password", "another long one")]),
            ("/change-email", &[("email", "new@bar.com")]),
            ("/confirm-password", &[("password", PASSWORD)]),
            ("/account/sessions/revoke", &[("session", "a")]),
            ("/account/sessions/revoke-others", &[]),
            ("/delete-account", &[("confirm", "on")]),
            ("/logout", &[]),
        ] {
            let answer = browser.post(path, fields).await.page(503, "Not available right now");
            assert!(!answer.headers.contains_key("set-cookie"), "{path}: {answer:?}");
        }
        site.app.faults.reset();
        assert!(browser.is_logged_in("").await, "nobody was logged out by it");
    }

    /// 7.2.4: who cannot be rid of its old token gets no new one.
    async fn a_login_that_cannot_end_the_token_before_it_is_none(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        let token = browser.token().map(str::to_owned);
        for broken in ["find_token", "delete_token"] {
            site.app.faults.reset();
            site.app.faults.every_call_of(broken, Fault::Fail);
            let answer = browser.log_in("", EMAIL, PASSWORD).await.page(503, "Not available right now");
            assert!(!answer.headers.contains_key("set-cookie"), "{broken}: {answer:?}");
        }
        site.app.faults.reset();
        assert_eq!(browser.token().map(str::to_owned), token);
        assert!(browser.is_logged_in("").await);
        browser.log_in("", EMAIL, PASSWORD).await.expect_status(303);
        assert_ne!(browser.token().map(str::to_owned), token);
    }

    async fn a_mailed_link_is_as_good_as_it_was(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let mut browser = site.browser();
        browser.post("/forgot-password", &[("email", EMAIL)]).await.expect_status(200);
        browser.get(&site.link(1).await).await.expect_status(303);
        site.app.faults.every(Fault::Fail);
        browser.get("/reset-password").await.page(503, "Not available right now");
        browser.post("/reset-password", &[("password", "another long one")]).await.page(503, "Not available right now");
        browser.get("/verify-email?token=abc").await.goes_to("/verify-email");
        browser.post("/verify-email", &[]).await.page(503, "Not available right now");
        browser.get("/confirm-email-change?token=abc").await.goes_to("/confirm-email-change");
        browser.post("/confirm-email-change", &[]).await.page(503, "Not available right now");
        site.app.faults.reset();
        browser.get(&site.link(1).await).await.expect_status(303);
        browser.post("/reset-password", &[("password", "another long one")]).await.expect_status(303);
    }

    /// A page that asks for nobody asks no store.
    async fn pages_for_everybody_cost_nothing(store) {
        let site = Site::new(store).await;
        site.app.faults.every(Fault::Fail);
        for path in ["/login", "/register", "/logout", "/forgot-password", "/resend-verification"] {
            site.browser().get(path).await.expect_status(200);
        }
        assert!(site.app.faults.calls().is_empty());
    }

    async fn a_layer_that_is_not_there_is_named(store) {
        let site = Site::new(store).await;
        let pages: axum::Router = gatekit::pages::Pages::new(site.app.auth.clone()).router();
        let answer = gatekit_tests::Call::new(&pages, "GET", "/login").await;
        assert!(answer.expect(500, "MISCONFIGURED").body.contains("AuthLayer"));
        let bearer = gatekit::TokenSources::new([gatekit::TokenSource::bearer()]);
        let layer = gatekit::AuthLayer::new(site.app.auth.clone()).sources(bearer);
        let answer = gatekit_tests::Call::new(&pages.layer(layer), "GET", "/login").await;
        assert!(answer.expect(500, "MISCONFIGURED").body.contains("TokenSources::with_cookie"));
    }
}
