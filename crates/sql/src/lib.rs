//! Where accounts are kept in a SQL database: SQLite, in a file of its own or in an app's.
//!
//! [`SqliteStore`] keeps users of the built-in type, access tokens, one-time secrets, roles and
//! known devices; with the feature `tower-sessions` also the sessions of that crate. An app with
//! users in an own table implements `UserStore` itself and keeps the store for the rest; [`own`]
//! has what that needs.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use gatekit_core::{Auth, Register};
//! use gatekit_sql::SqliteStore;
//!
//! # let folder = std::env::temp_dir().join(format!("gatekit-doc-{}", std::process::id()));
//! # std::fs::create_dir_all(&folder)?;
//! # let path = folder.join("app.db");
//! let auth = Auth::new(SqliteStore::open(&path).await?);
//! auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
//! # std::fs::remove_dir_all(&folder)?;
//! # Ok(()) }
//! ```

mod condition;
mod counters;
mod database;
mod devices;
mod dialect;
mod digests;
mod error;
mod find;
mod models;
mod one_time;
pub mod own;
mod permissions;
mod purge;
mod roles;
mod row;
#[cfg(feature = "tower-sessions")]
mod sessions;
mod sort;
mod spellings;
mod sqlite;
mod statement;
mod store;
mod tokens;
mod user_key;
mod user_row;
mod users;
mod value;

pub use database::{Changed, Database};
pub use error::OpenError;
#[cfg(feature = "tower-sessions")]
pub use sessions::{SqlSessionStore, SqliteSessionStore};
pub use sqlite::{Connection, Sqlite, SqliteStore};
/// The driver, for an app's own queries to the same database.
pub use sqlx;
pub use store::SqlStore;
