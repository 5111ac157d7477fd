//! `/delete-account` in a browser.

use gatekit_tests::PASSWORD;

use crate::stage::{ADA, TOKEN, with_and_without_scripts};

with_and_without_scripts! {
    async fn an_account_is_deleted_by_who_means_it(stage) {
        stage.sign_up().await;
        let elsewhere = stage.elsewhere().await;
        elsewhere.log_in().await;
        stage.browser.follow("a[href='/delete-account']").await;
        stage.browser.submit("/delete-account").await;
        stage.expect_mistakes(422, &["confirm"]).await;
        stage.expect_logged_in_as(ADA).await;

        stage.open("/delete-account").await;
        stage.browser.click("#confirm").await;
        stage.browser.submit("/delete-account").await;
        stage.expect_notice("/login?notice=account-deleted").await;
        assert!(stage.browser.cookie(TOKEN).await.is_none());
        elsewhere.expect_logged_out().await;

        stage.send_login(ADA, PASSWORD).await;
        assert_eq!(stage.browser.status().await, 401);
        // The address is free again.
        stage.sign_up().await;
    }

    /// ASVS 7.5.1.
    async fn who_entered_the_password_long_ago_does_it_again(stage) {
        stage.sign_up().await;
        stage.open("/delete-account").await;
        stage.site.age_passwords().await;
        stage.browser.click("#confirm").await;
        stage.browser.submit("/delete-account").await;
        stage.expect_at("/confirm-password?return_to=/delete-account").await;
        stage.expect_logged_in_as(ADA).await;

        stage.open("/delete-account").await;
        stage.expect_at("/confirm-password?return_to=/delete-account").await;
        stage.browser.fill("password", PASSWORD).await;
        stage.browser.submit("/confirm-password").await;
        stage.expect_at("/delete-account").await;
        stage.browser.click("#confirm").await;
        stage.browser.submit("/delete-account").await;
        stage.expect_notice("/login?notice=account-deleted").await;
    }
}
