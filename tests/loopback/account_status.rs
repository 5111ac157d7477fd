//! Accounts that are pending or blocked, as their users meet them over HTTP. How the status is set
//! is the app's own business.

use std::sync::Arc;

use gatekit::core::{MailKind, SetAccountStatusError};
use gatekit::{AccountStatus, Policy, Register, UserId};
use gatekit_tests::{Answer, App, EMAIL, PASSWORD, at_once, count, on_every_store};
use serde_json::json;
use tokio::sync::Barrier;

const ADA: UserId = UserId::Int(1);
const BLOCKED: &str =
    r#"{"error":{"statusCode":403,"name":"Error","message":"the account is blocked","code":"ACCOUNT_BLOCKED"}}"#;
const PENDING: &str = r#"{"error":{"statusCode":403,"name":"Error","message":"the account has not been approved yet","code":"ACCOUNT_PENDING"}}"#;
const RESET: &str = r#"{"error":{"statusCode":403,"name":"Error","message":"the password was reset; choose a new one","code":"PASSWORD_RESET"}}"#;

async fn set(app: &App, status: AccountStatus) {
    app.auth.set_account_status(&ADA, status).await.unwrap();
}

/// All that a client sees, but for what names the request.
fn seen(answer: &Answer) -> (u16, String, Vec<String>) {
    let headers = answer.headers.iter().map(|(name, value)| format!("{name}: {value:?}"));
    (answer.status.as_u16(), answer.body.clone(), headers.collect())
}

