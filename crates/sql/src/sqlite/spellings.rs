//! Users by address or name, whatever the spelling that is stored.
//!
//! Beside each address and name stands its key, `normalize::key`, with an index. A row that another
//! program has written has none, until [`fill`] computes it: when the database is opened and every
//! ten minutes. In the meantime the row is found by its exact spelling, and by one that differs in
//! ASCII capitals or outer spaces.

use gatekit_core::{Identifier, IdentifierKind, StoreError, normalize};
use sqlx::sqlite::SqliteRow;
use sqlx::{AssertSqlSafe, Connection};

use super::connections::Connections;
use super::users::TABLE;
use super::{SqliteStore, queries};
use crate::own::store_error;

/// How many keys are written in one transaction, between which every other write gets its turn.
const BATCH: u32 = 2000;

/// The columns of `gatekit_users` that make a stored user.
const COLUMNS: &str = "id, realm, username, email, email_verified, password, rev, profile, status";

/// One query, each part of which has an index: the key, what SQLite can compute of a row without
/// one, and the exact spellings.
macro_rules! like {
    ($name:literal, $computed:literal) => {
        concat!(
            "SELECT id, realm, username, email, email_verified, password, rev, profile, status FROM gatekit_users WHERE id IN (",
            "SELECT id FROM gatekit_users WHERE user_type = ?1 AND namespace = ?2 AND ", $name, "_key = ?3 ",
            "UNION ALL SELECT id FROM gatekit_users WHERE user_type = ?1 AND namespace = ?2 AND ", $name, "_key IS NULL AND ",
            $name, " IS NOT NULL AND ", $computed, " = ?3 ",
            "UNION ALL SELECT id FROM gatekit_users WHERE user_type = ?1 AND namespace = ?2 AND ", $name, " IN (?4, ?5)) ",
            "ORDER BY ", $name, " = ?4 DESC, ", $name, " = ?5 DESC, id LIMIT 16"
        )
    };
}
pub(super) const LIKE_EMAIL: &str = like!("email", "lower(trim(email))");
pub(super) const LIKE_USERNAME: &str = like!("username", "trim(username)");

/// The rows of the users that may have this address or name.
pub(super) async fn find_like(
    store: &SqliteStore,
    user_type: &str,
    wanted: &Identifier,
    typed: &str,
) -> Result<Vec<SqliteRow>, StoreError> {
    let query = match wanted.kind {
        IdentifierKind::Email => LIKE_EMAIL,
        IdentifierKind::Username => LIKE_USERNAME,
    };
    let query = sqlx::query(query)
        .bind(user_type)
        .bind(&wanted.namespace)
        .bind(normalize::key(wanted.kind, &wanted.value))
        .bind(&wanted.value)
        .bind(typed);
    store.find_all(query).await
}

/// The rows of at most `limit` users after the one with this id. The plus keeps SQLite from an
/// index that begins with the user type: rows read by way of one would be sorted for every page.
pub(super) async fn list(
    store: &SqliteStore,
    user_type: &str,
    after: Option<i64>,
    limit: u32,
) -> Result<Vec<SqliteRow>, StoreError> {
    let query =
        format!("SELECT {COLUMNS}, namespace FROM gatekit_users WHERE +user_type = ? AND id > ? ORDER BY id LIMIT ?");
    let query = sqlx::query(AssertSqlSafe(query)).bind(user_type).bind(after.unwrap_or(i64::MIN)).bind(limit);
    store.find_all(query).await
}

/// Computes the keys that are missing. Returns how many it has written.
pub(super) async fn fill(connections: &Connections) -> Result<u64, StoreError> {
    let mut written = 0;
    for (kind, name) in [(IdentifierKind::Email, "email"), (IdentifierKind::Username, "username")] {
        loop {
            let count = fill_batch(connections, kind, name).await?;
            written += count;
            if count == 0 {
                break;
            }
        }
    }
    Ok(written)
}

async fn fill_batch(connections: &Connections, kind: IdentifierKind, name: &str) -> Result<u64, StoreError> {
    // As bytes: a text that is no UTF-8 cannot be read as one, and would stop the others.
    let query = format!(
        "SELECT id, CAST({name} AS BLOB) AS spelling FROM gatekit_users INDEXED BY gatekit_users_{name}_unkeyed \
         WHERE {name}_key IS NULL AND {name} IS NOT NULL LIMIT {BATCH}"
    );
    let rows = queries::find_all(connections, sqlx::query(AssertSqlSafe(query))).await?;
    if rows.is_empty() {
        return Ok(0);
    }
    let mut writer = connections.writer().await.map_err(store_error)?;
    let mut transaction = writer.begin_with("BEGIN IMMEDIATE").await.map_err(store_error)?;
    let mut written = 0;
    for row in &rows {
        let (id, spelling): (i64, &[u8]) = (TABLE.get(row, "id")?, TABLE.get(row, "spelling")?);
        let key = normalize::key(kind, &String::from_utf8_lossy(spelling));
        let update = format!("UPDATE gatekit_users SET {name}_key = ? WHERE id = ? AND CAST({name} AS BLOB) = ?");
        let update = sqlx::query(AssertSqlSafe(update)).bind(key).bind(id).bind(spelling);
        let done = update.execute(&mut *transaction).await.map_err(store_error)?;
        written += done.rows_affected();
    }
    transaction.commit().await.map_err(store_error)?;
    Ok(written)
}
