//! What a request costs: the calls to the store, counted.

use axum::Router;
use axum::routing::{get, post};
use gatekit::{AccessToken, AuthLayer, AuthUser, Policy, RequireAuthLayer};
use gatekit_tests::{App, Call, EMAIL, PASSWORD, on_every_store};
use serde_json::json;

#[expect(clippy::too_many_arguments, reason = "that is the point")]
async fn ten(
    _: AuthUser,
    _: AuthUser,
    _: AccessToken,
    _: Option<AuthUser>,
    _: AuthUser,
    _: Option<AccessToken>,
    _: AuthUser,
    _: AuthUser,
    _: AccessToken,
    AuthUser(user): AuthUser,
) -> String {
    user.id.to_string()
}

on_every_store! {
    async fn a_route_that_asks_for_nobody_asks_no_store(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        app.faults.reset();
        for request in [
            app.get("/open"),
            app.get("/open").token(&token),
            app.get("/open").token("bogus"),
            app.get(&format!("/open?access_token={token}")),
            app.get("/open").cookie(&token),
            app.get("/me"),
            app.get("/maybe"),
            app.get("/nothing").token(&token),
            // Longer than any token.
            app.get("/me").token(&"x".repeat(513)),
        ] {
            request.await;
        }
        assert!(app.faults.calls().is_empty(), "{:?}", app.faults.calls());
    }

    async fn a_protected_request_asks_once(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        for (path, token) in [
            ("/me", token.as_str()),
            ("/maybe", &token),
            ("/api/users/1", &token),
            ("/api/users/2", &token),
            ("/me", "bogus"),
            ("/maybe", "bogus"),
        ] {
            app.faults.reset();
            app.get(path).token(token).await;
            assert_eq!(app.faults.calls(), ["find_token_owner"], "{path}");
        }
    }

    async fn ten_extractors_ask_once(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let members = Router::new().route("/twice", get(ten)).layer(RequireAuthLayer::new(app.auth.clone()));
        let router = Router::new().route("/", get(ten)).layer(AuthLayer::new(app.auth.clone())).merge(members);
        for path in ["/", "/twice"] {
            app.faults.reset();
            Call::new(&router, "GET", path).token(&token).await.is(200, "1");
            assert_eq!(app.faults.calls(), ["find_token_owner"], "{path}");
        }
    }

    /// The answer is the request's: nothing is remembered beyond it. 8.3.2
    async fn the_next_request_asks_again(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        app.me(&token).await.expect_status(200);
        app.post("/api/users/logout").token(&token).await.expect_no_content();
        app.me(&token).await.expect_status(401);
    }

    /// Under the default policy an open route does not look at a token at all.
    async fn what_each_flow_asks_of_the_store(store) {
        let app = App::with(Policy::default()).start(store).await;
        let token = app.signed_up().await;
        let secret = app.reset_token().await;
        for (request, calls) in [
            (
                app.post("/api/users").token(&token).json(json!({"email": "x@x.com", "password": PASSWORD})),
                vec!["find_user_by", "create_user"],
            ),
            (app.login(EMAIL, PASSWORD).token(&token), vec!["find_user_by", "insert_token"]),
            (
                app.post("/api/users/reset").token(&token).json(json!({"email": EMAIL})),
                vec!["find_user_by", "insert_one_time"],
            ),
            (
                app.reset_password(&secret, "staple battery horse"),
                vec!["find_one_time", "find_one_time", "set_password", "delete_tokens_of", "take_one_time"],
            ),
        ] {
            app.faults.reset();
            let answer = request.await;
            assert!(answer.status.is_success(), "{answer:?}");
            assert_eq!(app.faults.calls(), calls);
        }
    }

    async fn the_layer_works_on_a_single_route_as_well(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let route = post(|AuthUser(user): AuthUser| async move { user.id.to_string() })
            .layer(RequireAuthLayer::new(app.auth.clone()));
        let router = Router::new().route("/", route.get(|| async { "open" }));
        Call::new(&router, "POST", "/").token(&token).await.is(200, "1");
        Call::new(&router, "POST", "/").await.expect(401, "AUTHORIZATION_REQUIRED");
        Call::new(&router, "GET", "/").await.is(200, "open");
    }
}
