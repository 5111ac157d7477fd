//! What every page says to browsers (ASVS 3.4).

use gatekit_tests::{Answer, EMAIL, PASSWORD, on_every_store};

use crate::site::Site;

/// ASVS 3.4.3, 3.4.4, 3.4.5, 3.4.6, 3.4.8, 3.5.8, 3.6.1, 4.1.1, 14.2.2, 14.3.2
#[track_caller]
fn has_all_headers(answer: &Answer) {
    let headers = [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'",
        ),
        ("content-type", "text/html; charset=utf-8"),
        ("x-frame-options", "DENY"),
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("cache-control", "no-store"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
    ];
    for (name, value) in headers {
        assert_eq!(answer.header(name), value, "{name} of {answer:?}");
    }
    // What the policy forbids is not there.
    for inline in ["<style", "style=", "onclick", "onsubmit", "javascript:", "<script>", "http://", "https://"] {
        assert!(!answer.body.contains(inline), "{inline} is in {}", answer.body);
    }
}

on_every_store! {
    async fn every_page_has_all_headers(store) {
        let site = Site::new(store).await;
        let mut nobody = site.browser();
        for path in ["/register", "/login", "/logout", "/forgot-password", "/resend-verification"] {
            has_all_headers(&nobody.get(path).await.expect_status(200));
        }
        for path in ["/reset-password", "/verify-email", "/confirm-email-change"] {
            has_all_headers(&nobody.get(path).await.expect_status(400));
        }
        let mut browser = site.signed_up().await;
        for path in ["/account", "/change-password", "/change-email", "/confirm-password", "/delete-account", "/logout"] {
            has_all_headers(&browser.get(path).await.expect_status(200));
        }
    }

    async fn every_error_has_them_too(store) {
        let site = Site::new(store).await;
        has_all_headers(&site.browser().log_in("", EMAIL, PASSWORD).await.expect_status(401));
        has_all_headers(&site.browser().post("/register", &[]).await.expect_status(422));
        has_all_headers(&site.browser().call("POST", "/login").json("{}").await.expect_status(400));
        let evil = site.browser().call("POST", "/login").header("origin", "https://evil.example").form("a=b").await;
        has_all_headers(&evil.expect_status(403));
        site.app.faults.every(gatekit_testkit::Fault::Fail);
        has_all_headers(&site.browser().log_in("", EMAIL, PASSWORD).await.expect_status(503));
    }

    /// `same-origin` and not `no-referrer`: with that, browsers would send `Origin: null` with the
    /// pages' own forms.
    async fn redirects_are_not_kept(store) {
        let site = Site::new(store).await;
        let answer = site.browser().get("/account").await.expect_status(303);
        answer.expect_header("cache-control", "no-store").expect_header("referrer-policy", "no-referrer");
    }

    async fn assets_are_kept_for_a_year_under_the_url_the_pages_have(store) {
        let site = Site::new(store).await;
        let page = site.browser().get("/login").await.body;
        for (name, content_type) in [("gatekit.css", "text/css; charset=utf-8"), ("gatekit.js", "text/javascript; charset=utf-8")] {
            let at = page.find(name).unwrap();
            let url = format!("/{}", page[at..].split('"').next().unwrap());
            let asset = site.browser().get(&url).await.expect_status(200).expect_header("content-type", content_type);
            asset
                .expect_header("cache-control", "public, max-age=31536000, immutable")
                .expect_header("x-content-type-options", "nosniff");
            for other in [format!("/{name}"), format!("/{name}?v=0")] {
                site.browser().get(&other).await.expect_status(200).expect_header("cache-control", "no-cache");
            }
        }
    }
}
