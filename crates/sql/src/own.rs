//! For apps with users in an own table: what an own `UserStore` needs to stay short.
//!
//! The table lives in the same database as Gatekit's, so one query finds a token together with its
//! user. The columns of `gatekit_access_tokens` are listed at [`token_from_row`], and how the query
//! brings the user's roles along is at [`roles_from_row`]; the app reaches the database with
//! [`SqliteStore::find`](crate::SqliteStore::find), [`find_all`](crate::SqliteStore::find_all) and
//! [`change`](crate::SqliteStore::change).
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use gatekit_core::{StoreError, TokenDigest, TokenRecord, TokenStore, UserId};
//! use gatekit_sql::{SqliteStore, own};
//! use sqlx::Row;
//!
//! async fn find_member_by_token(
//!     store: &SqliteStore,
//!     digest: &TokenDigest,
//! ) -> Result<Option<(TokenRecord, String)>, StoreError> {
//!     let query = sqlx::query(
//!         "SELECT token_digest, token_user_type, token_user_id, token_rev, token_ttl, token_created, \
//!          token_renewed, token_scopes, token_proofs, token_user_agent, token_network, token_last_used, name \
//!          FROM gatekit_access_tokens JOIN members ON members.id = token_user_id \
//!          WHERE token_digest = ? AND token_user_type = 'Member'",
//!     )
//!     .bind(digest.as_bytes().as_slice());
//!     let Some(row) = store.find(query).await? else { return Ok(None) };
//!     let name = row.try_get("name").map_err(own::store_error)?;
//!     Ok(Some((own::token_from_row(&row)?, name)))
//! }
//!
//! let store = SqliteStore::in_memory().await?;
//! sqlx::raw_sql("CREATE TABLE members (id TEXT PRIMARY KEY, name TEXT); INSERT INTO members VALUES ('m1', 'Ada')")
//!     .execute(&mut *store.writer().await?)
//!     .await?;
//! # let token = TokenRecord {
//! #     digest: TokenDigest::of("secret"), user_type: "Member".into(), user_id: UserId::from("m1"), rev: 0, ttl: 60,
//! #     created: gatekit_core::Timestamp(0), renewed: None, scopes: None, proofs: Default::default(), client: None,
//! #     last_used: None,
//! # };
//! store.insert_token(&token).await?;
//! let (found, name) = find_member_by_token(&store, &token.digest).await?.ok_or("not found")?;
//! assert_eq!((found, name.as_str()), (token, "Ada"));
//! # Ok(()) }
//! ```

use gatekit_core::{
    CreateUserError, IdentifierKind, Proofs, StoreError, Timestamp, TokenClient, TokenDigest, TokenRecord,
};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::sqlite::rows::{Table, id_from_row};

/// Reads a token from a row that has these columns of `gatekit_access_tokens`:
///
/// | column | | |
/// | --- | --- | --- |
/// | `token_digest` | BLOB | SHA-256 of the secret; primary key |
/// | `token_user_type` | TEXT | the name of the user's type, `Account::model_name` |
/// | `token_user_id` | INTEGER or TEXT | whichever the user's id is |
/// | `token_rev` | INTEGER | the user's `rev` when it was issued |
/// | `token_ttl` | INTEGER | lifetime in seconds; -1 for one that never ends |
/// | `token_created` | INTEGER | milliseconds since the epoch |
/// | `token_renewed` | INTEGER or NULL | when the lifetime began anew, milliseconds since the epoch; NULL if it never did |
/// | `token_scopes` | TEXT or NULL | JSON array of texts |
/// | `token_proofs` | TEXT or NULL | which factors were verified for it and when: `Proofs` as it prints, NULL for none |
/// | `token_user_agent` | TEXT or NULL | on what it was issued |
/// | `token_network` | TEXT or NULL | in which network it was issued |
/// | `token_last_used` | INTEGER or NULL | when it was last used, milliseconds since the epoch |
///
/// `token_renewed` may be left out, and so may the last four together, as in an app's query that
/// was written before they were there. Without the four no token counts as fresh. Where
/// `policy.tokens.renew_after` is set all five must be there: a token that is not read as it is
/// stored is not renewed, and ends when it would have.
///
/// There is also `token_expires`, INTEGER or NULL: milliseconds since the epoch, NULL for never.
///
/// The names stay in all coming versions and need no aliases in a join. Write them out: with `*`
/// the driver loses a connection if a later version of Gatekit adds a column while this one runs.
///
/// A query for the token of a user names `token_user_type` in its `WHERE`, since an id may occur in
/// several user types.
///
/// An id compares with `token_user_id` by the rules of SQLite: to a column declared INTEGER the
/// text `'7'` equals 7. For a table with integer ids add `AND typeof(token_user_id) = 'integer'`.
///
/// # Errors
///
/// [`StoreError::Corrupt`] names the column that cannot be read, [`StoreError::Failed`] one that is
/// missing.
pub fn token_from_row(row: &SqliteRow) -> Result<TokenRecord, StoreError> {
    let table = Table("gatekit_access_tokens");
    let digest: &[u8] = table.get(row, "token_digest")?;
    let digest = <[u8; 32]>::try_from(digest).map_err(|_| table.corrupt("token_digest"))?;
    let renewed: Option<i64> = if has(row, "token_renewed") { table.get(row, "token_renewed")? } else { None };
    let scopes: Option<&str> = table.get(row, "token_scopes")?;
    let scopes = scopes.map(serde_json::from_str).transpose().map_err(|_| table.corrupt("token_scopes"))?;
    let (mut proofs, mut client, mut last_used) = (Proofs::default(), TokenClient::default(), None);
    if has(row, "token_proofs") {
        if let Some(text) = table.get::<Option<&str>>(row, "token_proofs")? {
            proofs = text.parse().map_err(|_| table.corrupt("token_proofs"))?;
        }
        client.user_agent = table.get(row, "token_user_agent")?;
        client.network = table.get(row, "token_network")?;
        last_used = table.get::<Option<i64>>(row, "token_last_used")?;
    }
    Ok(TokenRecord {
        digest: TokenDigest::from_bytes(digest),
        user_type: table.get::<String>(row, "token_user_type")?.into(),
        user_id: id_from_row(row, table, "token_user_id")?.ok_or_else(|| table.corrupt("token_user_id"))?,
        rev: table.get(row, "token_rev")?,
        ttl: table.get(row, "token_ttl")?,
        created: Timestamp(table.get(row, "token_created")?),
        renewed: renewed.map(Timestamp),
        scopes,
        proofs,
        client: (client != TokenClient::default()).then_some(client),
        last_used: last_used.map(Timestamp),
    })
}

