//! What the ledger of migrations guards.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "not every test needs all of `common`")]

mod common;

use gatekit_core::{
    AccountStatus, Auth, DeviceSeen, DeviceStore, Factor, Login, Model, OneTimePurpose, OneTimeStore, PasswordReset,
    Proofs, Register, RegisterError, Timestamp, TokenDigest, TokenRecord, TokenStore, User, UserId, UserStore,
};
use gatekit_sql::{OpenError, SqliteStore};
use gatekit_testkit::FrozenClock;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{Row, SqlitePool};

use common::Folder;

/// Number and name of each, as their files are called.
fn migrations() -> Vec<(i64, String)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/migrations/sqlite");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name()).collect();
    files.sort();
    let named = files.iter().filter_map(|file| file.to_str()?.strip_suffix(".sql")?.split_once('_'));
    named.map(|(number, name)| (number.parse().unwrap(), name.to_owned())).collect()
}

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
    let lines: Vec<_> = first.iter().map(|(number, name, _)| (*number, name.clone())).collect();
    assert_eq!(lines, migrations());
    assert!(first.iter().all(|(_, _, checksum)| checksum.len() == 32));
    let second = ledger(SqliteStore::open(folder.file()).await.unwrap().pool()).await;
    assert_eq!(first, second);
}

/// What was released stays as it is: who has applied it would be told that it was edited.
#[tokio::test]
async fn a_released_migration_is_never_edited() {
    const RELEASED: [&str; 11] = [
        "174e6df172d500f8ec69ef4d733c50417e572f8aaebf8b340a3fe02bfc277a5c",
        "aa48a83044702ec7716e75d6c86bbd6fae4b5175249b417738d98d078d4cfa90",
        "27c861c8295d078ba39ec8960806ca572e89b5a378217e9e871d1de644adc9f6",
        "d7b1c5e8d4e0338cd98e8ae5f3c8429940e810b2340d7c68e347e69114301c2c",
        "f149aea8fca64aac43fe427c60a77bc42bb704b8be5d7088f6950c816c5875e7",
        "ac55e79d6acd52c24bbc7ccdfa9e781b47aa44b52fd7e880aa0f76e510610a0a",
        "4070e148cae8bbf0f6b99c9ba046c8ab8de39da21d51f3dd6666c977f331b978",
        "513e4b477534ce352f55ddf23f36f6f9cfecd93970073f02df013aff7345005d",
        "90d25b2468c01a79d75244c28abc91e2b121a4f3a53365d76f02615160cbead7",
        "172064be172ca0e6bd8225c86be57ca7c56a5e27f7ff7ad26febf14bcede4ed4",
        "4962ec84c2b4ff6a2f4e6fc96456789297c34ad4543a6347f35cd921c548679c",
    ];
    let store = SqliteStore::in_memory().await.unwrap();
    for ((number, _, checksum), released) in ledger(store.pool()).await.into_iter().zip(RELEASED) {
        let checksum: String = checksum.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(checksum, released, "migration {number}");
    }
}

/// What an app had in its file before user types were kept apart: its users log in, their tokens
/// and one-time tokens work, and they are of the type `User`.
#[tokio::test]
async fn a_database_of_migration_5_opens_and_its_accounts_log_in() {
    const TOKEN: &str = "kgvQzKAd5Do1OxIH2GawmZ031CpPFfBRMiZOdXIoY92C48usZKQyO13OA3B09878";
    const RESET: &str = "B2AHaqi5mtBDjHZBhHY5HS4P5jRtv8Av5Y9ES78CjAFIxEv9IFW9Oidiawxfcd5C";
    const NEW: &str = "horse staple battery";
    let folder = Folder::new();
    let pool = plain_pool(&folder).await;
    sqlx::raw_sql(include_str!("data/migration-0005.sql")).execute(&pool).await.unwrap();
    pool.close().await;

    let store = SqliteStore::open(folder.file()).await.unwrap();
    assert_eq!(ledger(store.pool()).await.len(), migrations().len());
    let auth: Auth = Auth::builder(store.clone()).clock(FrozenClock::at(Timestamp(1_796_063_600_000))).build().unwrap();
    let caller = auth.authenticate(TOKEN).await.unwrap();
    assert_eq!(caller.principal.username.as_deref(), Some("ada"));
    let proofs = Proofs::of(Factor::Password, Timestamp(1_796_063_554_770));
    assert_eq!(caller.token.unwrap().proofs, proofs, "a token keeps what was verified for it");
    auth.login(Login::email("ada@example.com", "correct horse battery")).await.unwrap();
    auth.login(Login::email("bob@example.com", "staple battery horse")).await.unwrap();
    auth.reset_password(PasswordReset::new(RESET, NEW)).await.unwrap();
    auth.login(Login::email("bob@example.com", NEW)).await.unwrap();
    let again = auth.register(Register::email("bob@example.com", NEW)).await;
    assert!(matches!(again, Err(RegisterError::Invalid(_))), "its address is in use");

    let types = "SELECT DISTINCT user_type FROM gatekit_users";
    let types = sqlx::query(types).fetch_all(store.pool()).await.unwrap();
    assert_eq!(types.iter().map(|row| row.get::<String, _>(0)).collect::<Vec<_>>(), ["User"]);
}

