//! `/change-password`.

use gatekit::Event;
use gatekit::core::PasswordUse;
use gatekit_tests::{EMAIL, PASSWORD, on_every_store};

use crate::site::{PageAnswer, Site};

const NEW: &str = "another long password";

on_every_store! {
    async fn the_old_password_changes_it_and_ends_all_other_sessions(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        let mut other = site.logged_in().await;
        let page = browser.get("/change-password").await.page(200, "Change password");
        page.says(&format!(r#"value="{EMAIL}" autocomplete="username" readonly hidden"#))
            .says(r#"id="current_password" name="current_password" type="password" autocomplete="current-password""#)
            .says(r#"id="password" name="password" type="password" autocomplete="new-password" minlength="8""#);
        let fields = [("current_password", PASSWORD), ("password", NEW)];
        browser.post("/change-password", &fields).await.goes_to("/account?notice=password-changed");
        browser.get("/account?notice=password-changed").await.page(200, "My account").says("Your password is changed.");
        assert!(!other.is_logged_in("").await);
        site.browser().log_in("", EMAIL, NEW).await.goes_to("/account");
    }

    async fn what_is_wrong_is_told_beside_its_field(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        let empty = browser.post("/change-password", &[]).await.page(422, "Change password");
        empty
            .says(r##"<a href="#current_password">Enter your password</a>"##)
            .says(r##"<a href="#password">Enter a new password</a>"##);
        let wrong = browser.post("/change-password", &[("current_password", "wrong"), ("password", NEW)]).await;
        wrong
            .page(422, "Change password")
            .says(r#"<span class="error" id="current_password-error">The password is not right</span>"#)
            .hides(NEW);
        let events = site.app.events.take();
        let refused = matches!(events.last(), Some(Event::PasswordRefused { used_for: PasswordUse::ChangePassword, .. }));
        assert!(refused, "16.3.1: {events:?}");
        let own = browser.post("/change-password", &[("current_password", PASSWORD), ("password", EMAIL)]).await;
        own.page(422, "Change password").says("This is your own address or name");
        let short = browser.post("/change-password", &[("current_password", PASSWORD), ("password", "short")]).await;
        short.page(422, "Change password").says(r#"<span class="error" id="password-error">The password must have"#);
        site.browser().log_in("", EMAIL, PASSWORD).await.goes_to("/account");
    }

    async fn who_is_not_logged_in_changes_nothing(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let fields = [("current_password", PASSWORD), ("password", NEW)];
        let answer = site.browser().post("/change-password", &fields).await;
        answer.goes_to("/login?return_to=/change-password");
        site.browser().log_in("", EMAIL, PASSWORD).await.goes_to("/account");
    }

    async fn password_managers_find_the_page(store) {
        let site = Site::new(store).await;
        let answer = site.browser().get("/.well-known/change-password").await;
        answer.expect_status(302).expect_header("location", "/change-password");
    }
}
