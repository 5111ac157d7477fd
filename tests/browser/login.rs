//! `/login` in a browser, and the way back to where somebody came from.

use gatekit_tests::PASSWORD;

use crate::stage::{ADA, TOKEN, with_and_without_scripts};

with_and_without_scripts! {
    async fn a_wrong_password_and_an_unknown_address_look_the_same(stage) {
        stage.sign_up().await;
        stage.log_out().await;
        stage.open("/login").await;

        stage.send_login(ADA, "wrong horse battery").await;
        assert_eq!(stage.browser.status().await, 401);
        let wrong = stage.browser.text("#error-summary").await;
        assert_eq!(stage.browser.value("email").await, ADA);
        assert_eq!(stage.browser.value("password").await, "");

        stage.send_login("nobody@example.com", PASSWORD).await;
        assert_eq!(stage.browser.status().await, 401);
        assert_eq!(stage.browser.text("#error-summary").await, wrong);
        stage.expect_logged_out().await;

        stage.log_in().await;
        stage.expect_logged_in_as(ADA).await;
    }

    async fn who_came_from_a_private_page_is_back_there_after_logging_in(stage) {
        stage.sign_up().await;
        stage.log_out().await;

        stage.open("/private").await;
        stage.expect_at("/login?return_to=/private").await;
        // Also after a mistake.
        stage.send_login(ADA, "wrong horse battery").await;
        stage.send_login(ADA, PASSWORD).await;
        stage.expect_at("/private").await;
        assert_eq!(stage.browser.text("#user").await, ADA);

        stage.open("/login").await;
        stage.expect_at("/account").await;
    }

    async fn who_signs_up_on_the_way_to_a_private_page_gets_there(stage) {
        stage.open("/private").await;
        stage.browser.follow("main a[href^='/register']").await;
        stage.send_registration(ADA, PASSWORD).await;
        stage.expect_at("/private").await;
    }

    /// CWE-601.
    async fn a_login_leads_nowhere_else(stage) {
        stage.sign_up().await;
        for elsewhere in ["//evil.example/", "/%5Cevil.example/", "https://evil.example/", "javascript:alert(1)", "/%0D%0ASet-Cookie:a=b"] {
            stage.log_out().await;
            stage.open(&format!("/login?return_to={elsewhere}")).await;
            stage.send_login(ADA, PASSWORD).await;
            assert_eq!(stage.browser.url().await, stage.site.at("/account"), "{elsewhere}");
        }
    }

    /// ASVS 7.2.4: no token that was there before a login is good after it, so nobody can have
    /// fixed it.
    async fn a_login_makes_a_new_token_and_ends_the_old(stage) {
        stage.sign_up().await;
        let old = stage.browser.cookie(TOKEN).await.expect("logged in");
        // A form that was opened before the login.
        let cookie = format!("Accept: text/html\r\nCookie: {TOKEN}={}\r\n", old.value);
        let private = stage.site.at("/private");
        assert_eq!(stage.site.get(&private, &cookie).await.status, 200);

        // Who is logged in does not get the form; it was opened before, in another tab.
        let form = "document.querySelector('main').innerHTML = '<form method=post action=/login><input name=email><input name=password>\
            <button type=submit>Log in</button></form>'";
        stage.open("/logout").await;
        stage.browser.execute(form, Vec::new()).await;
        stage.send_login(ADA, PASSWORD).await;
        stage.expect_at("/account").await;
        let new = stage.browser.cookie(TOKEN).await.expect("logged in");
        assert_ne!(new.value, old.value);
        assert_eq!(stage.site.get(&private, &cookie).await.status, 303);
    }
}
