//! SQLite: how a database is opened, reached and migrated.

mod connections;
mod deadline;
mod migrate;
mod queries;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use gatekit_core::StoreError;
use sqlx::error::BoxDynError;
use sqlx::query::Query;
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous,
};
use sqlx::{Arguments, Connection as _, Row as _, SqlitePool};

pub use self::connections::Connection;
use self::connections::{BUSY_TIMEOUT, Connections};
use crate::OpenError;
use crate::database::{Changed, Database};
use crate::dialect::Dialect;
use crate::error::store_error;
use crate::row::{Row, sealed};
use crate::store::SqlStore;
use crate::value::Value;

/// The store over SQLite. See [`SqlStore`] for what it keeps.
pub type SqliteStore = SqlStore<Sqlite>;

/// SQLite under a [`SqliteStore`].
pub struct Sqlite(Connections);

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
        Self::over(connections.map_err(cannot)?, true).await
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
        Self::over(Connections::of_pool(pool), true).await
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
        Self::over(Connections::of_pool(pool), false).await
    }

    async fn over(connections: Connections, purge: bool) -> Result<Self, OpenError> {
        migrate::migrate(&mut *connections.writer().await?).await?;
        Self::start(Sqlite(connections), purge).await
    }

    /// A pool of connections to the same database, for the app's own tables.
    ///
    /// A transaction that writes should begin with `BEGIN IMMEDIATE`
    /// (`pool.begin_with("BEGIN IMMEDIATE")`): SQLite refuses to let one that has read go on to
    /// write when another has written in between.
    #[must_use]
    pub fn pool(&self) -> &SqlitePool {
        self.database().0.pool()
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
        self.database().0.reader().await.map_err(store_error)
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
        self.database().0.writer().await.map_err(store_error)
    }
}

impl Database for Sqlite {
    type Driver = sqlx::Sqlite;
    type Row = SqliteRow;
    type Arguments = SqliteArguments;

    const DIALECT: Dialect = Dialect::Sqlite;

    fn bind(arguments: &mut SqliteArguments, value: Value<'_>) -> Result<(), BoxDynError> {
        match value {
            Value::Integer(value) => arguments.add(value),
            Value::Boolean(value) => arguments.add(value),
            Value::Text(value) => arguments.add(value),
            Value::Bytes(value) => arguments.add(value.as_deref()),
        }
    }

    async fn find(&self, query: Query<'_, sqlx::Sqlite, SqliteArguments>) -> Result<Option<SqliteRow>, StoreError> {
        queries::find(&self.0, query).await
    }

    async fn find_all(&self, query: Query<'_, sqlx::Sqlite, SqliteArguments>) -> Result<Vec<SqliteRow>, StoreError> {
        queries::find_all(&self.0, query).await
    }

    async fn visit(
        &self,
        query: Query<'_, sqlx::Sqlite, SqliteArguments>,
        visit: impl FnMut(&SqliteRow) -> Result<bool, StoreError> + Send,
    ) -> Result<bool, StoreError> {
        queries::visit(&self.0, query, visit).await
    }

    async fn change(&self, query: Query<'_, sqlx::Sqlite, SqliteArguments>) -> Result<Changed<SqliteRow>, sqlx::Error> {
        queries::change(&self.0, query).await
    }

    async fn change_alone(
        &self,
        _name: &str,
        query: Query<'_, sqlx::Sqlite, SqliteArguments>,
    ) -> Result<Changed<SqliteRow>, sqlx::Error> {
        queries::change(&self.0, query).await
    }

    async fn change_all(
        &self,
        queries: Vec<Query<'_, sqlx::Sqlite, SqliteArguments>>,
    ) -> Result<Vec<u64>, sqlx::Error> {
        let mut writer = self.0.writer().await?;
        let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await?;
        let mut counts = Vec::with_capacity(queries.len());
        for query in queries {
            counts.push(query.execute(&mut *transaction).await?.rows_affected());
        }
        transaction.commit().await?;
        Ok(counts)
    }
}

impl sealed::Sealed for Sqlite {}

impl fmt::Debug for Sqlite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let options = self.0.pool().connect_options();
        f.debug_struct("Sqlite").field("file", &options.get_filename()).finish_non_exhaustive()
    }
}

impl Row for SqliteRow {
    fn has(&self, column: &str) -> bool {
        self.try_column(column).is_ok()
    }

    fn integer(&self, column: &str) -> Result<Option<i64>, sqlx::Error> {
        self.try_get(column)
    }

    fn boolean(&self, column: &str) -> Result<Option<bool>, sqlx::Error> {
        self.try_get(column)
    }

    fn text(&self, column: &str) -> Result<Option<&str>, sqlx::Error> {
        self.try_get(column)
    }

    fn bytes(&self, column: &str) -> Result<Option<&[u8]>, sqlx::Error> {
        self.try_get(column)
    }
}

impl sealed::Sealed for SqliteRow {}

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
