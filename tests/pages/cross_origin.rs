//! No form of another site's is taken (ASVS 3.5.1).

use gatekit_tests::{EMAIL, PASSWORD, on_every_store};

use crate::site::{PageAnswer, Site, encode};

/// Every form.
const POSTS: [&str; 13] = [
    "/register",
    "/login",
    "/logout",
    "/confirm-password",
    "/forgot-password",
    "/reset-password",
    "/verify-email",
    "/resend-verification",
    "/change-password",
    "/change-email",
    "/confirm-email-change",
    "/account/sessions/revoke",
    "/delete-account",
];

on_every_store! {
    /// FM-1, FM-3, B-12: with the user's cookie, and without.
    async fn a_form_of_another_origin_is_refused(store) {
        let site = Site::new(store).await;
        let mut browser = site.signed_up().await;
        let fields = encode(&[
            ("email", EMAIL),
            ("password", PASSWORD),
            ("current_password", PASSWORD),
            ("confirm", "on"),
            ("session", "a"),
        ]);
        let foreign: [&[(&str, &str)]; 5] = [
            &[("origin", "https://evil.example")],
            &[("origin", "null")],
            &[("origin", "https://app.example.com"), ("sec-fetch-site", "cross-site")],
            &[("sec-fetch-site", "same-site")],
            &[("origin", "https://app.example.com.evil.example")],
        ];
        for path in POSTS.into_iter().chain(["/account/sessions/revoke-others"]) {
            for headers in foreign {
                for visitor in [browser.clone(), site.browser()] {
                    let mut call = visitor.call("POST", path);
                    for (name, value) in headers {
                        call = call.header(name, value);
                    }
                    let answer = call.form(&fields).await.page(403, "Request refused");
                    assert!(!answer.headers.contains_key("set-cookie"), "{path}");
                }
            }
        }
        assert!(browser.is_logged_in("").await);
    }

    /// An older browser sends `Origin` alone, and a program neither.
    async fn a_form_of_the_own_origin_is_taken(store) {
        let site = Site::new(store).await;
        site.signed_up().await;
        let fields = encode(&[("email", EMAIL), ("password", PASSWORD)]);
        for headers in [&[][..], &[("origin", "https://app.example.com")], &[("sec-fetch-site", "same-origin")]] {
            let mut call = site.browser().call("POST", "/login");
            for (name, value) in headers {
                call = call.header(name, value);
            }
            call.form(&fields).await.goes_to("/account");
        }
    }
}
