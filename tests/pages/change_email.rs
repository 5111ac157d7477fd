//! `/change-email` and `/confirm-email-change`, and `/confirm-password` on the way.

use std::time::Duration;

use gatekit_tests::{EMAIL, PASSWORD, on_every_store};

use crate::site::{PageAnswer, Site};

const NEW: &str = "new@bar.com";

on_every_store! {
    async fn an_address_is_changed_by_who_gets_the_mail_sent_to_it(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        let mut other = site.logged_in().await;
        browser.get("/change-email").await.page(200, "Change email address").says(&format!("Your address is {EMAIL}."));
        browser.post("/change-email", &[("email", NEW)]).await.page(200, "Check your mail").says(NEW);
        browser.get("/account").await.says(EMAIL).hides(NEW);

        let link = site.link(1).await;
        assert!(link.starts_with("/confirm-email-change?token="), "{link}");
        browser.call("HEAD", &link).await.expect_status(303);
        browser.get(&link).await.goes_to("/confirm-email-change");
        browser.get("/confirm-email-change").await.page(200, "Confirm your new email address");
        browser.get("/account").await.says(EMAIL).hides(NEW);
        browser.post("/confirm-email-change", &[]).await.goes_to("/account?notice=email-changed");
        let account = browser.get("/account?notice=email-changed").await.page(200, "My account");
        account.says("Your email address is changed.").says(NEW).says("confirmed");
        assert!(!other.is_logged_in("").await, "the other sessions end");
        browser.get("/confirm-email-change").await.page(200, "Address changed").hides("<form");
        browser.post("/confirm-email-change", &[]).await.goes_to("/account?notice=email-changed");
        site.browser().log_in("", NEW, PASSWORD).await.goes_to("/account");
    }

    async fn the_link_may_be_opened_in_another_browser(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        browser.post("/change-email", &[("email", NEW)]).await.expect_status(200);
        let mut other = site.browser();
        other.get(&site.link(1).await).await.goes_to("/confirm-email-change");
        other.post("/confirm-email-change", &[]).await.page(200, "Address changed").says(r#"<a href="/login">"#);
        assert!(!browser.is_logged_in("").await);
    }

    /// What was done for one is not shown as another's.
    async fn a_link_of_another_user_names_its_address_and_who_is_logged_in(store) {
        let site = Site::new(store).await;
        let mut ada = site.signed_up().await;
        ada.post("/change-email", &[("email", NEW)]).await.expect_status(200);
        let mut bob = site.browser();
        bob.post("/register", &[("email", "bob@bar.com"), ("password", PASSWORD)]).await.expect_status(303);
        bob.get(&site.link(1).await).await.goes_to("/confirm-email-change");
        let note = "In this browser bob@bar.com is logged in.";
        bob.get("/confirm-email-change").await.page(200, "Confirm your new email address").says(NEW).says(note);
        for _ in 0..2 {
            let done = bob.post("/confirm-email-change", &[]).await.page(200, "Address changed").says(NEW).says(note);
            done.says(r#"<a href="/logout">"#).hides(r#"<a href="/account">"#);
        }
        bob.get("/account").await.page(200, "My account").says("bob@bar.com").hides(NEW);
    }

    async fn somebody_elses_address_is_answered_alike_and_gets_no_mail(store) {
        let site = Site::new(store).await;
        site.browser().post("/register", &[("email", NEW), ("password", PASSWORD)]).await.expect_status(303);
        let mut browser = site.signed_up().await;
        let taken = browser.post("/change-email", &[("email", NEW)]).await.page(200, "Check your mail");
        let free = browser.post("/change-email", &[("email", "free@bar.com")]).await;
        assert_eq!(taken.body.replace(NEW, "free@bar.com"), free.body);
        assert_eq!(site.app.mails.wait_for(1).await.len(), 1);
    }

    async fn what_is_no_address_is_told_so(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        browser.post("/change-email", &[("email", "")]).await.page(422, "Change email address").says("Enter your email");
        let wrong = browser.post("/change-email", &[("email", "nobody")]).await;
        wrong.page(422, "Change email address").says(r##"<a href="#email">"##).says(r#"value="nobody""#);
    }

    /// Step-up, ASVS 7.5.1
    async fn who_proved_the_password_long_ago_proves_it_again_and_comes_back(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        site.app.clock.advance(Duration::from_secs(601));
        let confirm = "/confirm-password?return_to=/change-email";
        browser.post("/change-email", &[("email", NEW)]).await.goes_to(confirm);
        browser.get("/change-email").await.goes_to(confirm);
        let page = browser.get(confirm).await.page(200, "Confirm it is you");
        page.says(r#"name="return_to" value="/change-email""#)
            .says(&format!(r#"value="{EMAIL}" autocomplete="username" readonly hidden"#));

        let wrong = browser.post("/confirm-password", &[("password", "wrong"), ("return_to", "/change-email")]).await;
        wrong.page(422, "Confirm it is you").says("The password is not right").says(r#"value="/change-email""#);
        let none = browser.post("/confirm-password", &[("password", "")]).await;
        none.page(422, "Confirm it is you").says("Enter your password");
        browser.get("/change-email").await.goes_to(confirm);

        let before = browser.clone();
        let fields = [("password", PASSWORD), ("return_to", "/change-email")];
        browser.post("/confirm-password", &fields).await.goes_to("/change-email");
        browser.get("/change-email").await.page(200, "Change email address");
        assert_ne!(browser.token(), before.token());
        assert!(!before.clone().is_logged_in("").await, "the old token has ended");
    }

    async fn who_is_not_logged_in_logs_in_and_has_proven_the_password_by_that(store) {
        let site = Site::new(store).await;
        let mut browser = site.browser();
        browser.get("/confirm-password?return_to=/change-email").await.goes_to("/login?return_to=/change-email");
        browser.get("/confirm-password").await.goes_to("/login");
        let fields = [("password", PASSWORD), ("return_to", "/change-email")];
        browser.post("/confirm-password", &fields).await.goes_to("/login?return_to=/change-email");
    }
}
