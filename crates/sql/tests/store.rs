//! What SQLite adds to the contracts of the ports.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]
#![allow(dead_code, reason = "not every test needs all of `common`")]

mod common;

use std::time::Duration;

use gatekit_core::{
    CreateUserError, Identifier, IdentifierKind, Model, NewUser, NoProfile, OneTimePurpose, OneTimeRecord,
    OneTimeStore, PasswordHash, PermissionHolder, PermissionStore, Permissions, Proofs, RoleStore, StoreError,
    StoredUser, Timestamp, TokenDigest, TokenRecord, TokenStore, User, UserChange, UserId, UserStore,
};
use gatekit_sql::SqliteStore;
use serde::{Deserialize, Serialize};
use sqlx::Row;

use common::Folder;

const EMAIL: &str = "ada@example.com";

async fn create(store: &SqliteStore, email: &str) -> UserId {
    UserStore::<User>::create_user(store, NewUser::new(email, NoProfile {})).await.unwrap().user.id
}

fn token(secret: &str, user: impl Into<UserId>) -> TokenRecord {
    let digest = TokenDigest::of(secret);
    TokenRecord {
        digest,
        user_type: "User".into(),
        user_id: user.into(),
        rev: 0,
        ttl: 60,
        created: Timestamp(0),
        renewed: None,
        scopes: None,
        proofs: Proofs::default(),
        client: None,
        last_used: None,
    }
}

async fn count(store: &SqliteStore, query: &'static str) -> i64 {
    sqlx::query(query).fetch_one(&mut *store.reader().await.unwrap()).await.unwrap().get(0)
}

async fn run(store: &SqliteStore, statement: &'static str) {
    sqlx::raw_sql(statement).execute(&mut *store.writer().await.unwrap()).await.unwrap();
}

/// 7.4.2: who comes after a removed user does not inherit the tokens of the old one.
#[tokio::test]
async fn the_id_of_a_removed_user_is_never_given_again() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let first = create(&store, EMAIL).await;
    assert!(UserStore::<User>::delete_user(&store, &first).await.unwrap());
    drop(store);
    let store = SqliteStore::open(folder.file()).await.unwrap();
    assert_ne!(create(&store, EMAIL).await, first);
}

#[tokio::test]
async fn the_indexes_are_unique_over_user_type_namespace_and_identifier() {
    let store = SqliteStore::in_memory().await.unwrap();
    let mut unique = Vec::new();
    let indexes = "SELECT name FROM pragma_index_list('gatekit_users') WHERE \"unique\" ORDER BY name";
    for index in sqlx::query(indexes).fetch_all(store.pool()).await.unwrap() {
        let columns = sqlx::query(
            "SELECT group_concat(name || ' ' || coll) FROM (SELECT * FROM pragma_index_xinfo(?) WHERE key)",
        )
        .bind(index.get::<String, _>(0))
        .fetch_one(store.pool())
        .await
        .unwrap();
        unique.push(columns.get::<String, _>(0));
    }
    assert_eq!(
        unique,
        ["user_type BINARY,namespace BINARY,email BINARY", "user_type BINARY,namespace BINARY,username BINARY"]
    );
}

