//! Why a database was not opened, and which failure of a store a driver's error is.

use std::path::PathBuf;
use std::sync::Arc;

use gatekit_core::{CreateUserError, IdentifierKind, StoreError};
use sqlx::sqlite::SqliteError;

/// Why a database was not opened. The message says what to do.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The path names no file.
    #[error("`{}` is no path of a file; for a database in memory there is SqliteStore::in_memory()", .0.display())]
    NotAFile(PathBuf),
    /// The file cannot be created or opened, or holds something else.
    #[error("the database file `{}` cannot be opened: {cause}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The complaint of the system or of SQLite.
        cause: Arc<dyn std::error::Error + Send + Sync>,
    },
    /// A migration was applied in another form than this version has it.
    #[error(
        "migration {number} ({name}) is not the one that was applied to this database; it was edited after a release, so \
         go back to the version of gatekit-sql that made the database"
    )]
    MigrationChanged {
        /// Its number.
        number: i64,
        /// Its name.
        name: &'static str,
    },
    /// A later version has been here.
    #[error(
        "this database is at migration {found} of a newer gatekit-sql and this version knows no more than {known}; run the \
         newer version, or restore the backup from before it was first run"
    )]
    Newer {
        /// The number the database is at.
        found: i64,
        /// The highest number this version knows.
        known: i64,
    },
    /// The database refused or failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for OpenError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(StoreError::failed(error))
    }
}

/// A failure of the driver as one of the store. SQLite's messages name tables and columns, never
/// values.
#[must_use]
pub fn store_error(error: sqlx::Error) -> StoreError {
    // SQLITE_BUSY and SQLITE_INTERRUPT: the time was over before anything was changed.
    let is_late = sqlite_code(&error).is_some_and(|code| [5, 9].contains(&code));
    if is_late || matches!(error, sqlx::Error::PoolTimedOut) { StoreError::Timeout } else { StoreError::failed(error) }
}

/// Why an INSERT or an UPDATE of a user failed: [`CreateUserError::Taken`] if a unique index over
/// one of these columns, written `table.column`, refused it; a failure of the store otherwise.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use gatekit_core::{CreateUserError, IdentifierKind};
/// use gatekit_sql::{SqliteStore, own};
///
/// let store = SqliteStore::in_memory().await?;
/// sqlx::raw_sql("CREATE TABLE members (email TEXT UNIQUE); INSERT INTO members VALUES ('ada@example.com')")
///     .execute(&mut *store.writer().await?)
///     .await?;
///
/// let again = store.change(sqlx::query("INSERT INTO members VALUES (?)").bind("ada@example.com")).await;
/// let error = again.map_err(|e| own::create_user_error(e, &[("members.email", IdentifierKind::Email)]));
/// assert!(matches!(error, Err(CreateUserError::Taken(IdentifierKind::Email))));
/// # Ok(()) }
/// ```
#[must_use]
pub fn create_user_error(error: sqlx::Error, unique: &[(&str, IdentifierKind)]) -> CreateUserError {
    match unique.iter().find(|(column, _)| is_in_use(&error, column)) {
        Some((_, kind)) => CreateUserError::Taken(*kind),
        None => CreateUserError::Store(store_error(error)),
    }
}

/// Whether a unique key over this column, written `table.column`, has refused a row.
pub(crate) fn is_in_use(error: &sqlx::Error, column: &str) -> bool {
    columns_in_use(error).split(", ").any(|refused| refused == column)
}

/// The columns of the unique key that has refused a row, as `table.column`, separated by commas; ""
/// if none has.
fn columns_in_use(error: &sqlx::Error) -> &str {
    // "UNIQUE constraint failed: gatekit_users.user_type, gatekit_users.namespace,
    // gatekit_users.email"
    let refused = error.as_database_error().filter(|error| error.is_unique_violation());
    refused.and_then(|error| error.message().rsplit_once("failed: ")).map_or("", |(_, columns)| columns)
}

/// SQLite's result code, without what the extended codes add to it.
pub(crate) fn sqlite_code(error: &sqlx::Error) -> Option<i32> {
    let error = error.as_database_error()?.try_downcast_ref::<SqliteError>()?;
    sqlx::error::DatabaseError::code(error)?.parse::<i32>().ok().map(|code| code & 0xff)
}
