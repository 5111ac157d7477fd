//! `GET /api/users/{id}`.

use gatekit_tests::{App, on_every_store};

const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;

on_every_store! {
    async fn a_user_reads_itself(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        for path in ["/api/users/1", "/api/users/%31"] {
            app.get(path)
                .token(&token)
                .await
                .is(200, r#"{"username":"Foo","email":"foo@bar.com","id":1}"#)
                .expect_header("content-type", "application/json; charset=utf-8")
                .expect_header("cache-control", "no-store");
        }
    }

    /// 8.2.2: one answer, whether or not there is such a user, so that ids cannot be counted.
    async fn nobody_reads_another(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        app.sign_up_as("second@bar.com").await;
        for id in [
            "2",
            "3",
            "01",
            "1.0",
            "+1",
            "-1",
            "1e0",
            "abc",
            "me",
            "%zz%",
            "1%00",
            "99999999999999999999",
            "%F0%9F%A6%80",
        ] {
            let answer = app.get(&format!("/api/users/{id}")).token(&token).await;
            if id.contains("zz") {
                answer.expect_error(400)
            } else {
                answer.is(401, REFUSED)
            };
        }
        for id in ["1", "2", "3"] {
            app.get(&format!("/api/users/{id}")).await.is(401, REFUSED);
            app.get(&format!("/api/users/{id}")).token("bogus").await.is(401, REFUSED);
        }
        let second = app.token_of("second@bar.com").await;
        app.get("/api/users/1").token(&second).await.is(401, REFUSED);
    }

    /// Contract, surprise 5. V-128
    async fn an_owner_may_not_ask_whether_it_exists(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        app.call("HEAD", "/api/users/1").token(&token).await.expect_status(401);
        app.call("HEAD", "/api/users/logout").token(&token).await.expect_status(401);
    }

    /// 16.5.1
    async fn a_path_that_cannot_be_decoded_is_told_as_loopback_tells_it(store) {
        let app = App::loopback(store).await;
        for id in ["%zz", "%", "%1", "%ff", "a%c3%28"] {
            app.get(&format!("/api/users/{id}")).await.is(
                400,
                &format!(
                    r#"{{"error":{{"statusCode":400,"name":"URIError","message":"Failed to decode param '{id}'"}}}}"#
                ),
            );
        }
    }

    /// Contract, surprise 20: in LoopBack the query can say whose id is compared.
    async fn what_the_query_says_of_ids_is_not_read(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        app.get("/api/users/1?id=2").token(&token).await.expect_status(200);
        app.get("/api/users/2?id=1").token(&token).await.is(401, REFUSED);
        app.get("/api/users/1?filter=zz").token(&token).await.expect_error(400);
    }
}
