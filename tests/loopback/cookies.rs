//! A token in a cookie, which a browser sends without being asked.

use gatekit::Policy;
use gatekit_tests::{App, Call, EMAIL, PASSWORD, on_every_store};
use serde_json::json;

const CROSS_ORIGIN: &str = r#"{"error":{"statusCode":403,"name":"Error","message":"Cross-origin request refused","code":"CROSS_ORIGIN_REQUEST"}}"#;

on_every_store! {
    /// 3.5.1, RFC FM-1, FM-2, FM-3, N-51
    async fn an_unsafe_method_must_come_from_the_apps_own_origin(store) {
        let app = App::with(Policy::loopback()).trusted_origin("https://admin.example.com").start(store).await;
        app.sign_up().await;
        for (headers, passes) in [
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("sec-fetch-site", "none")], true),
            (vec![("sec-fetch-site", "cross-site")], false),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("sec-fetch-site", "cross-site"), ("origin", "https://evil.example")], false),
            (vec![("sec-fetch-site", "cross-site"), ("origin", "https://admin.example.com")], true),
            (vec![("origin", "https://admin.example.com")], true),
            (vec![("origin", "https://app.example.com")], true),
            (vec![("origin", "https://evil.example")], false),
            (vec![("origin", "https://admin.example.com.evil.example")], false),
            (vec![("origin", "https://admin.example.com:444")], false),
            (vec![("origin", "http://admin.example.com")], false),
            (vec![("origin", "null")], false),
            // No browser: those send one or the other.
            (vec![], true),
        ] {
            let with = |mut request: Call| {
                for (name, value) in &headers {
                    request = request.header(name, value);
                }
                request
            };
            let token = app.token_of(EMAIL).await;
            for path in ["change-password", "reset-password", "logout"] {
                // A body that goes no further, so that the password stays.
                let answer =
                    with(app.post(&format!("/api/users/{path}"))).cookie(&token).json(r#"{"newPassword":""}"#).await;
                match (passes, path) {
                    (false, _) => answer.is(403, CROSS_ORIGIN),
                    (true, "logout") => answer.expect_no_content(),
                    (true, _) => answer.expect_error(400),
                };
            }
            let token = app.token_of(EMAIL).await;
            for method in ["GET", "HEAD"] {
                with(app.call(method, "/me")).cookie(&token).await.expect_status(200);
            }
            // In a header it was put there on purpose.
            with(app.post("/api/users/logout")).token(&token).await.expect_no_content();
        }
    }

    /// RFC C-8, V-50: one of them may have been planted by a neighbouring host.
    async fn two_cookies_of_the_name_are_none(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        for (status, request) in [
            (401, app.get("/me").header("cookie", format!("__Host-access_token={token}; __Host-access_token=planted"))),
            (401, app.get("/me").header("cookie", format!("__Host-access_token=planted; __Host-access_token={token}"))),
            (401, app.get("/me").cookie(&token).cookie("planted")),
            (401, app.get("/me").cookie(&token).cookie(&token)),
            // RFC C-6, C-7, C-10
            (401, app.get("/me").header("cookie", format!("__Host-Access_Token={token}"))),
            (401, app.get("/me").header("cookie", format!("=__Host-access_token={token}"))),
            (401, app.get("/me").header("cookie", format!("x__Host-access_token={token}"))),
            (
                200,
                app.get("/me")
                    .header("cookie", "a=b")
                    .header("cookie", format!("__Host-access_token={token}"))
                    .header("cookie", "c=d"),
            ),
            (200, app.get("/me").header("cookie", format!("a=b; __Host-access_token={token}; c=\"d\""))),
        ] {
            request.await.expect_status(status);
        }
    }

    /// 3.3.4: the token goes where the client asked for it, and no cookie is set behind its back.
    async fn no_answer_sets_a_cookie(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        for answer in [
            app.login(EMAIL, PASSWORD).await,
            app.login(EMAIL, "wrong").await,
            app.get("/api/users/1").token(&token).await,
            app.post("/api/users/reset").json(json!({"email": EMAIL})).await,
            app.post("/api/users/logout").token(&token).await,
        ] {
            assert!(answer.headers.get("set-cookie").is_none(), "{answer:?}");
        }
    }

    async fn optional_and_cross_origin_is_refused_and_not_anonymous(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let auth = app.auth.clone();
        let maybe = axum::routing::post(|user: Option<gatekit::AuthUser>| async move { user.is_some().to_string() });
        let router = axum::Router::new().route("/maybe", maybe).layer(gatekit::AuthLayer::new(auth));
        let call = |site: &str| Call::new(&router, "POST", "/maybe").cookie(&token).header("sec-fetch-site", site);
        call("cross-site").await.is(403, CROSS_ORIGIN);
        call("same-origin").await.is(200, "true");
    }
}