/// An app that gives its user type another name later keeps its users.
#[tokio::test]
async fn a_renamed_user_type_keeps_its_users_tokens_and_roles() {
    #[derive(Clone, Default, Serialize, Deserialize)]
    struct Fields {}
    impl Model for Fields {
        const NAME: &'static str = "Customer";
    }
    let store = SqliteStore::in_memory().await.unwrap();
    let before: Auth = Auth::builder(store.clone()).build().unwrap();
    let ada = before.register(Register::email("ada@example.com", "correct horse battery")).await.unwrap();
    let login = Login::email("ada@example.com", "correct horse battery");
    let token = before.login(login.clone()).await.unwrap().token.secret;
    before.assign_role(&ada.id, "editor").await.unwrap();
    drop(before);

    assert_eq!(store.rename_model("User", "Customer").await.unwrap(), 1);
    assert_eq!(store.rename_model("User", "Customer").await.unwrap(), 0);
    let after: Auth<User<Fields>> = Auth::builder(store.clone()).build().unwrap();
    let caller = after.authenticate(token.expose()).await.unwrap();
    assert_eq!((caller.principal.id, caller.roles), (ada.id, Some(vec!["editor".to_owned()])));
    after.login(login).await.unwrap();

    // A name that is in use, with the same address: nothing is changed.
    let users: Auth = Auth::builder(store.clone()).build().unwrap();
    users.register(Register::email("ada@example.com", "staple battery horse")).await.unwrap();
    assert!(store.rename_model("User", "Customer").await.is_err());
    users.login(Login::email("ada@example.com", "staple battery horse")).await.unwrap();
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

/// Ids of users are numbers in these rows. Where they have become text with their kind, they are
/// read as numbers again.
async fn read(pool: &SqlitePool, queries: &[&str]) -> Vec<String> {
    let typed = "SELECT count(*) FROM pragma_table_info('gatekit_one_time') WHERE name = 'user_key'";
    let is_typed: i64 = sqlx::query(typed).fetch_one(pool).await.unwrap().get(0);
    let mut all = Vec::new();
    for query in queries {
        let query = match is_typed {
            0 => (*query).to_owned(),
            _ => query.replace("token_user_id", "token_user_int").replace("user_id", "CAST(user_key AS INTEGER)"),
        };
        let rows = sqlx::query(sqlx::AssertSqlSafe(query)).fetch_all(pool).await.unwrap();
        all.extend(rows.iter().map(|row| row.get::<String, _>(0)));
    }
    all
}

/// All columns that the first release had.
async fn rows_of_the_first_release(pool: &SqlitePool) -> Vec<String> {
    let queries = [
        "SELECT json_array(id, namespace, realm, username, email, email_verified, password, rev, profile, created) \
         FROM gatekit_users ORDER BY id",
        "SELECT json_array(hex(token_digest), token_user_type, token_user_id, token_rev, token_ttl, token_created, \
         token_expires, token_scopes) FROM gatekit_access_tokens",
        "SELECT json_array(hex(digest), purpose, user_type, user_id, rev, expires) FROM gatekit_one_time ORDER BY digest",
        "SELECT json_array(name, seq) FROM sqlite_sequence",
    ];
    read(pool, &queries).await
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
    assert_eq!(ledger(store.pool()).await.len(), migrations().len());

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
        proofs: Proofs::default(),
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
    let queries = [
        "SELECT json_array(hex(token_digest), token_renewed) FROM gatekit_access_tokens ORDER BY token_digest",
        "SELECT json_array(hex(digest), email) FROM gatekit_one_time ORDER BY digest",
        "SELECT json_array(user_type, user_id, typeof(user_id), role) FROM gatekit_roles",
    ];
    all.extend(read(pool, &queries).await);
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
    assert_eq!(ledger(store.pool()).await.len(), migrations().len());

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
        proofs: Proofs::default(),
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
    // What it had opened before fails, and neither finds nobody nor writes what nobody finds: the
    // columns of ids have another name.
    let old = "INSERT INTO gatekit_access_tokens (token_digest, token_user_type, token_user_id, token_rev, token_ttl, \
               token_created, token_renewed, token_expires, token_scopes) VALUES (?, 'User', 1, 0, 60, 0, NULL, 60000, NULL)";
    let digest = TokenDigest::of(SECRET);
    let refused = store.change(sqlx::query(old).bind(digest.as_bytes().as_slice())).await;
    assert!(refused.unwrap_err().to_string().contains("token_user_id"));
    let old = "SELECT token_digest FROM gatekit_access_tokens WHERE token_user_id = 1";
    assert!(store.find(sqlx::query(old)).await.is_err());
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
    assert_eq!((rows_of_the_second_release(&pool).await, ledger(&pool).await.len()), (rows, migrations().len()));
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
    assert_eq!((rows_of_the_first_release(&pool).await, ledger(&pool).await.len()), (rows, migrations().len()));
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
    let insert = "INSERT INTO gatekit_migrations VALUES (900, 'from the future', zeroblob(32), 0), (909, 'later', zeroblob(32), 0)";
    sqlx::raw_sql(insert).execute(store.pool()).await.unwrap();
    let before = ledger(store.pool()).await;
    let error = SqliteStore::open(folder.file()).await.unwrap_err();
    assert!(
        matches!(error, OpenError::Newer { found: 909, known } if usize::try_from(known) == Ok(migrations().len())),
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
    assert_eq!(ledger(&pool).await.len(), migrations().len());
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

/// Migration 11 makes the tables anew.
#[tokio::test]
async fn an_apps_view_on_the_tables_goes_on_working() {
    let folder = Folder::new();
    let pool = second_release(&folder).await;
    let view = "CREATE VIEW sessions AS SELECT token_digest, token_created FROM gatekit_access_tokens";
    sqlx::raw_sql(view).execute(&pool).await.unwrap();
    let store = SqliteStore::from_pool(pool.clone()).await.unwrap();
    let count = store.find(sqlx::query("SELECT count(*) FROM sessions")).await.unwrap().unwrap();
    assert_eq!(count.get::<i64, _>(0), 2);
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
    assert_eq!(ledger(stores[0].pool()).await.len(), migrations().len());
}
