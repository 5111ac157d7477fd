//! The store in SQLite: how it is opened, and how it is reached.

mod condition;
mod connections;
mod counters;
mod deadline;
mod devices;
mod digests;
mod find;
mod models;
mod one_time;
mod permissions;
mod purge;
mod queries;
mod roles;
pub(crate) mod rows;
#[cfg(feature = "tower-sessions")]
mod sessions;
mod sort;
mod spellings;
mod tokens;
mod users;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use gatekit_core::{StoreError, StoreIdentity, Timestamp};
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Sqlite, SqlitePool};

pub use self::connections::Connection;
use self::connections::{BUSY_TIMEOUT, Connections};
pub use self::queries::Changed;
#[cfg(feature = "tower-sessions")]
pub use self::sessions::SqliteSessionStore;
use crate::own::store_error;
use crate::{OpenError, migrate};

/// Users, access tokens, one-time secrets, roles, known devices and the rest of what the ports
/// keep, in SQLite.
///
/// A clone is another handle to the same. Every change is one atomic statement.
///
/// | table | what |
/// | --- | --- |
/// | `gatekit_users` | users of the built-in `User`, of every profile; empty if the app has its own table |
/// | `gatekit_access_tokens` | access tokens; columns at [`own::token_from_row`](crate::own::token_from_row) |
/// | `gatekit_one_time` | secrets that work once |
/// | `gatekit_roles` | who is in which role; columns at [`own::roles_from_row`](crate::own::roles_from_row) |
/// | `gatekit_devices` | from which devices users have logged in |
/// | `gatekit_counters` | how often something was tried |
/// | `gatekit_digests`, `gatekit_digest_nonces` | who may log in by HTTP Digest, and which nonces were used |
/// | `gatekit_permissions` | who may do what below which path |
/// | `gatekit_sessions` | sessions of tower-sessions, with the feature of that name |
/// | `gatekit_migrations` | which migrations were applied |
///
/// Several user types may share it, and are apart: every user, token, one-time token and role is
/// stored with the name of the user type (`Account::model_name`), and an address or name is unique
/// within its type. [`rename_model`](Self::rename_model) gives a type another name.
#[derive(Clone)]
pub struct SqliteStore {
    inner: Arc<Inner>,
    identity: StoreIdentity,
}

struct Inner {
    connections: Connections,
    purge: Option<tokio::task::AbortHandle>,
}

