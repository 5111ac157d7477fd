//! `/change-email` and `/confirm-email-change` in a browser, with the link from a real mail, and
//! `/confirm-password` on the way.

use gatekit_tests::PASSWORD;

use crate::stage::{ADA, Stage, with_and_without_scripts};

/// The new address.
const NEW: &str = "ada.lovelace@example.com";

/// Enters the new address into the form: the link in the mail that is sent there.
async fn mailed_link(stage: &Stage) -> String {
    stage.browser.fill("email", NEW).await;
    stage.browser.submit("/change-email").await;
    assert_eq!(stage.browser.status().await, 200);
    stage.site.link(NEW, "Confirm your new address").await
}

with_and_without_scripts! {
    async fn a_new_address_is_proven_by_a_mailed_link(stage) {
        stage.sign_up().await;
        stage.browser.follow("a[href='/change-email']").await;
        stage.expect_at("/change-email").await;
        stage.browser.fill("email", "no address").await;
        stage.browser.submit("/change-email").await;
        stage.expect_mistakes(422, &["email"]).await;
        let link = mailed_link(&stage).await;

        for _ in 0..2 {
            assert_eq!(stage.site.get(&link, "").await.status, 303);
        }
        stage.expect_logged_in_as(ADA).await;

        stage.browser.open(&link).await;
        stage.expect_at("/confirm-email-change").await;
        stage.browser.submit("/confirm-email-change").await;
        stage.expect_notice("/account?notice=email-changed").await;
        stage.expect_logged_in_as(NEW).await;
        // ASVS 6.3.7.
        stage.site.mail(ADA, "Your address was changed").await;

        stage.log_out().await;
        stage.send_login(ADA, PASSWORD).await;
        assert_eq!(stage.browser.status().await, 401);
        stage.send_login(NEW, PASSWORD).await;
        stage.expect_at("/account").await;
    }

    async fn the_link_works_on_another_device_too(stage) {
        stage.sign_up().await;
        stage.open("/change-email").await;
        let link = mailed_link(&stage).await;
        let elsewhere = stage.elsewhere().await;
        elsewhere.browser.open(&link).await;
        elsewhere.browser.submit("/confirm-email-change").await;
        assert_eq!(elsewhere.browser.status().await, 200);
        elsewhere.expect_logged_out().await;
        elsewhere.open("/login").await;
        elsewhere.send_login(NEW, PASSWORD).await;
        elsewhere.expect_at("/account").await;
    }

    /// ASVS 7.5.1.
    async fn who_entered_the_password_long_ago_does_it_again_and_goes_on(stage) {
        stage.sign_up().await;
        stage.site.age_passwords().await;
        stage.browser.follow("a[href='/change-email']").await;
        stage.expect_at("/confirm-password?return_to=/change-email").await;

        stage.browser.fill("password", "wrong horse battery").await;
        stage.browser.submit("/confirm-password").await;
        stage.expect_mistakes(422, &["password"]).await;
        stage.open("/change-email").await;
        stage.expect_at("/confirm-password?return_to=/change-email").await;

        stage.browser.fill("password", PASSWORD).await;
        stage.browser.submit("/confirm-password").await;
        stage.expect_at("/change-email").await;
        mailed_link(&stage).await;
    }

    async fn a_form_that_was_open_too_long_asks_for_the_password_and_comes_back(stage) {
        stage.sign_up().await;
        stage.open("/change-email").await;
        stage.site.age_passwords().await;
        stage.browser.fill("email", NEW).await;
        stage.browser.submit("/change-email").await;
        stage.expect_at("/confirm-password?return_to=/change-email").await;
        stage.browser.fill("password", PASSWORD).await;
        stage.browser.submit("/confirm-password").await;
        stage.expect_at("/change-email").await;
        assert_eq!(stage.site.count_mails(NEW), 0);
    }

    /// The app's own page, with `Fresh`.
    async fn a_page_of_the_app_asks_for_the_password_again(stage) {
        stage.open("/private/keys").await;
        stage.expect_at("/login?return_to=/private/keys").await;
        stage.open("/register?return_to=/private/keys").await;
        stage.send_registration(ADA, PASSWORD).await;
        stage.expect_at("/private/keys").await;

        stage.site.age_passwords().await;
        stage.open("/private/keys").await;
        stage.expect_at("/confirm-password?return_to=/private/keys").await;
        stage.expect_logged_in_as(ADA).await;
        stage.browser.back().await;
        stage.browser.fill("password", PASSWORD).await;
        stage.browser.submit("/confirm-password").await;
        stage.expect_at("/private/keys").await;
        assert_eq!(stage.browser.text("#user").await, ADA);
    }
}
