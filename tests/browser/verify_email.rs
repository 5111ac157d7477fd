//! `/verify-email` and `/resend-verification` in a browser, with the link from a real mail.

use gatekit_tests::PASSWORD;

use crate::stage::{ADA, Stage, with_and_without_scripts};

/// Asks for the mail by the form: the link in it.
async fn mailed_link(stage: &Stage) -> String {
    let before = stage.site.count_mails(ADA);
    stage.open("/resend-verification").await;
    stage.browser.fill("email", ADA).await;
    stage.browser.submit("/resend-verification").await;
    assert_eq!(stage.browser.status().await, 200);
    stage.site.wait_for_mails(ADA, before + 1).await;
    stage.site.link(ADA, "").await
}

with_and_without_scripts! {
    async fn an_address_is_proven_by_a_mailed_link(stage) {
        stage.sign_up().await;
        let link = mailed_link(&stage).await;

        // Looking at it proves nothing and spends nothing.
        for _ in 0..2 {
            assert_eq!(stage.site.get(&link, "").await.status, 303);
        }
        stage.open("/account").await;
        assert!(!stage.browser.text("dl").await.contains("confirmed"), "not proven yet");

        stage.browser.open(&link).await;
        stage.expect_at("/verify-email").await;
        stage.browser.submit("/verify-email").await;
        assert_eq!(stage.browser.status().await, 200);
        stage.browser.follow("main .links a").await;
        stage.expect_at("/account").await;
        assert!(stage.browser.text("dl").await.contains("confirmed"), "proven");

        // A second look finds the address verified, and nothing to press.
        stage.browser.open(&link).await;
        assert_eq!(stage.browser.status().await, 200);
        assert!(stage.browser.text("main").await.contains("confirmed already"));
        assert!(!stage.browser.has("form[action='/verify-email']").await);
    }

    async fn a_lost_mail_is_sent_again(stage; ("VERIFY_EMAIL", "1")) {
        stage.open("/register").await;
        stage.send_registration(ADA, PASSWORD).await;
        stage.site.wait_for_mails(ADA, 1).await;
        // The login says how.
        stage.open("/login").await;
        stage.send_login(ADA, PASSWORD).await;
        stage.browser.follow("#error-summary a[href='/resend-verification']").await;
        stage.expect_at("/resend-verification").await;
        let link = mailed_link(&stage).await;
        stage.browser.open(&link).await;
        stage.browser.submit("/verify-email").await;
        stage.log_in().await;
    }

    async fn a_link_that_is_none_says_so_and_helps(stage) {
        stage.open(&format!("/verify-email?token={}", "a".repeat(64))).await;
        if stage.browser.has("form[action='/verify-email']").await {
            stage.browser.submit("/verify-email").await;
        }
        assert_eq!(stage.browser.status().await, 400);
        stage.browser.follow("main a[href='/resend-verification']").await;
        stage.expect_at("/resend-verification").await;
    }
}
