//! The sessions on `/account`, in several browsers.

use crate::stage::{ADA, with_and_without_scripts};

/// The forms that end one session: of all but this.
const END_ONE: &str = "form[action='/account/sessions/revoke']";

with_and_without_scripts! {
    async fn a_user_sees_the_sessions_and_ends_one_or_all_others(stage) {
        stage.sign_up().await;
        assert_eq!(stage.browser.elements(END_ONE).await.len(), 0, "this one is ended by logging out");
        let (phone, tablet) = (stage.elsewhere().await, stage.elsewhere().await);
        phone.log_in().await;
        tablet.log_in().await;

        stage.open("/account").await;
        assert_eq!(stage.browser.elements(".sessions > li").await.len(), 3);
        let sessions = stage.browser.text(".sessions").await;
        assert_eq!(sessions.matches("Chrom").count(), 3 + 2, "what they are on, also on the buttons: {sessions}");
        assert!(sessions.contains("127.0.0."), "{sessions}");

        // One, and not this one.
        stage.browser.submit("/account/sessions/revoke").await;
        stage.expect_notice("/account?notice=session-ended").await;
        assert_eq!(stage.browser.elements(END_ONE).await.len(), 1);
        let mut ended = Vec::new();
        for other in [&phone, &tablet] {
            other.open("/").await;
            if !other.browser.has("#user").await {
                ended.push(other);
            }
        }
        assert_eq!(ended.len(), 1);
        for other in ended {
            other.log_in().await;
        }

        // All others.
        stage.open("/account").await;
        stage.browser.submit("/account/sessions/revoke-others").await;
        stage.expect_notice("/account?notice=sessions-ended").await;
        assert_eq!(stage.browser.elements(".sessions > li").await.len(), 1);
        assert!(!stage.browser.has("form[action='/account/sessions/revoke-others']").await);
        for other in [&phone, &tablet] {
            other.expect_logged_out().await;
        }
        stage.expect_logged_in_as(ADA).await;
    }
}
