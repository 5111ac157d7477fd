//! `/verify-email` and `/resend-verification`.

use gatekit::Policy;
use gatekit_tests::{EMAIL, PASSWORD, Store, on_every_store};

use crate::site::{Browser, PageAnswer, Site};

/// A site that wants proven addresses, and a browser that has just registered there.
async fn registered(store: Store) -> (Site, Browser) {
    let mut policy = Policy::default();
    policy.email.verification_required = true;
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
        done.says(EMAIL).says(r#"<a href="/login">Continue</a>"#);
        browser.log_in("", EMAIL, PASSWORD).await.goes_to("/account");
        browser.get("/account").await.page(200, "My account").says(r#"<span class="tag">confirmed</span>"#);
    }

    /// 3.5.3, case 10: a second press, or the press after a scanner's, is told that the address is
    /// confirmed, and not that the link failed.
    async fn looking_spends_nothing_and_a_second_press_is_told_what_was_done(store) {
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
        for browser in &mut browsers {
            browser.post("/verify-email", &[]).await.page(200, "Address confirmed already").says(EMAIL);
            browser.get("/verify-email").await.page(200, "Address confirmed already").hides("<form");
        }
        let invalid = site.browser().post("/verify-email", &[]).await.page(400, "This link does not work");
        invalid.says(r#"<a href="/resend-verification">Send the link again</a>"#);
    }

    /// 16.3.3
    async fn a_page_that_is_opened_with_a_forged_secret_raises_an_event(store) {
        let site = Site::new(store).await;
        let forged = "x".repeat(64);
        for page in ["/verify-email", "/confirm-email-change", "/reset-password"] {
            let mut browser = site.browser();
            browser.get(&format!("{page}?token={forged}")).await.goes_to(page);
            assert!(site.app.events.take().is_empty());
            browser.get(page).await.page(400, "This link does not work");
            let names: Vec<_> = site.app.events.take().iter().map(gatekit::Event::name).collect();
            assert_eq!(names, ["authn_secret_fail"], "{page}");
        }
    }

    /// Case 09: whoever asks for another link takes nothing away.
    async fn a_new_link_leaves_the_old_one_good(store) {
        let (site, mut browser) = registered(store).await;
        let old = site.link(1).await;
        browser.get("/resend-verification").await.page(200, "Send the confirmation link again");
        let sent = browser.post("/resend-verification", &[("email", EMAIL)]).await;
        sent.page(200, "Check your mail").says(EMAIL);
        let new = site.link(2).await;
        browser.get(&old).await.goes_to("/verify-email");
        browser.post("/verify-email", &[]).await.page(200, "Address confirmed");
        browser.get(&new).await.goes_to("/verify-email");
        browser.post("/verify-email", &[]).await.page(200, "Address confirmed already");
    }

    /// What was done for one is not shown as another's.
    async fn a_link_of_another_user_names_its_address_and_who_is_logged_in(store) {
        let site = Site::new(store).await;
        let mut ada = site.signed_up().await;
        let mut bob = site.browser();
        bob.post("/register", &[("email", "bob@bar.com"), ("password", PASSWORD)]).await.expect_status(303);
        bob.post("/resend-verification", &[("email", "bob@bar.com")]).await.expect_status(200);
        let link = site.link(1).await;
        ada.get(&link).await.goes_to("/verify-email");
        let note = format!("In this browser {EMAIL} is logged in.");
        let page = ada.get("/verify-email").await.page(200, "Confirm your email address");
        page.says("Confirm that bob@bar.com is your email address").says(&note);
        for heading in ["Address confirmed", "Address confirmed already"] {
            let done = ada.post("/verify-email", &[]).await.page(200, heading).says("bob@bar.com").says(&note);
            done.says(r#"<a href="/logout">"#).hides(r#"<a href="/login">"#).hides(r#"<a href="/account">"#);
        }
        ada.get("/account").await.page(200, "My account").says(EMAIL).hides("bob@bar.com");
        let page = bob.get(&link).await.goes_to("/verify-email");
        assert!(page.body.is_empty());
        bob.get("/verify-email").await.page(200, "Address confirmed already").hides("In this browser");
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
