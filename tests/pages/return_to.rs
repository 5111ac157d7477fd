//! Where somebody is sent who has logged in (CWE-601).

use gatekit::Policy;
use gatekit_tests::{App, EMAIL, PASSWORD, on_every_store};

use crate::site::{PageAnswer, Site, escape};

/// ASVS 3.7.2, 4.2.4, O-1, V-130: refused, the default is taken.
const REFUSED: [&str; 24] = [
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "https://evil.example/",
    "http://app.example.com.evil.example/",
    "https://other.example.evil/",
    "https://other.example@evil.example/",
    "javascript:alert(1)",
    "JaVaScRiPt:alert(1)",
    "data:text/html,x",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/private\r\nSet-Cookie: a=b",
    "/private\0",
    "https:evil.example",
    "http:\\\\evil.example",
    "https:///evil.example",
    "@evil.example",
    "evil",
    "",
    "?a=b",
];

on_every_store! {
    async fn nobody_is_sent_to_another_site(store) {
        let setup = App::with(Policy::default()).configure(|auth| auth.redirect_origin("https://other.example"));
        let site = Site::start(setup, store, "").await;
        let mut known = site.signed_up().await;
        for target in REFUSED {
            let mut browser = site.browser();
            let encoded = escape(target);
            browser.get(&format!("/login?return_to={encoded}")).await.page(200, "Log in").hides("name=\"return_to\"");
            let fields = [("email", EMAIL), ("password", PASSWORD), ("return_to", target)];
            let answer = browser.post("/login", &fields).await.goes_to("/account");
            assert_eq!(answer.headers.get_all("set-cookie").iter().count(), 1, "{target:?}");
            known.get(&format!("/login?return_to={encoded}")).await.goes_to("/account");
            let fields = [("password", PASSWORD), ("return_to", target)];
            known.post("/confirm-password", &fields).await.goes_to("/account");
        }
    }

    async fn a_path_of_the_site_is_encoded_and_not_changed(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        for (target, location) in [
            ("/private", "/private"),
            ("/private?a=b&c=%2F#d", "/private?a=b&c=%2F#d"),
            ("/übersicht", "/%C3%BCbersicht"),
            ("/a\"b<c>", "/a%22b%3Cc%3E"),
            ("/%0d%0aSet-Cookie:a=b", "/%0d%0aSet-Cookie:a=b"),
            // To a browser that is a path.
            ("/%2F/evil.example", "/%2F/evil.example"),
            ("/%5Cevil.example", "/%5Cevil.example"),
            ("/%09/evil.example", "/%09/evil.example"),
            ("/x@evil.example", "/x@evil.example"),
        ] {
            browser.get(&format!("/login?return_to={}", escape(target))).await.goes_to(location);
        }
        let long = format!("/{}", "a".repeat(4000));
        browser.get(&format!("/login?return_to={long}")).await.goes_to("/account");
    }

    /// Browsers stop a form from being redirected where `form-action` does not name.
    async fn a_listed_origin_may_be_gone_to_and_the_policy_of_the_page_says_so(store) {
        let setup = App::with(Policy::default()).configure(|auth| auth.redirect_origin("https://other.example"));
        let site = Site::start(setup, store, "").await;
        let target = "https://other.example/a?b=c";
        let page = site.browser().get(&format!("/login?return_to={}", escape(target))).await.page(200, "Log in");
        assert!(page.header("content-security-policy").contains("form-action 'self' https://other.example;"));
        let page = site.browser().get("/login?return_to=https%3A%2F%2Fevil.example").await;
        assert!(page.header("content-security-policy").contains("form-action 'self';"));
        let fields = [("email", EMAIL), ("password", PASSWORD), ("return_to", target)];
        site.browser().post("/register", &fields).await.goes_to(target);
    }
}
