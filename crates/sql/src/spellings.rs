//! Users by address or name, whatever the spelling that is stored.
//!
//! Beside each address and name stands its key, `normalize::key`, with an index. A row that another
//! program has written has none, until [`fill`] computes it: when the database is opened and every
//! ten minutes. In the meantime the row is found by its exact spelling, and by one that differs in
//! ASCII capitals or outer spaces.

use gatekit_core::{Identifier, IdentifierKind, StoreError, normalize};

use crate::database::Database;
use crate::error::store_error;
use crate::row::Table;
use crate::statement::Statement;

const TABLE: Table = Table("gatekit_users");

/// How many keys are written in one transaction, between which every other write gets its turn.
const BATCH: i64 = 2000;

/// The statements about one kind of identifier.
struct OfKind {
    /// The users that may have an identifier. Each part has an index: the key, what the database
    /// can compute of a row without one, and the exact spellings.
    like: Statement,
    /// Rows without a key. As bytes: text that is no UTF-8 cannot be read as text, and would stop
    /// the others.
    unkeyed: Statement,
    /// Writes a key, unless the identifier has changed.
    write: Statement,
}

macro_rules! of_kind {
    ($name:literal, $computed:literal) => {
        OfKind {
            like: Statement::new(concat!(
                "SELECT id, realm, username, email, email_verified, password, rev, profile, status \
                 FROM gatekit_users WHERE id IN (\
                 SELECT id FROM gatekit_users WHERE user_type = ? AND namespace = ? AND ",
                $name,
                "_key = ? UNION ALL SELECT id FROM gatekit_users WHERE user_type = ? AND namespace = ? AND ",
                $name,
                "_key IS NULL AND ",
                $name,
                " IS NOT NULL AND ",
                $computed,
                " = ? UNION ALL SELECT id FROM gatekit_users WHERE user_type = ? AND namespace = ? AND ",
                $name,
                " IN (?, ?)) ORDER BY CASE ",
                $name,
                " WHEN ? THEN 0 WHEN ? THEN 1 ELSE 2 END, id LIMIT 16"
            )),
            unkeyed: Statement::new(concat!(
                "SELECT id, {bytes(",
                $name,
                ")} AS spelling FROM gatekit_users {by_index(gatekit_users_",
                $name,
                "_unkeyed)} WHERE ",
                $name,
                "_key IS NULL AND ",
                $name,
                " IS NOT NULL LIMIT ?"
            )),
            write: Statement::new(concat!(
                "UPDATE gatekit_users SET ",
                $name,
                "_key = ? WHERE id = ? AND {bytes(",
                $name,
                ")} = ?"
            )),
        }
    };
}

static EMAIL: OfKind = of_kind!("email", "lower(trim(email))");
static USERNAME: OfKind = of_kind!("username", "trim(username)");

fn of_kind(kind: IdentifierKind) -> &'static OfKind {
    match kind {
        IdentifierKind::Email => &EMAIL,
        IdentifierKind::Username => &USERNAME,
    }
}

/// The rows of the users that may have this address or name.
pub(crate) async fn find_like<D: Database>(
    database: &D,
    user_type: &str,
    wanted: &Identifier,
    typed: &str,
) -> Result<Vec<D::Row>, StoreError> {
    let key = normalize::key(wanted.kind, &wanted.value);
    let mut find = of_kind(wanted.kind).like.on(database);
    for wanted_key in [&key, &key] {
        find = find.bind(user_type).bind(&wanted.namespace).bind(wanted_key);
    }
    find = find.bind(user_type).bind(&wanted.namespace).bind(&wanted.value).bind(typed);
    find.bind(&wanted.value).bind(typed).find_all().await
}

/// Computes the keys that are missing. Returns how many it has written.
pub(crate) async fn fill(database: &impl Database) -> Result<u64, StoreError> {
    let mut written = 0;
    for kind in [IdentifierKind::Email, IdentifierKind::Username] {
        loop {
            let count = fill_batch(database, kind).await?;
            written += count;
            if count == 0 {
                break;
            }
        }
    }
    Ok(written)
}

async fn fill_batch(database: &impl Database, kind: IdentifierKind) -> Result<u64, StoreError> {
    let statements = of_kind(kind);
    let rows = statements.unkeyed.on(database).bind(BATCH).find_all().await?;
    let mut writes = Vec::with_capacity(rows.len());
    for row in &rows {
        let (id, spelling): (i64, &[u8]) = (TABLE.get(row, "id")?, TABLE.get(row, "spelling")?);
        let key = normalize::key(kind, &String::from_utf8_lossy(spelling));
        let write = statements.write.on(database).bind(key).bind(id).bind(spelling);
        writes.push(write.into_query().map_err(store_error)?);
    }
    if writes.is_empty() {
        return Ok(0);
    }
    Ok(database.change_all(writes).await.map_err(store_error)?.into_iter().sum())
}
