//! `/register` in a browser.

use gatekit_tests::PASSWORD;

use crate::stage::{ADA, with_and_without_scripts};

with_and_without_scripts! {
    async fn who_signs_up_is_logged_in(stage) {
        stage.open("/").await;
        stage.browser.follow("a[href='/register']").await;
        stage.expect_at("/register").await;
        stage.send_registration(ADA, PASSWORD).await;
        stage.expect_at("/account").await;
        stage.expect_logged_in_as(ADA).await;
        stage.log_out().await;
        stage.log_in().await;
    }

    async fn where_an_address_must_be_proven_nobody_is_logged_in_before(stage; ("VERIFY_EMAIL", "1")) {
        stage.open("/register").await;
        stage.send_registration(ADA, PASSWORD).await;
        assert_eq!(stage.browser.status().await, 200);
        assert!(stage.browser.text("main").await.contains(ADA), "it says where the mail went");
        stage.expect_logged_out().await;

        stage.open("/login").await;
        stage.send_login(ADA, PASSWORD).await;
        assert_eq!(stage.browser.status().await, 401);
        assert!(stage.browser.has("#error-summary a[href='/resend-verification']").await);

        stage.browser.open(&stage.site.link(ADA, "").await).await;
        stage.expect_at("/verify-email").await;
        stage.browser.submit("/verify-email").await;
        assert_eq!(stage.browser.status().await, 200);
        stage.log_in().await;
        stage.expect_logged_in_as(ADA).await;
    }

    async fn mistakes_are_explained_and_what_was_right_is_kept(stage) {
        stage.open("/register").await;
        stage.send_registration("", "").await;
        stage.expect_mistakes(422, &["email", "password"]).await;

        stage.send_registration("no address", PASSWORD).await;
        stage.expect_mistakes(422, &["email"]).await;
        assert_eq!(stage.browser.value("email").await, "no address");

        // ASVS 6.2.1, 6.2.4: too short, and too common.
        for password in ["shrt", "password123"] {
            stage.send_registration(ADA, password).await;
            stage.expect_mistakes(422, &["password"]).await;
            assert_eq!(stage.browser.value("email").await, ADA);
            assert_eq!(stage.browser.value("password").await, "", "a password never comes back");
        }
        stage.send_registration(ADA, PASSWORD).await;
        stage.expect_at("/account").await;

        let other = stage.elsewhere().await;
        other.open("/register").await;
        other.send_registration(ADA, PASSWORD).await;
        other.expect_mistakes(422, &["email"]).await;
        other.expect_logged_out().await;
    }

    async fn the_summary_of_mistakes_leads_to_the_fields(stage) {
        stage.open("/register").await;
        stage.send_registration("", "").await;
        assert_eq!(stage.browser.focused().await.as_deref(), Some("error-summary"));
        stage.browser.click("#error-summary a[href='#password']").await;
        assert_eq!(stage.browser.focused().await.as_deref(), Some("password"));
    }
}