#[tokio::test]
async fn purges_lists_and_removals_use_an_index() {
    let store = SqliteStore::in_memory().await.unwrap();
    for query in [
        "EXPLAIN QUERY PLAN SELECT token_digest FROM gatekit_access_tokens WHERE token_expires <= 1 LIMIT 1",
        "EXPLAIN QUERY PLAN SELECT digest FROM gatekit_one_time WHERE expires <= 1 LIMIT 1",
        "EXPLAIN QUERY PLAN DELETE FROM gatekit_access_tokens WHERE token_user_key = '1' AND token_digest IS NOT NULL",
        "EXPLAIN QUERY PLAN SELECT token_rev FROM gatekit_access_tokens WHERE token_user_key = ? AND token_user_type = ?",
        "EXPLAIN QUERY PLAN DELETE FROM gatekit_one_time WHERE user_key = ? AND user_type = ? AND purpose = ?",
        "EXPLAIN QUERY PLAN SELECT user_key FROM gatekit_roles WHERE user_type = ? AND role = ?",
        "EXPLAIN QUERY PLAN SELECT nonce FROM gatekit_digest_nonces WHERE expires <= 1 LIMIT 1",
        "EXPLAIN QUERY PLAN SELECT sealed FROM gatekit_digests WHERE userhash = ? AND user_type = ? AND realm = ?",
        "EXPLAIN QUERY PLAN SELECT id FROM gatekit_users WHERE user_type = ? AND namespace = '' AND email = ''",
        "EXPLAIN QUERY PLAN SELECT id FROM gatekit_users WHERE user_type = ? AND status = ? AND status <> 'active' AND id > ? ORDER BY id LIMIT ?",
        "EXPLAIN QUERY PLAN SELECT id FROM gatekit_users WHERE user_type = ? AND namespace = '' AND username = ''",
    ] {
        for row in sqlx::query(query).fetch_all(store.pool()).await.unwrap() {
            let step: String = row.get("detail");
            assert!(step.starts_with("SEARCH") && step.contains("INDEX"), "{query}: {step}");
        }
    }
}

/// A list of users is read in the order of their ids, without sorting all users of the type for
/// each page.
#[tokio::test]
async fn a_page_of_users_and_one_user_are_read_by_id() {
    let store = SqliteStore::in_memory().await.unwrap();
    for query in [
        "EXPLAIN QUERY PLAN SELECT id, email FROM gatekit_users WHERE +user_type = ? AND (1) AND id > ? ORDER BY id LIMIT 500",
        "EXPLAIN QUERY PLAN SELECT id, namespace FROM gatekit_users WHERE +user_type = ? AND id > ? ORDER BY id LIMIT ?",
        "EXPLAIN QUERY PLAN SELECT id, email FROM gatekit_users WHERE id = ? AND user_type = ?",
        "EXPLAIN QUERY PLAN UPDATE gatekit_users SET rev = rev + 1 WHERE id = ? AND user_type = ? RETURNING rev",
    ] {
        let plan = sqlx::query(query).fetch_all(store.pool()).await.unwrap();
        let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
        assert_eq!(steps.len(), 1, "{query}: {steps:?}");
        assert!(steps[0].contains("USING INTEGER PRIMARY KEY"), "{query}: {steps:?}");
    }
}

/// What every request to a path with permissions costs.
#[tokio::test]
async fn permissions_of_a_user_and_its_roles_are_found_by_keys_alone() {
    let store = SqliteStore::in_memory().await.unwrap();
    let query = "EXPLAIN QUERY PLAN \
                 SELECT kind, holder, permissions FROM gatekit_permissions \
                 WHERE user_type = ?1 AND kind = 'user' AND holder = ?2 \
                 UNION ALL \
                 SELECT kind, holder, permissions FROM gatekit_roles JOIN gatekit_permissions USING (user_type) \
                 WHERE user_type = ?1 AND user_key = ?2 AND kind = 'role' AND holder = role \
                 ORDER BY kind DESC, holder";
    let plan = sqlx::query(query).fetch_all(store.pool()).await.unwrap();
    let steps: Vec<String> = plan.iter().map(|row| row.get("detail")).collect();
    let searches: Vec<_> = steps.iter().filter(|step| step.contains("gatekit_")).collect();
    assert_eq!(searches.len(), 3, "{steps:?}");
    assert!(searches.iter().all(|step| step.starts_with("SEARCH") && step.contains("PRIMARY KEY")), "{steps:?}");
}

#[tokio::test]
async fn permissions_that_cannot_be_read_are_an_error_that_shows_none_of_them() {
    let store = SqliteStore::in_memory().await.unwrap();
    let ada = PermissionHolder::User(1.into());
    for json in ["secret", "{\"paths\":[{\"id\":\"/secret\",\"sign\":\"+\",\"permissions\":\"x\"}]}"] {
        store.set_permissions("User", &ada, Some(&Permissions::default())).await.unwrap();
        let update = sqlx::query("UPDATE gatekit_permissions SET permissions = ?").bind(json);
        store.change(update).await.unwrap();
        let expected = StoreError::corrupt("gatekit_permissions.permissions").to_string();
        assert_eq!(store.get_permissions("User", &ada).await.unwrap_err().to_string(), expected);
        assert_eq!(store.permissions_of("User", Some(&1.into())).await.unwrap_err().to_string(), expected);
    }
}