impl SqliteStore {
    /// Opens the database at `path`. Creates the file if there is none, brings its tables up to
    /// date, and from then on removes what has ended in the background.
    ///
    /// - A new file is readable by its owner only (mode 0600).
    /// - Write-ahead log, so that readers never wait for a writer.
    /// - `synchronous=FULL`: what was acknowledged is on the disk. With less, a power cut could
    ///   bring back a token that was logged out, or lose a registration. A write costs one `fsync`
    ///   for it.
    /// - One connection writes, so that writes of this process never find the database busy; as
    ///   many read as there are cores (2 to 16). Another process that holds the write lock is
    ///   waited for, up to 5 seconds, and no longer than the request has time
    ///   (`policy.store.timeout`).
    /// - A statement that takes longer than the request has time is interrupted, and what it has
    ///   changed is undone: what was answered 503 does not happen later.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_sql::SqliteStore;
    ///
    /// # let folder = std::env::temp_dir().join(format!("gatekit-open-{}", std::process::id()));
    /// # std::fs::create_dir_all(&folder)?;
    /// # let path = folder.join("app.db");
    /// let store = SqliteStore::open(&path).await?;
    /// # std::fs::remove_dir_all(&folder)?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, OpenError> {
        let path = path.as_ref();
        create_file(path).await?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .foreign_keys(true)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(BUSY_TIMEOUT);
        let connections = Connections::open(options.journal_mode(SqliteJournalMode::Wal)).await;
        let cannot = |error| OpenError::File { path: path.to_owned(), cause: Arc::new(error) };
        Self::start(connections.map_err(cannot)?, true).await
    }

    /// Keeps the tables in the database of an app's own pool. Brings them up to date, and from then
    /// on removes what has ended in the background.
    ///
    /// The pool decides how long a statement waits for the lock of another process (`busy_timeout`,
    /// 5 seconds in sqlx). Set less than `policy.store.timeout`, so that what is answered 503 does
    /// not happen later. If it does, what follows a change still follows.
    ///
    /// Pragmas are the app's: without `synchronous=FULL` a power cut may undo the last logouts and
    /// registrations, without `journal_mode=WAL` reading waits for writing. [`SqliteStore::open`]
    /// is faster, since it does without the pool, which talks to the connection twice for each
    /// query.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_sql::{SqliteStore, sqlx::sqlite::SqlitePoolOptions};
    ///
    /// # let url = "sqlite::memory:";
    /// let pool = SqlitePoolOptions::new().max_connections(1).connect(url).await?;
    /// let store = SqliteStore::from_pool(pool).await?;
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`OpenError`].
    pub async fn from_pool(pool: SqlitePool) -> Result<Self, OpenError> {
        Self::start(Connections::of_pool(pool), true).await
    }

    /// A new database in memory, for tests. It is gone with the last handle.
    ///
    /// All handles share one connection, and nothing is removed in the background: a test's frozen
    /// clock may be years off.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use gatekit_core::Auth;
    /// use gatekit_sql::SqliteStore;
    ///
    /// let auth = Auth::new(SqliteStore::in_memory().await?);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`OpenError`], if there is no memory or thread left.
    pub async fn in_memory() -> Result<Self, OpenError> {
        let pool = SqlitePoolOptions::new()
            .max_connections(1)
            .idle_timeout(None)
            .max_lifetime(None)
            .connect_with(SqliteConnectOptions::new().in_memory(true))
            .await?;
        Self::start(Connections::of_pool(pool), false).await
    }

    async fn start(connections: Connections, purge: bool) -> Result<Self, OpenError> {
        migrate::migrate(&mut *connections.writer().await?).await?;
        spellings::fill(&connections).await?;
        let inner = Arc::new_cyclic(|weak| Inner {
            connections,
            purge: purge.then(|| tokio::spawn(purge::run(weak.clone())).abort_handle()),
        });
        Ok(Self { inner, identity: StoreIdentity::new() })
    }

    /// A pool of connections to the same database, for the app's own tables.
    ///
    /// A transaction that writes should begin with `BEGIN IMMEDIATE`
    /// (`pool.begin_with("BEGIN IMMEDIATE")`): SQLite refuses to let one that has read go on to
    /// write when another has written in between.
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        self.inner.connections.pool()
    }

    /// The first row that a query which only reads finds.
    ///
    /// Cheaper than on the [pool](Self::pool), and certain: `None` is an answer of the database and
    /// never a connection that was lost on the way.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = gatekit_sql::SqliteStore::in_memory().await?;
    /// let query = sqlx::query("SELECT email FROM gatekit_users WHERE id = ?").bind(7);
    /// assert!(store.find(query).await?.is_none());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn find(&self, query: Query<'_, Sqlite, SqliteArguments>) -> Result<Option<SqliteRow>, StoreError> {
        queries::find(&self.inner.connections, query).await
    }

    /// All rows that a query which only reads finds.
    ///
    /// All or an error: sqlx's own `fetch_all` answers with the rows it has if the connection is
    /// lost on the way.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = gatekit_sql::SqliteStore::in_memory().await?;
    /// let query = sqlx::query("SELECT email FROM gatekit_users WHERE user_type = ? ORDER BY id").bind("User");
    /// assert!(store.find_all(query).await?.is_empty());
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// [`StoreError`].
    pub async fn find_all(&self, query: Query<'_, Sqlite, SqliteArguments>) -> Result<Vec<SqliteRow>, StoreError> {
        queries::find_all(&self.inner.connections, query).await
    }

    /// Shows each row that a query which only reads finds, until `visit` has seen enough. Returns
    /// whether it has seen all.
    async fn visit<V>(&self, query: Query<'_, Sqlite, SqliteArguments>, visit: V) -> Result<bool, StoreError>
    where
        V: FnMut(&SqliteRow) -> Result<bool, StoreError> + Send,
    {
        queries::visit(&self.inner.connections, query, visit).await
    }

    /// Runs one statement that writes, and tells what it changed once that is committed.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let store = gatekit_sql::SqliteStore::in_memory().await?;
    /// let query = sqlx::query("UPDATE gatekit_users SET rev = rev + 1 WHERE id = ? RETURNING rev").bind(7);
    /// let changed = store.change(query).await?;
    /// assert_eq!((changed.count, changed.rows.len()), (0, 0));
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// The driver's, for [`own::create_user_error`](crate::own::create_user_error) or
    /// [`own::store_error`](crate::own::store_error). Nothing was changed then, unless the
    /// connection was lost.
    pub async fn change(&self, query: Query<'_, Sqlite, SqliteArguments>) -> Result<Changed, sqlx::Error> {
        queries::change(&self.inner.connections, query).await
    }

    /// A connection for several queries that only read, lent until it is dropped.
    ///
    /// For a single one there is [`find`](Self::find): sqlx's own `fetch_optional` answers `None`
    /// also when the connection is lost on the way.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if none can be opened.
    pub async fn reader(&self) -> Result<Connection<'_>, StoreError> {
        self.inner.connections.reader().await.map_err(store_error)
    }

    /// The connection for transactions that write, lent until it is dropped. There is one: who
    /// holds it across other work keeps every login waiting.
    ///
    /// For a single statement there is [`change`](Self::change): sqlx's own `fetch_one` and
    /// `fetch_optional` stop at the first row that `RETURNING` returns, before the statement is
    /// committed, and do not tell if that fails.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if it cannot be opened.
    pub async fn writer(&self) -> Result<Connection<'_>, StoreError> {
        self.inner.connections.writer().await.map_err(store_error)
    }

    /// Removes the tokens, one-time secrets and sessions that ended at or before `now`, and the
    /// devices that nobody was seen on in the 400 days before, 500 at a time. Returns how many.
    ///
    /// This is done in the background every 10 minutes, by the machine's clock, as long as a handle
    /// exists; the first time a minute after the start.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. What was removed until then stays so.
    pub async fn purge(&self, now: Timestamp) -> Result<u64, StoreError> {
        purge::purge(&self.inner.connections, now).await
    }
}

impl fmt::Debug for SqliteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = self.pool().connect_options();
        f.debug_struct("SqliteStore").field("file", &options.get_filename()).finish_non_exhaustive()
    }
}

impl Drop for Inner {
    fn drop(&mut self) {
        if let Some(task) = &self.purge {
            task.abort();
        }
    }
}

/// Creates the file, for nobody but its owner to read: SQLite itself would leave that to the umask.
/// The log beside it gets the same mode from SQLite.
async fn create_file(path: &Path) -> Result<(), OpenError> {
    if path.as_os_str().is_empty() || path.to_str().is_some_and(|p| p.starts_with(':') || p.starts_with("file:")) {
        return Err(OpenError::NotAFile(path.to_owned()));
    }
    let file = path.to_owned();
    let created = tokio::task::spawn_blocking(move || {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(file)
    });
    let cause = match created.await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) if error.kind() == std::io::ErrorKind::AlreadyExists => return Ok(()),
        Ok(Err(error)) => error,
        Err(error) => std::io::Error::other(error),
    };
    Err(OpenError::File { path: path.to_owned(), cause: Arc::new(cause) })
}
