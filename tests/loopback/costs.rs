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
            (
                app.post("/api/users").token(&token).json(json!([{"email": "y@x.com", "password": PASSWORD}])),
                vec!["find_user_by", "create_user"],
            ),
            (app.login(EMAIL, PASSWORD).token(&token), vec!["find_user_by", "insert_token"]),
            (
                app.post("/api/users/1/verify").token(&token),
                vec!["find_user", "insert_one_time_within"],
            ),
            (
                app.post("/api/users/resend-verification").token(&token).json(json!({"email": EMAIL})),
                vec!["find_user_by", "insert_one_time_within"],
            ),
            (
                app.post("/api/users/reset").token(&token).json(json!({"email": EMAIL})),
                vec!["find_user_by", "insert_one_time_within"],
            ),
            (
                app.reset_password(&secret, "staple battery horse"),
                vec![
                    "find_one_time",
                    "find_one_time",
                    "find_user",
                    "set_password",
                    "delete_tokens_of",
                    "spend_one_time",
                ],
            ),
        ] {
            app.faults.reset();
            let answer = request.await;
            assert!(answer.status.is_success(), "{answer:?}");
            assert_eq!(app.faults.calls(), calls);
        }
    }

    /// Each of these once for the token and its user; who reads itself costs nothing more.
    async fn what_each_flow_of_a_user_asks_of_the_store(store) {
        let mut policy = Policy::default();
        (policy.passwords.reject_changes_via_patch_or_replace, policy.email.reject_changes_via_patch_or_replace) = (false, false);
        let app = App::with(policy).start(store).await;
        let mut token = app.signed_up().await;
        let verify = app.verification_token(1).await;
        let change = app.change_email_token(&token, "new@bar.com").await;
        let others = ["carry_token_over", "delete_tokens_of"];
        for (request, calls) in [
            (app.get("/api/users/1"), vec!["find_token_owner"]),
            (app.patch("/api/users/1").json("{}"), vec!["find_token_owner", "find_user", "update_user"]),
            (
                app.patch("/api/users/1").json(json!({"username": "Bar", "email": EMAIL})),
                vec!["find_token_owner", "find_user", "find_user_by", "update_user"],
            ),
            (app.confirm(1, &verify), vec!["find_one_time", "find_user", "update_user", "spend_one_time"]),
            (
                app.confirm_email_change(&change),
                vec!["find_token_owner", "find_one_time", "find_user", "update_user", "spend_one_time", others[0], others[1]],
            ),
            (
                app.patch("/api/users/1").json(json!({"email": "other@bar.com"})),
                vec!["find_token_owner", "find_user", "find_user_by", "update_user", others[0], others[1]],
            ),
            (
                app.put("/api/users/1").json(json!({"email": "other@bar.com", "password": PASSWORD})),
                vec!["find_token_owner", "find_user", "update_user", others[0], others[1]],
            ),
            (
                app.post("/api/users/change-email").json(json!({"password": PASSWORD, "email": "x@x.com"})),
                // Mails are counted within two times: an hour, and that of a link.
                vec![
                    "find_token_owner",
                    "find_user",
                    "find_user_by",
                    "delete_one_time_of",
                    "add_event",
                    "add_event",
                    "insert_one_time",
                ],
            ),
            (app.get("/api/users/sessions"), vec!["find_token_owner", "find_user", "list_tokens_of"]),
            (
                app.post("/api/users/logout-everywhere").json(json!({"keepCurrent": true})),
                vec!["find_token_owner", "bump_rev", others[0], others[1]],
            ),
            (
                app.post("/api/users/delete-account").json(json!({"password": PASSWORD})),
                vec![
                    "find_token_owner",
                    "find_user",
                    "delete_user",
                    "delete_tokens_of",
                    "delete_one_time_of",
                    "delete_one_time_of",
                    "delete_one_time_of",
                    "delete_one_time_of",
                    "delete_one_time_of",
                    "delete_one_time_of",
                    "forget_devices_of",
                    "roles_of",
                ],
            ),
        ] {
            app.faults.reset();
            let confirmation = calls.contains(&"spend_one_time") && !calls.contains(&"find_token_owner");
            let request = if confirmation { request } else { request.token(&token) };
            let answer = request.await;
            assert!(answer.status.is_success(), "{answer:?}");
            assert_eq!(app.faults.calls(), calls, "{answer:?}");
        }
        app.sign_up().await;
        token = app.token_of(EMAIL).await;
        app.faults.reset();
        app.delete("/api/users/2").token(&token).json(json!({"password": PASSWORD})).await.expect_status(200);
        assert_eq!(app.faults.calls()[..3], ["find_token_owner", "find_user", "delete_user"]);
    }

    /// Who may not, and what is wrong, is answered before a store is asked for more than the token,
    /// and nothing is hashed.
    async fn what_is_refused_costs_no_more_than_the_token(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let hashes = app.auth.hasher().hashes();
        for (request, calls) in [
            (app.patch("/api/users/2").token(&token).json("{}"), 1),
            (app.put("/api/users/2").token(&token).json("{}"), 1),
            (app.delete("/api/users/2").token(&token), 1),
            (app.patch("/api/users/1").token(&token).json("[]"), 1),
            (app.post("/api/users/change-email").token(&token).json("{}"), 1),
            (app.post("/api/users/delete-account").token(&token).json("{}"), 1),
            (app.post("/api/users/step-up").token(&token).json("{}"), 1),
            (app.post("/api/users/step-up").json(json!({"password": "x"})), 0),
            (app.patch("/api/users/1").json("{}"), 0),
            (app.delete("/api/users/1"), 0),
            (app.get("/api/users/sessions"), 0),
            (app.post("/api/users/logout-everywhere"), 0),
            (app.post("/api/users/change-email").json(json!({"password": "x", "email": "y"})), 0),
            (app.post("/api/users/delete-account").json(json!({"password": "x"})), 0),
            (app.post("/api/users/confirm-email-change").json("{}"), 0),
            (app.get("/api/users/confirm").token(&token), 0),
            (app.get("/api/users/confirm?uid=1").token(&token), 0),
            (app.post("/api/users/resend-verification").token(&token).json("{}"), 0),
            (app.post("/api/users").token(&token).json("[5]"), 0),
            (app.post("/api/users").token(&token).json("[]"), 0),
        ] {
            app.faults.reset();
            let answer = request.await;
            assert_eq!(app.faults.calls().len(), calls, "{answer:?}");
        }
        assert_eq!(app.auth.hasher().hashes(), hashes);
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
