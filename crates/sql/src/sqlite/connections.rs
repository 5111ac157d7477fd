//! How queries reach the database: one connection that writes, and some that read.
//!
//! sqlx's own pool starts a task and pings the connection's thread whenever a connection comes
//! back, which doubles what a short query costs. A protected request is one short query, so a file
//! opened by us is reached without it.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::time::{Duration, Instant};

use gatekit_core::time_left;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{SqliteConnectOptions, SqlitePoolOptions};
use sqlx::{AssertSqlSafe, ConnectOptions, Connection as _, Executor as _, Sqlite, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

use super::deadline::{Deadline, busy_timeout};

/// A connection lent by a [`SqliteStore`](crate::SqliteStore). Dropping it gives it back.
#[must_use]
pub struct Connection<'a>(Lent<'a>);

enum Lent<'a> {
    // In this order: the slot is free before the permit says that one is.
    Own { slot: MutexGuard<'a, Slot>, _permit: SemaphorePermit<'a> },
    Pooled { connection: PoolConnection<Sqlite>, _turn: Option<MutexGuard<'a, ()>> },
}

pub(super) enum Connections {
    /// To a file opened by us.
    Own { writer: Lane, readers: Lane, pool: SqlitePool },
    /// Of an app's pool. Our writes take turns, so that they do not find the database busy with
    /// each other.
    Pooled { pool: SqlitePool, turn: Mutex<()> },
}

impl Connections {
    pub(super) async fn open(options: SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        // First the writer, which creates the log that the readers then find.
        let options = Arc::new(options);
        let writer = Lane::open(&options, 1).await?;
        let cores = std::thread::available_parallelism().map_or(2, usize::from).clamp(2, 16);
        let readers = Lane::open(&options, cores).await?;
        let pool = SqlitePoolOptions::new().connect_lazy_with(SqliteConnectOptions::clone(&options));
        Ok(Self::Own { writer, readers, pool })
    }

    pub(super) fn of_pool(pool: SqlitePool) -> Self {
        Self::Pooled { pool, turn: Mutex::new(()) }
    }

    pub(super) fn pool(&self) -> &SqlitePool {
        let (Self::Own { pool, .. } | Self::Pooled { pool, .. }) = self;
        pool
    }

    pub(super) async fn reader(&self) -> Result<Connection<'_>, sqlx::Error> {
        match self {
            Self::Own { readers, .. } => readers.lend().await,
            Self::Pooled { pool, .. } => {
                Ok(Connection(Lent::Pooled { connection: pool.acquire().await?, _turn: None }))
            }
        }
    }

    pub(super) async fn writer(&self) -> Result<Connection<'_>, sqlx::Error> {
        match self {
            Self::Own { writer, .. } => writer.lend().await,
            Self::Pooled { pool, turn } => {
                let turn = Some(turn.lock().await);
                Ok(Connection(Lent::Pooled { connection: pool.acquire().await?, _turn: turn }))
            }
        }
    }
}

/// Connections of one kind, lent in the order in which they are asked for.
pub(super) struct Lane {
    slots: Box<[Mutex<Slot>]>,
    /// As many as there are slots: who has one finds a slot that is free.
    permits: Semaphore,
    options: Arc<SqliteConnectOptions>,
}

struct Slot {
    connection: SqliteConnection,
    deadline: Deadline,
    /// How long its statements wait for the lock of another process.
    busy_timeout: Duration,
    /// When its thread was last seen alive. `None`: it is not.
    checked: Option<Instant>,
}

impl Slot {
    async fn open(options: &SqliteConnectOptions) -> Result<Self, sqlx::Error> {
        let mut connection = connect(options).await?;
        let deadline = Deadline::install(&mut connection).await?;
        Ok(Self { connection, deadline, busy_timeout: BUSY_TIMEOUT, checked: Some(Instant::now()) })
    }

