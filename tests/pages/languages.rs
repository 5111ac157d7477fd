//! Pages and mails in the visitor's language.

use gatekit::Policy;
use gatekit::core::Texts;
use gatekit::pages::Pages;
use gatekit_tests::{App, EMAIL, PASSWORD, on_every_store};

use crate::site::{PageAnswer, Site};

on_every_store! {
    async fn a_browser_gets_the_language_it_asks_for(store) {
        let site = Site::new(store).await;
        for (accepted, language, heading) in [
            ("de", "de", "Anmelden"),
            ("de-AT, en;q=0.5", "de", "Anmelden"),
            ("fr, de;q=0.3, en;q=0.5", "en", "Log in"),
            ("tlh", "en", "Log in"),
            ("*", "en", "Log in"),
            (";;;q=", "en", "Log in"),
        ] {
            let mut browser = site.browser().header("accept-language", accepted);
            let page = browser.get("/login").await.page(200, heading);
            page.says(&format!(r#"<html lang="{language}">"#));
        }
    }

    async fn a_choice_is_remembered(store) {
        let site = Site::new(store).await;
        let mut browser = site.browser().header("accept-language", "en");
        let page = browser.get("/login?lang=de&return_to=%2Fprivate").await.page(200, "Anmelden");
        page.says(r#"<a href="/login?lang=en&#38;return_to=/private" lang="en" hreflang="en">English</a>"#);
        browser.get("/login").await.page(200, "Anmelden").says(r#"<span lang="de" aria-current="true">Deutsch</span>"#);
        browser.log_in("", EMAIL, "wrong").await.page(401, "Anmelden");
        browser.get("/login?lang=en").await.page(200, "Log in");
        browser.get("/login").await.page(200, "Log in");
        for unknown in ["fr", "", "de%0d%0a", "%3Cb%3E"] {
            browser.get(&format!("/login?lang={unknown}")).await.page(200, "Log in");
        }
    }

    async fn mails_are_in_the_language_of_the_page(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let mut browser = site.browser().header("accept-language", "de");
        browser.post("/forgot-password", &[("email", EMAIL)]).await.expect_status(200);
        let mail = site.app.mails.wait_for(1).await.pop().unwrap();
        assert_eq!(mail.subject, "Neues Passwort wählen");
    }

    /// Where to go if it was somebody else is in the mail.
    async fn notices_lead_to_where_a_new_password_is_asked_for(store) {
        let mut policy = Policy::default();
        policy.mail.notify_password_changed = true;
        policy.mail.notify_unknown_device = true;
        let site = Site::with(policy, store).await;
        let mut browser = site.signed_up().await;
        assert!(browser.jar.contains_key("__Host-gatekit_device"));
        let fields = [("current_password", PASSWORD), ("password", "another long one")];
        browser.post("/change-password", &fields).await.expect_status(303);
        assert_eq!(site.link(1).await, "/forgot-password");
        // Another browser, another device; the first is known by its cookie.
        browser.log_in("", EMAIL, "another long one").await.expect_status(303);
        site.browser().header("accept-language", "de").log_in("", EMAIL, "another long one").await.expect_status(303);
        assert_eq!(site.link(2).await, "/forgot-password");
        assert!(site.app.mails.wait_for(2).await[1].text.contains("angemeldet"));
    }

    async fn an_app_replaces_texts_and_adds_languages(store) {
        let texts = Texts::default()
            .set("en", "page.login.title", "Welcome <back>")
            .set("fr", "page.login.title", "Connexion")
            .set("fr", "page.language.name", "Français");
        let setup = App::with(Policy::default()).configure(|auth| auth.texts(texts));
        let site = Site::start(setup, store, "").await;
        let pages = Pages::new(site.app.auth.clone()).site_name("Acme").languages(["fr", "en"]);
        let site = site.mount(pages);
        site.browser().get("/login").await.page(200, "Connexion").says(">English</a>").hides("Deutsch");
        let mut english = site.browser().header("accept-language", "en");
        english.get("/login").await.page(200, "Welcome &#60;back&#62;").says(">Français</a>");
        // What is not translated is English.
        site.browser().get("/register").await.page(200, "Create an account").says(r#"<html lang="fr">"#);
    }

    async fn errors_are_translated(store) {
        let site = Site::new(store).await;
        let mut browser = site.browser().header("accept-language", "de");
        let wrong = browser.post("/register", &[("email", "x"), ("password", "y")]).await.page(422, "Konto anlegen");
        wrong.says("Das Passwort muss mindestens 8 Zeichen haben").says("wie name@example.com ein");
        browser.post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await.goes_to("/account");
        browser.get("/account").await.page(200, "Mein Konto");
    }
}
