//! Sessions of tower-sessions.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use gatekit_core::{Clock, StoreError, SystemClock};
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tower_sessions_core::SessionStore;
use tower_sessions_core::session::{Id, Record};
use tower_sessions_core::session_store::{Error, ExpiredDeletion, Result};

use crate::database::Database;
use crate::error::store_error;
use crate::purge;
use crate::row::Table;
use crate::sqlite::Sqlite;
use crate::statement::Statement;
use crate::store::SqlStore;

const TABLE: Table = Table("gatekit_sessions");

static CREATE: Statement =
    Statement::new("INSERT INTO gatekit_sessions (id, data, expires) VALUES (?, ?, ?) {ignore_conflict(id)}");

static SAVE: Statement =
    Statement::new("UPDATE gatekit_sessions SET data = ?, expires = ? WHERE id = ? AND expires > ?");

static LOAD: Statement = Statement::new("SELECT data, expires FROM gatekit_sessions WHERE id = ? AND expires > ?");

static DELETE: Statement = Statement::new("DELETE FROM gatekit_sessions WHERE id = ?");

/// How often a new id is drawn for a session before the source of ids is taken for broken: of 2^128
/// none comes twice by chance.
const ATTEMPTS: usize = 8;

/// As deep as `serde_json` reads, the session's own object not counted. What is deeper could be
/// written but never read again.
const DEEPEST: usize = 126;

/// The store over SQLite for the sessions of tower-sessions; see [`SqlSessionStore`].
pub type SqliteSessionStore = SqlSessionStore<Sqlite>;

/// The sessions of tower-sessions 0.15, in the table `gatekit_sessions` of the same database; see
/// [`SqlStore::session_store`]. A clone is another handle to the same.
///
/// - **Who reads the table can be nobody.** It is keyed by SHA-256 of the session's id as it stands
///   in the cookie, so the ids of living sessions are not in it. What an app keeps in a session is,
///   as JSON: put no secret into one.
/// - **What has ended stays ended.** [`save`](SessionStore::save) changes a session that is there
///   and never brings one back: a request that was under way while another logged out does not undo
///   the logout. Its change is dropped and its answer is as always. Nor does an id that came with a
///   request and that nobody here has drawn become a session.
/// - **Expiry** is kept to the millisecond, rounded down, and judged by the clock of the machine
///   ([`clock`](Self::clock) for another). What has expired is removed in the background, as
///   [`SqlStore::purge`] says; until then it is there for nobody.
/// - A saved session costs one write with its `fsync`, as every write of this store. tower-sessions
///   saves only what has changed, unless it is told otherwise (`with_always_save`).
/// - An id that is in use is never overwritten by [`create`](SessionStore::create): the new session
///   gets another one.
///
/// Data that nests deeper than 126 levels is refused as [`Error::Encode`]; what cannot be read from
/// the row is [`Error::Decode`]; a failure of the database is [`Error::Backend`]. None of them
/// shows what is in a session.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use axum::{Router, http::StatusCode, routing::get};
/// use gatekit_sql::SqliteStore;
/// use tower_sessions::{Session, SessionManagerLayer};
///
/// async fn count(session: Session) -> Result<String, StatusCode> {
///     let unavailable = |_| StatusCode::SERVICE_UNAVAILABLE;
///     let visits = session.get("visits").await.map_err(unavailable)?.unwrap_or(0) + 1;
///     session.insert("visits", visits).await.map_err(unavailable)?;
///     Ok(format!("visit {visits}"))
/// }
///
/// let store = SqliteStore::in_memory().await?;
/// let app: Router =
///     Router::new().route("/", get(count)).layer(SessionManagerLayer::new(store.session_store()).with_name("__Host-id"));
///
/// # use axum::{body::Body, http::{Request, header}};
/// # use tower::ServiceExt;
/// # let first = app.clone().oneshot(Request::get("/").body(Body::empty())?).await?;
/// # let cookie = first.headers()[header::SET_COOKIE].to_str()?.split(';').next().unwrap_or_default().to_owned();
/// # let again = app.oneshot(Request::get("/").header(header::COOKIE, cookie).body(Body::empty())?).await?;
/// # assert_eq!(axum::body::to_bytes(again.into_body(), 100).await?, "visit 2");
/// # Ok(()) }
/// ```
pub struct SqlSessionStore<D: Database> {
    store: SqlStore<D>,
    clock: Arc<dyn Clock>,
}

