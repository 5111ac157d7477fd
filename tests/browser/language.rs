//! Which language do the pages speak?

use crate::stage::{ADA, with_and_without_scripts};

with_and_without_scripts! {
    async fn who_chooses_german_gets_german_pages_and_mails_from_then_on(stage) {
        stage.sign_up().await;
        stage.log_out().await;
        stage.open("/login?return_to=/private").await;
        assert_eq!(stage.browser.attribute("html", "lang").await.as_deref(), Some("en"));
        assert_eq!(stage.browser.text("h1").await, "Log in");

        stage.browser.follow("footer a[hreflang=de]").await;
        assert_eq!(stage.browser.attribute("html", "lang").await.as_deref(), Some("de"));
        assert_eq!(stage.browser.text("h1").await, "Anmelden");
        assert_eq!(stage.browser.value("return_to").await, "/private", "the way back is not lost");

        stage.open("/forgot-password").await;
        assert_eq!(stage.browser.attribute("html", "lang").await.as_deref(), Some("de"));
        stage.browser.fill("email", ADA).await;
        stage.browser.submit("/forgot-password").await;
        stage.site.mail(ADA, "Passwort").await;

        stage.open("/login?lang=en").await;
        assert_eq!(stage.browser.text("h1").await, "Log in");
        stage.open("/login?lang=xx").await;
        assert_eq!(stage.browser.attribute("html", "lang").await.as_deref(), Some("en"));
    }
}
