//! `/register`.

use gatekit::core::MailKind;
use gatekit::{AccountStatus, HookVeto, Hooks, NewUser, NoProfile, Policy, User, UserId, async_trait};
use gatekit_tests::{App, EMAIL, PASSWORD, on_every_store};

use crate::site::{PageAnswer, Site};

struct ApprovedByHand;

#[async_trait]
impl Hooks<User> for ApprovedByHand {
    async fn before_register(&self, new: &mut NewUser<NoProfile>) -> Result<(), HookVeto> {
        new.status = AccountStatus::Pending;
        Ok(())
    }
}

on_every_store! {
    async fn a_new_user_is_logged_in_and_sent_to_the_account(store) {
        let site = Site::new(store).await;
        let mut browser = site.browser();
        browser.get("/register").await.page(200, "Create an account").says(r#"autocomplete="new-password""#);
        let fields = [("email", EMAIL), ("password", PASSWORD)];
        browser.post("/register", &fields).await.goes_to("/account");
        browser.get("/account").await.page(200, "My account").says(EMAIL);
        // It may go on to what asks for a password that was proven a short time ago.
        browser.get("/change-email").await.page(200, "Change email address");
    }

    /// 6.2.11: in any spelling.
    async fn the_name_of_the_site_and_the_own_address_are_no_passwords(store) {
        let setup = App::with(Policy::default()).configure(|builder| builder.site_name("Acme Shop"));
        let site = Site::start(setup, store, "").await;
        let mut browser = site.browser();
        for (email, password) in [
            (EMAIL, "AcmeShop2026"),
            ("lovelace@example.com", "acme-lovelace"),
            ("lovelace@example.com", "\u{ff4c}ovelace1815"),
            ("\u{ff4c}ovelace@example.com", "lovelace1815"),
        ] {
            let refused = browser.post("/register", &[("email", email), ("password", password)]).await;
            refused.page(422, "Create an account").says("your own address or name, or that of the site");
        }
    }

    async fn who_must_be_approved_of_is_told_so_and_not_logged_in(store) {
        let setup = App::with(Policy::default()).configure(|builder| builder.hooks(ApprovedByHand));
        let site = Site::start(setup, store, "").await;
        let mut browser = site.browser().header("accept-language", "de");
        let new = [("email", EMAIL), ("password", PASSWORD)];
        browser.post("/register", &new).await.page(200, "Fast geschafft").says("sobald es freigegeben ist");
        assert!(!browser.is_logged_in("").await);
        site.browser().log_in("", EMAIL, PASSWORD).await.page(403, "Log in").says("has not been approved yet");
        site.app.auth.set_account_status(&UserId::from(1), AccountStatus::Active).await.unwrap();
        browser.log_in("", EMAIL, PASSWORD).await.goes_to("/account");
    }

    async fn all_that_is_wrong_is_told_at_once_beside_the_fields_and_above_the_form(store) {
        let site = Site::new(store).await;
        let mut browser = site.browser();
        let empty = browser.post("/register", &[("email", " "), ("password", "")]).await;
        let empty = empty.page(422, "Create an account");
        empty
            .says(r##"<div id="error-summary" role="alert" tabindex="-1""##)
            .says(r##"<a href="#email">Enter your email address</a>"##)
            .says(r##"<a href="#password">Enter a new password</a>"##)
            .says(r#"<span class="error" id="email-error">Enter your email address</span>"#)
            .says(r#"aria-invalid="true" aria-describedby="email-error""#)
            .says(r#"aria-invalid="true" aria-describedby="password-error password-hint""#);
        let wrong = browser.post("/register", &[("email", "nobody"), ("password", "short")]).await;
        wrong
            .page(422, "Create an account")
            .says("Enter an email address like name@example.com")
            .says("The password must have at least 8 characters")
            .says(r#"value="nobody""#)
            .hides("short\"");
        let common = browser.post("/register", &[("email", EMAIL), ("password", "password123")]).await;
        common.page(422, "Create an account").says("This is one of the most common passwords");
        let long = browser.post("/register", &[("email", EMAIL), ("password", &"a b".repeat(1000))]).await;
        long.page(422, "Create an account").says("The password is too long: at most 1024 bytes");
        assert!(browser.jar.is_empty());
    }

    async fn an_address_that_is_taken_is_said_to_be(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let again = site.browser().post("/register", &[("email", EMAIL), ("password", "another long one")]).await;
        again.page(422, "Create an account").says(r##"<a href="#email">There is already an account"##);
    }

    /// V-16: the pages have the normaliser of the API. Chromium sends the domain of an address in
    /// Punycode, and Firefox does not.
    async fn every_page_takes_an_address_in_any_spelling(store) {
        let site = Site::new(store).await;
        let (typed, others) = ("jos\u{e9}@b\u{fc}cher.example", ["jose\u{301}@xn--bcher-kva.example", "\u{feff}JOS\u{c9}@b\u{fc}cher\u{3002}example"]);
        site.browser().post("/register", &[("email", typed), ("password", PASSWORD)]).await.goes_to("/account");
        for (n, other) in others.iter().enumerate() {
            let again = site.browser().post("/register", &[("email", other), ("password", "another long one")]).await;
            again.page(422, "Create an account").says("There is already an account");
            let mut browser = site.browser();
            browser.log_in("", other, PASSWORD).await.goes_to("/account");
            browser.get("/account").await.page(200, "My account").says("jos\u{e9}@xn--bcher-kva.example");
            browser.post("/forgot-password", &[("email", other)]).await.expect_status(200);
            assert_eq!(site.app.mails.wait_for(n + 1).await[n].to, "jos\u{e9}@xn--bcher-kva.example");
        }
        let refused = site.browser().post("/register", &[("email", "ren\u{fffd}@example.com"), ("password", PASSWORD)]).await;
        refused.page(422, "Create an account").says("Enter an email address like name@example.com");
    }

    /// What is entered comes back as text, whatever it looks like (ASVS 1.2.1, 3.2.2).
    async fn what_was_entered_is_escaped(store) {
        let site = Site::new(store).await;
        let evil = r#""><script>alert(1)</script>"#;
        let answer = site.browser().post("/register", &[("email", evil), ("password", evil)]).await;
        answer.page(422, "Create an account").hides("<script>alert").says("&#60;script&#62;");
    }

    async fn where_an_address_must_be_proven_a_mail_is_sent_and_nobody_is_logged_in(store) {
        let mut policy = Policy::default();
        policy.email.verification_required = true;
        let site = Site::with(policy, store).await;
        let mut browser = site.browser();
        let sent = browser.post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await;
        sent.page(200, "Check your mail").says(EMAIL);
        assert!(browser.jar.is_empty());
        assert!(site.link(1).await.starts_with("/verify-email?token="));
    }

    /// V-21, 6.3.8: by the page, its headers and what the store is asked.
    async fn where_an_address_must_be_proven_a_taken_one_looks_like_any_other(store) {
        let mut policy = Policy::default();
        policy.email.verification_required = true;
        let site = Site::with(policy, store).await;
        site.browser().post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await.expect_status(200);
        let mut seen = Vec::new();
        for email in ["abc@bar.com", EMAIL] {
            site.app.faults.reset();
            let hashes = site.app.auth.hasher().hashes();
            let answer = site.browser().post("/register", &[("email", email), ("password", PASSWORD)]).await;
            let writes = site.app.faults.calls().into_iter().filter(|call| !call.starts_with("find")).count();
            let headers: Vec<_> = answer.headers.keys().cloned().collect();
            seen.push((answer.body.replace(email, "EMAIL"), headers, site.app.auth.hasher().hashes() - hashes, writes));
        }
        assert_eq!(seen[0], seen[1]);
        // The owner, whose address is unverified, gets a link that verifies it.
        let mail = site.app.mails.mails().pop().unwrap();
        assert_eq!((mail.kind, mail.to.as_str()), (MailKind::AccountUnverified, EMAIL));
        let link = site.link(3).await;
        let mut browser = site.browser();
        browser.get(&link).await.goes_to("/verify-email");
        browser.post("/verify-email", &[]).await.page(200, "Address confirmed").says(EMAIL);
        // Afterwards the mail says how to get a new password.
        site.browser().post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await.expect_status(200);
        assert_eq!(site.link(4).await, "/forgot-password");
    }

    async fn who_is_logged_in_has_nothing_to_register(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        browser.get("/register").await.goes_to("/account");
        browser.get("/register?return_to=/private").await.goes_to("/private");
    }

    /// A password is taken as it is: nothing is trimmed or cut (ASVS 6.2.8).
    async fn a_password_keeps_its_blanks_and_signs(store) {
        let site = Site::new(store).await;
        let password = "  pass+wörd & more=  ";
        site.browser().post("/register", &[("email", EMAIL), ("password", password)]).await.goes_to("/account");
        site.browser().log_in("", EMAIL, password.trim()).await.page(401, "Log in");
        site.browser().log_in("", EMAIL, password).await.goes_to("/account");
    }
}
