//! A person who opens a page of the app's own that is for users.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use gatekit::pages::{AskToLogInLayer, Pages};
use gatekit::{AuthLayer, AuthUser, Fresh, RequireScopeLayer};
use gatekit_tests::{EMAIL, PASSWORD, on_every_store};

use crate::site::Site;

async fn private(AuthUser(user): AuthUser) -> String {
    format!("for {} only", user.id)
}

async fn keys(_: Fresh<600>, AuthUser(user): AuthUser) -> String {
    format!("keys of {}", user.id)
}

/// A site with two pages of its own, and the kit's pages below `prefix`.
fn with_own_pages(site: &mut Site, layer: AskToLogInLayer, prefix: &'static str) {
    let own = Router::new().route("/private", get(private).post(private)).route("/keys", get(keys)).layer(layer);
    let pages = Pages::new(site.app.auth.clone());
    let router = match prefix {
        "" => own.merge(pages.router()),
        prefix => own.nest(prefix, pages.router()),
    };
    site.app.router = router.layer(AuthLayer::new(site.app.auth.clone()));
    site.prefix = prefix;
}

on_every_store! {
    async fn who_is_not_logged_in_gets_the_login_and_comes_back_query_included(store) {
        for (layer, prefix) in [(AskToLogInLayer::new(), ""), (AskToLogInLayer::pages_at("/auth/"), "/auth")] {
            let mut site = Site::new(store).await;
            with_own_pages(&mut site, layer, prefix);
            site.signed_up().await;
            let mut browser = site.browser();
            let asked = browser.get("/private?page=2&q=a%20b").await.expect_status(303);
            let login = asked.headers["location"].to_str().unwrap().to_owned();
            assert_eq!(login, format!("{prefix}/login?return_to=/private%3Fpage%3D2%26q%3Da%2520b"));
            assert_eq!(asked.headers["cache-control"], "no-store");
            browser.get(&login).await.expect_status(200);
            let fields = [("email", EMAIL), ("password", PASSWORD), ("return_to", "/private?page=2&q=a%20b")];
            let back = browser.post(&format!("{prefix}/login"), &fields).await.expect_status(303);
            assert_eq!(back.headers["location"], "/private?page=2&q=a%20b");
            browser.get("/private?page=2&q=a%20b").await.expect_status(200);
        }
    }

    /// 7.5.1
    async fn who_has_proven_its_password_too_long_ago_proves_it_and_comes_back(store) {
        let mut site = Site::new(store).await;
        with_own_pages(&mut site, AskToLogInLayer::new(), "");
        let mut browser = site.signed_up().await;
        browser.get("/keys").await.expect_status(200);
        site.app.clock.advance(Duration::from_secs(601));
        let asked = browser.get("/keys").await.expect_status(303);
        assert_eq!(asked.headers["location"], "/confirm-password?return_to=/keys");
        let back = browser.post("/confirm-password", &[("password", PASSWORD), ("return_to", "/keys")]).await;
        assert_eq!(back.expect_status(303).headers["location"], "/keys");
        browser.get("/keys").await.expect_status(200);
        browser.get("/private").await.expect_status(200);
    }

    async fn what_is_no_opening_of_a_page_is_answered_as_it_is(store) {
        let mut site = Site::new(store).await;
        with_own_pages(&mut site, AskToLogInLayer::new(), "");
        let mut browser = site.browser();
        browser.post("/private", &[]).await.expect_status(401);
        browser.call("HEAD", "/private").await.expect_status(401);
        browser.get("/nothing-here").await.expect_status(404);
        site.app.faults.every_call_of("find_token_owner", gatekit_testkit::Fault::Fail);
        let mut browser = site.browser();
        browser.jar.insert("__Host-access_token".into(), "a".repeat(64));
        browser.get("/private").await.expect_status(503);
    }

    /// A token in the query stays out of the link, and a host in the path out of the redirect.
    async fn nothing_of_the_address_leads_elsewhere(store) {
        let mut site = Site::new(store).await;
        with_own_pages(&mut site, AskToLogInLayer::new(), "");
        let mut browser = site.browser();
        let asked = browser.get("/private?access_token=abc&x=1").await.expect_status(303);
        assert_eq!(asked.headers["location"], "/login?return_to=/private%3Fx%3D1");
    }

    /// Neither would another login help, nor would the way there and back ever end.
    async fn who_is_logged_in_and_may_not_is_told_so(store) {
        let site = Site::new(store).await;
        let scoped = Router::new().route("/admin", get(private)).layer(RequireScopeLayer::new("admin"));
        let own = scoped.route("/own", get(async || StatusCode::UNAUTHORIZED)).layer(AskToLogInLayer::new());
        let mut browser = site.signed_up().await;
        browser.router = own.layer(AuthLayer::new(site.app.auth.clone()));
        browser.get("/admin").await.expect(401, "AUTHORIZATION_REQUIRED");
        browser.get("/own").await.expect_status(401);
        browser.jar.clear();
        browser.get("/admin").await.expect_status(303);
        browser.get("/own").await.expect_status(401);
    }
}
