//! Users that another program has written into `gatekit_users`, in whatever spelling.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "not every test needs all of `common`")]

mod common;

use gatekit_core::{Account, AccountName, Auth, Login, UserId};
use gatekit_sql::SqliteStore;
use gatekit_testkit::fast_hasher;

use common::Folder;

/// "secret pw 1"
const HASH: &str = "$2b$04$abcdefghijklmnopqrstuuo76bVC.53VI0L..mm03vuBm0KljUQoi";
const INSERT: &str =
    "INSERT INTO gatekit_users (namespace, email, username, password, rev, created) VALUES ('', ?, ?, ?, 0, 0)";

async fn import(store: &SqliteStore, email: &str, username: Option<&str>) {
    sqlx::query(INSERT).bind(email).bind(username).bind(HASH).execute(store.pool()).await.unwrap();
}

fn auth(store: &SqliteStore) -> Auth {
    Auth::builder(store.clone()).hasher(fast_hasher()).build().unwrap()
}

async fn find(auth: &Auth, email: &str) -> Option<UserId> {
    auth.find_account(&AccountName::email(email)).await.unwrap().map(|found| found.user.id())
}

async fn report(auth: &Auth) -> Vec<String> {
    let mut doctor = auth.doctor();
    let mut report = Vec::new();
    while let Some(finding) = doctor.next().await.unwrap() {
        report.push(finding.to_string());
    }
    report
}

#[tokio::test]
async fn a_row_that_is_imported_while_the_app_runs_is_found_at_once() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let auth = auth(&store);
    import(&store, "Ann.Lee@Example.com", Some("Ann ")).await;
    let ann = auth.login(Login::email("ann.lee@example.com", "secret pw 1")).await.unwrap().user;
    assert_eq!(ann.email(), Some("Ann.Lee@Example.com"));
    assert!(auth.find_account(&AccountName::username("Ann")).await.unwrap().is_some());
    // What SQLite cannot fold is found by its exact spelling.
    import(&store, "JOSE\u{301}@x.example", None).await;
    assert!(find(&auth, "JOSE\u{301}@x.example").await.is_some());
}

#[tokio::test]
async fn a_row_from_before_is_found_in_every_spelling_once_the_database_is_opened() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    import(&store, "JOSE\u{301}@b\u{fc}cher.example", None).await;
    drop(store);
    let store = SqliteStore::open(folder.file()).await.unwrap();
    assert!(find(&auth(&store), "jos\u{e9}@xn--bcher-kva.example").await.is_some());
}

#[tokio::test]
async fn a_row_that_another_program_changes_is_found_by_its_new_address_alone() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let auth = auth(&store);
    import(&store, "ann@example.com", None).await;
    drop(SqliteStore::open(folder.file()).await.unwrap());
    sqlx::query("UPDATE gatekit_users SET email = 'Bea@Example.com'").execute(store.pool()).await.unwrap();
    assert!(find(&auth, "bea@example.com").await.is_some());
    assert!(find(&auth, "ann@example.com").await.is_none());
}

#[tokio::test]
async fn more_rows_than_a_batch_get_their_keys() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let many = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) \
                INSERT INTO gatekit_users (namespace, email, rev, created) SELECT '', 'U' || i || '@\u{c4}.example', 0, 0 FROM n";
    sqlx::query(many).execute(store.pool()).await.unwrap();
    drop(store);
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM gatekit_users WHERE email_key IS NULL")
        .fetch_one(store.pool())
        .await
        .unwrap();
    assert_eq!(left, 0);
    assert!(find(&auth(&store), "u4999@\u{e4}.example").await.is_some());
}

/// A text that is no UTF-8 cannot be read, and must not keep the database from being opened.
#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_by_the_doctor_and_stops_nobody() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    import(&store, "ann@example.com", None).await;
    let bad = "UPDATE gatekit_users SET profile = '[[[', email = CAST(x'616e6eff4078' AS TEXT)";
    sqlx::query(bad).execute(store.pool()).await.unwrap();
    import(&store, "bea@example.com", None).await;
    drop(store);
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let auth = auth(&store);
    assert!(find(&auth, "bea@example.com").await.is_some());
    let report = report(&auth).await;
    assert_eq!(report.len(), 1, "{report:?}");
    assert!(report[0].starts_with("user 1: the row cannot be read"), "{report:?}");
}

/// No part of the lookup reads the whole table.
#[tokio::test]
async fn a_lookup_in_any_spelling_is_answered_by_indexes() {
    let store = SqliteStore::in_memory().await.unwrap();
    for (name, computed) in [("email", "lower(trim(email))"), ("username", "trim(username)")] {
        for condition in [
            format!("{name}_key = 'k'"),
            format!("{name}_key IS NULL AND {name} IS NOT NULL AND {computed} = 'k'"),
            format!("{name} IN ('k', 'l')"),
        ] {
            let explain = format!(
                "EXPLAIN QUERY PLAN SELECT id FROM gatekit_users WHERE user_type = 'User' AND namespace = '' AND {condition}"
            );
            let plan: Vec<(i64, i64, i64, String)> =
                sqlx::query_as(sqlx::AssertSqlSafe(explain)).fetch_all(store.pool()).await.unwrap();
            let steps: Vec<&str> = plan.iter().map(|step| step.3.as_str()).collect();
            let is_by_value = |step: &&str| step.starts_with("SEARCH") && (step.matches("=?").count() >= 3);
            assert!(steps.iter().all(is_by_value), "{condition}: {steps:?}");
        }
    }
}