impl<D: Database> SqlStore<D> {
    /// A store for the sessions of tower-sessions, in this database.
    ///
    /// The name is the one of its crate: a session there is data that an app keeps for a browser.
    /// Who is logged in is said by an access token, which may be in such a session.
    #[must_use]
    pub fn session_store(&self) -> SqlSessionStore<D> {
        SqlSessionStore { store: self.clone(), clock: Arc::new(SystemClock) }
    }
}

impl<D: Database> SqlSessionStore<D> {
    /// Has this clock say which session has expired, for tests. The removal in the background keeps
    /// to the machine's.
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }
}

#[async_trait]
impl<D: Database> SessionStore for SqlSessionStore<D> {
    async fn create(&self, record: &mut Record) -> Result<()> {
        let data = data_to_text(record)?;
        for _ in 0..ATTEMPTS {
            let create = CREATE.on(self.store.database());
            let create = create.bind(digest(&record.id).as_slice()).bind(&data).bind(expires(record));
            if create.change().await.map_err(failed)?.count > 0 {
                return Ok(());
            }
            record.id = Id::default();
        }
        Err(Error::Backend("no id was found for a session that is not in use".to_owned()))
    }

    async fn save(&self, record: &Record) -> Result<()> {
        let save = SAVE
            .on(self.store.database())
            .bind(data_to_text(record)?)
            .bind(expires(record))
            .bind(digest(&record.id).as_slice())
            .bind(self.clock.now());
        if save.change().await.map_err(failed)?.count == 0 {
            tracing::debug!("a session was not saved, since it has ended meanwhile");
        }
        Ok(())
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let load = LOAD.on(self.store.database()).bind(digest(id).as_slice()).bind(self.clock.now());
        let Some(row) = load.find().await.map_err(backend)? else { return Ok(None) };
        let data: &str = TABLE.get(&row, "data").map_err(backend)?;
        let expires: i64 = TABLE.get(&row, "expires").map_err(backend)?;
        Ok(Some(Record {
            id: *id,
            data: serde_json::from_str(data).map_err(|_| unreadable("data"))?,
            expiry_date: OffsetDateTime::from_unix_timestamp_nanos(i128::from(expires) * NANOS)
                .map_err(|_| unreadable("expires"))?,
        }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        DELETE.on(self.store.database()).bind(digest(id).as_slice()).change().await.map_err(failed)?;
        Ok(())
    }
}

/// For an app that wants it at another time than the store does it by itself.
#[async_trait]
impl<D: Database> ExpiredDeletion for SqlSessionStore<D> {
    async fn delete_expired(&self) -> Result<()> {
        purge::SESSIONS.delete_all(self.store.database(), self.clock.now()).await.map_err(backend)?;
        Ok(())
    }
}

impl<D: Database> fmt::Debug for SqlSessionStore<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlSessionStore").field("store", &self.store).finish_non_exhaustive()
    }
}

impl<D: Database> Clone for SqlSessionStore<D> {
    fn clone(&self) -> Self {
        Self { store: self.store.clone(), clock: Arc::clone(&self.clock) }
    }
}

/// Of the id as the cookie has it.
fn digest(id: &Id) -> [u8; 32] {
    Sha256::digest(id.to_string()).into()
}

const NANOS: i128 = 1_000_000;

/// Down to the whole millisecond: no session lives longer than it was to.
fn expires(record: &Record) -> i64 {
    let millis = record.expiry_date.unix_timestamp_nanos().div_euclid(NANOS);
    i64::try_from(millis).unwrap_or(if millis < 0 { i64::MIN } else { i64::MAX })
}

fn data_to_text(record: &Record) -> Result<String> {
    if !record.data.values().all(|value| nests_at_most(value, DEEPEST)) {
        return Err(Error::Encode(format!("a session's data nests deeper than {DEEPEST} levels")));
    }
    serde_json::to_string(&record.data).map_err(|_| Error::Encode("a session's data is not JSON".to_owned()))
}

fn nests_at_most(value: &Value, levels: usize) -> bool {
    let inner = |value| levels.checked_sub(1).is_some_and(|levels| nests_at_most(value, levels));
    match value {
        Value::Array(values) => levels > 0 && values.iter().all(inner),
        Value::Object(members) => levels > 0 && members.values().all(inner),
        _ => true,
    }
}

fn failed(error: sqlx::Error) -> Error {
    backend(store_error(error))
}

fn backend(error: StoreError) -> Error {
    match error {
        StoreError::Corrupt(_) => Error::Decode(error.to_string()),
        _ => Error::Backend(error.to_string()),
    }
}

fn unreadable(column: &str) -> Error {
    Error::Decode(TABLE.corrupt(column).to_string())
}
