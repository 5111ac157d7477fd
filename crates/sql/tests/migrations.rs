//! What the ledger of migrations guards.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "not every test needs all of `common`")]

mod common;

use gatekit_core::{
    AccountStatus, DeviceSeen, DeviceStore, OneTimePurpose, OneTimeStore, Timestamp, TokenDigest, TokenRecord,
    TokenStore, User, UserId, UserStore,
};
use gatekit_sql::{OpenError, SqliteStore};
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Row, SqlitePool};

use common::Folder;

/// How many there are.
const MIGRATIONS: usize = 6;

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
    let lines: Vec<_> = first.iter().map(|(number, name, checksum)| (*number, name.as_str(), checksum.len())).collect();
    assert_eq!(
        lines,
        [
            (1, "accounts", 32),
            (2, "rest_api", 32),
            (3, "browser", 32),
            (4, "account_status", 32),
            (5, "digest_and_permissions", 32),
            (6, "counters", 32)
        ]
    );
    let second = ledger(SqliteStore::open(folder.file()).await.unwrap().pool()).await;
    assert_eq!(first, second);
}

/// What was released stays as it is: who has applied it would be told that it was edited.
#[tokio::test]
async fn a_released_migration_is_never_edited() {
    const RELEASED: [&str; 2] = [
        "174e6df172d500f8ec69ef4d733c50417e572f8aaebf8b340a3fe02bfc277a5c",
        "aa48a83044702ec7716e75d6c86bbd6fae4b5175249b417738d98d078d4cfa90",
    ];
    let store = SqliteStore::in_memory().await.unwrap();
    for ((number, _, checksum), released) in ledger(store.pool()).await.into_iter().zip(RELEASED) {
        let checksum: String = checksum.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(checksum, released, "migration {number}");
    }
}

const SECRET: &str = "secret";

const SCRIPTS: [(&str, &str); 2] = [
    ("accounts", include_str!("../migrations/sqlite/0001_accounts.sql")),
    ("rest_api", include_str!("../migrations/sqlite/0002_rest_api.sql")),
];

/// An empty database as the first of the migrations left it.
async fn migrated_by(folder: &Folder, scripts: &[(&str, &str)]) -> SqlitePool {
    let pool = plain_pool(folder).await;
    let ledger = "CREATE TABLE gatekit_migrations (number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum BLOB NOT NULL, \
                  applied INTEGER NOT NULL) STRICT";
    sqlx::raw_sql(ledger).execute(&pool).await.unwrap();
    for (name, script) in scripts {
        sqlx::raw_sql(sqlx::AssertSqlSafe(*script)).execute(&pool).await.unwrap();
        sqlx::query("INSERT INTO gatekit_migrations (name, checksum, applied) VALUES (?, ?, 0)")
            .bind(name)
            .bind(Sha256::digest(script.replace('\r', "")).as_slice())
            .execute(&pool)
            .await
            .unwrap();
    }
    pool
}

/// A database as migration 1 left it, with something in each table.
async fn first_release(folder: &Folder) -> SqlitePool {
    let pool = migrated_by(folder, &SCRIPTS[..1]).await;
    for insert in [
        "INSERT INTO gatekit_users VALUES (3, 'club', 'club', 'ada', 'ada@example.com', 1, 'hash', 4, '{\"city\":\"Ulm\"}', 5)",
        "INSERT INTO gatekit_users VALUES (8, '', NULL, NULL, 'bob@example.com', NULL, NULL, 0, NULL, 6)",
    ] {
        sqlx::query(insert).execute(&pool).await.unwrap();
    }
    for insert in [
        "INSERT INTO gatekit_access_tokens VALUES (?, 'User', 3, 4, 60, 1000, 61000, '[\"read\"]')",
        "INSERT INTO gatekit_one_time VALUES (?, 'reset_password', 'User', 3, 4, 7000)",
    ] {
        let digest = TokenDigest::of(SECRET);
        sqlx::query(insert).bind(digest.as_bytes().as_slice()).execute(&pool).await.unwrap();
    }
    let decoy = "INSERT INTO gatekit_one_time VALUES (zeroblob(32), 'reset_password', 'User', NULL, 0, 8000)";
    sqlx::query(decoy).execute(&pool).await.unwrap();
    pool
}

