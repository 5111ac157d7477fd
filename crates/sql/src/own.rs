//! For apps with users in an own table: what an own `UserStore` needs to stay short.
//!
//! The table lives in the same database as Gatekit's, so one query finds a token together with its
//! user. [`TOKEN_COLUMNS`] and [`TOKEN_ROLES`] are what such a query selects, and
//! [`token_from_row`] and [`roles_from_row`] read it. The app reaches the database with
//! [`SqlStore::find`](crate::SqlStore::find), [`find_all`](crate::SqlStore::find_all) and
//! [`change`](crate::SqlStore::change).
//!
//! The query joins the app's table by the column of `gatekit_access_tokens` that has the type of
//! the app's ids:
//!
//! | ids of the app's users | join by |
//! | --- | --- |
//! | numbers (`UserId::Int`) | `token_user_int`, INTEGER |
//! | strings (`UserId::Text`) | `token_user_text`, TEXT |
//!
//! The other one of the two is NULL, so that a number never meets a string.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::LazyLock;
//!
//! use gatekit_core::{StoreError, TokenDigest, TokenRecord, TokenStore, UserId};
//! use gatekit_sql::{SqliteStore, own};
//! use sqlx::Row;
//!
//! /// Made once: a request makes no text.
//! static FIND_MEMBER_BY_TOKEN: LazyLock<String> = LazyLock::new(|| {
//!     format!(
//!         "SELECT {}, name FROM gatekit_access_tokens JOIN members ON members.id = token_user_text \
//!          WHERE token_digest = ? AND token_user_type = 'Member'",
//!         own::TOKEN_COLUMNS
//!     )
//! });
//!
//! async fn find_member_by_token(
//!     store: &SqliteStore,
//!     digest: &TokenDigest,
//! ) -> Result<Option<(TokenRecord, String)>, StoreError> {
//!     // The text is ours: no input is part of it.
//!     let query = sqlx::query(sqlx::AssertSqlSafe(FIND_MEMBER_BY_TOKEN.as_str())).bind(digest.as_bytes().as_slice());
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

use gatekit_core::{Proofs, StoreError, Timestamp, TokenClient, TokenDigest, TokenRecord};

pub use crate::error::{create_user_error, store_error};
pub use crate::row::Row;
use crate::row::Table;

/// [`TOKEN_COLUMNS`] as a literal, for statements of the kit's own.
macro_rules! token_columns {
    () => {
        "token_digest, token_user_type, token_user_key, token_rev, token_ttl, token_created, token_renewed, \
         token_scopes, token_proofs, token_user_agent, token_network, token_last_used"
    };
}
pub(crate) use token_columns;

/// The columns of `gatekit_access_tokens` that make a token, for a `SELECT`; [`token_from_row`]
/// reads them. Their names need no aliases in a join. A later version of Gatekit may add some.
///
/// | column | type | |
/// | --- | --- | --- |
/// | `token_digest` | BLOB | SHA-256 of the secret; primary key |
/// | `token_user_type` | TEXT | the name of the user's type, `Account::model_name` |
/// | `token_user_key` | TEXT | the user's id with its kind: `7` is the number 7, and `:7` the string |
/// | `token_rev` | INTEGER | the user's `rev` when the token was issued |
/// | `token_ttl` | INTEGER | lifetime in seconds; -1 for a token that never ends |
/// | `token_created` | INTEGER | milliseconds since the epoch |
/// | `token_renewed` | INTEGER or NULL | when the lifetime began anew, milliseconds since the epoch; NULL if it never did |
/// | `token_scopes` | TEXT or NULL | JSON array of strings |
/// | `token_proofs` | TEXT or NULL | which factors were verified for the token and when: `Proofs` as it prints, NULL for none |
/// | `token_user_agent` | TEXT or NULL | the client that the token was issued to |
/// | `token_network` | TEXT or NULL | the network that the token was issued in |
/// | `token_last_used` | INTEGER or NULL | when the token was last used, milliseconds since the epoch |
///
/// The table has three more columns, which no `TokenRecord` needs. A `WHERE` or a join may name
/// them:
///
/// | column | type | |
/// | --- | --- | --- |
/// | `token_expires` | INTEGER or NULL | milliseconds since the epoch; NULL for never |
/// | `token_user_int` | INTEGER or NULL | the user's id, if it is a number |
/// | `token_user_text` | TEXT or NULL | the user's id, if it is a string |
///
/// Do not select `*`: the driver loses a connection if a later version of Gatekit adds a column
/// while this one runs.
pub const TOKEN_COLUMNS: &str = token_columns!();

