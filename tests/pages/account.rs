//! `/account`: a user's data and sessions.

use std::time::Duration;

use gatekit_tests::{EMAIL, PASSWORD, on_every_store};

use crate::site::{Browser, PageAnswer, Site};

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/// The handles in the forms of the page.
async fn handles(browser: &mut Browser) -> Vec<String> {
    let page = browser.get("/account").await.page(200, "My account");
    let forms = page.body.split(r#"name="session" value=""#).skip(1);
    forms.map(|rest| rest.split('"').next().unwrap_or_default().to_owned()).collect()
}

on_every_store! {
    async fn sessions_are_known_by_their_devices(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        let mut firefox = site.browser().header("user-agent", FIREFOX);
        firefox.log_in("", EMAIL, PASSWORD).await.expect_status(303);
        let page = browser.get("/account").await.page(200, "My account");
        page.says(r#"<h3>Unknown device <span class="tag">This session</span></h3>"#)
            .says("<h3>Firefox on Linux</h3>")
            .says("End session: Firefox on Linux</button>")
            .hides("End session: Unknown device")
            .says("<time datetime=\"");
        let page = firefox.get("/account").await.page(200, "My account");
        page.says(r#"<h3>Firefox on Linux <span class="tag">This session</span></h3>"#);
    }

    /// 7.5.2
    async fn one_session_is_ended(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        let mut a = site.logged_in().await;
        site.app.clock.advance(Duration::from_secs(60));
        let mut b = site.logged_in().await;
        let handles = handles(&mut browser).await;
        assert_eq!(handles.len(), 2);
        let done = browser.post("/account/sessions/revoke", &[("session", &handles[0])]).await;
        done.goes_to("/account?notice=session-ended");
        browser.get("/account?notice=session-ended").await.page(200, "My account").says("The session has ended.");
        // The newest is on top.
        assert!(!b.is_logged_in("").await);
        assert!(a.is_logged_in("").await);
        for unknown in [handles[0].as_str(), "", "nothing"] {
            let again = browser.post("/account/sessions/revoke", &[("session", unknown)]).await;
            again.goes_to("/account?notice=session-ended");
        }
        assert!(a.is_logged_in("").await);
    }

    /// 7.4.3
    async fn all_others_are_ended(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        browser.get("/account").await.hides("End all other sessions");
        let mut others = [site.logged_in().await, site.logged_in().await];
        browser.get("/account").await.says("End all other sessions</button>");
        browser.post("/account/sessions/revoke-others", &[]).await.goes_to("/account?notice=sessions-ended");
        for other in &mut others {
            assert!(!other.is_logged_in("").await);
        }
        assert!(browser.is_logged_in("").await);
    }

    /// 7.5.2: who finds a browser open does not lock its owner out elsewhere.
    async fn sessions_are_ended_by_who_has_proven_its_password_a_short_time_ago(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        let mut other = site.logged_in().await;
        let handle = handles(&mut browser).await.remove(0);
        site.app.clock.advance(Duration::from_secs(601));
        for path in ["/account/sessions/revoke", "/account/sessions/revoke-others"] {
            let asked = browser.post(path, &[("session", &handle)]).await;
            asked.goes_to("/confirm-password?return_to=/account");
        }
        assert!(other.is_logged_in("").await);
        let proven = browser.post("/confirm-password", &[("password", PASSWORD), ("return_to", "/account")]).await;
        proven.goes_to("/account");
        browser.post("/account/sessions/revoke", &[("session", &handle)]).await.goes_to("/account?notice=session-ended");
        assert!(!other.is_logged_in("").await);
    }

    /// CWE-639, 8.2.2
    async fn nobody_ends_somebody_elses_session(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        site.logged_in().await;
        let handle = handles(&mut browser).await.remove(0);
        let mut stranger = site.browser();
        stranger.post("/register", &[("email", "abc@bar.com"), ("password", PASSWORD)]).await.expect_status(303);
        stranger.post("/account/sessions/revoke", &[("session", &handle)]).await.expect_status(303);
        assert_eq!(handles(&mut browser).await, [handle]);
    }

    async fn who_is_not_logged_in_ends_nothing(store) {
        let site = Site::new(store).await;
        for path in ["/account/sessions/revoke", "/account/sessions/revoke-others"] {
            site.browser().post(path, &[("session", "a")]).await.goes_to("/login?return_to=/account");
            site.browser().get(path).await.expect_status(405);
        }
    }

    /// What a client calls itself is shown to its user, and nothing of it is markup (3.2.2).
    async fn a_user_agent_is_not_shown_as_it_is(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let mut evil = site.browser().header("user-agent", "<script>alert(1)</script>");
        evil.log_in("", EMAIL, PASSWORD).await.expect_status(303);
        evil.get("/account").await.page(200, "My account").says("Unknown device").hides("alert");
    }
}
