//! `/logout` in a browser.

use crate::stage::{ADA, TOKEN, with_and_without_scripts};

with_and_without_scripts! {
    async fn a_logout_ends_the_token_and_takes_the_cookie_back(stage) {
        stage.sign_up().await;
        let token = stage.browser.cookie(TOKEN).await.expect("logged in").value;
        stage.browser.follow("a[href='/logout']").await;
        // The link only asks.
        stage.expect_logged_in_as(ADA).await;

        stage.open("/logout").await;
        stage.browser.submit("/logout").await;
        stage.expect_notice("/login?notice=logged-out").await;
        assert!(stage.browser.cookie(TOKEN).await.is_none());
        let kept = stage.site.get(&stage.site.at("/private"), &format!("Accept: text/html\r\nCookie: {TOKEN}={token}\r\n")).await;
        assert_eq!(kept.status, 303, "whoever has kept the cookie has nothing");
        stage.open("/private").await;
        stage.expect_at("/login?return_to=/private").await;
    }

    async fn a_logout_in_one_tab_is_one_in_all(stage) {
        stage.sign_up().await;
        stage.browser.new_tab(&stage.site.at("/change-password")).await;
        stage.expect_at("/change-password").await;

        stage.browser.tab(0).await;
        stage.log_out().await;

        stage.browser.tab(1).await;
        stage.browser.fill("current_password", "x").await;
        stage.browser.fill("password", "another horse battery").await;
        stage.browser.submit("/change-password").await;
        stage.expect_at("/login?return_to=/change-password").await;
        stage.open("/private").await;
        stage.expect_at("/login?return_to=/private").await;
        stage.log_in().await;
    }

    /// ASVS 14.3.2: pages are not kept.
    async fn after_a_logout_the_back_button_shows_nothing_private(stage) {
        stage.sign_up().await;
        stage.open("/private").await;
        assert!(stage.browser.text("main").await.contains(ADA));
        stage.log_out().await;
        // Over /logout to the private page.
        stage.browser.back().await;
        stage.browser.back().await;
        stage.expect_at("/login?return_to=/private").await;
        assert!(!stage.browser.text("body").await.contains(ADA));
    }
}
