//! The pages over server-side sessions of tower-sessions in place of the cookie with the token.

use axum::Router;
use gatekit::pages::Pages;
use gatekit::tower_sessions::SessionManagerLayer;
use gatekit::{AuthLayer, TokenSource, TokenSources};
use gatekit_tests::{EMAIL, PASSWORD, on_every_store};
use tower_sessions::MemoryStore;

use crate::site::{Browser, PageAnswer, Site};

on_every_store! {
    async fn all_of_it_works_and_the_session_changes_its_id_at_each_login(store) {
        let site = Site::new(store).await;
        let auth = site.app.auth.clone();
        let sources = TokenSources::new([TokenSource::session()]);
        let pages: Router = Pages::new(auth.clone()).site_name("Acme").router();
        let router =
            pages.layer(AuthLayer::new(auth).sources(sources)).layer(SessionManagerLayer::new(MemoryStore::default()));
        let mut browser = Browser::new(&router);
        browser.post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await.goes_to("/account");
        assert_eq!(browser.token(), None, "no cookie has the token");
        browser.get("/account").await.page(200, "My account").says("This session");

        let before = browser.clone();
        browser.post("/confirm-password", &[("password", PASSWORD)]).await.goes_to("/account");
        assert_ne!(browser.jar, before.jar);
        assert!(browser.is_logged_in("").await);
        assert!(!before.clone().is_logged_in("").await);

        let fields = [("current_password", PASSWORD), ("password", "another long one")];
        browser.post("/change-password", &fields).await.goes_to("/account?notice=password-changed");
        assert!(browser.is_logged_in("").await);
        let before = browser.clone();
        browser.post("/logout", &[]).await.goes_to("/login?notice=logged-out");
        assert!(!before.clone().is_logged_in("").await);
        browser.log_in("", EMAIL, "another long one").await.goes_to("/account");
        browser.post("/delete-account", &[("confirm", "on")]).await.goes_to("/login?notice=account-deleted");
    }
}
