//! `DELETE /api/users/{id}`.

use gatekit::{Acl, Event, Policy, UserId};
use gatekit_testkit::Fault::{Fail, FailAfter};
use gatekit_tests::{App, EMAIL, PASSWORD, at_once, count, on_every_store};
use serde_json::json;

const ONE: &str = "/api/users/1";
const REFUSED: &str =
    r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;

on_every_store! {
    /// Contract §5.12, transcript 03: [188] to [192].
    async fn a_user_goes_with_all_of_its_tokens(store) {
        let app = App::loopback(store).await;
        let (a, b) = (app.signed_up().await, app.token_of(EMAIL).await);
        app.sign_up_as("second@bar.com").await;
        let second = app.token_of("second@bar.com").await;
        app.delete(ONE).token(&second).await.is(401, REFUSED);
        app.delete(ONE).await.is(401, REFUSED);
        let _ = app.events.take();
        // Clients send a body along.
        app.delete(ONE).token(&a).json("{}").await.is(200, r#"{"count":1}"#);
        assert!(matches!(&app.events.take()[..], [Event::UserDeleted { user_id }] if *user_id == UserId::from(1)));
        app.delete(ONE).token(&a).await.is(401, REFUSED);
        app.get(ONE).token(&a).await.is(401, REFUSED);
        app.me(&b).await.is(401, REFUSED);
        app.login(EMAIL, PASSWORD).await.expect(401, "LOGIN_FAILED");
        app.me(&second).await.is(200, r#"{"email":"second@bar.com","id":2}"#);
    }

    /// 7.5.1, 7.4.2: beside a route that asks for the password there is none that does not. Who
    /// removes others is not asked for theirs.
    async fn by_default_a_user_who_removes_itself_gives_its_password(store) {
        let acl = Acl::user().allow("admin", "deleteById");
        let app = App::with(Policy::default()).configure(|auth| auth.acl(acl)).start(store).await;
        let token = app.signed_up().await;
        let _ = app.events.take();
        let stepped = app.post("/api/users/step-up").token(&token).json(json!({"password": PASSWORD})).await;
        let token = stepped.expect_status(200).text("id");
        for body in [json!({}), json!({"password": null}), json!({"password": 1})] {
            app.delete(ONE).token(&token).json(body).await.expect_error(400);
        }
        app.delete(ONE).token(&token).await.expect_error(400);
        app.delete(ONE).token(&token).json(json!({"password": "wrong"})).await.expect(400, "INVALID_PASSWORD");
        let events = app.events.take();
        assert!(matches!(&events[..], [Event::SteppedUp { .. }, Event::PasswordRefused { .. }]), "{events:?}");
        app.me(&token).await.expect_status(200);

        app.sign_up_as("second@bar.com").await;
        app.auth.assign_role(&UserId::from(1), "admin").await.unwrap();
        app.delete("/api/users/2").token(&token).await.is(200, r#"{"count":1}"#);
        app.delete("/api/users/2").token(&token).await.is(200, r#"{"count":0}"#);
        app.delete(ONE).token(&token).await.expect_error(400);
        app.delete(ONE).token(&token).json(json!({"password": PASSWORD})).await.is(200, r#"{"count":1}"#);
        app.me(&token).await.is(401, REFUSED);
    }

    /// 7.4.2: its address is free, its id is not, and what was mailed to it is nobody's.
    async fn who_signs_up_with_the_address_of_one_who_went_is_another(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let (reset, verify) = (app.reset_token().await, app.verification_token(1).await);
        let change = app.change_email_token(&token, "new@bar.com").await;
        app.delete(ONE).token(&token).await.is(200, r#"{"count":1}"#);
        app.sign_up().await;
        let user = app.login(EMAIL, PASSWORD).await.expect_status(200).value();
        assert_eq!(user["userId"], 2);
        app.me(&token).await.is(401, REFUSED);
        app.reset_password(&reset, "staple").await.is(401, REFUSED);
        for id in [1, 2] {
            assert!(app.confirm(id, &verify).await.status.is_client_error());
        }
        app.confirm_email_change(&change).await.expect(400, "INVALID_TOKEN");
        app.login(EMAIL, PASSWORD).await.expect_status(200);
    }

    /// 8.2.2
    async fn nobody_removes_another(store) {
        for policy in [Policy::default(), Policy::loopback()] {
            let app = App::with(policy).start(store).await;
            let token = app.signed_up().await;
            app.sign_up_as("second@bar.com").await;
            for id in ["2", "3", "01", "1.0", "+1", "-1", "abc", "me", "2?id=1", "%F0%9F%A6%80", "1%00"] {
                app.delete(&format!("/api/users/{id}")).token(&token).json(json!({"id": 1})).await.is(401, REFUSED);
            }
            app.delete("/api/users/%zz").token(&token).await.expect_error(400);
            app.delete("/api/users").token(&token).await.expect_error(404);
            app.login("second@bar.com", PASSWORD).await.expect_status(200);
            app.me(&token).await.expect_status(200);
        }
    }

    /// 2.3.3, RACE-10: the tokens are dead once the user is gone, whether or not their rows are.
    async fn what_could_not_be_cleared_away_is_dead_all_the_same(store) {
        for call in ["delete_tokens_of", "delete_one_time_of", "roles_of"] {
            let app = App::loopback(store).await;
            let (a, b) = (app.signed_up().await, app.token_of(EMAIL).await);
            let reset = app.reset_token().await;
            app.faults.every_call_of(call, Fail);
            app.delete(ONE).token(&a).await.is(200, r#"{"count":1}"#);
            app.faults.reset();
            for token in [&a, &b] {
                app.me(token).await.is(401, REFUSED);
            }
            app.reset_password(&reset, "staple").await.is(401, REFUSED);
        }
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        app.faults.every_call_of("delete_user", Fail);
        app.delete(ONE).token(&token).await.expect_unavailable();
        app.faults.reset();
        app.me(&token).await.expect_status(200);
        // The store has done it and does not say so: it is asked, and the answer is the truth.
        app.faults.every_call_of("delete_user", FailAfter);
        app.delete(ONE).token(&token).await.expect_status(200);
        app.faults.reset();
        app.me(&token).await.is(401, REFUSED);
    }

    /// RACE-10
    async fn logins_and_changes_meanwhile_leave_nothing_alive(store) {
        for round in 0..10 {
            let app = App::loopback(store).await;
            let token = app.signed_up().await;
            let answers = at_once([
                app.delete(ONE).token(&token),
                app.delete(ONE).token(&token),
                app.login(EMAIL, PASSWORD),
                app.login(EMAIL, PASSWORD),
                app.patch(ONE).token(&token).json(json!({"username": "x"})),
                app.post("/api/users/1/verify"),
            ])
            .await;
            assert!(answers.iter().all(|answer| !answer.status.is_server_error()), "{round}: {answers:?}");
            let ones = answers[..2].iter().filter(|answer| answer.body == r#"{"count":1}"#).count();
            assert_eq!(ones, 1, "{round}: {answers:?}");
            assert!([200, 401, 404].contains(&answers[4].status.as_u16()), "{round}: {:?}", answers[4]);
            for login in &answers[2..4] {
                if login.status == 200 {
                    app.me(&login.text("id")).await.is(401, REFUSED);
                }
            }
            app.login(EMAIL, PASSWORD).await.expect(401, "LOGIN_FAILED");
            assert!(count(&answers, 200) >= 1);
        }
    }

    async fn roles_of_one_who_went_are_gone(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let _ = &app.auth;
        app.delete(ONE).token(&token).await.is(200, r#"{"count":1}"#);
        assert!(app.faults.calls().contains(&"roles_of"));
        assert!(!app.auth.delete_user(&UserId::from(1)).await.unwrap());
        assert!(!app.auth.delete_user(&UserId::from("x")).await.unwrap());
    }
}