on_every_store! {
    async fn a_login_says_that_the_account_is_not_active_to_who_has_the_password(store) {
        for app in [App::new(store).await, App::loopback(store).await] {
            app.sign_up().await;
            for (status, answer) in [
                (AccountStatus::Blocked, BLOCKED),
                (AccountStatus::Pending, PENDING),
                (AccountStatus::PasswordReset, RESET),
            ] {
                set(&app, status).await;
                app.login(EMAIL, PASSWORD).await.is(403, answer);
                app.post("/api/users/login").json(json!({"username": "Foo", "password": PASSWORD})).await.is(403, answer);
                let in_cookie = app.post("/api/users/login?cookie=true").json(json!({"email": EMAIL, "password": PASSWORD}));
                assert!(in_cookie.await.is(403, answer).headers.get("set-cookie").is_none());
            }
            set(&app, AccountStatus::Active).await;
            app.login(EMAIL, PASSWORD).await.expect_status(200);
        }
    }

    /// 6.3.8: without the password a blocked account, an active one and none are the same.
    async fn a_wrong_password_does_not_tell_of_the_status(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        let mut answers = Vec::new();
        for status in [AccountStatus::Active, AccountStatus::Blocked, AccountStatus::Pending, AccountStatus::PasswordReset] {
            set(&app, status).await;
            answers.push(seen(&app.login(EMAIL, "a wrong password").await.expect(401, "LOGIN_FAILED")));
        }
        answers.push(seen(&app.login("nobody@bar.com", PASSWORD).await));
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    }

    /// 7.4.2, V-42
    async fn a_blocked_users_tokens_are_dead_at_once_and_for_good(store) {
        for status in [AccountStatus::Blocked, AccountStatus::Pending] {
            let app = App::new(store).await;
            let tokens = [app.signed_up().await, app.token_of(EMAIL).await];
            let reset = app.reset_token().await;
            set(&app, status).await;
            for last in [status, AccountStatus::Active] {
                set(&app, last).await;
                for token in &tokens {
                    app.me(token).await.expect(401, "AUTHORIZATION_REQUIRED");
                    app.get("/maybe").token(token).await.is(200, "anonymous");
                    app.post("/api/users/step-up").token(token).json(json!({"password": PASSWORD})).await.expect_error(401);
                    app.post("/api/users/change-password").token(token)
                        .json(json!({"oldPassword": PASSWORD, "newPassword": "staple battery horse"})).await.expect_error(401);
                }
                app.reset_password(&reset, "staple battery horse").await.expect_error(401);
            }
            let token = app.token_of(EMAIL).await;
            app.me(&token).await.expect_status(200);
        }
    }

    async fn anothers_tokens_live_on(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        app.sign_up_as("other@bar.com").await;
        let other = app.token_of("other@bar.com").await;
        set(&app, AccountStatus::Blocked).await;
        app.me(&other).await.expect_status(200);
    }

    /// A password that those who run the app have reset lets in nobody, and the mail that anybody
    /// may ask for leads to a new one.
    async fn a_password_that_was_reset_is_replaced_by_mail(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        set(&app, AccountStatus::PasswordReset).await;
        app.me(&token).await.expect_status(401);
        let secret = app.reset_token().await;
        app.reset_password(&secret, "staple battery horse").await.expect_no_content();
        assert_eq!(app.auth.account_status(&ADA).await.unwrap(), Some(AccountStatus::Active));
        app.login(EMAIL, PASSWORD).await.expect_status(401);
        app.login(EMAIL, "staple battery horse").await.expect_status(200);
    }

    /// 6.3.8, 6.4.3
    async fn a_blocked_user_gets_no_reset_mail_and_nobody_sees_that(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        app.sign_up_as("other@bar.com").await;
        set(&app, AccountStatus::Blocked).await;
        let ask = |email: &str| app.post("/api/users/reset").json(json!({"email": email}));
        let mut answers = Vec::new();
        for email in [EMAIL, "nobody@bar.com", "other@bar.com"] {
            app.faults.reset();
            answers.push((seen(&ask(email).await.expect_no_content()), app.faults.calls()));
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(answers[0], answers[2]);
        // The last that was asked for has come, so the first would have been asked for before it.
        let mails = app.mails.wait_for_kind(MailKind::ResetPassword, 1).await;
        assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), ["other@bar.com"]);
    }

    /// Also where unknown addresses are told: a blocked one is known.
    async fn a_blocked_address_is_answered_as_a_known_one_where_unknown_ones_are_told(store) {
        let app = App::loopback(store).await;
        app.sign_up().await;
        set(&app, AccountStatus::Blocked).await;
        app.post("/api/users/reset").json(json!({"email": EMAIL})).await.expect_no_content();
        app.post("/api/users/reset").json(json!({"email": "nobody@bar.com"})).await.expect(404, "EMAIL_NOT_FOUND");
        assert!(app.mails.mails().is_empty());
    }

    /// A client says nothing of its own trust.
    async fn no_client_says_its_own_status(store) {
        let app = App::new(store).await;
        app.auth.register(Register::email(EMAIL, PASSWORD).status(AccountStatus::Pending)).await.unwrap();
        let new = json!({"email": "other@bar.com", "password": PASSWORD, "status": "blocked"});
        app.post("/api/users").json(new).await.expect_status(200);
        let token = app.token_of("other@bar.com").await;
        for body in [json!({"status": "pending"}), json!({"status": "blocked", "username": "Foo"})] {
            app.patch("/api/users/2").token(&token).json(body).await;
            app.me(&token).await.expect_status(200);
        }
        assert_eq!(app.auth.account_status(&UserId::from(2)).await.unwrap(), Some(AccountStatus::Active));
        app.login(EMAIL, PASSWORD).await.is(403, PENDING);
    }

    /// Nor does anybody read it: it is kept beside the user.
    async fn no_answer_shows_a_status(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        for answer in [app.me(&token).await, app.get("/api/users/1").token(&token).await] {
            assert!(!answer.expect_status(200).body.contains("active"));
        }
    }

    /// RACE-10: whatever was answered to who was logging in meanwhile, once the account is blocked
    /// no token of it lives.
    async fn of_20_logins_while_the_account_is_blocked_no_token_lives(store) {
        for _ in 0..3 {
            let app = Arc::new(App::new(store).await);
            app.sign_up().await;
            let barrier = Arc::new(Barrier::new(21));
            let logins: Vec<_> = (0..20)
                .map(|_| {
                    let (app, barrier) = (Arc::clone(&app), Arc::clone(&barrier));
                    tokio::spawn(async move {
                        barrier.wait().await;
                        app.login(EMAIL, PASSWORD).await
                    })
                })
                .collect();
            barrier.wait().await;
            set(&app, AccountStatus::Blocked).await;
            for login in logins {
                let answer = login.await.unwrap();
                match answer.status.as_u16() {
                    200 => {
                        let token = answer.text("id");
                        app.me(&token).await.expect(401, "AUTHORIZATION_REQUIRED");
                    }
                    _ => {
                        answer.is(403, BLOCKED);
                    }
                }
            }
            assert!(app.auth.list_tokens(&ADA).await.unwrap().is_empty());
        }
    }

    /// RACE-10, after the fact: of twenty who try, none gets in.
    async fn of_20_logins_to_a_blocked_account_none_gets_in(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        set(&app, AccountStatus::Blocked).await;
        let answers = at_once((0..20).map(|_| app.login(EMAIL, PASSWORD))).await;
        assert_eq!(count(&answers, 403), 20);
    }

    /// Of twenty who block and unblock at once each takes effect, and what is left is one of the
    /// two, for logins too.
    async fn twenty_changes_of_the_status_at_once_leave_one_of_them(store) {
        let app = Arc::new(App::new(store).await);
        let before = app.signed_up().await;
        let barrier = Arc::new(Barrier::new(20));
        let changes: Vec<_> = (0..20)
            .map(|n| {
                let (app, barrier) = (Arc::clone(&app), Arc::clone(&barrier));
                let status = if n % 2 == 0 { AccountStatus::Blocked } else { AccountStatus::Active };
                tokio::spawn(async move {
                    barrier.wait().await;
                    set(&app, status).await;
                })
            })
            .collect();
        for change in changes {
            change.await.unwrap();
        }
        app.me(&before).await.expect(401, "AUTHORIZATION_REQUIRED");
        match app.auth.account_status(&ADA).await.unwrap() {
            Some(AccountStatus::Blocked) => app.login(EMAIL, PASSWORD).await.is(403, BLOCKED),
            _ => app.login(EMAIL, PASSWORD).await.expect_status(200),
        };
    }

    async fn a_user_that_is_gone_has_no_status(store) {
        let app = App::new(store).await;
        app.sign_up().await;
        assert!(app.auth.delete_user(&ADA).await.unwrap());
        let gone = app.auth.set_account_status(&ADA, AccountStatus::Active).await;
        assert!(matches!(gone, Err(SetAccountStatusError::UserNotFound(_))), "{gone:?}");
        assert_eq!(app.auth.account_status(&ADA).await.unwrap(), None);
    }

    /// The status comes first: who waits for approval proves the address in the meantime.
    async fn a_pending_user_proves_the_address(store) {
        let mut policy = Policy::default();
        policy.email.verification_required = true;
        let app = App::with(policy).start(store).await;
        app.auth.register(Register::email(EMAIL, PASSWORD).status(AccountStatus::Pending)).await.unwrap();
        app.login(EMAIL, PASSWORD).await.is(403, PENDING);
        app.mails.wait_for_kind(MailKind::VerifyEmail, 1).await;
        let secret = app.verification_token(1).await;
        app.confirm(1, &secret).await.expect_no_content();
        app.login(EMAIL, PASSWORD).await.is(403, PENDING);
        set(&app, AccountStatus::Active).await;
        app.login(EMAIL, PASSWORD).await.expect_status(200);
    }
}
