//! Where the pages are mounted, and which of them.

use axum::Router;
use axum::http::StatusCode;
use gatekit::pages::{Feature, Pages, change_password_redirect};
use gatekit::{AuthLayer, Policy, TokenCookie, TokenSources};
use gatekit_tests::{App, EMAIL, PASSWORD, on_every_store};

use crate::site::{Browser, PageAnswer, Site};

on_every_store! {
    async fn below_a_prefix_every_link_has_it(store) {
        let mut policy = Policy::default();
        policy.email.verification_required = true;
        let site = Site::start(App::with(policy), store, "/auth").await;
        let mut browser = site.browser();
        let page = browser.get("/auth/login").await.page(200, "Log in");
        for path in ["/login", "/register", "/forgot-password", "/gatekit.css?v=", "/gatekit.js?v=", "/login?lang=de"] {
            page.clone().says(&format!("=\"/auth{path}"));
        }
        assert_eq!(page.body.matches("=\"/").count() - page.body.matches("=\"/auth/").count(), 1, "only the home page");

        browser.get("/auth/account").await.goes_to("/auth/login?return_to=/auth/account");
        browser.post("/auth/register", &[("email", EMAIL), ("password", PASSWORD)]).await.expect_status(200);
        let link = site.link(1).await;
        assert!(link.starts_with("/auth/verify-email?token="), "{link}");
        browser.get(&link).await.goes_to("/auth/verify-email");
        browser.post("/auth/verify-email", &[]).await.page(200, "Address confirmed");
        browser.log_in("/auth", EMAIL, PASSWORD).await.goes_to("/auth/account");
        let account = browser.get("/auth/account").await.page(200, "My account");
        assert_eq!(account.body.matches("=\"/").count() - account.body.matches("=\"/auth/").count(), 1);
        browser.post("/auth/logout", &[]).await.goes_to("/auth/login?notice=logged-out");
        browser.post("/auth/forgot-password", &[("email", EMAIL)]).await.expect_status(200);
        assert!(site.link(2).await.starts_with("/auth/reset-password?token="));
    }

    /// The app's own 404 is its own, whichever of the routers is merged into the other.
    async fn the_pages_are_merged_into_an_app_with_a_fallback(store) {
        let site = Site::new(store).await;
        let own = || Router::new().fallback(|| async { (StatusCode::IM_A_TEAPOT, "the app's own") });
        let pages = || Pages::new(site.app.auth.clone()).site_name("Acme").router();
        for router in [own().merge(pages()), pages().merge(own())] {
            let mut browser = Browser::new(&router.layer(AuthLayer::new(site.app.auth.clone())));
            browser.get("/login").await.page(200, "Log in");
            let nothing = browser.get("/nothing").await.expect_status(418);
            assert_eq!(nothing.body, "the app's own");
        }
    }

    async fn twice_in_one_app_and_below_a_parameter(store) {
        let site = Site::new(store).await;
        let pages = Pages::new(site.app.auth.clone()).site_name("Acme");
        let router = Router::new()
            .nest("/a", pages.clone().site_name("A").router())
            .nest("/b/{tenant}", pages.clone().router())
            .merge(change_password_redirect("/a/change-password"))
            .layer(AuthLayer::new(site.app.auth.clone()));
        let mut browser = Browser::new(&router);
        browser.get("/a/login").await.says("<title>Log in - A</title>").says(r#"action="/a/login""#);
        browser.get("/b/acme/login").await.page(200, "Log in").says(r#"action="/b/acme/login""#);
        browser.get("/b/acme/account").await.goes_to("/b/acme/login?return_to=/b/acme/account");
        let found = browser.get("/.well-known/change-password").await.expect_status(302);
        found.expect_header("location", "/a/change-password");
    }

    async fn what_is_not_mounted_does_not_exist_and_nothing_links_to_it(store) {
        let site = Site::new(store).await;
        let pages = Pages::new(site.app.auth.clone()).site_name("Acme");
        let few = pages.clone().only([Feature::Login, Feature::Account]);
        let site = site.mount(few);
        let mut browser = site.browser();
        let login = browser.get("/login").await.page(200, "Log in");
        login.hides("/register").hides("/forgot-password");
        for path in ["/register", "/forgot-password", "/reset-password", "/verify-email", "/change-email", "/delete-account"] {
            browser.get(path).await.expect_status(404);
        }
        site.app.auth.register(gatekit::Register::email(EMAIL, PASSWORD)).await.unwrap();
        browser.log_in("", EMAIL, PASSWORD).await.goes_to("/account");
        let account = browser.get("/account").await.page(200, "My account");
        account.hides("/change-password").hides("/change-email").hides("/delete-account").says("/logout");

        let only_login = pages.clone().only([Feature::Login]).home("/start");
        let site = site.mount(only_login);
        site.browser().log_in("", EMAIL, PASSWORD).await.goes_to("/start");

        let site = site.mount(pages.without([Feature::Register]));
        site.browser().get("/register").await.expect_status(404);
        site.browser().get("/forgot-password").await.expect_status(200);
    }

    async fn an_app_says_where_its_home_is_and_where_to_go(store) {
        let site = Site::new(store).await;
        let pages = Pages::new(site.app.auth.clone()).site_name("A & B").home("/start").after_login("/private");
        let site = site.mount(pages);
        let mut browser = site.browser();
        browser.get("/login").await.says(r#"<a href="/start">A &#38; B</a>"#).says("<title>Log in - A &#38; B</title>");
        browser.post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await.goes_to("/private");
    }

    /// For development over plain http, where browsers keep no `Secure` cookies.
    async fn on_localhost_no_cookie_is_secure(store) {
        let site = Site::new(store).await;
        let pages: Router = Pages::new(site.app.auth.clone()).site_name("Acme").router();
        let sources = TokenSources::default().with_cookie(TokenCookie::for_localhost());
        let router = pages.layer(AuthLayer::new(site.app.auth.clone()).sources(sources));
        let mut browser = Browser::new(&router);
        browser.post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await.goes_to("/account");
        browser.get("/reset-password?token=abc").await.goes_to("/reset-password");
        browser.get("/login?lang=de").await.expect_status(303);
        let names: Vec<&String> = browser.jar.keys().collect();
        assert_eq!(names, ["access_token", "gatekit_mail"]);
        assert!(browser.is_logged_in("").await);
    }
}

#[tokio::test]
#[should_panic(expected = "neither a path of the site nor below an origin")]
async fn a_place_nobody_may_be_sent_to_is_refused_when_the_pages_are_mounted() {
    let auth = gatekit::Auth::new(gatekit::MemoryStore::new());
    let _: Router = Pages::new(auth).after_login("//evil.example").router();
}
