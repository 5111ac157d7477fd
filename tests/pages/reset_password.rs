//! `/forgot-password` and `/reset-password`.

use std::time::Duration;

use gatekit::Policy;
use gatekit_tests::{EMAIL, PASSWORD, on_every_store};

use crate::site::{Browser, PageAnswer, Site};

const NEW: &str = "another long password";

/// Asks for a link: its path and query.
async fn link(site: &Site) -> String {
    let before = site.app.mails.mails().len();
    let sent = site.browser().post("/forgot-password", &[("email", EMAIL)]).await;
    sent.page(200, "Check your mail").says(EMAIL);
    site.link(before + 1).await
}

/// A browser in which the link was opened, and the page it led to.
async fn opened(site: &Site, link: &str) -> Browser {
    let mut browser = site.browser();
    browser.get(link).await.goes_to("/reset-password");
    browser.get("/reset-password").await.page(200, "Choose a new password");
    browser
}

on_every_store! {
    async fn a_lost_password_is_replaced_by_the_mailed_link(store) {
        let site = Site::new(store).await;
        let mut before = site.signed_up().await;
        let mut browser = opened(&site, &link(&site).await).await;
        let done = browser.post("/reset-password", &[("password", NEW)]).await;
        done.goes_to("/login?notice=password-changed");
        assert!(!before.is_logged_in("").await, "all sessions end");
        let login = browser.get("/login?notice=password-changed").await;
        login.page(200, "Log in").says("Your password is changed.");
        browser.log_in("", EMAIL, PASSWORD).await.page(401, "Log in");
        browser.log_in("", EMAIL, NEW).await.goes_to("/account");
    }

    /// ASVS 14.2.1: no secret in a URL that is shown, kept in a history or sent as a `Referer`.
    async fn the_secret_leaves_the_url_before_a_page_is_shown(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let link = link(&site).await;
        let secret = link.split_once("token=").unwrap().1.to_owned();
        let mut browser = site.browser();
        let answer = browser.get(&link).await.goes_to("/reset-password");
        assert!(answer.body.is_empty());
        let answer = answer.expect_header("referrer-policy", "no-referrer");
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with("__Host-gatekit_mail="), "{cookie}");
        for attribute in ["Path=/", "HttpOnly", "Secure", "SameSite=Lax", "Max-Age=1800"] {
            assert!(cookie.contains(attribute), "{attribute} is not in {cookie}");
        }
        browser.get("/reset-password").await.page(200, "Choose a new password").hides(&secret);
    }

    /// Mail scanners follow links, and so do impatient people (3.5.3).
    async fn looking_spends_nothing(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let link = link(&site).await;
        for _ in 0..3 {
            site.browser().call("HEAD", &link).await.expect_status(303);
            let mut browser = opened(&site, &link).await;
            browser.call("HEAD", "/reset-password").await.expect_status(200);
            browser.get("/reset-password").await.page(200, "Choose a new password");
        }
        opened(&site, &link).await.post("/reset-password", &[("password", NEW)]).await.expect_status(303);
    }

    async fn a_link_works_once(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let link = link(&site).await;
        let (mut first, mut second) = (opened(&site, &link).await, opened(&site, &link).await);
        first.post("/reset-password", &[("password", NEW)]).await.expect_status(303);
        let late = second.post("/reset-password", &[("password", "a third long one")]).await;
        late.page(200, "This link was used already").says(r#"<a href="/login">"#);
        // Told before somebody thinks of a password.
        let mut third = site.browser();
        third.get(&link).await.goes_to("/reset-password");
        third.get("/reset-password").await.page(200, "This link was used already").hides("<form");
        site.browser().log_in("", EMAIL, NEW).await.goes_to("/account");
    }

    async fn a_link_ends(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let mut browser = opened(&site, &link(&site).await).await;
        site.app.clock.advance(Duration::from_secs(901));
        browser.post("/reset-password", &[("password", NEW)]).await.page(400, "This link does not work");
    }

    /// What was done for one is not shown as another's; and a password manager learns whose
    /// password it is.
    async fn a_link_of_another_user_says_whose_password_it_is_and_who_is_logged_in(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let mut bob = site.browser();
        bob.post("/register", &[("email", "bob@bar.com"), ("password", PASSWORD)]).await.expect_status(303);
        bob.get(&link(&site).await).await.goes_to("/reset-password");
        let note = "In this browser bob@bar.com is logged in.";
        let form = bob.get("/reset-password").await.page(200, "Choose a new password").says(note);
        form.says(&format!(r#"value="{EMAIL}" autocomplete="username""#));
        let done = bob.post("/reset-password", &[("password", NEW)]).await.page(200, "Password changed");
        done.says(EMAIL).says(note).says(r#"<a href="/logout">"#);
        assert!(bob.is_logged_in("").await);
        site.browser().log_in("", EMAIL, NEW).await.goes_to("/account");
    }

    async fn a_password_that_is_refused_leaves_the_link_good(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let mut browser = opened(&site, &link(&site).await).await;
        let short = browser.post("/reset-password", &[("password", "short")]).await;
        short.page(422, "Choose a new password").says(r##"<a href="#password">The password must have at least 8"##);
        let none = browser.post("/reset-password", &[("password", "")]).await;
        none.page(422, "Choose a new password").says("Enter a new password");
        browser.post("/reset-password", &[("password", NEW)]).await.expect_status(303);
    }

    async fn what_is_no_secret_is_not_kept(store) {
        let site = Site::new(store).await;
        for token in ["", "a%20b", "a%0D%0ASet-Cookie:b=c", "a;b", "%C3%BC", &"a".repeat(600)] {
            let mut browser = site.browser();
            let answer = browser.get(&format!("/reset-password?token={token}")).await;
            answer.page(400, "This link does not work");
            assert!(browser.jar.is_empty());
        }
        let mut browser = site.browser();
        browser.get("/reset-password?token=neverissued").await.goes_to("/reset-password");
        browser.get("/reset-password").await.page(400, "This link does not work");
        site.browser().post("/reset-password", &[("password", NEW)]).await.page(400, "This link does not work");
    }

    /// A link to prove an address chooses no password, also not by its cookie.
    async fn a_secret_for_something_else_is_none(store) {
        let mut policy = Policy::default();
        policy.email.verification_required = true;
        let site = Site::with(policy, store).await;
        let mut browser = site.browser();
        browser.post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await.expect_status(200);
        let link = site.link(1).await;
        browser.get(&link).await.goes_to("/verify-email");
        browser.get("/reset-password").await.page(400, "This link does not work");
        browser.get(&link.replace("/verify-email", "/reset-password")).await.goes_to("/reset-password");
        browser.post("/reset-password", &[("password", NEW)]).await.page(400, "This link does not work");
    }

    /// ASVS 6.3.8
    async fn an_unknown_address_is_answered_as_a_known_one(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let known = site.browser().post("/forgot-password", &[("email", EMAIL)]).await.page(200, "Check your mail");
        let unknown = site.browser().post("/forgot-password", &[("email", "abc@bar.com")]).await;
        assert_eq!(known.body.replace(EMAIL, "abc@bar.com"), unknown.body);
        assert_eq!(site.app.mails.wait_for(1).await.len(), 1);
    }

    /// Also where programs are told.
    async fn a_policy_that_reveals_addresses_reveals_none_here(store) {
        let site = Site::with(Policy::loopback(), store).await;
        let answer = site.browser().post("/forgot-password", &[("email", "abc@bar.com")]).await;
        answer.page(200, "Check your mail");
    }

    async fn what_is_no_address_is_told_so(store) {
        let site = Site::new(store).await;
        let empty = site.browser().post("/forgot-password", &[("email", "")]).await;
        empty.page(422, "Forgot your password?").says("Enter your email address");
        let wrong = site.browser().post("/forgot-password", &[("email", "nobody")]).await;
        wrong.page(422, "Forgot your password?").says("like name@example.com").says(r#"value="nobody""#);
    }
}