#[tokio::test]
async fn everything_of_a_user_is_kept() {
    let store = SqliteStore::in_memory().await.unwrap();
    for (n, verified) in [None, Some(false), Some(true)].into_iter().enumerate() {
        let mut new = NewUser::new(format!("{n}@example.com"), NoProfile {});
        new.namespace = "realm".into();
        new.realm = Some("realm".into());
        new.username = Some(format!("{n}"));
        new.email_verified = verified;
        let created = UserStore::<User>::create_user(&store, new).await.unwrap();
        let found = UserStore::<User>::find_user(&store, &created.user.id).await.unwrap().unwrap();
        assert_eq!(found.user, created.user);
        assert_eq!(found.user.email_verified, verified);
        assert_eq!(found.user.realm.as_deref(), Some("realm"));
    }
    assert_eq!(
        count(&store, "SELECT count(*) FROM gatekit_users WHERE profile IS NULL AND created > 1700000000000").await,
        3
    );
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Profile {
    city: String,
}

impl Model for Profile {}

/// A profile of another version of the app is an error that names the column, and never a user
/// without one.
#[tokio::test]
async fn a_row_that_cannot_be_read_is_named_and_its_values_are_not() {
    let store = SqliteStore::in_memory().await.unwrap();
    let id = create(&store, EMAIL).await;
    ok_token(&store, &id).await;
    let digest = TokenDigest::of("secret");

    let missing = UserStore::<User<Profile>>::find_user(&store, &id).await.unwrap_err();
    assert_eq!(missing.to_string(), StoreError::corrupt("gatekit_users.profile of the row with id 1").to_string());
    let joined = UserStore::<User<Profile>>::find_token_owner(&store, &store, &digest).await.unwrap_err();
    assert!(matches!(joined, StoreError::Corrupt(_)));

    run(&store, "UPDATE gatekit_users SET profile = 'sentinel'").await;
    let broken = UserStore::<User>::find_user(&store, &id).await.unwrap_err();
    assert!(
        matches!(&broken, StoreError::Corrupt(what) if what == "gatekit_users.profile of the row with id 1"),
        "{broken}"
    );

    run(&store, "UPDATE gatekit_access_tokens SET token_scopes = '[sentinel'").await;
    let broken = store.find_token(&digest).await.unwrap_err();
    assert!(matches!(&broken, StoreError::Corrupt(what) if what == "gatekit_access_tokens.token_scopes"), "{broken}");

    run(&store, "UPDATE gatekit_access_tokens SET token_scopes = NULL, token_user_key = 1.5").await;
    let broken = store.find_token(&digest).await.unwrap_err();
    assert!(matches!(&broken, StoreError::Corrupt(what) if what == "gatekit_access_tokens.token_user_key"), "{broken}");
}

async fn ok_token(store: &SqliteStore, id: &UserId) {
    store.insert_token(&token("secret", id.clone())).await.unwrap();
}

/// What the app has made of its profile since: a member more, and the others in another order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct LaterProfile {
    #[serde(default)]
    nickname: Option<String>,
    city: String,
}

impl Model for LaterProfile {}

async fn later(store: &SqliteStore, id: &UserId) -> StoredUser<User<LaterProfile>> {
    store.find_user(id).await.unwrap().unwrap()
}

