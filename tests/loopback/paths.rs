//! Paths as LoopBack's clients write them, and methods that are none.

use axum::Router;
use gatekit::{Acl, AuthLayer, Policy, routes};
use gatekit_tests::{App, Call, EMAIL, PASSWORD, on_every_store, routes_of};
use serde_json::json;

const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;

fn missing(method: &str, path: &str) -> String {
    format!(
        r#"{{"error":{{"statusCode":404,"name":"Error","message":"Shared class \"User\" has no method handling {method} {path}"}}}}"#
    )
}

/// The same app, as one mounts it for LoopBack's SDKs.
fn ignoring_case(app: &App) -> Router {
    routes::ignore_case("/api/users", routes_of("/api/users", &app.api).layer(AuthLayer::new(app.auth.clone())))
}

on_every_store! {
    /// Contract, surprise 2: a name is a name in any case, and no id. A new route has to be among
    /// the names of `ignore_case`.
    async fn every_name_of_a_route_is_one_in_any_case(store) {
        let app = App::with(Policy::loopback()).configure(|auth| auth.acl(Acl::empty())).start(store).await;
        let token = app.signed_up().await;
        let router = ignoring_case(&app);
        for (method, path) in [
            ("POST", "/login"),
            ("POST", "/reset"),
            ("POST", "/reset-password"),
            ("POST", "/change-password"),
            ("GET", "/findOne"),
            ("GET", "/count"),
            ("GET", "/change-stream"),
            ("POST", "/replaceOrCreate"),
            ("POST", "/upsertWithWhere"),
            ("POST", "/update"),
            ("GET", "/confirm"),
            ("GET", "/1/exists"),
            ("POST", "/1/verify"),
            ("POST", "/1/replace"),
            ("GET", "/1/accessTokens"),
            ("GET", "/1/accessTokens/count"),
            ("GET", "/sessions"),
            ("POST", "/resend-verification"),
            ("POST", "/change-email"),
            ("POST", "/confirm-email-change"),
            ("POST", "/step-up"),
            ("POST", "/delete-account"),
            ("POST", "/logout-everywhere"),
        ] {
            let ask = |path: String| Call::new(&router, method, &path).token(&token);
            let wanted = ask(format!("/api/users{path}")).await;
            let nothing = missing(method, path);
            assert_ne!(wanted.body, nothing, "{method} {path} is no route");
            // The last one ends the token, so it is asked in capitals with a token that is over.
            let found = ask(format!("/API/USERS{}", path.to_ascii_uppercase())).await;
            if path == "/logout-everywhere" {
                found.expect_status(401);
            } else {
                assert_eq!((found.status, found.body), (wanted.status, wanted.body), "{method} {path}");
            }
        }
        let token = app.token_of(EMAIL).await;
        Call::new(&router, "POST", "/api/users/LOGOUT").token(&token).await.expect_no_content();
    }

    /// Contract, surprise 2.
    async fn case_and_slashes_do_not_matter_below_the_mount(store) {
        let app = App::loopback(store).await;
        let router = ignoring_case(&app);
        for (number, path) in ["/api/Users", "/API/USERS/"].into_iter().enumerate() {
            let body = json!({"email": format!("u{number}@x.com"), "password": PASSWORD});
            Call::new(&router, "POST", path).json(body).await.expect_status(200);
        }
        app.sign_up().await;
        let body = json!({"email": EMAIL, "password": PASSWORD});
        for path in
            ["/api/Users/login", "/API/users/LOGIN", "/api/users/login/", "/api/users//login", "/api/Users//Login/"]
        {
            Call::new(&router, "POST", path).json(&body).await.expect_status(200);
        }
        let token = app.token_of(EMAIL).await;
        for path in ["/api/users/3", "/api/Users/3/", "/api/users//3", "/Api/Users/%33", "/api/Users/3/?a=B"] {
            Call::new(&router, "GET", path)
                .token(&token)
                .await
                .is(200, r#"{"username":"Foo","email":"foo@bar.com","id":3}"#);
        }
        Call::new(&router, "GET", "/api/Users/3//").token(&token).await.is(404, &missing("GET", "/3//"));
        // Measured on LoopBack 3.28.0: a client joins a root that ends with a slash and a path that
        // begins with one.
        for path in ["/api//Users/3", "/API//users//3/", "/api//Users/3?a=/b//c"] {
            let user = r#"{"username":"Foo","email":"foo@bar.com","id":3}"#;
            Call::new(&router, "GET", path).token(&token).await.is(200, user);
        }
        Call::new(&router, "POST", "/api//Users/login").json(&body).await.expect_status(200);
        for path in ["/api//Users", "/api//Users/", "/api/Users//"] {
            Call::new(&router, "GET", path).token(&token).await.is(401, REFUSED);
        }
        for path in ["//api/Users/3", "/api//Users/3//", "/api//Usersx/3", "/ap//i/Users/3"] {
            Call::new(&router, "GET", path).token(&token).await.expect_status(404);
        }
        for path in ["/API/users/Reset", "/api/users/RESET-password", "/api/users/Change-Password", "/api/users/LogOut"]
        {
            Call::new(&router, "POST", path).await.expect_error(if path.ends_with("Reset") { 400 } else { 401 });
        }
        // Elsewhere in the app nothing is different.
        Call::new(&router, "GET", "/Open").await.expect_status(404);
        Call::new(&router, "GET", "/open").await.expect_status(200);
    }

    /// V-97: whichever way a path is written, the same checks are made.
    async fn a_path_in_another_writing_is_no_way_around_a_check(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let router = ignoring_case(&app);
        for path in [
            "/api/users/1",
            "/API/USERS/1",
            "/api//users/1",
            "/api/users//1",
            "/api/users/./1",
            "/api/users/x/../1",
            "/api/users/%31",
            "/api/users/1/",
            "/api/users/1%2f",
            "/api/users;x/1",
        ] {
            for router in [&router, &app.router] {
                for method in ["GET", "HEAD"] {
                    let answer = Call::new(router, method, path).await;
                    assert!(answer.status == 401 || answer.status == 404, "{answer:?}");
                }
            }
        }
    }

    async fn what_is_no_route_is_told_as_loopback_tells_it(store) {
        let app = App::loopback(store).await;
        for (method, path, below) in [
            ("DELETE", "/api/users", "/"),
            ("PROPFIND", "/api/users/login", "/login"),
            ("POST", "/api/users/Nothing/There", "/Nothing/There"),
            ("GET", "/api/users/1/nothing?access_token=x&a=b", "/1/nothing"),
        ] {
            app.call(method, path).await.is(404, &missing(method, below));
            Call::new(&ignoring_case(&app), method, path).await.is(404, &missing(method, below));
        }
        app.get("/nothing").await.expect_status(404);
    }

    /// Contract, surprise 4: `logout` is an id to these, and nobody's. 3.5.3
    async fn only_post_does_anything(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        for path in ["login", "logout", "reset", "reset-password", "change-password"] {
            app.get(&format!("/api/users/{path}")).token(&token).await.is(401, REFUSED);
            app.call("HEAD", &format!("/api/users/{path}")).token(&token).await.expect_status(401);
            for method in ["PUT", "PATCH", "DELETE"] {
                let answer = app
                    .call(method, &format!("/api/users/{path}"))
                    .token(&token)
                    .json(json!({"newPassword": "x"}))
                    .await;
                assert!(answer.status == 401 || answer.status == 404, "{answer:?}");
                let request =
                    app.get(&format!("/api/users/{path}?_method=POST")).header("x-http-method-override", "POST");
                request.token(&token).await.is(401, REFUSED);
            }
        }
        app.me(&token).await.expect_status(200);
        app.login(EMAIL, PASSWORD).await.expect_status(200);
    }
}
