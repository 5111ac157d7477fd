//! `POST /api/users/logout`.

use std::sync::Arc;
use std::time::Duration;

use gatekit::{IssueToken, UserId};
use gatekit_tests::{App, EMAIL, on_every_store};
use tokio::sync::Barrier;

const LOGOUT: &str = "/api/users/logout";
const REQUIRED: &str = r#"{"error":{"statusCode":401,"name":"Error","message":"accessToken is required to logout"}}"#;

on_every_store! {
    /// 7.4.1, V-51
    async fn a_token_that_was_logged_out_is_dead(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        app.post(LOGOUT).token(&token).await.expect_no_content();
        app.me(&token).await.expect(401, "AUTHORIZATION_REQUIRED");
        app.post(LOGOUT).token(&token).await.is(401, REQUIRED);
    }

    async fn the_users_other_tokens_live_on(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        let other = app.token_of(EMAIL).await;
        app.post(LOGOUT).token(&token).await.expect_no_content();
        app.me(&other).await.expect_status(200);
    }

    async fn nobody_is_told_so_without_a_code(store) {
        let app = App::loopback(store).await;
        for token in ["", "bogus", "Bearer ", "Token xyz"] {
            app.post(LOGOUT).token(token).await.is(401, REQUIRED);
        }
        app.post(LOGOUT).await.is(401, REQUIRED).expect_header("www-authenticate", "Bearer");
        app.post(LOGOUT).json(r#"{"access_token":"x"}"#).await.is(401, REQUIRED);
    }

    async fn an_expired_token_says_so_once(store) {
        let app = App::loopback(store).await;
        let token = app.signed_up().await;
        app.clock.advance(Duration::from_secs(1_209_600));
        app.post(LOGOUT).token(&token).await.is(
            401,
            r#"{"error":{"statusCode":401,"name":"Error","message":"Invalid Access Token","code":"INVALID_TOKEN"}}"#,
        );
        app.post(LOGOUT).token(&token).await.is(401, REQUIRED);
    }

    async fn a_token_for_other_scopes_stays(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        let scoped = app.auth.issue_token(&UserId::from(1), IssueToken::default().scopes(["other"])).await.unwrap();
        app.post(LOGOUT).token(scoped.secret.expose()).await.expect(401, "AUTHORIZATION_REQUIRED");
        assert!(app.auth.authenticate(scoped.secret.expose()).await.is_ok());
    }

    async fn the_body_is_not_looked_at_but_must_be_one(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        for body in ["", "null", r#"{"sid":"x"}"#, "[]", "5"] {
            let token = app.token_of(EMAIL).await;
            app.post(LOGOUT).token(&token).json(body).await.expect_no_content();
        }
        let token = app.token_of(EMAIL).await;
        app.post(LOGOUT).token(&token).json("{").await.expect_error(400);
        app.me(&token).await.expect_status(200);
    }

    async fn a_token_in_the_query_counts_before_the_header(store) {
        let app = App::loopback(store).await;
        let in_query = app.signed_up().await;
        let in_header = app.token_of(EMAIL).await;
        app.post(&format!("{LOGOUT}?access_token={in_query}")).token(&in_header).await.expect_no_content();
        app.me(&in_query).await.expect_status(401);
        app.me(&in_header).await.expect_status(200);
    }

    /// Of many who give up one token, one does; nobody is told it happened who did not do it.
    async fn of_20_who_log_out_one_token_at_once_one_does(store) {
        let app = Arc::new(App::loopback(store).await);
        let token = app.signed_up().await;
        app.faults.gather("find_token", 20);
        let barrier = Arc::new(Barrier::new(20));
        let racers: Vec<_> = (0..20)
            .map(|_| {
                let (app, barrier, token) = (Arc::clone(&app), Arc::clone(&barrier), token.clone());
                tokio::spawn(async move {
                    barrier.wait().await;
                    app.post(LOGOUT).token(&token).await.status.as_u16()
                })
            })
            .collect();
        let mut statuses = Vec::new();
        for racer in racers {
            statuses.push(racer.await.unwrap());
        }
        statuses.sort_unstable();
        assert_eq!(statuses, [vec![204], vec![401; 19]].concat());
        app.me(&token).await.expect_status(401);
    }
}