/// All columns that the first release had.
async fn rows_of_the_first_release(pool: &SqlitePool) -> Vec<String> {
    let mut all = Vec::new();
    for query in [
        "SELECT json_array(id, namespace, realm, username, email, email_verified, password, rev, profile, created) \
         FROM gatekit_users ORDER BY id",
        "SELECT json_array(hex(token_digest), token_user_type, token_user_id, token_rev, token_ttl, token_created, \
         token_expires, token_scopes) FROM gatekit_access_tokens",
        "SELECT json_array(hex(digest), purpose, user_type, user_id, rev, expires) FROM gatekit_one_time ORDER BY digest",
        "SELECT json_array(name, seq) FROM sqlite_sequence",
    ] {
        let rows = sqlx::query(query).fetch_all(pool).await.unwrap();
        all.extend(rows.iter().map(|row| row.get::<String, _>(0)));
    }
    all
}

#[tokio::test]
async fn a_database_of_the_first_release_is_brought_up_to_date_and_keeps_what_is_in_it() {
    let folder = Folder::new();
    let pool = first_release(&folder).await;
    let before = rows_of_the_first_release(&pool).await;
    assert_eq!(before.len(), 2 + 1 + 2 + 1);
    pool.close().await;

    let store = SqliteStore::open(folder.file()).await.unwrap();
    assert_eq!(rows_of_the_first_release(store.pool()).await, before);
    assert_eq!(ledger(store.pool()).await.len(), MIGRATIONS);

    let digest = TokenDigest::of(SECRET);
    let token = TokenRecord {
        digest,
        user_type: "User".into(),
        user_id: UserId::Int(3),
        rev: 4,
        ttl: 60,
        created: Timestamp(1000),
        renewed: None,
        scopes: Some(vec!["read".into()]),
        proven: None,
        client: None,
        last_used: None,
    };
    let owner = UserStore::<User>::find_token_owner(&store, &store, &digest).await.unwrap().unwrap();
    assert_eq!((owner.token, owner.rev, owner.roles), (token.clone(), 4, Some(vec![])));
    assert_eq!((owner.user.username.as_deref(), owner.user.email_verified), (Some("ada"), Some(true)));
    let renewed = TokenRecord { renewed: Some(Timestamp(61_000)), ..token.clone() };
    assert!(store.update_token(&token, &renewed).await.unwrap(), "tokens from before can be renewed");
    assert_eq!(store.purge_tokens(Timestamp(120_999), 10).await.unwrap(), 0);

    let record = store.find_one_time(OneTimePurpose::ResetPassword, &digest).await.unwrap().unwrap();
    assert_eq!((record.user_id, record.rev, record.email), (Some(UserId::Int(3)), 4, None));
    let removed = store.delete_one_time_of(OneTimePurpose::ResetPassword, "User", &UserId::Int(3)).await;
    assert_eq!(removed.unwrap(), 1);
}

/// A database as migration 2 left it, with something in each table.
async fn second_release(folder: &Folder) -> SqlitePool {
    let pool = migrated_by(folder, &SCRIPTS).await;
    for insert in [
        "INSERT INTO gatekit_users VALUES (3, '', NULL, 'ada', 'ada@example.com', 1, 'hash', 4, '{\"city\":\"Ulm\"}', 5)",
        "INSERT INTO gatekit_roles VALUES ('User', 3, 'editor')",
        "INSERT INTO gatekit_one_time VALUES (zeroblob(32), 'change_email', 'User', 3, 4, 7000, 'new@example.com')",
    ] {
        sqlx::query(insert).execute(&pool).await.unwrap();
    }
    for (secret, renewed) in [(SECRET, Some(61_000)), ("another", None)] {
        let insert = "INSERT INTO gatekit_access_tokens VALUES (?, 'User', 3, 4, 60, 1000, ?, '[\"read\"]', ?)";
        let digest = TokenDigest::of(secret);
        let insert = sqlx::query(insert).bind(digest.as_bytes().as_slice());
        insert.bind(renewed.unwrap_or(1000) + 60_000).bind(renewed).execute(&pool).await.unwrap();
    }
    pool
}