/// A profile is compared by what it says: how an earlier version of the app wrote it does not stand
/// in the way of a change.
#[tokio::test]
async fn a_user_whose_profile_was_written_by_an_earlier_version_can_be_changed() {
    let store = SqliteStore::in_memory().await.unwrap();
    let id = create(&store, EMAIL).await;
    run(&store, r#"UPDATE gatekit_users SET profile = ' { "city" : "Ulm", "shoes": 44 } '"#).await;

    let mut change = UserChange::default();
    change.email_verified = Some(Some(true));
    let changed = store.update_user(&later(&store, &id).await, change).await.unwrap().unwrap();
    assert_eq!((changed.user.email_verified, changed.user.profile.city.as_str()), (Some(true), "Ulm"));
    let kept = "SELECT count(*) FROM gatekit_users WHERE profile LIKE '%shoes%'";
    assert_eq!(count(&store, kept).await, 1, "a change of something else leaves a profile as it was written");

    let old = later(&store, &id).await;
    let mut change = UserChange::default();
    change.profile = Some(LaterProfile { nickname: Some("ada".into()), city: "Ulm".into() });
    assert!(store.update_user(&old, change.clone()).await.unwrap().is_some());
    assert!(store.update_user(&old, change).await.unwrap().is_none(), "the profile is another now");
    assert_eq!(later(&store, &id).await.user.profile.nickname.as_deref(), Some("ada"));
}

/// Where there are no namespaces a realm is a word like any other.
#[tokio::test]
async fn a_realm_is_changed_without_the_namespace() {
    let store = SqliteStore::in_memory().await.unwrap();
    let old = UserStore::<User>::create_user(&store, NewUser::new(EMAIL, NoProfile {})).await.unwrap();
    let mut change = UserChange::default();
    change.realm = Some(Some("club".into()));
    let changed = store.update_user(&old, change).await.unwrap().unwrap();
    assert_eq!(changed.user.realm.as_deref(), Some("club"));
    let identifier = Identifier { namespace: String::new(), kind: IdentifierKind::Email, value: EMAIL.into() };
    assert!(UserStore::<User>::find_user_by(&store, &identifier).await.unwrap().is_some());
}

/// An app's map has no order of its own, so it is written in another one each time.
#[tokio::test]
async fn a_user_whose_profile_is_a_map_can_be_changed() {
    type Fields = std::collections::HashMap<String, u32>;
    let store = SqliteStore::in_memory().await.unwrap();
    let fields: Fields = (0..20).map(|n| (format!("field {n}"), n)).collect();
    let id = store.create_user(NewUser::new(EMAIL, fields)).await.unwrap().user.id;
    for verified in [true, false, true] {
        let old: StoredUser<User<Fields>> = store.find_user(&id).await.unwrap().unwrap();
        let mut change = UserChange::default();
        change.email_verified = Some(Some(verified));
        assert!(store.update_user(&old, change).await.unwrap().is_some());
    }
}

#[tokio::test]
async fn an_empty_profile_is_none_in_the_row_after_a_change_too() {
    type Fields = std::collections::BTreeMap<String, u32>;
    let store = SqliteStore::in_memory().await.unwrap();
    let mut old = store.create_user(NewUser::new(EMAIL, Fields::new())).await.unwrap();
    for (fields, rows_with_none) in [(Fields::from([("shoes".to_owned(), 44)]), 0), (Fields::new(), 1)] {
        let mut change = UserChange::default();
        change.profile = Some(fields.clone());
        old = store.update_user(&old, change).await.unwrap().unwrap();
        assert_eq!(old.user.profile, fields);
        assert_eq!(count(&store, "SELECT count(*) FROM gatekit_users WHERE profile IS NULL").await, rows_with_none);
    }
}

#[tokio::test]
async fn a_profile_that_is_no_object_is_refused() {
    let store = SqliteStore::in_memory().await.unwrap();
    #[derive(Clone, Debug, Serialize, Deserialize)]
    struct Bytes(Vec<u8>);
    impl Model for Bytes {}
    let refused = UserStore::<User<Bytes>>::create_user(&store, NewUser::new(EMAIL, Bytes(vec![1]))).await;
    assert!(matches!(&refused, Err(CreateUserError::Store(e)) if e.to_string().contains("JSON object")), "{refused:?}");
    assert_eq!(count(&store, "SELECT count(*) FROM gatekit_users").await, 0);
}

/// Errors are for the log: they name tables and columns, and nothing that somebody typed.
#[tokio::test]
async fn errors_hold_no_values() {
    let store = SqliteStore::in_memory().await.unwrap();
    let id = create(&store, "sentinel@example.com").await;
    ok_token(&store, &id).await;
    let mut said = Vec::new();
    said.push(store.insert_token(&token("secret", "sentinel")).await.unwrap_err().to_string());
    run(&store, "ALTER TABLE gatekit_users RENAME TO gone").await;
    let identifier = Identifier { namespace: "sentinel".into(), kind: IdentifierKind::Email, value: "sentinel".into() };
    said.push(UserStore::<User>::find_user_by(&store, &identifier).await.unwrap_err().to_string());
    let set = UserStore::<User>::set_password(&store, &id, 0, &PasswordHash::from_stored("sentinel")).await;
    said.push(set.unwrap_err().to_string());
    let new = NewUser::new("sentinel@example.com", NoProfile {});
    said.push(UserStore::<User>::create_user(&store, new).await.unwrap_err().to_string());
    assert!(said.iter().all(|text| !text.contains("sentinel") && text.contains("gatekit_")), "{said:#?}");
    assert!(!format!("{store:?}").contains("sentinel"));
}

/// A write is acknowledged when it is committed, not when SQLite has returned its row: here a
/// foreign key that is checked at the commit refuses it.
#[tokio::test]
async fn a_write_whose_commit_fails_is_not_acknowledged() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let id = create(&store, EMAIL).await;
    let secret = TokenDigest::of("secret");
    let record = OneTimeRecord {
        purpose: OneTimePurpose::ResetPassword,
        digest: secret,
        user_type: "User".into(),
        user_id: None,
        rev: 0,
        expires: Timestamp(0),
        email: None,
        data: None,
    };
    store.insert_one_time(&record).await.unwrap();
    ok_token(&store, &id).await;
    let before = UserStore::<User>::find_user(&store, &id).await.unwrap().unwrap();
    run(
        &store,
        "CREATE TABLE parent (id INTEGER PRIMARY KEY);
         CREATE TABLE child (id INTEGER REFERENCES parent (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER refuse_update AFTER UPDATE ON gatekit_users BEGIN INSERT INTO child VALUES (1); END;
         CREATE TRIGGER refuse_insert AFTER INSERT ON gatekit_users BEGIN INSERT INTO child VALUES (1); END;
         CREATE TRIGGER refuse_removal AFTER DELETE ON gatekit_users BEGIN INSERT INTO child VALUES (1); END;
         CREATE TRIGGER refuse_token AFTER UPDATE ON gatekit_access_tokens BEGIN INSERT INTO child VALUES (1); END;
         CREATE TRIGGER refuse_role AFTER INSERT ON gatekit_roles BEGIN INSERT INTO child VALUES (1); END;
         CREATE TRIGGER refuse_delete AFTER DELETE ON gatekit_one_time BEGIN INSERT INTO child VALUES (1); END;",
    )
    .await;
    let users = &store as &dyn UserStore<User>;
    let hash = PasswordHash::from_stored("new");
    assert!(users.set_password(&id, 0, &hash).await.is_err(), "set_password");
    assert!(users.bump_rev(&id).await.is_err(), "bump_rev");
    assert!(users.create_user(NewUser::new("bob@example.com", NoProfile {})).await.is_err(), "create_user");
    assert!(store.take_one_time(OneTimePurpose::ResetPassword, &secret).await.is_err(), "take_one_time");
    let mut change = UserChange::default();
    change.email = Some(Some("eve@example.com".into()));
    assert!(users.update_user(&before, change).await.is_err(), "update_user");
    assert!(users.delete_user(&id).await.is_err(), "delete_user");
    let old = token("secret", id.clone());
    assert!(store.update_token(&old, &TokenRecord { ttl: 1, ..old.clone() }).await.is_err(), "update_token");
    assert!(store.assign_role("User", &id, "editor").await.is_err(), "assign_role");

    let unchanged = users.find_user(&id).await.unwrap().unwrap();
    assert_eq!((unchanged.rev, unchanged.password, unchanged.user), (0, None, before.user));
    assert_eq!(store.find_token(&old.digest).await.unwrap(), Some(old));
    assert!(store.roles_of("User", &id).await.unwrap().is_empty());
    assert!(store.find_one_time(OneTimePurpose::ResetPassword, &secret).await.unwrap().is_some());
    // And the connection is as good as before.
    run(&store, "DROP TRIGGER refuse_update").await;
    assert_eq!(users.set_password(&id, 0, &hash).await.unwrap(), Some(1));
}

/// REL-1: a connection that is lost in the middle of a query is a failure, not an unknown token;
/// and the next call has another.
///
/// The thread of sqlx's connection panics if a statement it has prepared returns more columns than
/// it did then.
#[tokio::test]
async fn a_lost_connection_is_an_error_and_is_replaced() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    run(&store, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1)").await;
    let read = || sqlx::query("SELECT * FROM t WHERE a > ?").bind(0);
    let write = || sqlx::query("UPDATE t SET a = a + ? RETURNING *").bind(1);
    assert!(store.find(read()).await.unwrap().is_some());
    assert_eq!(store.change(write()).await.unwrap().count, 1);

    run(&store, "ALTER TABLE t ADD COLUMN b INTEGER").await;
    let lost = store.find(read()).await;
    assert!(matches!(&lost, Err(StoreError::Failed(_))), "{:?}", lost.map(|_| ()));
    let lost = store.change(write()).await;
    assert!(matches!(&lost, Err(sqlx::Error::WorkerCrashed)), "{lost:?}");

    let id = create(&store, EMAIL).await;
    assert!(UserStore::<User>::find_user(&store, &id).await.unwrap().is_some());
    assert_eq!(store.find_all(read()).await.unwrap().len(), 1);

    run(&store, "ALTER TABLE t ADD COLUMN c INTEGER").await;
    let lost = store.find_all(read()).await;
    assert!(matches!(&lost, Err(StoreError::Failed(_))), "{:?}", lost.map(|rows| rows.len()));
    assert_eq!(store.find_all(read()).await.unwrap().len(), 1);
}

/// A record whose purpose this version does not know is nothing to it.
#[tokio::test]
async fn a_record_of_another_purpose_is_not_taken() {
    let store = SqliteStore::in_memory().await.unwrap();
    let (purpose, digest) = (OneTimePurpose::ResetPassword, TokenDigest::of("secret"));
    let record = OneTimeRecord {
        purpose,
        digest,
        user_type: "User".into(),
        user_id: None,
        rev: 0,
        expires: Timestamp(0),
        email: None,
        data: None,
    };
    store.insert_one_time(&record).await.unwrap();
    run(&store, "UPDATE gatekit_one_time SET purpose = 'verify_email'").await;
    assert_eq!(store.find_one_time(purpose, &digest).await.unwrap(), None);
    assert_eq!(store.take_one_time(purpose, &digest).await.unwrap(), None);
    assert_eq!(count(&store, "SELECT count(*) FROM gatekit_one_time").await, 1);
}

/// REL-24
#[tokio::test]
async fn a_purge_removes_all_that_has_ended_in_bounded_batches() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    run(
        &store,
        "CREATE TABLE statements (id INTEGER);
         WITH n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 1700)
         INSERT INTO gatekit_access_tokens SELECT randomblob(32), 'User', n, 0, 60, 0, n, NULL, NULL, 'a', 'b', 0, NULL FROM n;
         INSERT INTO gatekit_access_tokens (token_digest, token_user_type, token_user_key, token_rev, token_ttl, token_created)
         VALUES (randomblob(32), 'User', 1, 0, -1, 0);
         WITH n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 501)
         INSERT INTO gatekit_one_time SELECT randomblob(32), 'reset_password', 'User', n, 0, n, NULL, NULL FROM n;
         WITH n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < 502)
         INSERT INTO gatekit_digest_nonces SELECT randomblob(32), 1, n FROM n;",
    )
    .await;
    assert_eq!(store.purge_tokens(Timestamp(1200), 500).await.unwrap(), 500, "no more than asked for");
    assert_eq!(store.purge(Timestamp(1200)).await.unwrap(), 700 + 501 + 502);
    assert_eq!(count(&store, "SELECT count(*) FROM gatekit_access_tokens").await, 501);
    assert_eq!(count(&store, "SELECT min(token_expires) FROM gatekit_access_tokens").await, 1201);
    assert_eq!(store.purge(Timestamp(i64::MAX)).await.unwrap(), 500);
    assert_eq!(count(&store, "SELECT count(*) FROM gatekit_access_tokens").await, 1, "the one that never ends");
}

