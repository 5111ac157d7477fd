//! `POST /api/users/change-password`.

use std::sync::Arc;

use gatekit::Policy;
use gatekit_tests::{App, Call, EMAIL, PASSWORD, on_every_store};
use serde_json::{Value, json};
use tokio::sync::Barrier;

const CHANGE: &str = "/api/users/change-password";
const NEW: &str = "staple battery horse";

fn change(app: &App, token: &str, body: &Value) -> Call {
    app.post(CHANGE).token(token).json(body)
}

on_every_store! {
    /// 6.2.2, 6.2.3, 7.4.3
    async fn the_new_password_counts_and_the_old_one_no_longer_does(store) {
        for policy in [Policy::loopback(), Policy::default()] {
            let app = App::with(policy).start(store).await;
            let token = app.signed_up().await;
            let other = app.token_of(EMAIL).await;
            change(&app, &token, &json!({"oldPassword": PASSWORD, "newPassword": NEW})).await.expect_no_content();
            app.login(EMAIL, PASSWORD).await.expect(401, "LOGIN_FAILED");
            app.login(EMAIL, NEW).await.expect_status(200);
            // The token it was done with stays, the others end.
            app.me(&token).await.expect_status(200);
            app.me(&other).await.expect(401, "AUTHORIZATION_REQUIRED");
        }
    }

    async fn the_same_password_again_is_a_change_too(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let other = app.token_of(EMAIL).await;
        change(&app, &token, &json!({"oldPassword": PASSWORD, "newPassword": PASSWORD})).await.expect_no_content();
        app.me(&token).await.expect_status(200);
        app.me(&other).await.expect_status(401);
    }

    async fn a_form_is_as_good_as_json(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        app.post(CHANGE)
            .token(&token)
            .form("oldPassword=correct+horse+battery&newPassword=123456")
            .await
            .expect_no_content();
        app.login(EMAIL, "123456").await.expect_status(200);
    }

    /// 6.2.3: and nothing is changed.
    async fn what_is_refused_is_refused_as_loopback_refuses_it(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let other = app.token_of(EMAIL).await;
        let missing = |name: &str| {
            format!(r#"{{"error":{{"statusCode":400,"name":"Error","message":"{name} is a required argument"}}}}"#)
        };
        let no_text = r#"{"error":{"statusCode":400,"name":"Error","message":"Value is not a string."}}"#.to_owned();
        let wrong = r#"{"error":{"statusCode":400,"name":"Error","message":"Invalid current password","code":"INVALID_PASSWORD"}}"#;
        let too_long = r#"{"error":{"statusCode":422,"name":"Error","message":"The password entered was too long. Max length is 72 (entered 73)","code":"PASSWORD_TOO_LONG"}}"#;
        for (body, status, answer) in [
            (json!({}), 400, missing("oldPassword")),
            (json!({"newPassword": "n1"}), 400, missing("oldPassword")),
            (json!({"oldPassword": "", "newPassword": "n1"}), 400, missing("oldPassword")),
            (json!({"oldPassword": PASSWORD}), 400, missing("newPassword")),
            (json!({"oldPassword": PASSWORD, "newPassword": ""}), 400, missing("newPassword")),
            (json!({"oldPassword": "wrong", "newPassword": ""}), 400, missing("newPassword")),
            (json!({"oldPassword": "wrong", "newPassword": "n1"}), 400, wrong.to_owned()),
            (json!({"oldPassword": null, "newPassword": "n1"}), 400, no_text.clone()),
            (json!({"oldPassword": 5, "newPassword": "n1"}), 400, no_text.clone()),
            (json!({"oldPassword": PASSWORD, "newPassword": 5}), 400, no_text.clone()),
            (json!({"oldPassword": PASSWORD, "newPassword": {"a": 1}}), 400, no_text),
            (json!({"oldPassword": PASSWORD, "newPassword": "x".repeat(73)}), 422, too_long.to_owned()),
        ] {
            change(&app, &token, &body).await.is(status, &answer);
        }
        let query = format!("{CHANGE}?oldPassword=bar&newPassword=n1");
        app.post(&query).token(&token).await.is(400, &missing("oldPassword"));
        app.login(EMAIL, PASSWORD).await.expect_status(200);
        for token in [token, other] {
            app.me(&token).await.expect_status(200);
        }
    }

    /// 6.2.1, 6.2.4, V-76
    async fn the_policy_holds_here_too(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        for (new, code) in [
            ("q7x2m9a", "PASSWORD_TOO_SHORT"),
            ("password1", "PASSWORD_TOO_COMMON"),
            (&"x1y2z".repeat(205), "PASSWORD_TOO_LONG"),
        ] {
            change(&app, &token, &json!({"oldPassword": PASSWORD, "newPassword": new})).await.expect(422, code);
        }
        app.login(EMAIL, PASSWORD).await.expect_status(200);
    }

    /// Contract, §2.4.
    async fn checks_come_in_loopbacks_order(store) {
        let app = App::loopback(store).await;
        let refused = r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;
        for token in ["", "zz"] {
            // Malformed JSON beats authorization, and so do arguments of a wrong type; arguments
            // that are missing do not.
            app.post(CHANGE).token(token).json("{").await
                .is(400, r#"{"error":{"statusCode":400,"name":"SyntaxError","message":"Expected property name or '}' in JSON at position 1"}}"#);
            app.post(CHANGE)
                .token(token)
                .json(r#"{"oldPassword":5,"newPassword":"x"}"#)
                .await
                .is(400, r#"{"error":{"statusCode":400,"name":"Error","message":"Value is not a string."}}"#);
            app.post(CHANGE).token(token).json("{}").await.is(401, refused);
        }
        // An expired token beats them all.
        let token = app.signed_up().await;
        app.clock.advance(std::time::Duration::from_secs(1_209_600));
        app.post(CHANGE).token(&token).json("{").await.expect(401, "INVALID_TOKEN");
    }

    /// V-88
    async fn the_body_does_not_say_whose_password_it_is(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        app.sign_up_as("second@bar.com").await;
        let body = json!({"id": 2, "userId": 2, "oldPassword": PASSWORD, "newPassword": NEW});
        change(&app, &token, &body).await.expect_no_content();
        app.login("second@bar.com", PASSWORD).await.expect_status(200);
        app.login(EMAIL, NEW).await.expect_status(200);
    }

    /// Of those who change at once one wins, and what is stored is the winner's.
    async fn of_20_changes_at_once_one_wins(store) {
        let app = Arc::new(App::loopback(store).await);
        let token = app.signed_up().await;
        app.faults.gather("find_user", 20);
        let barrier = Arc::new(Barrier::new(20));
        let racers: Vec<_> = (0..20)
            .map(|racer| {
                let (app, barrier, token) = (Arc::clone(&app), Arc::clone(&barrier), token.clone());
                tokio::spawn(async move {
                    barrier.wait().await;
                    let body = json!({"oldPassword": PASSWORD, "newPassword": format!("{NEW} {racer}")});
                    change(&app, &token, &body).await
                })
            })
            .collect();
        let mut winners = Vec::new();
        for (racer, task) in racers.into_iter().enumerate() {
            let answer = task.await.unwrap();
            match answer.status.as_u16() {
                204 => winners.push(racer),
                // Lost the race; came when the old password was gone already; or came while the
                // token was being carried over.
                409 => _ = answer.expect(409, "CONFLICT"),
                400 => _ = answer.expect(400, "INVALID_PASSWORD"),
                _ => _ = answer.expect(401, "AUTHORIZATION_REQUIRED"),
            }
        }
        assert_eq!(winners.len(), 1, "{winners:?}");
        app.login(EMAIL, &format!("{NEW} {}", winners[0])).await.expect_status(200);
        app.me(&token).await.expect_status(200);
    }

    /// RACE-9: whoever logged in with the old password while it was changed is out afterwards.
    async fn no_login_with_the_old_password_survives_the_change(store) {
        let app = Arc::new(App::loopback(store).await);
        let token = app.signed_up().await;
        let barrier = Arc::new(Barrier::new(11));
        let logins: Vec<_> = (0..10)
            .map(|_| {
                let (app, barrier) = (Arc::clone(&app), Arc::clone(&barrier));
                tokio::spawn(async move {
                    barrier.wait().await;
                    app.login(EMAIL, PASSWORD).await
                })
            })
            .collect();
        barrier.wait().await;
        change(&app, &token, &json!({"oldPassword": PASSWORD, "newPassword": NEW})).await.expect_no_content();
        for login in logins {
            let answer = login.await.unwrap();
            if answer.status == 200 {
                app.me(&answer.text("id")).await.expect_status(401);
            } else {
                answer.expect(401, "LOGIN_FAILED");
            }
        }
    }
}