/// All columns that the second release had.
async fn rows_of_the_second_release(pool: &SqlitePool) -> Vec<String> {
    let mut all = rows_of_the_first_release(pool).await;
    for query in [
        "SELECT json_array(hex(token_digest), token_renewed) FROM gatekit_access_tokens ORDER BY token_digest",
        "SELECT json_array(hex(digest), email) FROM gatekit_one_time ORDER BY digest",
        "SELECT json_array(user_type, user_id, typeof(user_id), role) FROM gatekit_roles",
    ] {
        let rows = sqlx::query(query).fetch_all(pool).await.unwrap();
        all.extend(rows.iter().map(|row| row.get::<String, _>(0)));
    }
    all
}

#[tokio::test]
async fn a_database_of_the_second_release_is_brought_up_to_date_and_keeps_what_is_in_it() {
    let folder = Folder::new();
    let pool = second_release(&folder).await;
    let before = rows_of_the_second_release(&pool).await;
    assert_eq!(before.len(), (1 + 2 + 1 + 1) + 2 + 1 + 1);
    pool.close().await;

    let store = SqliteStore::open(folder.file()).await.unwrap();
    assert_eq!(rows_of_the_second_release(store.pool()).await, before);
    assert_eq!(ledger(store.pool()).await.len(), MIGRATIONS);

    let digest = TokenDigest::of(SECRET);
    let token = TokenRecord {
        digest,
        user_type: "User".into(),
        user_id: UserId::Int(3),
        rev: 4,
        ttl: 60,
        created: Timestamp(1000),
        renewed: Some(Timestamp(61_000)),
        scopes: Some(vec!["read".into()]),
        proven: None,
        client: None,
        last_used: None,
    };
    let owner = UserStore::<User>::find_token_owner(&store, &store, &digest).await.unwrap().unwrap();
    assert_eq!((owner.token, owner.rev, owner.roles), (token.clone(), 4, Some(vec!["editor".into()])));
    let stored = UserStore::<User>::find_user(&store, &UserId::Int(3)).await.unwrap().unwrap();
    assert_eq!(stored.status, AccountStatus::Active, "who could log in before can log in");
    assert_eq!(store.list_tokens_of("User", &UserId::Int(3)).await.unwrap().len(), 2);
    let used = TokenRecord { last_used: Some(Timestamp(62_000)), ..token.clone() };
    assert!(store.update_token(&token, &used).await.unwrap(), "use of a token from before can be noted");
    assert_eq!(store.find_token(&digest).await.unwrap(), Some(used));
    assert_eq!(store.purge_tokens(Timestamp(120_999), 10).await.unwrap(), 1, "tokens end when they would have");

    let device = TokenDigest::of("device");
    let seen = store.remember_device("User", &UserId::Int(3), &device, Timestamp(1)).await.unwrap();
    assert_eq!(seen, DeviceSeen::First, "no device of a user from before is known");
}

/// An older version would read less than there is and write less than it should.
#[tokio::test]
async fn the_version_of_the_second_release_would_refuse_this_database() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let known = i64::try_from(SCRIPTS.len()).unwrap();
    let numbers: Vec<i64> = ledger(store.pool()).await.into_iter().map(|(number, _, _)| number).collect();
    assert!(numbers.iter().any(|number| *number > known), "what it finds in the ledger it does not know");
    // But what it had opened before goes on: its statements name their columns.
    let old = "INSERT INTO gatekit_access_tokens (token_digest, token_user_type, token_user_id, token_rev, token_ttl, \
               token_created, token_renewed, token_expires, token_scopes) VALUES (?, 'User', 1, 0, 60, 0, NULL, 60000, NULL)";
    let digest = TokenDigest::of(SECRET);
    store.change(sqlx::query(old).bind(digest.as_bytes().as_slice())).await.unwrap();
    let token = store.find_token(&digest).await.unwrap().unwrap();
    assert_eq!((token.proven, token.client, token.last_used), (None, None, None));
}

