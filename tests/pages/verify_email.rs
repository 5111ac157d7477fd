//! `/verify-email` and `/resend-verification`.

use gatekit::Policy;
use gatekit_tests::{EMAIL, PASSWORD, Store, on_every_store};

use crate::site::{Browser, PageAnswer, Site};

/// A site that wants proven addresses, and a browser that has just registered there.
async fn registered(store: Store) -> (Site, Browser) {
    let mut policy = Policy::default();
    policy.email_verification_required = true;
    let site = Site::with(policy, store).await;
    let mut browser = site.browser();
    browser.post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await.page(200, "Check your mail");
    (site, browser)
}

on_every_store! {
    async fn an_address_is_proven_by_the_button_behind_the_mailed_link(store) {
        let (site, mut browser) = registered(store).await;
        let link = site.link(1).await;
        browser.get(&link).await.goes_to("/verify-email");
        browser.get("/verify-email").await.page(200, "Confirm your email address").says("Confirm address</button>");
        browser.log_in("", EMAIL, PASSWORD).await.page(401, "Log in");
        let done = browser.post("/verify-email", &[]).await.page(200, "Address confirmed");
        done.says(r#"<a href="/login">Continue</a>"#);
        assert!(browser.jar.is_empty(), "the secret is forgotten");
        browser.log_in("", EMAIL, PASSWORD).await.goes_to("/account");
        browser.get("/account").await.page(200, "My account").says(r#"<span class="tag">confirmed</span>"#);
    }

    /// 3.5.3
    async fn looking_spends_nothing_and_a_link_works_once(store) {
        let (site, _) = registered(store).await;
        let link = site.link(1).await;
        let mut browsers = Vec::new();
        for _ in 0..3 {
            let mut browser = site.browser();
            browser.call("HEAD", &link).await.expect_status(303);
            browser.get(&link).await.goes_to("/verify-email");
            browser.get("/verify-email").await.page(200, "Confirm your email address");
            browsers.push(browser);
        }
        browsers[0].post("/verify-email", &[]).await.page(200, "Address confirmed");
        let late = browsers[1].post("/verify-email", &[]).await.page(400, "This link does not work");
        late.says(r#"<a href="/resend-verification">Send the link again</a>"#);
        site.browser().post("/verify-email", &[]).await.page(400, "This link does not work");
    }

    async fn a_new_link_replaces_the_old_one(store) {
        let (site, mut browser) = registered(store).await;
        let old = site.link(1).await;
        browser.get("/resend-verification").await.page(200, "Send the confirmation link again");
        let sent = browser.post("/resend-verification", &[("email", EMAIL)]).await;
        sent.page(200, "Check your mail").says(EMAIL);
        let new = site.link(2).await;
        browser.get(&old).await.goes_to("/verify-email");
        browser.post("/verify-email", &[]).await.page(400, "This link does not work");
        browser.get(&new).await.goes_to("/verify-email");
        browser.post("/verify-email", &[]).await.page(200, "Address confirmed");
    }

    /// ASVS 6.3.8
    async fn an_unknown_address_and_a_proven_one_are_answered_alike(store) {
        let (site, mut browser) = registered(store).await;
        browser.get(&site.link(1).await).await.goes_to("/verify-email");
        browser.post("/verify-email", &[]).await.expect_status(200);
        let proven = browser.post("/resend-verification", &[("email", EMAIL)]).await.page(200, "Check your mail");
        let unknown = browser.post("/resend-verification", &[("email", "abc@bar.com")]).await;
        assert_eq!(proven.body.replace(EMAIL, "abc@bar.com"), unknown.body);
        assert_eq!(site.app.mails.mails().len(), 1);
        let wrong = browser.post("/resend-verification", &[("email", "nobody")]).await;
        wrong.page(422, "Send the confirmation link again").says("like name@example.com");
    }
}
