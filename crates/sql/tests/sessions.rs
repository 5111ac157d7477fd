//! Is the store for tower-sessions' sessions one, however it was opened, and what is in its table?
#![cfg(feature = "tower-sessions")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at the first surprise")]
#![allow(dead_code, reason = "not every test needs all of `common`")]

mod common;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use axum::{Router, routing::get};
use gatekit_core::{DeviceSeen, DeviceStore, Timestamp, TokenDigest, UserId};
use gatekit_sql::{SqliteSessionStore, SqliteStore};
use gatekit_testkit::{FrozenClock, conformance};
use sqlx::Row;
use tower::ServiceExt;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, ExpiredDeletion};
use tower_sessions::{Session, SessionManagerLayer, SessionStore};

use common::Folder;

const T0: Timestamp = Timestamp(1_387_571_420_377);

fn record(id: i128, ends: Timestamp) -> Record {
    let expiry_date = time::OffsetDateTime::UNIX_EPOCH + time::Duration::milliseconds(ends.0);
    Record { id: Id(id), data: [("visits".to_owned(), 3.into())].into(), expiry_date }
}

async fn conforms<Made: Future<Output = SqliteStore>>(make: impl Fn() -> Made) {
    conformance::session_store(|| async { make().await.session_store() }).await;
    conformance::session_store_strict(|clock| {
        let made = make();
        async move { made.await.session_store().clock(clock) }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_conforms() {
    let (folder, next) = (Folder::new(), AtomicU32::new(0));
    conforms(|| {
        let path = folder.path().join(format!("{}.db", next.fetch_add(1, Ordering::Relaxed)));
        async move { SqliteStore::open(path).await.unwrap() }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_in_memory_conforms() {
    conforms(|| async { SqliteStore::in_memory().await.unwrap() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_apps_own_pool_conforms() {
    let (folder, next) = (Folder::new(), AtomicU32::new(0));
    conforms(|| {
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(folder.path().join(format!("{}.db", next.fetch_add(1, Ordering::Relaxed))))
            .create_if_missing(true);
        async move {
            let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
            SqliteStore::from_pool(pool).await.unwrap()
        }
    })
    .await;
}

#[test]
fn handles_can_be_passed_around() {
    fn anywhere<T: Clone + std::fmt::Debug + Send + Sync + 'static>() {}
    anywhere::<SqliteSessionStore>();
}

/// Who reads the table, or a copy of the file, can be nobody.
#[tokio::test]
async fn the_ids_of_sessions_are_not_in_the_file() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let mut record = Record { id: Id::default(), ..record(0, Timestamp(i64::MAX / 100_000)) };
    store.session_store().create(&mut record).await.unwrap();

    let row = store.find(sqlx::query("SELECT id FROM gatekit_sessions")).await.unwrap().unwrap();
    let cookie = record.id.to_string();
    assert_eq!(row.get::<Vec<u8>, _>("id"), TokenDigest::of(&cookie).as_bytes(), "SHA-256 of what the cookie holds");
    for end in ["", "-wal"] {
        let bytes = std::fs::read(format!("{}{end}", folder.file().display())).unwrap();
        for id in [cookie.as_bytes(), &record.id.0.to_le_bytes(), &record.id.0.to_be_bytes()] {
            assert!(!bytes.windows(id.len()).any(|part| part == id), "app.db{end} holds no session's id");
        }
    }
    assert!(!format!("{:?}", store.session_store()).contains(&cookie));
}

#[tokio::test]
async fn what_cannot_be_read_is_an_error_that_does_not_show_it() {
    let store = SqliteStore::in_memory().await.unwrap();
    let sessions = store.session_store().clock(FrozenClock::at(T0));
    for (column, value) in [
        ("data", "'secret'"),
        ("data", "'[\"secret\"]'"),
        ("data", "'{\"secret\":'"),
        ("expires", "9223372036854775807"),
    ] {
        sessions.delete(&Id(7)).await.unwrap();
        sessions.create(&mut record(7, T0.plus_seconds(9))).await.unwrap();
        let spoil = format!("UPDATE gatekit_sessions SET {column} = {value}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(spoil)).execute(&mut *store.writer().await.unwrap()).await.unwrap();
        let error = sessions.load(&Id(7)).await.unwrap_err();
        assert!(matches!(error, Error::Decode(_)), "{error:?}");
        assert!(error.to_string().contains(&format!("gatekit_sessions.{column}")), "{error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[tokio::test]
async fn a_database_that_fails_is_an_error_and_not_an_unknown_session() {
    let store = SqliteStore::in_memory().await.unwrap();
    let sessions = store.session_store();
    let drop = sqlx::raw_sql("DROP TABLE gatekit_sessions");
    drop.execute(&mut *store.writer().await.unwrap()).await.unwrap();
    let mut record = record(7, T0);
    assert!(matches!(sessions.load(&record.id).await, Err(Error::Backend(_))));
    assert!(matches!(sessions.save(&record).await, Err(Error::Backend(_))));
    assert!(matches!(sessions.create(&mut record).await, Err(Error::Backend(_))));
    assert!(matches!(sessions.delete(&record.id).await, Err(Error::Backend(_))));
    assert!(matches!(sessions.delete_expired().await, Err(Error::Backend(_))));
    assert_eq!(record.id, Id(7), "a session that was not created keeps its id");
}

async fn count(store: &SqliteStore, table: &str) -> i64 {
    let query = format!("SELECT count(*) AS n FROM {table}");
    store.find(sqlx::query(sqlx::AssertSqlSafe(query))).await.unwrap().unwrap().get("n")
}

/// REL-24
#[tokio::test]
async fn a_purge_removes_sessions_that_ended_at_or_before_now_however_many() {
    let store = SqliteStore::in_memory().await.unwrap();
    let sessions = store.session_store();
    for n in 0..1203 {
        sessions.create(&mut record(n, Timestamp(T0.0 + i64::from(n < 2)))).await.unwrap();
    }
    assert_eq!(store.purge(Timestamp(T0.0 - 1)).await.unwrap(), 0, "what has not ended stays");
    assert_eq!(store.purge(T0).await.unwrap(), 1201, "what ends now has ended");
    assert_eq!(count(&store, "gatekit_sessions").await, 2);
    assert_eq!(store.purge(Timestamp(T0.0 + 1)).await.unwrap(), 2);
}

#[tokio::test]
async fn expired_sessions_can_be_removed_by_hand() {
    let store = SqliteStore::in_memory().await.unwrap();
    let clock = FrozenClock::at(T0);
    let sessions = store.session_store().clock(clock.clone());
    for n in 0..1203 {
        sessions.create(&mut record(n, Timestamp(T0.0 + 1 + i64::from(n < 2)))).await.unwrap();
    }
    for (after, left) in [(0, 1203), (1, 2), (2, 0)] {
        clock.set(Timestamp(T0.0 + after));
        sessions.delete_expired().await.unwrap();
        assert_eq!(count(&store, "gatekit_sessions").await, left);
    }
}

/// REL-24
#[tokio::test]
async fn a_purge_removes_devices_that_were_not_seen_for_400_days() {
    let store = SqliteStore::in_memory().await.unwrap();
    let days = Timestamp(T0.0 + 400 * 24 * 3600 * 1000);
    for n in 0..1203 {
        let user = UserId::Int(n / 3);
        let seen = Timestamp(T0.0 + i64::from(n < 2));
        store.remember_device("User", &user, &TokenDigest::of(&n.to_string()), seen).await.unwrap();
    }
    assert_eq!(store.purge(days).await.unwrap(), 0, "400 days are not more than 400 days");
    assert_eq!(store.purge(Timestamp(days.0 + 1)).await.unwrap(), 1201);
    assert_eq!(count(&store, "gatekit_devices").await, 2);
    let known = store.remember_device("User", &UserId::Int(0), &TokenDigest::of("1"), days).await.unwrap();
    assert_eq!(known, DeviceSeen::Known, "who is seen stays known");
    assert_eq!(store.purge(Timestamp(days.0 + 2)).await.unwrap(), 1);
}

/// An app with sessions: what it answers is what it found in the session before.
fn app(sessions: SqliteSessionStore) -> Router {
    async fn note(session: Session) -> String {
        let before: Option<u32> = session.get("visits").await.unwrap();
        session.insert("visits", before.unwrap_or_default() + 1).await.unwrap();
        format!("{before:?}")
    }
    async fn log_in(session: Session) {
        session.cycle_id().await.unwrap();
    }
    async fn log_out(session: Session) {
        session.flush().await.unwrap();
    }
    async fn clear(session: Session) {
        session.clear().await;
    }
    Router::new()
        .route("/", get(note))
        .route("/log-in", get(log_in))
        .route("/log-out", get(log_out))
        .route("/clear", get(clear))
        .layer(SessionManagerLayer::new(sessions))
}

/// Status, body and the cookie the answer sets.
async fn call(app: &Router, path: &str, cookie: &str) -> (StatusCode, String, Option<String>) {
    let request = Request::get(path).header(header::COOKIE, cookie).body(Body::empty()).unwrap();
    let response = app.clone().oneshot(request).await.unwrap();
    let cookie = response.headers().get(header::SET_COOKIE).map(|set| set.to_str().unwrap());
    let cookie = cookie.map(|set| set.split(';').next().unwrap().to_owned());
    let status = response.status();
    let body = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
    (status, String::from_utf8(body.to_vec()).unwrap(), cookie)
}

#[tokio::test]
async fn a_session_survives_login_under_another_id_and_ends_with_logout() {
    let store = SqliteStore::in_memory().await.unwrap();
    let app = app(store.session_store());
    let (_, before, cookie) = call(&app, "/", "").await;
    let cookie = cookie.unwrap();
    assert_eq!((before.as_str(), call(&app, "/", &cookie).await.1.as_str()), ("None", "Some(1)"));

    let new = call(&app, "/log-in", &cookie).await.2.unwrap();
    assert_ne!(new, cookie);
    assert_eq!(call(&app, "/", &new).await.1, "Some(2)", "what an anonymous visitor did survives the login");
    assert_eq!(call(&app, "/", &cookie).await.1, "None", "the id from before the login is worth nothing");

    assert_eq!(call(&app, "/log-out", &new).await.2.unwrap(), "id=", "the browser forgets it");
    assert_eq!(call(&app, "/", &new).await.1, "None", "and so does the store");
}

/// An attacker who plants a cookie wants the victim's data under an id that the attacker knows.
#[tokio::test]
async fn an_id_that_came_with_a_request_never_becomes_a_session() {
    let store = SqliteStore::in_memory().await.unwrap();
    let app = app(store.session_store());
    let planted = format!("id={}", Id(7));
    let (_, _, cookie) = call(&app, "/", &planted).await;
    assert_ne!(cookie.unwrap(), planted, "who comes with an unknown id gets another");
    // `Session::clear` keeps the id of the cookie without looking whether there is such a session,
    // and saves.
    call(&app, "/clear", &planted).await;
    assert_eq!(store.session_store().load(&Id(7)).await.unwrap(), None);
    assert_eq!(call(&app, "/", &planted).await.1, "None");
}

#[tokio::test]
async fn a_request_under_way_does_not_undo_a_logout() {
    let store = SqliteStore::in_memory().await.unwrap();
    let sessions = store.session_store();
    let first = call(&app(sessions.clone()), "/", "").await.2.unwrap();
    let id = first.strip_prefix("id=").unwrap().parse().unwrap();

    // The one has read the session when the other logs out.
    let under_way = Session::new(Some(id), sessions.clone().into(), None);
    under_way.insert("cart", 1).await.unwrap();
    call(&app(sessions.clone()), "/log-out", &first).await;
    under_way.save().await.unwrap();
    assert_eq!(sessions.load(&id).await.unwrap(), None);
}

/// What is removed in the background goes by the machine's clock, whatever the sessions' is.
#[tokio::test(start_paused = true)]
async fn expired_sessions_are_removed_in_the_background() {
    let folder = Folder::new();
    let store = SqliteStore::open(folder.file()).await.unwrap();
    let sessions = store.session_store().clock(FrozenClock::at(Timestamp(0)));
    sessions.create(&mut record(7, Timestamp(1))).await.unwrap();
    sessions.create(&mut record(8, Timestamp(i64::MAX / 100_000))).await.unwrap();
    tokio::time::sleep(Duration::from_secs(61)).await;
    while count(&store, "gatekit_sessions").await > 1 {
        tokio::task::yield_now().await;
    }
    assert!(sessions.load(&Id(8)).await.unwrap().is_some());
}
