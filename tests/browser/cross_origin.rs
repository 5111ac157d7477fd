//! What can a page of another origin do with a user's cookie? Send every form there is, and nothing
//! happens.
//!
//! Of another origin but the same site, `SameSite=Lax` does not help: browsers send the cookie
//! along.

use gatekit_tests::PASSWORD;
use serde_json::{Value, json};

use crate::stage::{ADA, OtherSite, Stage, with_scripts};

/// Every form of the pages, as an attacker fills it in.
const FORMS: [(&str, &[(&str, &str)]); 13] = [
    ("/register", &[("email", "eve@example.com"), ("password", PASSWORD)]),
    ("/login", &[("email", "eve@example.com"), ("password", PASSWORD)]),
    ("/logout", &[]),
    ("/forgot-password", &[("email", ADA)]),
    ("/reset-password", &[("password", "a horse of eve")]),
    ("/verify-email", &[]),
    ("/resend-verification", &[("email", ADA)]),
    ("/change-password", &[("current_password", PASSWORD), ("password", "a horse of eve")]),
    ("/change-email", &[("email", "eve.other@example.com")]),
    ("/confirm-email-change", &[]),
    ("/confirm-password", &[("password", PASSWORD), ("return_to", "/account")]),
    ("/account/sessions/revoke-others", &[]),
    ("/delete-account", &[("confirm", "on")]),
];

/// What a script is told that may not even have the answer as an opaque one
/// (`Cross-Origin-Resource-Policy`).
const HIDDEN: &str = "TypeError: Failed to fetch";

/// Sends a form as the button of a page does.
async fn submit(stage: &Stage, other: &OtherSite, from: &str, path: &str, fields: &[(&str, &str)]) {
    let inputs: String = fields.iter().map(|(name, value)| format!("<input name='{name}' value='{value}'>")).collect();
    other.show(&format!("<form method=post action='{}'>{inputs}<button>Win</button></form>", stage.site.at(path)));
    stage.browser.open(from).await;
    stage.browser.follow("button").await;
}

/// Sends a form as a script does that may not read the answer.
async fn fetch(stage: &Stage, from: &str, path: &str, fields: &[(&str, &str)]) -> Value {
    stage.browser.open(from).await;
    let script = "const [url, fields, done] = arguments;
        fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'include', body: new URLSearchParams(fields) })
            .then(answer => done(answer.type), error => done(String(error)))";
    stage.browser.execute_async(script, vec![json!(stage.site.at(path)), json!(fields)]).await
}

/// Eve has an account, Ada is logged in in two browsers, one of which is the stage's, and all her
/// mails have come.
async fn prepare(stage: &Stage) -> Stage {
    stage.sign_up().await;
    let elsewhere = stage.elsewhere().await;
    elsewhere.open("/register").await;
    elsewhere.send_registration("eve@example.com", PASSWORD).await;
    elsewhere.log_out().await;
    elsewhere.log_in().await;
    elsewhere
}

/// As it was: Ada is logged in in both browsers with her address and her password, and got no mail.
async fn expect_unchanged(stage: &Stage, elsewhere: &Stage, after: &str) {
    for browser in [stage, elsewhere] {
        browser.open("/").await;
        assert_eq!(browser.browser.text("#user").await, ADA, "after {after}");
    }
    assert_eq!(stage.site.count_mails(ADA), 0, "after {after}");
    assert_eq!(stage.site.count_mails("eve.other@example.com"), 0, "after {after}");
}

/// The password is the one she has chosen.
async fn expect_same_password(stage: &Stage) {
    stage.log_out().await;
    stage.log_in().await;
}

