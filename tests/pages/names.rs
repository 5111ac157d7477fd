//! Accounts with a name only, where the policy says that an address is not needed.

use gatekit::pages::Pages;
use gatekit::{AuthLayer, Policy};
use gatekit_tests::{App, EMAIL, PASSWORD, Store, on_every_store, routes_of};
use serde_json::json;

use crate::site::{Browser, PageAnswer, Site};

fn policy() -> Policy {
    let mut policy = Policy::default();
    policy.identifiers.email_required = false;
    policy
}

/// A site on which `ada` has signed up with nothing but a name, and is logged in.
async fn with_ada(store: Store) -> (Site, Browser) {
    let site = Site::with(policy(), store).await;
    let mut browser = site.browser();
    browser.post("/register", &[("username", "ada"), ("email", ""), ("password", PASSWORD)]).await.goes_to("/account");
    (site, browser)
}

on_every_store! {
    async fn a_name_and_a_password_are_enough_to_sign_up_and_to_log_in(store) {
        let (site, mut browser) = with_ada(store).await;
        browser.get("/account").await.page(200, "My account").says("<dd>ada</dd>").hides("<dt>Email address</dt>");
        let mut other = site.browser();
        let form = other.get("/login").await.page(200, "Log in");
        form.says(r#"<label for="email">Name or email address</label>"#)
            .says(r#"name="email" type="text" autocomplete="username" autocapitalize="none" spellcheck="false" required"#);
        other.log_in("", "Ada", "wrong horse battery").await.page(401, "Log in").says("Name, email address or password is wrong");
        other.log_in("", "", PASSWORD).await.page(422, "Log in").says("Enter your name or email address");
        other.log_in("", "ada", PASSWORD).await.goes_to("/account");
    }

    async fn an_address_beside_the_name_is_as_good_for_the_login(store) {
        let site = Site::with(policy(), store).await;
        let fields = [("username", "ada"), ("email", EMAIL), ("password", PASSWORD)];
        site.browser().post("/register", &fields).await.goes_to("/account");
        for name in ["ada", EMAIL, "foo\u{ff20}bar.com"] {
            site.browser().log_in("", name, PASSWORD).await.goes_to("/account");
        }
        // An address without a name is an account too.
        site.browser().post("/register", &[("email", "abc@bar.com"), ("password", PASSWORD)]).await.goes_to("/account");
        site.browser().log_in("", "abc@bar.com", PASSWORD).await.goes_to("/account");
    }

    async fn what_is_wrong_with_a_name_stands_beside_it(store) {
        let (site, _) = with_ada(store).await;
        let form = site.browser().header("accept-language", "de").get("/register").await.page(200, "Konto anlegen");
        form.says(r#"<label for="username">Name</label>"#).says("E-Mail-Adresse (freiwillig)").says(r#"id="email-hint""#);
        let error = |text: &str| format!(r#"<span class="error" id="username-error">{text}</span>"#);
        for (name, text) in [
            ("", "Enter a name"),
            ("ada", "This name is taken"),
            (" ada ", "This name is taken"),
            ("foo@bar.com", "This name cannot be used. Choose another one, of letters and digits"),
            ("foo\u{ff20}bar.com", "This name cannot be used. Choose another one, of letters and digits"),
            ("a\u{0}b", "This name cannot be used. Choose another one, of letters and digits"),
        ] {
            let page = site.browser().post("/register", &[("username", name), ("password", PASSWORD)]).await;
            page.page(422, "Create an account").says(&error(text)).says(r##"<a href="#username">"##);
        }
        let both = site.browser().post("/register", &[("username", "eve"), ("email", "nobody"), ("password", "")]).await;
        both.page(422, "Create an account").says(r#"id="email-error""#).says(r#"id="password-error""#).says(r#"value="eve""#);
    }

    /// Case 14 of what password managers need.
    async fn every_page_works_without_an_address(store) {
        let (site, mut browser) = with_ada(store).await;
        let username = r#"<input type="text" name="username" value="ada" autocomplete="username" readonly hidden>"#;
        browser.get("/change-password").await.page(200, "Change password").says(username);
        browser.get("/confirm-password").await.page(200, "Confirm it is you").says(username);
        let fields = [("current_password", PASSWORD), ("password", "another long one")];
        browser.post("/change-password", &fields).await.goes_to("/account?notice=password-changed");
        browser.get("/change-email").await.page(200, "Change email address").hides("Your address is");
        browser.post("/change-email", &[("email", EMAIL)]).await.page(200, "Check your mail");
        let link = site.link(1).await;
        browser.get(&link).await.goes_to("/confirm-email-change");
        browser.post("/confirm-email-change", &[]).await.goes_to("/account?notice=email-changed");
        browser.get("/account").await.page(200, "My account").says(EMAIL).says("<dd>ada</dd>");
        // Now there is a way back from a forgotten password.
        let mut other = site.browser();
        other.post("/forgot-password", &[("email", EMAIL)]).await.page(200, "Check your mail");
        let link = site.link(2).await;
        other.get(&link).await.goes_to("/reset-password");
        other.get("/reset-password").await.page(200, "Choose a new password").says(r#"autocomplete="username""#);
        browser.post("/delete-account", &[("confirm", "on")]).await.goes_to("/login?notice=account-deleted");
        site.browser().log_in("", "ada", "another long one").await.page(401, "Log in");
    }

    async fn an_address_that_must_be_verified_is_an_address_that_must_be_there(store) {
        let mut policy = policy();
        policy.email.verification_required = true;
        let site = Site::with(policy, store).await;
        let page = site.browser().post("/register", &[("username", "ada"), ("password", PASSWORD)]).await;
        page.page(422, "Create an account").says("Enter your email address");
        site.browser().get("/login").await.page(200, "Log in").says(r#"type="email""#);
    }

    async fn unless_the_policy_says_so_an_address_is_needed(store) {
        let site = Site::new(store).await;
        let page = site.browser().post("/register", &[("username", "ada"), ("password", PASSWORD)]).await;
        page.page(422, "Create an account").says("Enter your email address");
    }

    /// The API keeps the same rule.
    async fn a_name_is_enough_for_the_api_too(store) {
        let app = App::with(policy()).start(store).await;
        let auth = app.auth.clone();
        let router = routes_of("/api/users", &auth).merge(Pages::new(auth.clone()).router()).layer(AuthLayer::new(auth));
        let create = |body: serde_json::Value| gatekit_tests::Call::new(&router, "POST", "/api/users").json(body);
        create(json!({ "username": "ada", "password": PASSWORD })).await.expect_status(200);
        create(json!({ "username": "eve", "email": null, "password": PASSWORD })).await.expect_status(200);
        let nobody = create(json!({ "password": PASSWORD })).await.expect_error(422).value();
        assert_eq!(nobody["error"]["details"]["codes"], json!({ "username": ["presence"] }));
        let like = create(json!({ "username": "a@b", "password": PASSWORD })).await.expect_error(422).value();
        assert_eq!(like["error"]["details"]["codes"], json!({ "username": ["custom.string"] }));
        let login = gatekit_tests::Call::new(&router, "POST", "/api/users/login");
        login.json(json!({ "username": "ada", "password": PASSWORD })).await.expect_status(200);
    }
}
