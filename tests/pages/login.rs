//! `/login`.

use gatekit::{AccountStatus, Policy, UserId};
use gatekit_tests::{EMAIL, PASSWORD, on_every_store};

use crate::site::{PageAnswer, Site};

on_every_store! {
    /// O-14
    async fn who_has_the_password_gets_a_cookie_and_goes_to_the_account(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let mut browser = site.browser();
        browser.get("/login").await.page(200, "Log in").says(r#"autocomplete="current-password""#);
        let answer = browser.log_in("", EMAIL, PASSWORD).await.goes_to("/account");
        // ASVS 3.3.1, 3.3.2, 3.3.3, 3.3.4
        let cookie = answer.header("set-cookie");
        assert!(cookie.starts_with("__Host-access_token="), "{cookie}");
        for attribute in ["Path=/", "HttpOnly", "Secure", "SameSite=Lax", "Max-Age=1209600"] {
            assert!(cookie.contains(attribute), "{attribute} is not in {cookie}");
        }
        assert!(browser.is_logged_in("").await);
    }

    /// ASVS 6.3.8
    async fn an_unknown_address_looks_like_a_wrong_password(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let wrong = site.browser().log_in("", EMAIL, "a wrong password").await.page(401, "Log in");
        let unknown = site.browser().log_in("", "abc@bar.com", "a wrong password").await;
        assert_eq!(wrong.body.replace(EMAIL, "abc@bar.com"), unknown.body);
        assert_eq!((wrong.status, wrong.header("set-cookie")), (unknown.status, unknown.header("set-cookie")));
        wrong.says(r##"<a href="#email">Email address or password is wrong</a>"##).says(&format!("value=\"{EMAIL}\""));
    }

    /// A site behind a proxy with Basic: the browser sends the proxy's credential with every
    /// request, beside the cookie.
    async fn behind_a_proxy_with_basic_one_logs_in_and_out_as_anywhere(store) {
        for stranger in ["Basic c3RhZ2luZzpodW50ZXIy", "Bearer eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhZGEifQ.c2ln"] {
            let site = Site::new(store).await;
            site.signed_up().await;
            let mut browser = site.browser().header("authorization", stranger);
            browser.log_in("", EMAIL, PASSWORD).await.goes_to("/account");
            assert!(browser.is_logged_in("").await);
            browser.get("/account").await.page(200, "My account");
            browser.post("/logout", &[]).await.expect_status(303);
            assert!(!browser.is_logged_in("").await);
        }
    }

    async fn an_empty_form_is_told_what_is_missing(store) {
        let site = Site::new(store).await;
        let answer = site.browser().post("/login", &[("email", ""), ("password", "")]).await;
        answer.page(422, "Log in").says("Enter your email address").says("Enter your password");
    }

    async fn a_name_of_a_user_does_too(store) {
        let site = Site::new(store).await;
        let new = [("email", EMAIL), ("password", PASSWORD), ("username", "foo")];
        site.browser().post("/register", &new).await.goes_to("/account");
        site.browser().post("/login", &[("username", "foo"), ("password", PASSWORD)]).await.goes_to("/account");
    }

    /// 6.3.8: where the sign-up hides who has an account, an unverified address looks like a wrong
    /// password and like an unknown address, and all of them are offered another mail.
    async fn an_unverified_address_looks_like_a_wrong_password_and_is_offered_another_mail(store) {
        let mut policy = Policy::default();
        policy.email.verification_required = true;
        let site = Site::with(policy, store).await;
        let mut browser = site.browser();
        browser.post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await.expect_status(200);
        let refused = browser.log_in("", EMAIL, PASSWORD).await.page(401, "Log in");
        let refused = refused.says("or the address is not confirmed yet").says(r#"<a href="/resend-verification">Send the link again</a>"#);
        assert_eq!(browser.log_in("", EMAIL, "a wrong password").await.body, refused.body);
        let unknown = browser.log_in("", "abc@bar.com", PASSWORD).await;
        assert_eq!(unknown.body, refused.body.replace(EMAIL, "abc@bar.com"));
    }

    async fn an_address_that_is_not_proven_is_offered_another_mail_where_sign_ups_tell_who_has_an_account(store) {
        let mut policy = Policy::default();
        (policy.email.verification_required, policy.reveal.taken_email) = (true, true);
        let site = Site::with(policy, store).await;
        let mut browser = site.browser();
        browser.post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await.expect_status(200);
        let refused = browser.log_in("", EMAIL, PASSWORD).await.page(401, "Log in");
        refused.says("Confirm your email address first").says(r#"<a href="/resend-verification">Send the link again</a>"#);
        // Who does not have the password does not learn of it.
        browser.log_in("", EMAIL, "a wrong password").await.page(401, "Log in").hides("/resend-verification");
    }

    async fn an_account_that_is_not_active_is_told_so_to_who_has_the_password(store) {
        for (status, en, de) in [
            (AccountStatus::Blocked, "Your account is blocked", "Ihr Konto ist gesperrt"),
            (AccountStatus::PasswordReset, "Your password was reset", "Ihr Passwort wurde zurückgesetzt"),
            (AccountStatus::Pending, "Your account has not been approved yet", "Ihr Konto ist noch nicht freigegeben"),
        ] {
            let site = Site::new(store).await;
            let mut before = site.signed_up().await;
            site.app.auth.set_account_status(&UserId::from(1), status).await.unwrap();
            assert!(!before.is_logged_in("").await, "a browser that was logged in is not any more");
            let answer = site.browser().log_in("", EMAIL, PASSWORD).await.page(403, "Log in").says(en);
            assert!(answer.headers.get("set-cookie").is_none());
            let mut german = site.browser().header("accept-language", "de");
            german.log_in("", EMAIL, PASSWORD).await.page(403, "Anmelden").says(de);
            site.browser().log_in("", EMAIL, "a wrong password").await.page(401, "Log in").hides(en);
        }
    }

    /// Session fixation: whoever planted a token has nothing of it (ASVS 7.2.4).
    async fn a_login_ends_the_token_the_browser_had_before(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        let before = browser.clone();
        browser.log_in("", EMAIL, PASSWORD).await.goes_to("/account");
        assert_ne!(browser.token(), before.token());
        assert!(browser.is_logged_in("").await);
        assert!(!before.clone().is_logged_in("").await);
        // One session, not two.
        assert_eq!(browser.get("/account").await.body.matches("<h3>").count(), 1);
    }

    /// V-31
    async fn a_token_that_was_planted_is_not_taken_over(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let mut browser = site.browser();
        browser.jar.insert("__Host-access_token".into(), "planted".into());
        browser.log_in("", EMAIL, PASSWORD).await.goes_to("/account");
        assert_ne!(browser.token(), Some("planted"));
        assert!(browser.is_logged_in("").await);
    }

    async fn who_is_logged_in_is_sent_on(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        browser.get("/login").await.goes_to("/account");
        browser.get("/login?return_to=%2Fprivate").await.goes_to("/private");
    }

    async fn a_page_that_needs_a_login_comes_back_afterwards(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        for page in ["/account", "/change-password", "/change-email", "/delete-account"] {
            let mut browser = site.browser();
            let login = format!("/login?return_to={page}");
            browser.get(page).await.goes_to(&login);
            let hidden = format!(r#"<input type="hidden" name="return_to" value="{page}">"#);
            browser.get(&login).await.page(200, "Log in").says(&hidden).says(&format!("/register?return_to={page}"));
            let fields = [("email", EMAIL), ("password", PASSWORD), ("return_to", page)];
            browser.post("/login", &fields).await.goes_to(page);
        }
    }

    async fn a_failed_login_remembers_where_to_go(store) {
        let site = Site::new(store).await;
        let fields = [("email", EMAIL), ("password", "wrong"), ("return_to", "/private?a=b")];
        let answer = site.browser().post("/login", &fields).await.page(401, "Log in");
        answer.says(r#"name="return_to" value="/private?a=b""#);
    }

    async fn a_login_without_cookies_asks_again(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        browser.jar.clear();
        browser.get("/account").await.goes_to("/login?return_to=/account");
    }

    async fn a_hook_that_refuses_is_quoted(store) {
        struct No;
        #[gatekit::async_trait]
        impl gatekit::Hooks<gatekit::User> for No {
            async fn before_login(&self, _: &gatekit::User) -> Result<(), gatekit::HookVeto> {
                Err(gatekit::HookVeto::new("SUSPENDED", "Your account is suspended <until Monday>"))
            }
        }
        let setup = gatekit_tests::App::with(Policy::default()).configure(|builder| builder.hooks(No));
        let site = Site::start(setup, store, "").await;
        let mut browser = site.browser();
        // The account is made; the login says why it does not let it in.
        browser.post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await.goes_to("/login");
        let refused = browser.log_in("", EMAIL, PASSWORD).await.page(403, "Log in");
        refused.says("Your account is suspended &#60;until Monday&#62;");
    }
}
