//! Users whose address or name is stored in another spelling than the policy writes: imported, or
//! from before there was a rule.

use gatekit::core::MailKind;
use gatekit::{HookVeto, Hooks, NewUser, NoProfile, Policy, User, async_trait};
use gatekit_testkit::LogCapture;
use gatekit_tests::{App, PASSWORD, Store, on_every_store};
use serde_json::json;

const ANN: &str = "Ann.Lee@Example.com";
const TWIN: &str = "ANN.LEE@example.com";
const JOSE: &str = "JOSE\u{301}@B\u{fc}cher.example";
const NAME: &str = "Zoe\u{301}\u{a0}X";

/// Stores what signs up as another program would: in the spelling that belongs to this address.
struct Import;

#[async_trait]
impl Hooks<User> for Import {
    async fn before_register(&self, new: &mut NewUser<NoProfile>) -> Result<(), HookVeto> {
        let stored = match new.email.as_deref() {
            Some("1@import.example") => ANN,
            Some("2@import.example") => TWIN,
            Some("3@import.example") => JOSE,
            Some("4@import.example") => {
                new.username = Some(NAME.to_owned());
                return Ok(());
            }
            Some("5@import.example") => "Un mailable@example.com",
            _ => return Ok(()),
        };
        new.email = Some(stored.to_owned());
        Ok(())
    }
}

async fn with(store: Store, rows: &[u8]) -> App {
    let app = App::with(Policy::default()).configure(|builder| builder.hooks(Import)).start(store).await;
    for row in rows {
        app.sign_up_as(&format!("{row}@import.example")).await;
    }
    app
}

async fn report(app: &App) -> Vec<String> {
    let mut doctor = app.auth.doctor();
    let mut report = Vec::new();
    while let Some(finding) = doctor.next().await.unwrap() {
        report.push(finding.to_string());
    }
    report
}

