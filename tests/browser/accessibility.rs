//! Can everybody use the pages, and do they look right? axe-core on each page, with mistakes too,
//! in light, in dark and as wide as a phone, and pictures of all of it.

use gatekit_tests::PASSWORD;

use crate::stage::{ADA, Look, OtherSite, Scripts, Stage, with_and_without_scripts, with_scripts};

/// Looks at the page that is shown in all ways.
async fn look_at(stage: &Stage, name: &str) {
    let browser = &stage.browser;
    for look in Look::ALL {
        browser.look(look).await;
        browser.picture(name, look).await;
        browser.expect_accessible(&format!("{name}, {look:?}")).await;
        assert_eq!(browser.overflow().await, 0, "{name}, {look:?}: wider than the screen");
    }
    browser.look(Look::Light).await;
    assert_eq!(browser.elements("h1").await.len(), 1, "{name}: one heading");
}

/// Opens a page and looks at it.
async fn open(stage: &Stage, name: &str, path: &str) {
    stage.open(path).await;
    look_at(stage, name).await;
}

with_scripts! {
    async fn the_pages_of_visitors(stage; ("VERIFY_EMAIL", "1")) {
        let browser = &stage.browser;
        open(&stage, "home", "/").await;
        open(&stage, "login", "/login").await;
        stage.send_login(ADA, PASSWORD).await;
        look_at(&stage, "login-failed").await;
        open(&stage, "login-german", "/login?lang=de").await;
        stage.open("/login?lang=en").await;

        open(&stage, "register", "/register").await;
        stage.send_registration("no address", "shrt").await;
        look_at(&stage, "register-mistakes").await;
        stage.send_registration(ADA, PASSWORD).await;
        look_at(&stage, "check-your-mail").await;
        stage.open("/login").await;
        stage.send_login(ADA, PASSWORD).await;
        look_at(&stage, "login-unverified").await;

        open(&stage, "resend-verification", "/resend-verification").await;
        browser.submit("/resend-verification").await;
        look_at(&stage, "resend-verification-mistakes").await;
        browser.open(&stage.site.link(ADA, "").await).await;
        look_at(&stage, "verify-email").await;
        browser.submit("/verify-email").await;
        look_at(&stage, "verify-email-done").await;

        open(&stage, "forgot-password", "/forgot-password").await;
        browser.fill("email", ADA).await;
        browser.submit("/forgot-password").await;
        look_at(&stage, "forgot-password-sent").await;
        browser.open(&stage.site.link(ADA, "Choose a new password").await).await;
        look_at(&stage, "reset-password").await;
        browser.fill("password", "shrt").await;
        browser.submit("/reset-password").await;
        look_at(&stage, "reset-password-mistakes").await;
        browser.fill("password", PASSWORD).await;
        browser.submit("/reset-password").await;
        look_at(&stage, "login-notice").await;
        open(&stage, "link-invalid", "/reset-password?token=x").await;
    }

    async fn the_pages_of_users(stage) {
        let browser = &stage.browser;
        stage.sign_up().await;
        look_at(&stage, "account").await;
        let elsewhere = stage.elsewhere().await;
        elsewhere.log_in().await;
        open(&stage, "account-two-sessions", "/account").await;
        open(&stage, "account-german", "/account?lang=de").await;
        stage.open("/account?lang=en").await;
        browser.submit("/account/sessions/revoke-others").await;
        look_at(&stage, "account-notice").await;

        open(&stage, "home-user", "/").await;
        open(&stage, "private", "/private").await;
        open(&stage, "private-keys", "/private/keys").await;
        open(&stage, "change-password", "/change-password").await;
        browser.submit("/change-password").await;
        look_at(&stage, "change-password-mistakes").await;
        open(&stage, "change-email", "/change-email").await;
        browser.fill("email", "x").await;
        browser.submit("/change-email").await;
        look_at(&stage, "change-email-mistakes").await;
        browser.fill("email", "new@example.com").await;
        browser.submit("/change-email").await;
        look_at(&stage, "change-email-sent").await;
        browser.open(&stage.site.link("new@example.com", "").await).await;
        look_at(&stage, "confirm-email-change").await;
        open(&stage, "delete-account", "/delete-account").await;
        browser.submit("/delete-account").await;
        look_at(&stage, "delete-account-mistakes").await;
        open(&stage, "logout", "/logout").await;

        stage.site.age_passwords().await;
        open(&stage, "confirm-password", "/change-email").await;
        browser.submit("/confirm-password").await;
        look_at(&stage, "confirm-password-mistakes").await;
    }

    /// Or all of the above proves nothing.
    async fn a_page_that_not_everybody_can_use_is_found(stage) {
        let other = OtherSite::start().await;
        other.show("<h1>Hi</h1><main><input><p style='color: #ccc; width: 3000px'>Pale</p></main>");
        stage.browser.open(&other.same_site()).await;
        let found = stage.browser.violations().await;
        for rule in ["color-contrast", "label"] {
            assert!(found.iter().any(|violation| violation["rule"] == rule), "{rule} is not among {found:?}");
        }
        assert!(stage.browser.overflow().await > 0);
    }

    /// The one thing that scripts do to a form.
    async fn a_password_can_be_shown(stage) {
        let kind = async || stage.browser.attribute("#password", "type").await;
        stage.open("/login").await;
        assert_eq!(kind().await.as_deref(), Some("password"));
        stage.browser.click("button.toggle").await;
        assert_eq!(kind().await.as_deref(), Some("text"));
        stage.browser.click("button.toggle").await;
        assert_eq!(kind().await.as_deref(), Some("password"));
    }

    /// WCAG 2.1.1, 2.4.3: by the keyboard alone, in the order in which it is read.
    async fn the_keyboard_is_enough(stage) {
        stage.sign_up().await;
        stage.log_out().await;
        stage.open("/login").await;
        let mut order = Vec::new();
        for _ in 0..8 {
            stage.browser.press(thirtyfour::Key::Tab).await;
            order.extend(stage.browser.focused().await.filter(|id| !id.is_empty()));
        }
        assert_eq!(order, ["email", "password"]);

        stage.open("/login").await;
        stage.browser.fill("email", ADA).await;
        stage.browser.fill("password", PASSWORD).await;
        stage.browser.follow_by_key(thirtyfour::Key::Enter).await;
        stage.expect_at("/account").await;
    }
}

with_and_without_scripts! {
    /// Or the tests without them prove nothing.
    async fn a_browser_without_scripts_has_none(stage) {
        stage.open("/login").await;
        let toggles = stage.browser.elements("button.toggle").await.len();
        let expected = usize::from(stage.browser.scripts() == Scripts::On);
        assert_eq!(toggles, expected, "the button that a script adds");
    }
}
