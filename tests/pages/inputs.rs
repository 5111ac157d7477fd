//! What no form of ours sends.

use std::time::Duration;

use gatekit::Policy;
use gatekit_tests::{gzip, half_a_body, on_every_store};

use crate::site::{PageAnswer, Site};

/// Forms with fields; the others do not look at what is sent.
const WITH_FIELDS: [&str; 10] = [
    "/register",
    "/login",
    "/confirm-password",
    "/forgot-password",
    "/reset-password",
    "/resend-verification",
    "/change-password",
    "/change-email",
    "/account/sessions/revoke",
    "/delete-account",
];
const WITHOUT_FIELDS: [&str; 4] =
    ["/logout", "/verify-email", "/confirm-email-change", "/account/sessions/revoke-others"];

const FORM: &str = "application/x-www-form-urlencoded";

on_every_store! {
    async fn what_is_no_form_is_a_400_page(store) {
        let site = Site::new(store).await;
        let browser = site.signed_up().await;
        let twice = "email=a%40bar.com&email=b%40bar.com&password=a&password=b&current_password=c&current_password=d&confirm=on\
                     &confirm=on&session=a&session=b";
        let huge = format!("email={}", "a".repeat(70_000));
        for path in WITH_FIELDS {
            let post = || browser.call("POST", path);
            let wrong = [
                post(),
                post().bare_body("email=a&password=b"),
                post().json(r#"{"email":"a@bar.com","password":"b"}"#),
                post().body("text/plain", "email=a"),
                post().body("multipart/form-data; boundary=a", "--a--"),
                post().body(FORM, vec![0xff, 0xfe]),
                post().form("email=%ff&password=%c3%28&current_password=%ff&confirm=%ff&session=%ff"),
                post().form(twice),
                post().form(&huge),
                post().form("email=a").header("content-encoding", "gzip"),
                post().form("email=a").header("content-encoding", "br"),
                post().body(FORM, gzip(&huge)).header("content-encoding", "gzip"),
            ];
            for call in wrong {
                call.await.page(400, "This request could not be read");
            }
        }
    }

    /// V-136
    async fn a_form_that_does_not_arrive_in_time_is_a_408_page(store) {
        let mut policy = Policy::default();
        policy.limits.body_timeout = Duration::from_millis(1);
        let site = Site::with(policy, store).await;
        for path in ["/register", "/login", "/forgot-password", "/reset-password", "/resend-verification"] {
            let call = site.browser().call("POST", path).body(FORM, half_a_body("email=foo"));
            call.await.page(408, "This request could not be read");
        }
    }

    async fn nothing_that_is_sent_is_a_5xx(store) {
        let site = Site::new(store).await;
        let user = site.signed_up().await;
        let bodies: [&[u8]; 14] = [
            b"",
            b"&&&===",
            b"=a",
            b"email",
            b"email=&password=&current_password=&confirm=&session=&return_to=",
            b"email=%00&password=%00&current_password=%00&confirm=%00&session=%00&return_to=%00",
            b"email=a%0d%0ab@bar.com&password=%0d%0a&return_to=%0d%0a",
            b"email[a]=b&password[]=c&session[]=d",
            b"email=%F0%9F%98%80@bar.com&password=%F0%9F%98%80%F0%9F%98%80&session=%F0%9F%98%80",
            b"email=%&password=%4&confirm=%zz",
            b"__proto__=a&constructor=b&username=%00&realm=%00&email=a@bar.com&password=a+long+password+of+mine",
            b"username=a&realm=b&password=c",
            b"email=a;password=b",
            b"email=\xc3\xbc@bar.com&password=\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc&confirm=\xc3\xbc",
        ];
        for path in WITH_FIELDS.into_iter().chain(WITHOUT_FIELDS) {
            for body in bodies {
                for browser in [site.browser(), user.clone()] {
                    let answer = browser.call("POST", path).body(FORM, body.to_vec()).await;
                    assert!(answer.status.as_u16() < 500, "{path} {body:?}: {answer:?}");
                }
            }
        }
    }

    async fn forms_without_fields_look_at_nothing_that_is_sent(store) {
        let site = Site::new(store).await;
        for path in WITHOUT_FIELDS {
            for call in [
                site.browser().call("POST", path).json("{"),
                site.browser().call("POST", path).body(FORM, vec![0xff; 100_000]),
                site.browser().call("POST", path),
            ] {
                let status = call.await.status.as_u16();
                assert!([303, 400].contains(&status), "{path}: {status}");
            }
        }
    }

    async fn a_query_is_never_a_mistake(store) {
        let site = Site::new(store).await;
        let mut browser = site.browser();
        for query in ["?", "?lang=%ff", "?return_to=%ff", "?notice=%ff", "?lang=en&lang=de", "?a[b]=c", "?%00", "?token"] {
            browser.get(&format!("/login{query}")).await.page(200, "Log in");
        }
    }

    async fn cookies_that_are_none_of_ours_are_not_a_mistake(store) {
        let site = Site::new(store).await;
        let oversized = format!("__Host-access_token={}", "a".repeat(8000));
        for cookie in [
            "=",
            ";;;",
            "__Host-access_token",
            "__Host-access_token=",
            "__Host-gatekit_mail=reset.",
            "__Host-gatekit_mail=; gatekit_lang=<b>",
            "__Host-access_token=a; __Host-access_token=b",
            &oversized,
        ] {
            let answer = site.browser().call("GET", "/account").header("cookie", cookie).await;
            answer.goes_to("/login?return_to=/account");
            let answer = site.browser().call("GET", "/reset-password").header("cookie", cookie).await;
            answer.page(400, "This link does not work");
        }
        let bytes = site.browser().call("GET", "/login").header("cookie", [0xff_u8, 0xfe]).await;
        bytes.page(200, "Log in");
    }
}