with_scripts! {
    async fn a_form_of_another_origin_is_refused(stage) {
        let (other, elsewhere) = (OtherSite::start().await, prepare(&stage).await);
        for from in [other.same_site(), other.cross_site()] {
            for (path, fields) in FORMS {
                submit(&stage, &other, &from, path, fields).await;
                assert_eq!(stage.browser.url().await, stage.site.at(path));
                assert_eq!(stage.browser.status().await, 403, "{path} from {from}");
                assert!(stage.browser.has("h1").await, "it says why");
                expect_unchanged(&stage, &elsewhere, path).await;
            }
        }
        expect_same_password(&stage).await;
    }

    async fn a_script_of_another_origin_changes_nothing(stage) {
        let (other, elsewhere) = (OtherSite::start().await, prepare(&stage).await);
        other.show("Another site");
        for from in [other.same_site(), other.cross_site()] {
            for (path, fields) in FORMS {
                assert_eq!(fetch(&stage, &from, path, fields).await, HIDDEN);
                expect_unchanged(&stage, &elsewhere, path).await;
            }
        }
        expect_same_password(&stage).await;
    }

    /// Or a page of Eve's could log visitors in as Eve, and read what they enter there.
    async fn nobody_is_logged_in_by_another_origin(stage) {
        let (other, elsewhere) = (OtherSite::start().await, prepare(&stage).await);
        stage.log_out().await;
        for from in [other.same_site(), other.cross_site()] {
            let fields: &[(&str, &str)] = &[("email", "eve@example.com"), ("password", PASSWORD)];
            submit(&stage, &other, &from, "/login", fields).await;
            assert_eq!(stage.browser.status().await, 403);
            assert_eq!(fetch(&stage, &from, "/login", fields).await, HIDDEN);
            let fields: &[(&str, &str)] = &[("email", "new@example.com"), ("password", PASSWORD)];
            assert_eq!(fetch(&stage, &from, "/register", fields).await, HIDDEN);
            stage.expect_logged_out().await;
            assert!(stage.browser.cookies().await.is_empty());
        }
        elsewhere.expect_logged_in_as(ADA).await;
    }

    /// A mailed link is on its way from another site too, and its secret is in a cookie.
    async fn a_mailed_link_is_not_spent_by_another_origin(stage) {
        let other = OtherSite::start().await;
        stage.sign_up().await;
        stage.log_out().await;
        stage.open("/forgot-password").await;
        stage.browser.fill("email", ADA).await;
        stage.browser.submit("/forgot-password").await;
        let link = stage.site.link(ADA, "Choose a new password").await;

        // As from a webmail.
        other.show(&format!("<a href='{link}'>Your link</a>"));
        stage.browser.open(&other.cross_site()).await;
        stage.browser.follow("a").await;
        stage.expect_at("/reset-password").await;

        submit(&stage, &other, &other.same_site(), "/reset-password", &[("password", "a horse of eve")]).await;
        assert_eq!(stage.browser.status().await, 403);
        stage.open("/reset-password").await;
        stage.browser.fill("password", "staple battery horse").await;
        stage.browser.submit("/reset-password").await;
        stage.expect_notice("/login?notice=password-changed").await;
    }

    /// A link may lead in: the cookie is sent with it (`SameSite=Lax`).
    async fn a_link_from_another_site_finds_the_user_logged_in(stage) {
        let other = OtherSite::start().await;
        stage.sign_up().await;
        other.show(&format!("<a href='{}'>In</a>", stage.site.at("/private")));
        stage.browser.open(&other.cross_site()).await;
        stage.browser.follow("a").await;
        stage.expect_at("/private").await;
        assert_eq!(stage.browser.text("#user").await, ADA);
    }

    /// ASVS 3.4.6: clickjacking.
    async fn no_page_is_shown_in_a_frame(stage) {
        let other = OtherSite::start().await;
        stage.sign_up().await;
        for path in ["/", "/private", "/account", "/login", "/delete-account", "/logout", "/register", "/change-email"] {
            for from in [other.same_site(), other.cross_site()] {
                other.show(&format!("<iframe src='{}' title='frame'></iframe>", stage.site.at(path)));
                stage.browser.open(&from).await;
                stage.browser.element("iframe").await.enter_frame().await.unwrap();
                let shown = stage.browser.execute("return document.URL", Vec::new()).await;
                assert_eq!(shown, "chrome-error://chromewebdata/", "{path} in a frame");
                assert!(!stage.browser.has(".card").await, "{path} in a frame");
                stage.browser.driver().enter_default_frame().await.unwrap();
            }
        }
    }
}
