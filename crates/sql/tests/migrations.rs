//! What the ledger of migrations guards.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(dead_code, reason = "not every test needs all of `common`")]

mod common;

use gatekit_sql::{OpenError, SqliteStore};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Row, SqlitePool};

use common::Folder;

async fn plain_pool(folder: &Folder) -> SqlitePool {
    let options = SqliteConnectOptions::new().filename(folder.file()).create_if_missing(true);
    SqlitePoolOptions::new().connect_with(options).await.unwrap()
}

async fn ledger(pool: &SqlitePool) -> Vec<(i64, String, Vec<u8>)> {
    let rows =
        sqlx::query("SELECT number, name, checksum FROM gatekit_migrations ORDER BY number").fetch_all(pool).await;
    rows.unwrap().iter().map(|row| (row.get(0), row.get(1), row.get(2))).collect()
}

#[tokio::test]
async fn each_migration_is_applied_once_and_written_down() {
    let folder = Folder::new();
    let first = ledger(SqliteStore::open(folder.file()).await.unwrap().pool()).await;
    assert_eq!(first.len(), 1);
    assert_eq!((first[0].0, first[0].1.as_str(), first[0].2.len()), (1, "accounts", 32));
    let second = ledger(SqliteStore::open(folder.file()).await.unwrap().pool()).await;
    assert_eq!(first, second);
}

#[tokio::test]
async fn an_edited_migration_is_refused() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    sqlx::query("UPDATE gatekit_migrations SET checksum = zeroblob(32)").execute(store.pool()).await.unwrap();
    let error = SqliteStore::open(folder.file()).await.unwrap_err();
    assert!(matches!(error, OpenError::MigrationChanged { number: 1, name: "accounts" }), "{error}");
    assert!(error.to_string().contains("go back to the version"), "{error}");
}

/// REL-25
#[tokio::test]
async fn a_newer_database_is_refused_and_left_alone() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let insert =
        "INSERT INTO gatekit_migrations VALUES (2, 'from the future', zeroblob(32), 0), (7, 'later', zeroblob(32), 0)";
    sqlx::raw_sql(insert).execute(store.pool()).await.unwrap();
    let before = ledger(store.pool()).await;
    let error = SqliteStore::open(folder.file()).await.unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 7, known: 1 }), "{error}");
    assert!(error.to_string().contains("run the newer version"), "{error}");
    assert_eq!(ledger(store.pool()).await, before);
}

#[tokio::test]
async fn a_gap_in_the_ledger_is_refused() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    sqlx::query("UPDATE gatekit_migrations SET number = 2").execute(store.pool()).await.unwrap();
    assert!(matches!(SqliteStore::open(folder.file()).await, Err(OpenError::MigrationChanged { number: 1, .. })));
}

/// CRASH-4
#[tokio::test]
async fn a_migration_that_fails_leaves_nothing_and_is_made_up_for() {
    let folder = Folder::new();
    let pool = plain_pool(&folder).await;
    // The last statement of the migration fails on this one.
    sqlx::raw_sql("CREATE TABLE gatekit_one_time_expires (x)").execute(&pool).await.unwrap();
    assert!(matches!(SqliteStore::from_pool(pool.clone()).await, Err(OpenError::Store(_))));
    let left: i64 = sqlx::query("SELECT count(*) FROM sqlite_master").fetch_one(&pool).await.unwrap().get(0);
    assert_eq!(left, 1, "nothing of it stayed");
    sqlx::raw_sql("DROP TABLE gatekit_one_time_expires").execute(&pool).await.unwrap();
    SqliteStore::from_pool(pool.clone()).await.unwrap();
    assert_eq!(ledger(&pool).await.len(), 1);
}

#[tokio::test]
async fn an_apps_own_migrations_and_tables_are_untouched() {
    let folder = Folder::new();
    let pool = plain_pool(&folder).await;
    // As sqlx's own migrator makes it.
    let apps = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
                installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, \
                checksum BLOB NOT NULL, execution_time BIGINT NOT NULL); \
                INSERT INTO _sqlx_migrations VALUES (1, 'members', '2026-01-01', TRUE, x'00', 5); \
                CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT); INSERT INTO users VALUES (1, 'Ada');";
    sqlx::raw_sql(apps).execute(&pool).await.unwrap();
    let dump = async || {
        let mut all = Vec::new();
        for query in [
            "SELECT sql FROM sqlite_master WHERE name IN ('_sqlx_migrations', 'users') ORDER BY name",
            "SELECT version || description || installed_on || success || hex(checksum) || execution_time FROM _sqlx_migrations",
            "SELECT id || name FROM users",
        ] {
            let rows = sqlx::query(query).fetch_all(&pool).await.unwrap();
            all.extend(rows.iter().map(|row| row.get::<String, _>(0)));
        }
        all
    };
    let before = dump().await;
    assert_eq!(before.len(), 4);
    SqliteStore::from_pool(pool.clone()).await.unwrap();
    assert_eq!(dump().await, before);
    let names = sqlx::query("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetch_all(&pool).await;
    let ours: Vec<String> = names.unwrap().iter().map(|row| row.get(0)).filter(|name| !before.contains(name)).collect();
    let known = ["_sqlx_migrations", "sqlite_sequence", "users"];
    assert!(ours.iter().all(|n| n.starts_with("gatekit_") || known.contains(&n.as_str())), "{ours:?}");
}

/// 6.3.2
#[tokio::test]
async fn a_new_database_has_no_accounts() {
    let store = SqliteStore::in_memory().await.unwrap();
    for query in [
        "SELECT count(*) FROM gatekit_users",
        "SELECT count(*) FROM gatekit_access_tokens",
        "SELECT count(*) FROM gatekit_one_time",
    ] {
        let count: i64 = sqlx::query(query).fetch_one(store.pool()).await.unwrap().get(0);
        assert_eq!(count, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn twenty_that_open_a_new_file_at_once_all_get_in() {
    let folder = Folder::new();
    let open = |_| {
        let file = folder.file();
        tokio::spawn(async move { SqliteStore::open(file).await })
    };
    let mut stores = Vec::new();
    for task in (0..20).map(open).collect::<Vec<_>>() {
        stores.push(task.await.unwrap().unwrap());
    }
    assert_eq!(ledger(stores[0].pool()).await.len(), 1);
}