/// Reads the roles of a token's user from the column `token_roles`, which this subquery in the
/// `SELECT` gives:
///
/// ```sql
/// (SELECT json_group_array(role) FROM gatekit_roles
///  WHERE user_type = token_user_type AND user_id = token_user_id) AS token_roles
/// ```
///
/// | column of `gatekit_roles` | | |
/// | --- | --- | --- |
/// | `user_type` | TEXT | the name of the user's type, `Account::model_name` |
/// | `user_id` | INTEGER or TEXT | whichever the user's id is |
/// | `role` | TEXT | the name of the role |
///
/// It makes `TokenOwner::roles` of the query that finds the token's owner. If there is no such
/// column the answer is `None`, which is right as well: whoever asks for roles then pays for a
/// second query.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use gatekit_core::{RoleStore, TokenStore, UserId};
/// use gatekit_sql::{SqliteStore, own};
///
/// let store = SqliteStore::in_memory().await?;
/// store.assign_role("Member", &UserId::from("m1"), "editor").await?;
/// # let token = gatekit_core::TokenRecord {
/// #     digest: gatekit_core::TokenDigest::of("secret"), user_type: "Member".into(), user_id: UserId::from("m1"), rev: 0,
/// #     ttl: 60, created: gatekit_core::Timestamp(0), renewed: None, scopes: None, proofs: Default::default(), client: None,
/// #     last_used: None,
/// # };
/// # store.insert_token(&token).await?;
///
/// let query = sqlx::query(
///     "SELECT (SELECT json_group_array(role) FROM gatekit_roles \
///      WHERE user_type = token_user_type AND user_id = token_user_id) AS token_roles \
///      FROM gatekit_access_tokens WHERE token_digest = ?",
/// );
/// let row = store.find(query.bind(token.digest.as_bytes().as_slice())).await?.ok_or("not found")?;
/// assert_eq!(own::roles_from_row(&row)?, Some(vec!["editor".to_owned()]));
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// [`StoreError::Corrupt`] if the column holds something else.
pub fn roles_from_row(row: &SqliteRow) -> Result<Option<Vec<String>>, StoreError> {
    if !has(row, "token_roles") {
        return Ok(None);
    }
    let table = Table("gatekit_roles");
    let mut roles: Vec<String> = match table.get::<&str>(row, "token_roles")? {
        // Most users have none, and a protected request should not pay for reading that.
        "[]" => Vec::new(),
        roles => serde_json::from_str(roles).map_err(|_| table.corrupt("role"))?,
    };
    roles.sort_unstable();
    Ok(Some(roles))
}

fn has(row: &SqliteRow, column: &str) -> bool {
    row.try_column(column).is_ok()
}

/// A failure of the driver as one of the store. SQLite's messages name tables and columns, never
/// values.
#[must_use]
pub fn store_error(error: sqlx::Error) -> StoreError {
    let code = error.as_database_error().and_then(|error| error.code()).and_then(|code| code.parse::<i32>().ok());
    // SQLITE_BUSY and SQLITE_INTERRUPT, in the lowest byte of the extended codes: the time was over
    // before anything was changed.
    let is_late = code.is_some_and(|code| [5, 9].contains(&(code & 0xff)));
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
    // "UNIQUE constraint failed: gatekit_users.user_type, gatekit_users.namespace,
    // gatekit_users.email"
    let refused = error.as_database_error().filter(|e| e.is_unique_violation());
    let columns = refused.and_then(|e| e.message().rsplit_once("failed: ")).map_or("", |(_, columns)| columns);
    match unique.iter().find(|(column, _)| columns.split(", ").any(|c| c == *column)) {
        Some((_, kind)) => CreateUserError::Taken(*kind),
        None => CreateUserError::Store(store_error(error)),
    }
}
