//! The path that a browser sees is not the one that the app sees: a proxy serves the site below a
//! path and cuts that off.

use axum::Router;
use axum::routing::get;
use gatekit::core::MailKind;
use gatekit::pages::{AskToLogInLayer, Feature, Pages, change_password_redirect};
use gatekit::{AuthLayer, AuthUser, Policy};
use gatekit_tests::{App, EMAIL, PASSWORD, Store, on_every_store};

use crate::site::{Browser, PageAnswer, Site};

const PREFIX: &str = "/sub";

async fn private(AuthUser(user): AuthUser) -> String {
    format!("for {} only", user.id)
}

/// A site at `https://app.example.com/sub`, with the kit's pages below `mount` and a page of its
/// own.
async fn site(store: Store, mount: &'static str, home: &str) -> Site {
    let mut policy = Policy::default();
    policy.email.verification_required = true;
    let setup = App::with(policy).configure(|builder| builder.public_url("https://app.example.com/sub/"));
    let mut site = Site::start(setup, store, mount).await;
    let auth = site.app.auth.clone();
    let pages = Pages::new(auth.clone()).site_name("Acme").home(home).after_login("/private").router();
    let own = Router::new().route("/private", get(private)).layer(AskToLogInLayer::pages_at(mount));
    let own = own.merge(change_password_redirect_unless_root(mount));
    let router = if mount.is_empty() { own.merge(pages) } else { own.nest(mount, pages) };
    site.app.router = gatekit_tests::settled(router.layer(AuthLayer::new(auth.clone())), &auth, &site.app.mails);
    site
}

fn change_password_redirect_unless_root(mount: &str) -> Router {
    if mount.is_empty() { Router::new() } else { change_password_redirect(format!("{mount}/change-password")) }
}

/// What the proxy passes on of a path that it serves, or panics: the browser would get the proxy's
/// 404.
#[track_caller]
fn cut(path: &str) -> &str {
    path.strip_prefix(PREFIX).filter(|rest| rest.starts_with('/')).unwrap_or_else(|| panic!("{path} is not the site's"))
}

/// Follows a redirect as a browser behind the proxy would.
async fn follow(browser: &mut Browser, answer: gatekit_tests::Answer) -> gatekit_tests::Answer {
    let target = answer.header("location").to_owned();
    browser.get(cut(&target)).await
}

/// Every link, form, stylesheet and script of a page is below the prefix.
#[track_caller]
fn all_below(page: &gatekit_tests::Answer) {
    for part in page.body.split(['\n', '<', ' ']) {
        for name in ["href=\"/", "action=\"/", "src=\"/"] {
            if let Some(rest) = part.strip_prefix(name) {
                cut(&format!("/{}", rest.split('"').next().unwrap_or_default()));
            }
        }
    }
}

on_every_store! {
    async fn whatever_a_browser_is_led_to_is_below_the_prefix(store) {
        for mount in ["", "/auth"] {
            let site = site(store, mount, "/").await;
            let mut browser = site.browser();
            let at = |path: &str| format!("{mount}{path}");

            // A page of the app's own: to the login, and back.
            let asked = browser.get("/private?page=2").await.expect_status(303);
            assert_eq!(asked.header("location"), format!("/sub{mount}/login?return_to=/sub/private%3Fpage%3D2"));
            let login = follow(&mut browser, asked).await.page(200, "Log in");
            all_below(&login);
            assert!(login.body.contains(&format!("action=\"/sub{mount}/login\"")), "{}", login.body);
            assert!(login.body.contains("href=\"/sub/\">Acme"), "{}", login.body);
            for path in ["/register", "/forgot-password", "/resend-verification", "/logout"] {
                let page = browser.get(&at(path)).await.expect_status(200);
                all_below(&page);
                let action = format!("action=\"/sub{mount}{path}\"");
                assert!(page.body.contains(&action), "{path}: {}", page.body);
            }

            browser.post(&at("/register"), &[("email", EMAIL), ("password", PASSWORD)]).await.expect_status(200);
            let link = site.link(1).await;
            let verify = browser.get(cut(&link)).await.expect_status(303);
            follow(&mut browser, verify).await.page(200, "Confirm your email address");
            browser.post(&at("/verify-email"), &[]).await.page(200, "Address confirmed");
            let fields = [("email", EMAIL), ("password", PASSWORD), ("return_to", "/sub/private?page=2")];
            let back = browser.post(&at("/login"), &fields).await.expect_status(303);
            follow(&mut browser, back).await.expect_status(200);
            let again = browser.get(&at("/login")).await.expect_status(303);
            assert_eq!(again.header("location"), "/sub/private");

            let account = browser.get(&at("/account")).await.page(200, "My account");
            all_below(&account);
            let to_login = site.browser().get(&at("/account")).await;
            assert_eq!(to_login.header("location"), format!("/sub{mount}/login?return_to=/sub{mount}/account"));
            let well_known = browser.get("/.well-known/change-password").await.expect_status(302);
            assert_eq!(well_known.header("location"), format!("/sub{mount}/change-password"));
            let out = browser.post(&at("/logout"), &[]).await;
            assert_eq!(out.header("location"), format!("/sub{mount}/login?notice=logged-out"));
            browser.post(&at("/forgot-password"), &[("email", EMAIL)]).await.expect_status(200);
            let reset = cut(&site.link(2).await).to_owned();
            let reset = browser.get(&reset).await.expect_status(303);
            all_below(&follow(&mut browser, reset).await.page(200, "Choose a new password"));
        }
    }

    /// A proxy that leaves the prefix there, before an app that mounts everything below it: no
    /// prefix comes twice.
    async fn a_prefix_that_is_not_cut_off_comes_once(store) {
        let site = site(store, "/sub/auth", "/sub/").await;
        let mut browser = site.browser();
        let page = browser.get("/sub/auth/login").await.page(200, "Log in");
        all_below(&page);
        assert!(page.body.contains("action=\"/sub/auth/login\"") && !page.body.contains("/sub/sub"), "{}", page.body);
        browser.post("/sub/auth/register", &[("email", EMAIL), ("password", PASSWORD)]).await.expect_status(200);
        let link = site.link(1).await;
        assert!(link.starts_with("/sub/auth/verify-email?token="), "{link}");
        browser.get("/sub/auth/account").await.goes_to("/sub/auth/login?return_to=/sub/auth/account");
    }

    /// A mail leads to no page that is left out: the routes of the API, or nothing, have the link
    /// then.
    async fn a_mail_has_no_link_to_a_page_that_is_left_out(store) {
        let mut policy = Policy::default();
        policy.email.verification_required = true;
        let site = Site::start(App::with(policy), store, "").await;
        let pages = Pages::new(site.app.auth.clone()).without([Feature::VerifyEmail]);
        let site = site.mount(pages);
        site.browser().post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await.expect_status(200);
        let mail = site.app.mails.wait_for_kind(MailKind::VerifyEmail, 1).await.remove(0);
        assert_eq!(mail.link, None, "{mail:?}");
    }
}
