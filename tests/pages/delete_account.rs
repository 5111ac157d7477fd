//! `/delete-account`.

use std::time::Duration;

use gatekit_tests::{EMAIL, PASSWORD, on_every_store};

use crate::site::{PageAnswer, Site};

on_every_store! {
    async fn a_user_is_gone_after_ticking_the_box(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        let before = browser.clone();
        browser.get("/delete-account").await.page(200, "Delete account").says(r#"type="checkbox" value="on" required"#);
        for fields in [&[][..], &[("confirm", "off")], &[("confirm", "")]] {
            let missing = browser.post("/delete-account", fields).await.page(422, "Delete account");
            missing
                .says(r##"<a href="#confirm">Tick the box"##)
                .says(r#"aria-invalid="true" aria-describedby="confirm-error""#);
        }
        let done = browser.post("/delete-account", &[("confirm", "on")]).await;
        done.goes_to("/login?notice=account-deleted");
        assert!(browser.jar.is_empty());
        assert!(!before.clone().is_logged_in("").await);
        browser.get("/login?notice=account-deleted").await.page(200, "Log in").says("Your account is deleted.");
        browser.log_in("", EMAIL, PASSWORD).await.page(401, "Log in");
    }

    /// Step-up, ASVS 7.5.1
    async fn who_proved_the_password_long_ago_proves_it_again(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        site.app.clock.advance(Duration::from_secs(601));
        let confirm = "/confirm-password?return_to=/delete-account";
        browser.get("/delete-account").await.goes_to(confirm);
        browser.post("/delete-account", &[("confirm", "on")]).await.goes_to(confirm);
        assert!(browser.is_logged_in("").await);
        let fields = [("password", PASSWORD), ("return_to", "/delete-account")];
        browser.post("/confirm-password", &fields).await.goes_to("/delete-account");
        let done = browser.post("/delete-account", &[("confirm", "on")]).await;
        done.goes_to("/login?notice=account-deleted");
    }
}
