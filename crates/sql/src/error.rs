//! What can go wrong when a database is opened, and how the driver's errors are told.

use std::path::PathBuf;
use std::sync::Arc;

use gatekit_core::StoreError;

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
