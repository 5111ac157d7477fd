//! The one shape of all errors, and the challenge of a 401.

use axum::Router;
use axum::routing::get;
use gatekit::{AuthUser, IssueToken, UserId, routes};
use gatekit_tests::{App, Call, on_every_store};

on_every_store! {
    /// RFC B-1, B-7, B-8, B-9
    async fn a_401_says_how_to_come_back(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let invalid = r#"Bearer error="invalid_token""#;
        for path in ["/me", "/api/users/1"] {
            app.get(path).await.expect_status(401).expect_header("www-authenticate", "Bearer");
            let answer = app.get(path).token("bogus").await.expect(401, "AUTHORIZATION_REQUIRED");
            assert!(answer.header("www-authenticate").starts_with(invalid), "{answer:?}");
        }
        let scoped = app.auth.issue_token(&UserId::from(1), IssueToken::default().scopes(["x"])).await.unwrap();
        let answer = app.me(scoped.secret.expose()).await.expect(401, "AUTHORIZATION_REQUIRED");
        assert!(answer.header("www-authenticate").starts_with(r#"Bearer error="insufficient_scope""#), "{answer:?}");
        app.clock.advance(std::time::Duration::from_secs(1_209_600));
        let answer = app.me(&token).await.expect(401, "INVALID_TOKEN");
        assert!(answer.header("www-authenticate").starts_with(invalid), "{answer:?}");
        // Those that are not about a token say how to show one.
        app.login("nobody@bar.com", "x").await.expect_status(401).expect_header("www-authenticate", "Bearer");
        app.post("/api/users/logout").await.expect_status(401).expect_header("www-authenticate", "Bearer");
    }

    /// 4.1.1, 4.2.2
    async fn every_answer_has_the_type_of_what_it_holds(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        for (method, path) in [
            ("POST", "/api/users"),
            ("POST", "/api/users/login"),
            ("POST", "/api/users/reset"),
            ("POST", "/api/users/reset-password"),
            ("POST", "/api/users/change-password"),
            ("GET", "/api/users/1"),
            ("GET", "/api/users/2"),
            ("DELETE", "/api/users"),
            ("GET", "/api/users/x/y"),
            ("GET", "/api/users/%ff"),
            ("TRACE", "/api/users/login"),
            ("FOO", "/api/users/1"),
            ("POST", "/api/users/logout"),
        ] {
            let answer = app.call(method, path).token(&token).header("accept", "text/html").await;
            assert_eq!(answer.header("content-type"), "application/json; charset=utf-8", "{method} {path}");
            if answer.status.is_client_error() {
                let status = answer.status.as_u16();
                answer.expect_error(status);
            }
        }
        let head = app.call("HEAD", "/api/users/1").token(&token).await.expect_status(401);
        assert_eq!(head.body, "");
    }

    /// 3.5.6: and no JSONP.
    async fn a_callback_in_the_query_is_not_called(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let answer = app.get("/api/users/1?callback=cb").header("accept", "application/javascript").token(&token).await;
        answer
            .is(200, r#"{"username":"Foo","email":"foo@bar.com","id":1}"#)
            .expect_header("content-type", "application/json; charset=utf-8");
    }

    /// Values in messages are the client's own, escaped, and cut where they are long. 16.4.1
    async fn what_is_quoted_back_is_escaped_and_cut(store) {
        let app = App::loopback(store).await;
        let hostile = "<script>\"\\\u{1b}[31m\u{2028}";
        for email in [hostile.to_owned(), "x".repeat(50_000), "🦀".repeat(10_000)] {
            let answer = app
                .post("/api/users")
                .json(serde_json::json!({"email": email, "password": "p"}))
                .await
                .expect_error(422);
            assert!(answer.body.len() < 4096, "{}", answer.body.len());
            assert!(!answer.body.bytes().any(|byte| byte.is_ascii_control()), "{}", answer.body);
        }
        let nested = serde_json::json!({"email": {"a": {"b": {"c": {"d": "x"}}}}, "password": "p"});
        let answer = app.post("/api/users").json(nested).await.expect_error(422);
        assert!(answer.body.contains("{ a: [Object] }"), "{}", answer.body);
    }
}

/// The mistake that is made first: it names the line that is missing.
#[tokio::test]
async fn without_the_layer_the_answer_names_it() {
    let auth = gatekit::Auth::new(gatekit::MemoryStore::new());
    let router: Router = Router::new()
        .route("/me", get(|AuthUser(user): AuthUser| async move { user.id.to_string() }))
        .route("/maybe", get(|user: Option<AuthUser>| async move { user.is_some().to_string() }))
        .nest("/api/users", routes::all(&auth));
    for (method, path) in [
        ("GET", "/me"),
        ("GET", "/maybe"),
        ("GET", "/api/users/1"),
        ("POST", "/api/users/logout"),
        ("POST", "/api/users/change-password"),
        ("POST", "/api/users/reset-password"),
    ] {
        let answer = Call::new(&router, method, path).await.expect(500, "MISCONFIGURED");
        assert!(answer.body.contains(".layer(AuthLayer::new(auth))"), "{path} {}", answer.body);
    }
}

#[tokio::test]
async fn a_handler_for_another_user_type_names_the_one_there_is() {
    #[derive(Clone)]
    struct Member;
    let auth = gatekit::Auth::new(gatekit::MemoryStore::new());
    let router: Router =
        Router::new().route("/", get(|_: AuthUser<Member>| async { "never" })).layer(gatekit::AuthLayer::new(auth));
    let answer = Call::new(&router, "GET", "/").await.expect(500, "MISCONFIGURED");
    assert!(
        answer.body.contains("User") && answer.body.contains("Member") && answer.body.contains("Write `AuthUser<"),
        "{}",
        answer.body
    );
}