on_every_store! {
    async fn a_user_stored_in_another_spelling_logs_in_with_any(store) {
        let app = with(store, &[1, 3]).await;
        for typed in [ANN, "ann.lee@example.com", TWIN, " ann.lee@example.com", "\u{ff21}nn.lee@example.com"] {
            assert_eq!(app.login(typed, PASSWORD).await.expect_status(200).value()["userId"], 1, "{typed:?}");
        }
        for typed in [JOSE, "jos\u{e9}@xn--bcher-kva.example", "JOS\u{c9}@b\u{fc}cher\u{3002}example"] {
            assert_eq!(app.login(typed, PASSWORD).await.expect_status(200).value()["userId"], 2, "{typed:?}");
        }
        app.login("ann.lee@example.co", PASSWORD).await.expect_status(401);
    }

    async fn a_name_stored_in_another_spelling_logs_in_with_any(store) {
        let app = with(store, &[4]).await;
        for (typed, status) in [(NAME, 200), ("Zo\u{e9} X", 200), ("zo\u{e9} x", 401), ("Zoe X", 401)] {
            let body = json!({"username": typed, "password": PASSWORD});
            app.post("/api/users/login").json(body).await.expect_status(status);
        }
    }

    /// The mail goes to the address that is stored.
    async fn its_mails_come(store) {
        let app = with(store, &[1]).await;
        for (n, typed) in [ANN, "ann.lee@example.com", TWIN].into_iter().enumerate() {
            app.post("/api/users/reset").json(json!({"email": typed})).await.expect_no_content();
            let mails = app.mails.wait_for_kind(MailKind::ResetPassword, n + 1).await;
            assert_eq!(mails[n].to, ANN);
        }
    }

    /// RACE-2, V-11
    async fn nobody_else_gets_its_address(store) {
        let app = with(store, &[1]).await;
        for typed in [ANN, "ann.lee@example.com", TWIN] {
            app.post("/api/users").json(json!({"email": typed, "password": "another good one"})).await.expect_status(422);
        }
        app.sign_up_as("eve@example.com").await;
        let eve = app.token_of("eve@example.com").await;
        let before = app.mails.mails().len();
        app.change_email(&eve, "ann.lee@example.com").await.expect_no_content();
        app.auth.settled().await;
        assert_eq!(app.mails.mails().len(), before);
    }

    async fn sending_it_back_in_another_spelling_changes_nothing(store) {
        let app = with(store, &[1]).await;
        let token = app.token_of(ANN).await;
        let user = app.patch("/api/users/1").token(&token).json(json!({"email": "ann.lee@example.com"})).await;
        assert_eq!(user.expect_status(200).value()["email"], ANN);
        app.me(&token).await.expect_status(200);
    }

    /// Neither is preferred in silence.
    async fn of_two_with_one_address_the_exact_spelling_wins_and_otherwise_nobody_is_found(store) {
        let app = with(store, &[1, 2]).await;
        for (typed, id) in [(ANN, 1), (TWIN, 2)] {
            assert_eq!(app.login(typed, PASSWORD).await.expect_status(200).value()["userId"], id);
        }
        let log = LogCapture::new();
        let guard = log.start();
        app.login("ann.lee@example.com", PASSWORD).await.expect_status(401);
        app.post("/api/users/reset").json(json!({"email": "ann.lee@example.com"})).await.expect_no_content();
        drop(guard);
        log.assert_contains("several users are stored with one email in different spellings");
        app.auth.settled().await;
        assert!(app.mails.mails().is_empty());
        app.post("/api/users").json(json!({"email": "ann.lee@example.com", "password": PASSWORD})).await.expect_status(422);
        let report = report(&app).await;
        for twins in ["user 1: the email is that of other users in another spelling: 2", "user 2: the email is that of other users in another spelling: 1"] {
            assert!(report.iter().any(|line| line == twins), "{report:?}");
        }
    }

    async fn it_is_said_in_the_log_without_the_address(store) {
        let app = with(store, &[1]).await;
        let log = LogCapture::new();
        let guard = log.start();
        app.login("ann.lee@example.com", PASSWORD).await.expect_status(200);
        drop(guard);
        let text = log.text();
        assert!(text.contains("a user is stored with its email in another spelling"), "{text}");
        assert!(!text.to_lowercase().contains("ann.lee"), "{text}");
    }

    /// V-20, T-1: one query for all, found or not.
    async fn a_lookup_costs_one_query_whether_or_not_anybody_is_found(store) {
        let app = with(store, &[1]).await;
        app.faults.reset();
        for typed in [ANN, "ann.lee@example.com", "Eve@Example.com", "eve@example.com"] {
            app.post("/api/users/reset").json(json!({"email": typed})).await.expect_no_content();
            let lookups = app.faults.calls().iter().filter(|call| call.starts_with("find_user")).count();
            assert_eq!(lookups, 1, "{typed:?}");
            app.faults.reset();
        }
    }

    async fn the_doctor_lists_what_breaks_a_rule_and_nothing_else(store) {
        let app = with(store, &[1, 3, 4, 5]).await;
        app.sign_up_as("fine@example.com").await;
        let spelling = "is stored in another spelling than the policy writes (capitals, Unicode form, invisible characters or blanks)";
        assert_eq!(
            report(&app).await,
            [
                format!("user 1: the email {spelling}"),
                format!("user 2: the email {spelling}"),
                format!("user 3: the username {spelling}"),
                format!("user 4: the email {spelling}"),
                "user 4: no mail can be sent to the email address".to_owned(),
            ]
        );
    }

    /// The policy that is asked decides what breaks a rule.
    async fn under_loopbacks_policy_every_spelling_is_right(store) {
        let app = App::loopback(store).await;
        app.sign_up_as(ANN).await;
        app.sign_up_as("ann.lee@example.com").await;
        assert_eq!(report(&app).await, [""; 0]);
        assert_eq!(app.login(ANN, PASSWORD).await.expect_status(200).value()["userId"], 1);
        app.login(TWIN, PASSWORD).await.expect_status(401);
    }
}
