//! Brings the tables up to date: numbered scripts, each applied once, in order, and written into a
//! ledger.
//!
//! 1. The ledger is the table `gatekit_migrations`. `_sqlx_migrations` belongs to the app and is
//!    never touched.
//! 2. A migration and its line in the ledger are one transaction, begun with the write lock: of two
//!    processes that open the database at once one migrates and the other finds it done; a crash
//!    leaves all of a migration or nothing.
//! 3. What the ledger says must be what this version knows, checksum by checksum. There is no way
//!    back.

use gatekit_core::{Clock, SystemClock};
use sha2::{Digest, Sha256};
use sqlx::{Connection, Row, SqliteConnection};

use crate::OpenError;

pub(crate) struct Migration {
    number: i64,
    name: &'static str,
    script: &'static str,
}

const MIGRATIONS: &[Migration] = &[
    Migration { number: 1, name: "accounts", script: include_str!("../../migrations/sqlite/0001_accounts.sql") },
    Migration { number: 2, name: "rest_api", script: include_str!("../../migrations/sqlite/0002_rest_api.sql") },
    Migration { number: 3, name: "browser", script: include_str!("../../migrations/sqlite/0003_browser.sql") },
    Migration {
        number: 4,
        name: "account_status",
        script: include_str!("../../migrations/sqlite/0004_account_status.sql"),
    },
    Migration {
        number: 5,
        name: "digest_and_permissions",
        script: include_str!("../../migrations/sqlite/0005_digest_and_permissions.sql"),
    },
    Migration { number: 6, name: "counters", script: include_str!("../../migrations/sqlite/0006_counters.sql") },
    Migration { number: 7, name: "user_types", script: include_str!("../../migrations/sqlite/0007_user_types.sql") },
    Migration { number: 8, name: "spellings", script: include_str!("../../migrations/sqlite/0008_spellings.sql") },
    Migration { number: 9, name: "status_list", script: include_str!("../../migrations/sqlite/0009_status_list.sql") },
    Migration { number: 10, name: "proofs", script: include_str!("../../migrations/sqlite/0010_proofs.sql") },
    Migration { number: 11, name: "typed_ids", script: include_str!("../../migrations/sqlite/0011_typed_ids.sql") },
];

const LEDGER: &str = "CREATE TABLE IF NOT EXISTS gatekit_migrations (
    number   INTEGER PRIMARY KEY,
    name     TEXT    NOT NULL,
    checksum BLOB    NOT NULL,
    applied  INTEGER NOT NULL
) STRICT";

impl Migration {
    /// Without carriage returns, which a checkout on Windows may have put in.
    fn checksum(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        self.script.split('\r').for_each(|part| hash.update(part));
        hash.finalize().into()
    }
}

/// Brings the tables to the form this version knows.
pub(crate) async fn migrate(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    while apply_next(connection).await? {}
    Ok(())
}

/// Applies one migration. Returns whether there was one to apply.
async fn apply_next(connection: &mut SqliteConnection) -> Result<bool, OpenError> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    sqlx::raw_sql(LEDGER).execute(&mut *transaction).await?;
    let applied = sqlx::query("SELECT number, checksum FROM gatekit_migrations ORDER BY number")
        .fetch_all(&mut *transaction)
        .await?;
    let Some(next) = next_after(&applied)? else {
        transaction.commit().await?;
        return Ok(false);
    };
    sqlx::raw_sql(next.script).execute(&mut *transaction).await?;
    sqlx::query("INSERT INTO gatekit_migrations (number, name, checksum, applied) VALUES (?, ?, ?, ?)")
        .bind(next.number)
        .bind(next.name)
        .bind(next.checksum().as_slice())
        .bind(SystemClock.now().0)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    tracing::info!(number = next.number, name = next.name, "applied a migration");
    Ok(true)
}

/// The first migration that is not in the ledger, if all that are in it are the ones this version
/// knows.
fn next_after(applied: &[sqlx::sqlite::SqliteRow]) -> Result<Option<&'static Migration>, OpenError> {
    let mut known = MIGRATIONS.iter();
    for row in applied {
        let found: i64 = row.try_get("number")?;
        let checksum: &[u8] = row.try_get("checksum")?;
        match known.next() {
            None => {
                let known = MIGRATIONS.last().map_or(0, |last| last.number);
                return Err(OpenError::Newer { found: applied_last(applied, found), known });
            }
            Some(m) if m.number != found || m.checksum() != checksum => {
                return Err(OpenError::MigrationChanged { number: m.number, name: m.name });
            }
            Some(_) => {}
        }
    }
    Ok(known.next())
}

fn applied_last(applied: &[sqlx::sqlite::SqliteRow], found: i64) -> i64 {
    applied.last().and_then(|row| row.try_get("number").ok()).unwrap_or(found)
}
