//! What an app changes without a fork.

use gatekit::pages::{Layout, LoginPage, Pages, ProfileField, RegisterPage, Rendered, Templates};
use gatekit::{Auth, AuthLayer, MemoryStore, Model, User};
use gatekit_testkit::fast_hasher;
use gatekit_tests::{EMAIL, PASSWORD, on_every_store};
use serde::{Deserialize, Serialize};

use crate::site::{Browser, PageAnswer, Site};

struct Own;

impl Templates for Own {
    fn layout(&self, layout: &Layout<'_>) -> Rendered {
        Ok(format!("<title>{}</title><main>{}</main>", layout.page.title, layout.content))
    }

    fn login(&self, view: &LoginPage) -> Rendered {
        Ok(format!("<form>{}{}</form>", view.email, view.password))
    }

    fn register(&self, view: &RegisterPage) -> Rendered {
        let city = view.profile_field("city").map(ToString::to_string).unwrap_or_default();
        Ok(format!("<form>{city}</form>"))
    }

    fn logout(&self, _: &gatekit::pages::LogoutPage) -> Rendered {
        Err("no such file".into())
    }
}

on_every_store! {
    async fn a_layout_and_a_template_of_its_own(store) {
        let site = Site::new(store).await;
        let pages = Pages::new(site.app.auth.clone()).templates(Own);
        let site = site.mount(pages);
        let page = site.browser().log_in("", EMAIL, "wrong").await.expect_status(401);
        assert!(page.body.starts_with("<title>Log in</title><main><div id=\"error-summary\""), "{}", page.body);
        assert!(page.body.contains("<h1>Log in</h1>\n<form><div class=\"field\">"), "{}", page.body);
        // The rest is built in.
        site.browser().get("/forgot-password").await.expect_status(200).says("<button type=\"submit\">Send link");
    }

    async fn a_template_that_fails_is_the_apps_mistake_and_says_nothing(store) {
        let site = Site::new(store).await;
        let pages = Pages::new(site.app.auth.clone()).templates(Own);
        let answer = site.mount(pages).browser().get("/logout").await.expect(500, "MISCONFIGURED");
        answer.hides("no such file");
    }
}

/// What the app wants to know of its users.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Profile {
    city: String,
}

impl Model for Profile {}

#[tokio::test]
async fn fields_that_a_template_places_become_the_profile() {
    let store = MemoryStore::new();
    let auth: Auth<User<Profile>> = Auth::builder(store).hasher(fast_hasher()).build().unwrap();
    let city = ProfileField::text("city").label("en", "City");
    let pages = Pages::new(auth.clone()).templates(Own).profile_field(city);
    let router = pages.router().layer(AuthLayer::new(auth.clone()));
    let mut browser = Browser::new(&router);
    let missing = browser.post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await.expect_status(422);
    missing.says(r##"<a href="#city">"##);
    let fields = [("email", EMAIL), ("password", "short"), ("city", "Paris")];
    browser.post("/register", &fields).await.expect_status(422).says(r#"value="Paris""#);
    let fields = [("email", EMAIL), ("password", PASSWORD), ("city", "Paris"), ("emailVerified", "true"), ("id", "7")];
    browser.post("/register", &fields).await.goes_to("/account");
    let caller = auth.authenticate(browser.token().unwrap()).await.unwrap();
    assert_eq!(caller.principal.profile.city, "Paris");
    assert_eq!(caller.principal.email_verified, None);
}
