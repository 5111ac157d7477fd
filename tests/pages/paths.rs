//! A path with a slash too many, or in another case.

use axum::Router;
use gatekit::pages::{Pages, ignore_case};
use gatekit::{AuthLayer, Policy};
use gatekit_tests::{App, EMAIL, PASSWORD, on_every_store};

use crate::site::{Browser, PageAnswer, Site};

const PAGES: [&str; 14] = [
    "/register",
    "/login",
    "/logout",
    "/confirm-password",
    "/forgot-password",
    "/reset-password",
    "/verify-email",
    "/resend-verification",
    "/change-password",
    "/.well-known/change-password",
    "/change-email",
    "/confirm-email-change",
    "/account",
    "/delete-account",
];

on_every_store! {
    async fn one_slash_at_the_end_leads_to_the_page(store) {
        for prefix in ["", "/auth"] {
            let site = Site::start(App::with(Policy::default()), store, prefix).await;
            let mut browser = site.browser();
            for page in PAGES {
                let moved = browser.get(&format!("{prefix}{page}/?lang=de&a=%2F")).await.expect_status(308);
                assert_eq!(moved.header("location"), format!("{prefix}{page}?lang=de&a=%2F"));
                assert_eq!((moved.header("cache-control"), moved.header("referrer-policy")), ("no-store", "no-referrer"));
                browser.opening("HEAD", &format!("{prefix}{page}/")).await.expect_status(308);
                browser.get(&format!("{prefix}{page}//")).await.expect_status(404);
            }
            // A form is sent again by the browser, and not taken here.
            let fields = [("email", EMAIL), ("password", PASSWORD)];
            assert_eq!(browser.post(&format!("{prefix}/register/"), &fields).await.expect_status(308).header("location"), format!("{prefix}/register"));
            assert!(browser.jar.is_empty());
        }
    }

    /// Behind a proxy that cuts off a path, and below a path that browsers would take for a host.
    async fn the_slash_leads_to_where_the_browser_is(store) {
        let setup = App::with(Policy::default()).configure(|builder| builder.public_url("https://app.example.com/sub"));
        let site = Site::start(setup, store, "/auth").await;
        let moved = site.browser().get("/auth/login/?a=b").await.expect_status(308);
        assert_eq!(moved.header("location"), "/sub/auth/login?a=b");
        let auth = site.app.auth.clone();
        let router = Router::new().nest("/{tenant}", Pages::new(auth.clone()).router()).layer(AuthLayer::new(auth));
        let mut browser = Browser::new(&router);
        for evil in ["/%2Fevil.example/login/", "/..%2F/login/", "/%5Cevil.example/login/"] {
            let answer = browser.get(evil).await;
            let target = answer.headers.get("location").map(|target| target.to_str().unwrap().to_owned()).unwrap_or_default();
            assert!(!target.starts_with("//") && !target.contains('\\') && !target.contains("://"), "{evil} leads to {target}");
        }
    }

    async fn another_case_is_the_same_page_with_ignore_case_around_the_app(store) {
        let site = Site::new(store).await;
        site.browser().get("/Login").await.expect_status(404);
        let router = ignore_case("", site.app.router.clone());
        let mut browser = Browser::new(&router);
        browser.get("/Login").await.page(200, "Log in");
        browser.get("/LOGIN/?lang=de").await.expect_status(308).expect_header("location", "/login?lang=de");
        browser.post("/Register", &[("email", EMAIL), ("password", PASSWORD)]).await.goes_to("/account");
        browser.get("/ACCOUNT").await.page(200, "My account");
        browser.get("/Nothing").await.expect_status(404);
    }
}