/// CRASH-4
#[tokio::test]
async fn the_third_migration_leaves_nothing_if_it_fails_and_is_made_up_for() {
    let folder = Folder::new();
    let pool = second_release(&folder).await;
    let schema = async || {
        let rows =
            sqlx::query("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetch_all(&pool).await;
        rows.unwrap().iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    // Its last statement fails on this one.
    sqlx::raw_sql("CREATE TABLE gatekit_sessions_expires (x)").execute(&pool).await.unwrap();
    let (tables, rows) = (schema().await, rows_of_the_second_release(&pool).await);
    assert!(matches!(SqliteStore::from_pool(pool.clone()).await, Err(OpenError::Store(_))));
    assert_eq!((schema().await, ledger(&pool).await.len()), (tables, 2), "nothing of it stayed");
    sqlx::raw_sql("DROP TABLE gatekit_sessions_expires").execute(&pool).await.unwrap();
    SqliteStore::from_pool(pool.clone()).await.unwrap();
    assert_eq!((rows_of_the_second_release(&pool).await, ledger(&pool).await.len()), (rows, MIGRATIONS));
}

/// CRASH-4
#[tokio::test]
async fn a_later_migration_that_fails_leaves_the_earlier_form_and_is_made_up_for() {
    let folder = Folder::new();
    let pool = first_release(&folder).await;
    let schema = async || {
        let rows =
            sqlx::query("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetch_all(&pool).await;
        rows.unwrap().iter().map(|row| row.get(0)).collect::<Vec<String>>()
    };
    // Its last statement fails on this one.
    sqlx::raw_sql("CREATE TABLE gatekit_roles_role (x)").execute(&pool).await.unwrap();
    let (tables, rows) = (schema().await, rows_of_the_first_release(&pool).await);
    assert!(matches!(SqliteStore::from_pool(pool.clone()).await, Err(OpenError::Store(_))));
    assert_eq!((schema().await, ledger(&pool).await.len()), (tables, 1), "nothing of it stayed");
    sqlx::raw_sql("DROP TABLE gatekit_roles_role").execute(&pool).await.unwrap();
    SqliteStore::from_pool(pool.clone()).await.unwrap();
    assert_eq!((rows_of_the_first_release(&pool).await, ledger(&pool).await.len()), (rows, MIGRATIONS));
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
    let insert = "INSERT INTO gatekit_migrations VALUES (1001, 'from the future', zeroblob(32), 0), (1009, 'later', zeroblob(32), 0)";
    sqlx::raw_sql(insert).execute(store.pool()).await.unwrap();
    let before = ledger(store.pool()).await;
    let error = SqliteStore::open(folder.file()).await.unwrap_err();
    assert!(
        matches!(error, OpenError::Newer { found: 1009, known } if usize::try_from(known) == Ok(MIGRATIONS)),
        "{error}"
    );
    assert!(error.to_string().contains("run the newer version"), "{error}");
    assert_eq!(ledger(store.pool()).await, before);
}

#[tokio::test]
async fn a_gap_in_the_ledger_is_refused() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    sqlx::query("DELETE FROM gatekit_migrations WHERE number = 1").execute(store.pool()).await.unwrap();
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
    assert_eq!(ledger(&pool).await.len(), MIGRATIONS);
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
        "SELECT count(*) FROM gatekit_roles",
        "SELECT count(*) FROM gatekit_devices",
        "SELECT count(*) FROM gatekit_digests",
        "SELECT count(*) FROM gatekit_digest_nonces",
        "SELECT count(*) FROM gatekit_permissions",
        "SELECT count(*) FROM gatekit_sessions",
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
    assert_eq!(ledger(stores[0].pool()).await.len(), MIGRATIONS);
}
