//! `/change-password` in a browser, and in another one.

use gatekit_tests::PASSWORD;

use crate::stage::{ADA, with_and_without_scripts};

/// What the user thinks of.
const NEW: &str = "staple battery horse";

with_and_without_scripts! {
    async fn a_new_password_ends_the_other_sessions_and_not_this_one(stage) {
        stage.sign_up().await;
        let elsewhere = stage.elsewhere().await;
        elsewhere.log_in().await;

        stage.browser.follow("a[href='/change-password']").await;
        stage.browser.fill("current_password", "wrong horse battery").await;
        stage.browser.fill("password", NEW).await;
        stage.browser.submit("/change-password").await;
        stage.expect_mistakes(422, &["current_password"]).await;
        elsewhere.expect_logged_in_as(ADA).await;

        stage.browser.fill("current_password", PASSWORD).await;
        stage.browser.fill("password", NEW).await;
        stage.browser.submit("/change-password").await;
        stage.expect_notice("/account?notice=password-changed").await;
        stage.expect_logged_in_as(ADA).await;
        elsewhere.expect_logged_out().await;

        elsewhere.open("/login").await;
        elsewhere.send_login(ADA, PASSWORD).await;
        assert_eq!(elsewhere.browser.status().await, 401);
        elsewhere.send_login(ADA, NEW).await;
        elsewhere.expect_at("/account").await;
        // ASVS 6.3.7.
        stage.site.mail(ADA, "Your password was changed").await;
    }

    /// <https://w3c.github.io/webappsec-change-password-url/>
    async fn password_managers_find_the_page(stage) {
        stage.open("/.well-known/change-password").await;
        stage.expect_at("/login?return_to=/change-password").await;
        stage.open("/register?return_to=/change-password").await;
        stage.send_registration(ADA, PASSWORD).await;
        stage.expect_at("/change-password").await;
        stage.open("/.well-known/change-password").await;
        stage.expect_at("/change-password").await;
        for (field, autocomplete) in [("current_password", "current-password"), ("password", "new-password")] {
            let found = stage.browser.attribute(&format!("[name={field}]"), "autocomplete").await;
            assert_eq!(found.as_deref(), Some(autocomplete));
        }
    }
}