    /// Gives the statements that come now the time that is left of the request's.
    async fn begin(&mut self) -> Result<(), sqlx::Error> {
        let left = time_left();
        if left.is_some_and(|left| left.is_zero()) {
            return Err(sqlx::Error::PoolTimedOut);
        }
        // First, so that the PRAGMA is not interrupted by the deadline of an earlier statement.
        self.deadline.set(left);
        let wait = left.map_or(BUSY_TIMEOUT, busy_timeout).min(BUSY_TIMEOUT);
        if wait != self.busy_timeout {
            let pragma = AssertSqlSafe(format!("PRAGMA busy_timeout = {}", wait.as_millis()));
            self.connection.execute(sqlx::raw_sql(pragma)).await?;
            self.busy_timeout = wait;
        }
        Ok(())
    }
}

/// How long a statement waits for the lock of another process, unless less is left of the request's
/// time.
pub(super) const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// How often a connection is asked whether its thread is alive, before it is lent.
const CHECK_EVERY: Duration = Duration::from_secs(1);

impl Lane {
    async fn open(options: &Arc<SqliteConnectOptions>, count: usize) -> Result<Self, sqlx::Error> {
        let mut slots = Vec::with_capacity(count);
        for _ in 0..count {
            slots.push(Mutex::new(Slot::open(options).await?));
        }
        Ok(Self { slots: slots.into(), permits: Semaphore::new(count), options: Arc::clone(options) })
    }

    async fn lend(&self) -> Result<Connection<'_>, sqlx::Error> {
        let permit = self.permits.acquire().await.map_err(|_| sqlx::Error::PoolClosed)?;
        // The first that is free: the one used last has its pages at hand.
        let free = self.slots.iter().find_map(|slot| slot.try_lock().ok());
        let mut slot = free.ok_or(sqlx::Error::PoolClosed)?;
        if slot.checked.is_none_or(|checked| checked.elapsed() >= CHECK_EVERY) {
            // One that failed us is not asked: a question that comes while its thread is dying is
            // never answered.
            let alive = slot.checked.is_some() && is_alive(&mut slot.connection).await;
            if !alive {
                tracing::warn!("a connection to the database was lost and is opened again");
                *slot = Slot::open(&self.options).await?;
            }
            slot.checked = Some(Instant::now());
        }
        slot.begin().await?;
        Ok(Connection(Lent::Own { slot, _permit: permit }))
    }
}

impl Connection<'_> {
    /// Has the connection opened anew before it is lent again.
    pub(super) fn give_up(&mut self) {
        match &mut self.0 {
            Lent::Own { slot, .. } => slot.checked = None,
            // The pool looks at each that comes back.
            Lent::Pooled { .. } => {}
        }
    }
}

/// Whether the connection's thread answers, for which it may first have to finish a statement that
/// waits for a lock.
async fn is_alive(connection: &mut SqliteConnection) -> bool {
    matches!(tokio::time::timeout(BUSY_TIMEOUT * 2, connection.ping()).await, Ok(Ok(())))
}

/// Opens a connection. Changing a new file over to the write-ahead log does not wait for another
/// process that does the same, whatever the busy timeout says, so it is tried again for as long.
async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection, sqlx::Error> {
    let started = Instant::now();
    loop {
        match options.connect().await {
            Err(error) if is_busy(&error) && started.elapsed() < BUSY_TIMEOUT => {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            done => return done,
        }
    }
}

/// SQLITE_BUSY is 5, in the lowest byte of the extended codes.
fn is_busy(error: &sqlx::Error) -> bool {
    let code = error.as_database_error().and_then(|e| e.code()).and_then(|code| code.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

impl Deref for Connection<'_> {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        match &self.0 {
            Lent::Own { slot, .. } => &slot.connection,
            Lent::Pooled { connection, .. } => connection,
        }
    }
}

impl DerefMut for Connection<'_> {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        match &mut self.0 {
            Lent::Own { slot, .. } => &mut slot.connection,
            Lent::Pooled { connection, .. } => connection,
        }
    }
}

impl std::fmt::Debug for Connection<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connection").finish_non_exhaustive()
    }
}