/// With time stopped, the runtime moves it on to the next timer whenever it has nothing else to do.
#[tokio::test(start_paused = true)]
async fn what_has_ended_is_removed_in_the_background() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    store.insert_token(&token("ended long ago", 1)).await.unwrap();
    store.insert_token(&TokenRecord { ttl: -1, ..token("never ends", 1) }).await.unwrap();
    tokio::time::sleep(Duration::from_secs(61)).await;
    while count(&store, "SELECT count(*) FROM gatekit_access_tokens").await > 1 {
        tokio::task::yield_now().await;
    }
    // And again, ten minutes later.
    store.insert_token(&token("ended long ago", 1)).await.unwrap();
    tokio::time::sleep(Duration::from_secs(601)).await;
    while count(&store, "SELECT count(*) FROM gatekit_access_tokens").await > 1 {
        tokio::task::yield_now().await;
    }
    assert!(store.find_token(&TokenDigest::of("never ends")).await.unwrap().is_some());
}

#[tokio::test]
async fn the_background_task_ends_with_the_last_handle() {
    let folder = Folder::new();
    let metrics = tokio::runtime::Handle::current().metrics();
    let before = metrics.num_alive_tasks();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let other = store.clone();
    let with_one = metrics.num_alive_tasks();
    drop(store);
    tokio::task::yield_now().await;
    assert_eq!(metrics.num_alive_tasks(), with_one, "a handle is left");
    drop(other);
    // Also the pool for the app has a task, which needs a moment.
    let all_gone = async {
        while metrics.num_alive_tasks() > before {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(5), all_gone).await.expect("no handle is left, but a task is");
}

/// REL-26: a request that was given up in the middle leaves a store that works.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn calls_given_up_half_way_leave_the_store_working() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let id = create(&store, EMAIL).await;
    ok_token(&store, &id).await;
    let digest = TokenDigest::of("secret");
    for n in 0..200 {
        let limit = Duration::from_micros(n);
        let users = &store as &dyn UserStore<User>;
        tokio::time::timeout(limit, users.find_token_owner(&store, &digest)).await.ok();
        tokio::time::timeout(limit, users.bump_rev(&id)).await.ok();
        let new = NewUser::new(format!("{n}@example.com"), NoProfile {});
        tokio::time::timeout(limit, users.create_user(new)).await.ok();
    }
    let users = &store as &dyn UserStore<User>;
    let rev = users.bump_rev(&id).await.unwrap().unwrap();
    assert_eq!(users.find_token_owner(&store, &digest).await.unwrap().unwrap().rev, rev);
    let ids = count(&store, "SELECT count(*) FROM gatekit_users WHERE rev = 0 AND email LIKE '%@example.com'").await;
    assert!(ids <= 201);
}

/// REL-17: readers do not wait for a writer, and a writer waits for another process's instead of
/// failing.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_lock_held_elsewhere_delays_writes_and_no_reads() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let id = create(&store, EMAIL).await;
    ok_token(&store, &id).await;
    // The app's own transaction, on a connection of the pool.
    let mut other = store.pool().begin_with("BEGIN IMMEDIATE").await.unwrap();
    sqlx::query("UPDATE gatekit_users SET rev = 7").execute(&mut *other).await.unwrap();

    let users = &store as &dyn UserStore<User>;
    let owner = users.find_token_owner(&store, &TokenDigest::of("secret")).await.unwrap().unwrap();
    assert_eq!(owner.rev, 0, "what is not committed is not seen");
    let waiting = tokio::spawn({
        let (store, id) = (store.clone(), id.clone());
        async move { UserStore::<User>::bump_rev(&store, &id).await }
    });
    users.find_user(&id).await.unwrap().unwrap();
    other.commit().await.unwrap();
    assert_eq!(waiting.await.unwrap().unwrap(), Some(8));
}