/// The roles of a token's user, for the `SELECT` of a query that finds tokens in SQLite:
/// [`roles_from_row`] reads them. A query with it costs no second one where roles are asked for.
///
/// It is this, where `user_type` and `user_key` are columns of `gatekit_roles`:
///
/// ```sql
/// (SELECT json_group_array(role) FROM gatekit_roles
///  WHERE user_type = token_user_type AND user_key = token_user_key) AS token_roles
/// ```
pub const TOKEN_ROLES: &str = "(SELECT json_group_array(role) FROM gatekit_roles \
                               WHERE user_type = token_user_type AND user_key = token_user_key) AS token_roles";

/// Reads a token from a row that has the [`TOKEN_COLUMNS`].
///
/// A query for the token of a user names `token_user_type` in its `WHERE`, since an id may occur in
/// several user types.
///
/// # Errors
///
/// [`StoreError::Corrupt`] names the column that cannot be read, [`StoreError::Failed`] one that is
/// missing.
pub fn token_from_row(row: &impl Row) -> Result<TokenRecord, StoreError> {
    let table = Table("gatekit_access_tokens");
    let digest: &[u8] = table.get(row, "token_digest")?;
    let digest = <[u8; 32]>::try_from(digest).map_err(|_| table.corrupt("token_digest"))?;
    let scopes: Option<&str> = table.get_nullable(row, "token_scopes")?;
    let scopes = scopes.map(serde_json::from_str).transpose().map_err(|_| table.corrupt("token_scopes"))?;
    let proofs = match table.get_nullable::<&str>(row, "token_proofs")? {
        Some(proofs) => proofs.parse().map_err(|_| table.corrupt("token_proofs"))?,
        None => Proofs::default(),
    };
    let client = TokenClient {
        user_agent: table.get_nullable(row, "token_user_agent")?,
        network: table.get_nullable(row, "token_network")?,
    };
    Ok(TokenRecord {
        digest: TokenDigest::from_bytes(digest),
        user_type: table.get::<String>(row, "token_user_type")?.into(),
        user_id: table.get_user_id(row, "token_user_key")?.ok_or_else(|| table.corrupt("token_user_key"))?,
        rev: table.get(row, "token_rev")?,
        ttl: table.get(row, "token_ttl")?,
        created: Timestamp(table.get(row, "token_created")?),
        renewed: table.get_nullable(row, "token_renewed")?.map(Timestamp),
        scopes,
        proofs,
        client: (client != TokenClient::default()).then_some(client),
        last_used: table.get_nullable(row, "token_last_used")?.map(Timestamp),
    })
}

/// Reads the roles of a token's user from the column `token_roles`, which [`TOKEN_ROLES`] gives.
///
/// They are `TokenOwner::roles` of the query that finds the token's owner. If the row has no such
/// column the result is `None`, which is right as well: a caller that asks for roles then pays for
/// a second query.
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
/// #     ttl: 60, created: gatekit_core::Timestamp(0), renewed: None, scopes: None, proofs: Default::default(),
/// #     client: None, last_used: None,
/// # };
/// # store.insert_token(&token).await?;
///
/// let query = format!("SELECT {} FROM gatekit_access_tokens WHERE token_digest = ?", own::TOKEN_ROLES);
/// let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(token.digest.as_bytes().as_slice());
/// let row = store.find(query).await?.ok_or("not found")?;
/// assert_eq!(own::roles_from_row(&row)?, Some(vec!["editor".to_owned()]));
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// [`StoreError::Corrupt`] if the column holds something else.
pub fn roles_from_row(row: &impl Row) -> Result<Option<Vec<String>>, StoreError> {
    if !row.has("token_roles") {
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
