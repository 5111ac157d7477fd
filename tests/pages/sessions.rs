//! The pages over a session of tower-sessions in place of the cookie.

use axum::Router;
use gatekit::pages::Pages;
use gatekit::tower_sessions::SessionManagerLayer;
use gatekit::{AuthLayer, TokenCookie, TokenSource, TokenSources};
use gatekit_tests::{EMAIL, PASSWORD, on_every_store};
use tower_sessions::MemoryStore;

use crate::site::{PageAnswer, Site};

/// A site whose browsers are signed in by sessions.
fn with(mut site: Site, sources: TokenSources) -> Site {
    let pages = Pages::new(site.app.auth.clone()).site_name("Acme").router();
    let layer = AuthLayer::new(site.app.auth.clone()).sources(sources);
    site.app.router = Router::new().merge(pages).layer(layer).layer(SessionManagerLayer::new(MemoryStore::default()));
    site
}

on_every_store! {
    /// 7.2.4, 7.4.1, V-31: from the sign-up to the end of the account, with another session at each
    /// login, step-up and logout.
    async fn all_of_it_works_over_a_session(store) {
        let site = with(Site::new(store).await, TokenSources::new([TokenSource::session()]));
        let mut browser = site.signed_up().await;
        assert_eq!(browser.jar.keys().collect::<Vec<_>>(), ["id"]);
        let first = browser.clone();
        browser.get("/account").await.page(200, "My account").says("This session");
        browser.post("/confirm-password", &[("password", PASSWORD)]).await.goes_to("/account");
        assert_ne!(browser.jar, first.jar);
        assert!(!first.clone().is_logged_in("").await);

        let fields = [("current_password", PASSWORD), ("password", "another long one")];
        browser.post("/change-password", &fields).await.goes_to("/account?notice=password-changed");
        assert!(browser.is_logged_in("").await);
        let old = browser.clone();
        browser.post("/logout", &[]).await.goes_to("/login?notice=logged-out");
        assert!(browser.jar.is_empty() && !old.clone().is_logged_in("").await);

        browser.log_in("", EMAIL, "another long one").await.goes_to("/account");
        browser.post("/delete-account", &[("confirm", "on")]).await.goes_to("/login?notice=account-deleted");
        assert!(browser.jar.is_empty());
    }

    /// An app that has gone over from the cookie to sessions, and still reads the cookie.
    async fn a_cookie_from_before_does_not_hide_the_session(store) {
        let cookie = TokenSource::token_cookie(TokenCookie::default());
        let site = with(Site::new(store).await, TokenSources::new([cookie, TokenSource::session()]));
        site.signed_up().await;
        let mut browser = site.browser();
        browser.jar.insert("__Host-access_token".into(), "ended-long-ago".into());
        browser.log_in("", EMAIL, PASSWORD).await.goes_to("/account");
        assert!(browser.is_logged_in("").await);
        assert_eq!(browser.token(), None);
    }
}
