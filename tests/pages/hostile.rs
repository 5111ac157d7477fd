//! What a request says of itself is believed by no page: not its host, not its headers, not its
//! path.

use std::collections::BTreeMap;

use axum::Router;
use gatekit::pages::Pages;
use gatekit::{Auth, AuthLayer, MemoryStore, Policy, User};
use gatekit_tests::{EMAIL, PASSWORD, on_every_store};

use crate::site::{Browser, PageAnswer, Site, encode};

on_every_store! {
    /// 4.1.3: neither the page nor the mail leads where a header says.
    async fn headers_that_name_another_host_lead_nowhere(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let forwarded = ["x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix", "forwarded", "x-original-url", "referer"];
        let mut browser = forwarded.into_iter().fold(site.browser(), |browser, name| browser.header(name, "https://evil.example"));
        browser.get("/login").await.page(200, "Log in").hides("evil.example");
        browser.get("/account").await.goes_to("/login?return_to=/account");
        browser.post("/forgot-password", &[("email", EMAIL)]).await.page(200, "Check your mail").hides("evil.example");
        assert!(site.link(1).await.starts_with("/reset-password?token="));
    }

    /// 15.2.2, LOAD-4: large ones cost nothing and show nothing.
    async fn huge_and_hostile_headers_change_nothing(store) {
        let site = Site::new(store).await;
        let html = "<script>alert(1)</script>\"'&";
        let mut browser = site.browser().header("user-agent", html).header("accept-language", html);
        browser.post("/register", &[("email", EMAIL), ("password", PASSWORD)]).await.goes_to("/account");
        browser.get("/account").await.page(200, "My account").hides("<script>alert");
        let huge = "a,".repeat(50_000);
        for name in ["accept-language", "user-agent", "cookie", "accept", "x-access-token"] {
            site.browser().header(name, &huge).get("/login").await.page(200, "Log in");
        }
        let cookies: Vec<String> = (0..1000).map(|n| format!("c{n}={n}")).collect();
        site.browser().header("cookie", &cookies.join("; ")).get("/login").await.page(200, "Log in");
        for query in ["lang", "notice", "return_to", "token"] {
            let target = format!("/login?{query}={}", "a".repeat(40_000));
            site.browser().get(&target).await.page(200, "Log in").hides("aaaa");
        }
    }

    /// 6.4.3: below a parameter anybody chooses what stands there, for mails to others too.
    async fn below_a_parameter_no_path_is_taken_that_leads_out_of_it(store) {
        let mut policy = Policy::default();
        policy.mail.per_hour = 10;
        let site = Site::with(policy, store).await;
        site.signed_up().await;
        let pages = Pages::new(site.app.auth.clone()).site_name("Acme");
        let router: Router = Router::new().nest("/b/{tenant}", pages.router()).layer(AuthLayer::new(site.app.auth.clone()));
        let browser = || Browser::new(&router);
        browser().post("/b/acme/forgot-password", &[("email", EMAIL)]).await.page(200, "Check your mail");
        assert!(site.link(1).await.starts_with("/b/acme/reset-password?token="));
        let outside = ["/b/..", "/b/.", "/b/%2e%2E", "/b/.%2e", "/b/{token}", "/b/\"", "/b/a:b@c{"];
        for (count, prefix) in outside.into_iter().enumerate() {
            browser().post(&format!("{prefix}/forgot-password"), &[("email", EMAIL)]).await.page(200, "Check your mail");
            let link = site.link(count + 2).await;
            assert!(link.starts_with("/reset-password?token="), "{prefix}: {link}");
            assert_eq!(link.len(), "/reset-password?token=".len() + 64, "{prefix}: {link}");
        }
    }
}

/// 15.3.3: as at `POST /users`, a sign-up says nothing of its own trust, though the profile takes
/// whatever comes.
#[tokio::test]
async fn a_sign_up_sets_no_field_that_is_the_kits() {
    type Anything = BTreeMap<String, String>;
    let store = MemoryStore::<Anything>::new();
    let auth = Auth::<User<Anything>>::builder(store).build().unwrap();
    let router: Router = Pages::new(auth.clone()).router().layer(AuthLayer::new(auth.clone()));
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("colour", "blue"),
        ("emailVerified", "true"),
        ("verificationToken", "abc"),
        ("realm", "admins"),
        ("id", "7"),
        ("__proto__", "x"),
        ("return_to", "/"),
    ];
    let call = Browser::new(&router).call("POST", "/register").header("sec-fetch-site", "same-origin");
    call.form(&encode(&fields)).await.expect_status(303);
    let user = auth.find_user(&1.into()).await.unwrap().unwrap();
    assert_eq!(user.profile.into_iter().collect::<Vec<_>>(), [("colour".to_owned(), "blue".to_owned())]);
    assert_ne!(user.email_verified, Some(true));
    assert_eq!(user.realm, None);
}
