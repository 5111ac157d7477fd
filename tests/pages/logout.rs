//! `/logout`.

use gatekit_tests::on_every_store;

use crate::site::{PageAnswer, Site};

on_every_store! {
    /// 3.5.3
    async fn a_link_to_it_logs_nobody_out(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        browser.get("/logout").await.page(200, "Log out").says(r#"<form method="post" action="/logout">"#);
        browser.call("HEAD", "/logout").await.expect_status(200);
        assert!(browser.is_logged_in("").await);
    }

    /// 7.4.1, 14.3.1, V-51
    async fn its_button_ends_the_token_and_takes_the_cookie_back(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        let before = browser.clone();
        let answer = browser.post("/logout", &[]).await.goes_to("/login?notice=logged-out");
        // Browsers remove what has the same name, path and prefix.
        assert_eq!(
            answer.header("set-cookie"),
            "__Host-access_token=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0"
        );
        assert_eq!(browser.token(), None);
        assert!(!before.clone().is_logged_in("").await, "a copy of the cookie is worth nothing");
        browser.get("/login?notice=logged-out").await.page(200, "Log in").says(r#"<div id="notice" role="status">You are"#);
    }

    async fn who_is_not_logged_in_may_log_out(store) {
        let site = Site::new(store).await;
        site.browser().post("/logout", &[]).await.goes_to("/login?notice=logged-out");
    }

    async fn the_users_other_sessions_live_on(store) {
        let site = Site::new(store).await;
        let mut here = site.signed_up().await;
        let mut there = site.logged_in().await;
        here.post("/logout", &[]).await.goes_to("/login?notice=logged-out");
        assert!(there.is_logged_in("").await);
    }

    /// Nobody writes our pages by a link.
    async fn only_known_notices_are_shown(store) {
        let site = Site::new(store).await;
        for notice in ["<b>hello", "login.title", "notice.logged-out", ""] {
            let path = format!("/login?notice={}", crate::site::escape(notice));
            site.browser().get(&path).await.page(200, "Log in").hides("id=\"notice\"");
        }
    }
}
