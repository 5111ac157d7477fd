//! The log lines that events write (16.2.1, 16.3.1, 16.3.3): one each, with stable fields and no
//! secret.

use gatekit_core::{
    AUDIT_TARGET, Client, Event, Login, PasswordReset, PasswordUse, RequestPasswordReset, VerifyPasswordError,
};
use gatekit_testkit::LogCapture;

use crate::{EMAIL, NEW, OLD, World};

/// The lines of the audit log.
fn lines(logs: &LogCapture) -> Vec<String> {
    logs.text().lines().filter(|line| line.contains(AUDIT_TARGET)).map(str::to_owned).collect()
}

#[tokio::test]
async fn a_failed_login_is_a_warning_with_identifier_reason_and_client() {
    let world = World::new();
    world.ada().await;
    let logs = LogCapture::new();
    let _guard = logs.start();
    let client = Client::default().ip([203, 0, 113, 7]).user_agent("Mozilla/5.0 \"x\"\r\nINFO forged");
    world.auth.login(Login::email(EMAIL, "a wrong one").client(client)).await.unwrap_err();
    let lines = lines(&logs);
    let [line] = &lines[..] else { panic!("{lines:?}") };
    for part in [
        " WARN ",
        r#"event="authn_login_fail""#,
        r#"model="User""#,
        r#"user="1""#,
        r#"identifier="ada@example.com""#,
        r#"reason="wrong_password""#,
        r#"network="203.0.113.0/24""#,
        r#"user_agent="Mozilla/5.0 \"x\"INFO forged""#,
        &format!(r#"at="{}""#, world.auth.now()),
    ] {
        assert!(line.contains(part), "{part} in {line}");
    }
    logs.assert_free_of(&["a wrong one", "203.0.113.7"]);
}

/// What people type into the wrong field is not kept.
#[tokio::test]
async fn a_password_in_the_field_for_the_name_is_not_logged() {
    let world = World::new();
    world.ada().await;
    let logs = LogCapture::new();
    let _guard = logs.start();
    for login in [Login::username(OLD, "x"), Login::email(OLD, "x"), Login::username(OLD, OLD)] {
        world.auth.login(login).await.unwrap_err();
    }
    let lines = lines(&logs);
    assert!(lines.len() == 3 && lines.iter().all(|line| line.contains("(withheld)")), "{lines:?}");
    logs.assert_free_of(&[OLD]);
}

#[tokio::test]
async fn each_event_is_one_line_and_none_has_a_secret() {
    let world = World::new();
    let logs = LogCapture::new();
    let _guard = logs.start();
    let ada = world.ada().await;
    let session = world.auth.login(Login::email(EMAIL, OLD)).await.unwrap();
    let used_for = PasswordUse::Other("export_data");
    let wrong = world.auth.verify_password(&ada.id, "a wrong one".into(), used_for).await;
    assert!(matches!(wrong, Err(VerifyPasswordError::WrongPassword)));
    world.auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
    let events = world.events.take();
    let Some(Event::PasswordResetRequested { token: secret, .. }) = events.last() else { panic!("{events:?}") };
    world.auth.reset_password(PasswordReset::new(secret.clone(), NEW)).await.unwrap();
    world.auth.reset_password(PasswordReset::new(secret.clone(), NEW)).await.unwrap_err();
    world.auth.assign_role(&ada.id, "admin").await.unwrap();
    world.auth.unassign_role(&ada.id, "admin").await.unwrap();
    world.auth.delete_user(&ada.id).await.unwrap();
    let lines = lines(&logs);
    let names: Vec<&str> =
        lines.iter().map(|line| line.split("event=\"").nth(1).unwrap().split('"').next().unwrap()).collect();
    assert_eq!(
        names,
        [
            "user_created",
            "authn_login_success",
            "authn_password_fail",
            "authn_password_reset_requested",
            "authn_password_change",
            "authn_secret_fail",
            "authz_role_assigned",
            "authz_role_unassigned",
            "user_deleted",
        ]
    );
    for (line, part) in lines.iter().zip([
        "",
        "",
        r#"operation="export_data""#,
        "",
        r#"operation="reset_password""#,
        r#"purpose="reset_password""#,
        r#"role="admin""#,
    ]) {
        assert!(line.contains(part), "{part} in {line}");
    }
    logs.assert_free_of(&[OLD, NEW, secret.expose(), session.token.secret.expose(), "a wrong one"]);
}
