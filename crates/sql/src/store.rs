//! The store over a SQL database.

use std::fmt;
use std::sync::Arc;

use gatekit_core::{StoreError, StoreIdentity, Timestamp};
use sqlx::query::Query;
use tokio::task::AbortHandle;

use crate::OpenError;
use crate::database::{Changed, Database};
use crate::{purge, spellings};

/// Users, access tokens, one-time secrets, roles, known devices and the rest of what the ports
/// keep, in a SQL database. [`SqliteStore`](crate::SqliteStore) is the one over SQLite.
///
/// A clone is another handle to the same. Every change is one atomic statement.
///
/// | table | what |
/// | --- | --- |
/// | `gatekit_users` | users of the built-in `User`, of every profile; empty if the app has its own table |
/// | `gatekit_access_tokens` | access tokens; columns at [`own::token_from_row`](crate::own::token_from_row) |
/// | `gatekit_one_time` | secrets that work once |
/// | `gatekit_roles` | the roles of users; columns at [`own::roles_from_row`](crate::own::roles_from_row) |
/// | `gatekit_devices` | from which devices users have logged in |
/// | `gatekit_counters` | how often something was tried |
/// | `gatekit_digests`, `gatekit_digest_nonces` | credentials for HTTP Digest, and the nonces that were used |
/// | `gatekit_permissions` | permissions of users and roles on paths |
/// | `gatekit_sessions` | sessions of tower-sessions, with the feature of that name |
/// | `gatekit_migrations` | which migrations were applied |
///
/// Several user types may share it, and are apart: every user, token, one-time token and role is
/// stored with the name of the user type (`Account::model_name`), and an address or name is unique
/// within its type. [`rename_model`](Self::rename_model) gives a type another name.
pub struct SqlStore<D: Database> {
    shared: Arc<Shared<D>>,
    identity: StoreIdentity,
}

struct Shared<D> {
    database: Arc<D>,
    purge: Option<AbortHandle>,
}

impl<D: Database> SqlStore<D> {
    /// Over a database whose tables are up to date. With `purge`, what has ended is removed in the
    /// background.
    pub(crate) async fn start(database: D, purge: bool) -> Result<Self, OpenError> {
        spellings::fill(&database).await?;
        let database = Arc::new(database);
        let purge = purge.then(|| tokio::spawn(purge::run(Arc::downgrade(&database))).abort_handle());
        Ok(Self { shared: Arc::new(Shared { database, purge }), identity: StoreIdentity::new() })
    }

    pub(crate) fn database(&self) -> &D {
        &self.shared.database
    }

    /// What a handle has in common with its clones alone.
    pub(crate) fn store_identity(&self) -> &StoreIdentity {
        &self.identity
    }

    /// The first row that a query which only reads finds.
    ///
    /// Cheaper than on the [pool](SqlStore::pool), and certain: `None` is an answer of the database
    /// and never a connection that was lost on the way.
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
    pub async fn find(&self, query: Query<'_, D::Driver, D::Arguments>) -> Result<Option<D::Row>, StoreError> {
        self.database().find(query).await
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
    pub async fn find_all(&self, query: Query<'_, D::Driver, D::Arguments>) -> Result<Vec<D::Row>, StoreError> {
        self.database().find_all(query).await
    }

    /// Runs one statement that writes, and tells what it changed once that is committed. The id
    /// that an INSERT has given to a row is what `RETURNING id` returns.
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
    pub async fn change(&self, query: Query<'_, D::Driver, D::Arguments>) -> Result<Changed<D::Row>, sqlx::Error> {
        self.database().change(query).await
    }

    /// Removes the tokens, one-time secrets and sessions that ended at or before `now`, and the
    /// devices on which nobody was seen in the 400 days before, 500 at a time. Returns how many.
    ///
    /// This is done in the background every 10 minutes, by the machine's clock, as long as a handle
    /// exists; the first time a minute after the start.
    ///
    /// # Errors
    ///
    /// [`StoreError`]. What was removed until then stays so.
    pub async fn purge(&self, now: Timestamp) -> Result<u64, StoreError> {
        purge::purge(self.database(), now).await
    }
}

impl<D: Database> Clone for SqlStore<D> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared), identity: self.identity.clone() }
    }
}

impl<D: Database> fmt::Debug for SqlStore<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore").field("database", self.database()).finish_non_exhaustive()
    }
}

impl<D> Drop for Shared<D> {
    fn drop(&mut self) {
        if let Some(task) = &self.purge {
            task.abort();
        }
    }
}
