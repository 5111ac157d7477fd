//! `/forgot-password` and `/reset-password` in a browser, with the link from a real mail.

use gatekit_tests::PASSWORD;

use crate::stage::{ADA, Stage, with_and_without_scripts};

/// What the user thinks of.
const NEW: &str = "staple battery horse";
/// The cookie that keeps a link's secret.
const MAILED: &str = "gatekit_mail";

/// Asks for the mail by the form: the link in it.
async fn mailed_link(stage: &Stage) -> String {
    stage.open("/login").await;
    stage.browser.follow("a[href='/forgot-password']").await;
    stage.browser.fill("email", ADA).await;
    stage.browser.submit("/forgot-password").await;
    assert_eq!(stage.browser.status().await, 200);
    stage.site.link(ADA, "Choose a new password").await
}

with_and_without_scripts! {
    async fn a_forgotten_password_is_replaced_by_a_mailed_link(stage) {
        let elsewhere = stage.elsewhere().await;
        elsewhere.sign_up().await;
        let link = mailed_link(&stage).await;

        stage.browser.open(&link).await;
        stage.expect_at("/reset-password").await;
        let kept = stage.browser.cookie(MAILED).await.expect("the secret is in a cookie and not in the URL");
        assert_eq!(kept.http_only, Some(true));
        // Mistakes cost nothing.
        for password in ["", "shrt"] {
            stage.browser.fill("password", password).await;
            stage.browser.submit("/reset-password").await;
            stage.expect_mistakes(422, &["password"]).await;
        }
        stage.browser.fill("password", NEW).await;
        stage.browser.submit("/reset-password").await;
        stage.expect_notice("/login?notice=password-changed").await;

        stage.send_login(ADA, PASSWORD).await;
        assert_eq!(stage.browser.status().await, 401);
        stage.send_login(ADA, NEW).await;
        stage.expect_at("/account").await;
        elsewhere.expect_logged_out().await;

        // The link is good once, and a second look at it says so. The cookie holds the spent
        // secret, so the page can tell.
        for used in [link, stage.site.at("/reset-password")] {
            stage.browser.open(&used).await;
            assert_eq!(stage.browser.status().await, 200);
            assert!(stage.browser.text("main").await.contains("used"));
            assert!(!stage.browser.has("[name=password]").await);
        }
    }

    /// Mail scanners follow links.
    async fn looking_at_a_mailed_link_does_not_spend_it(stage) {
        stage.sign_up().await;
        stage.log_out().await;
        let link = mailed_link(&stage).await;
        for _ in 0..2 {
            let looked = stage.site.get(&link, "").await;
            assert_eq!(looked.status, 303);
            // As a scanner with cookies goes on.
            let cookie = looked.header("set-cookie").and_then(|cookie| cookie.split(';').next()).expect("a cookie");
            let form = stage.site.get(&stage.site.at("/reset-password"), &format!("Cookie: {cookie}\r\n")).await;
            assert!(form.status == 200 && form.body.contains("<form"), "{form:?}");
        }
        stage.browser.open(&link).await;
        stage.browser.fill("password", NEW).await;
        stage.browser.submit("/reset-password").await;
        stage.expect_notice("/login?notice=password-changed").await;
    }

    async fn nobody_is_told_whether_an_address_has_an_account(stage) {
        stage.sign_up().await;
        stage.log_out().await;
        let mut answers = Vec::new();
        for email in [ADA, "nobody@example.com"] {
            stage.open("/forgot-password").await;
            stage.browser.fill("email", email).await;
            stage.browser.submit("/forgot-password").await;
            assert_eq!(stage.browser.status().await, 200);
            answers.push(stage.browser.text("main").await.replace(email, ""));
        }
        assert_eq!(answers.first(), answers.last());
        assert_eq!(stage.site.count_mails("nobody@example.com"), 0);

        stage.open("/forgot-password").await;
        stage.browser.submit("/forgot-password").await;
        stage.expect_mistakes(422, &["email"]).await;
    }
}
