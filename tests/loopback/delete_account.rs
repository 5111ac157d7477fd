//! `POST /api/users/delete-account`.

use gatekit::{Event, Policy};
use gatekit_testkit::Fault::Fail;
use gatekit_tests::{App, EMAIL, PASSWORD, at_once, count, on_every_store};
use serde_json::json;

const DELETE: &str = "/api/users/delete-account";
const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;
const WRONG: &str =
    r#"{"error":{"statusCode":400,"name":"Error","message":"Invalid current password","code":"INVALID_PASSWORD"}}"#;

on_every_store! {
    /// 7.4.2, 7.5.1
    async fn a_user_goes_who_knows_the_password(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            let (a, b) = (app.signed_up().await, app.token_of(EMAIL).await);
            app.sign_up_as("second@bar.com").await;
            let second = app.token_of("second@bar.com").await;
            let _ = app.events.take();
            for password in ["wrong", "correct horse batterY", &"x".repeat(5000)] {
                app.post(DELETE).token(&a).json(json!({"password": password})).await.is(400, WRONG);
            }
            app.me(&b).await.expect_status(200);
            app.post(DELETE).token(&a).json(json!({"password": PASSWORD, "id": 2})).await.expect_no_content();
            let events = app.events.take();
            let seen = matches!(&events[..], [Event::PasswordRefused { .. }, _, _, Event::UserDeleted { .. }]);
            assert!(seen, "{events:?}");
            for token in [&a, &b] {
                app.me(token).await.is(401, REFUSED);
            }
            app.login(EMAIL, PASSWORD).await.expect(401, "LOGIN_FAILED");
            app.me(&second).await.expect_status(200);
            app.post(DELETE).token(&a).json(json!({"password": PASSWORD})).await.is(401, REFUSED);
        }
    }

    /// 1.5.2
    async fn what_is_wrong_with_a_request_is_told(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let missing = r#"{"error":{"statusCode":400,"name":"Error","message":"password is a required argument"}}"#;
        let no_text = r#"{"error":{"statusCode":400,"name":"Error","message":"Value is not a string."}}"#;
        for (body, answer) in [
            ("{}", missing),
            ("", missing),
            ("null", missing),
            ("[]", missing),
            (r#"{"password":""}"#, missing),
            (r#"{"password":null}"#, no_text),
            (r#"{"password":5}"#, no_text),
            (r#"{"password":["correct horse battery"]}"#, no_text),
            (r#"{"password":{"neq":"x"}}"#, no_text),
        ] {
            app.post(DELETE).token(&token).json(body).await.is(400, answer);
        }
        app.post(&format!("{DELETE}?password=correct+horse+battery")).token(&token).await.is(400, missing);
        // Types, then authorization, then what is missing.
        app.post(DELETE).json(r#"{"password":5}"#).await.is(400, no_text);
        app.post(DELETE).json("{}").await.is(401, REFUSED);
        app.post(DELETE).token("bogus").json(json!({"password": PASSWORD})).await.is(401, REFUSED);
        for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE"] {
            let answer = app.call(method, DELETE).token(&token).json(json!({"password": PASSWORD})).await;
            assert!(answer.status.is_client_error(), "{method}: {answer:?}");
        }
        app.post(DELETE).cookie(&token).header("sec-fetch-site", "cross-site").json(json!({"password": PASSWORD})).await.expect_status(403);
        app.me(&token).await.expect_status(200);
        app.post(DELETE).token(&token).form("password=correct+horse+battery").await.expect_no_content();
    }

    async fn of_20_who_ask_at_once_one_removes_the_account(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let _ = app.events.take();
        let answers = at_once((0..20).map(|_| app.post(DELETE).token(&token).json(json!({"password": PASSWORD})))).await;
        assert_eq!((count(&answers, 204), count(&answers, 401)), (1, 19), "{answers:?}");
        assert_eq!(app.events.take().len(), 1);
    }

    async fn a_store_that_fails_removes_nothing(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        for call in ["find_user", "delete_user"] {
            app.faults.every_call_of(call, Fail);
            app.post(DELETE).token(&token).json(json!({"password": PASSWORD})).await.expect_unavailable();
            app.faults.reset();
            app.me(&token).await.expect_status(200);
        }
    }
}
