//! The members of our club: their type, and where they are kept.

use std::sync::LazyLock;

use gatekit::core::{
    AccountStatus, CreateUserError, Identifier, IdentifierKind, ListedUser, NewUser, PasswordHash, StoreError,
    StoredUser, TokenDigest, TokenOwner, TokenStore, UserId, UserOperation, UserStore, async_trait,
    find_token_owner_separately,
};
use gatekit::sql::own;
use gatekit::sql::sqlx::sqlite::SqliteRow;
use gatekit::sql::sqlx::{self, AssertSqlSafe, Row};
use gatekit::{Account, SqliteStore};
use serde::{Deserialize, Serialize};

/// A member. What is in here may be shown to the member; the password's hash is kept beside it,
/// never in it.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Member {
    pub(crate) id: String,
    pub(crate) email: String,
    pub(crate) name: String,
    pub(crate) newsletter: bool,
}

/// What a sign-up may set, beyond address and password.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Profile {
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) newsletter: bool,
}

impl Account for Member {
    type Profile = Profile;

    fn model_name() -> &'static str {
        "Member"
    }

    fn id(&self) -> UserId {
        self.id.as_str().into()
    }

    fn email(&self) -> Option<&str> {
        Some(&self.email)
    }
}

/// Our table, which we could have had long before Gatekit. `rev` is the one column Gatekit asks
/// for: an integer that only grows, and with it all tokens of the member end.
const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS members (
        id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(12)))),
        email TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        newsletter INTEGER NOT NULL,
        password TEXT,
        rev INTEGER NOT NULL DEFAULT 0
    )";

/// Members from before Gatekit may be stored with capitals. They are found by this index.
const INDEX: &str = "CREATE INDEX IF NOT EXISTS members_by_any_case ON members (lower(trim(email)))";

#[derive(Clone, Debug)]
pub(crate) struct Members {
    db: SqliteStore,
}

impl Members {
    pub(crate) async fn open(db: SqliteStore) -> Result<Self, StoreError> {
        db.change(sqlx::query(TABLE)).await.map_err(own::store_error)?;
        db.change(sqlx::query(INDEX)).await.map_err(own::store_error)?;
        Ok(Self { db })
    }
}

fn member(row: &SqliteRow) -> Result<Member, sqlx::Error> {
    Ok(Member {
        id: row.try_get("id")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        newsletter: row.try_get("newsletter")?,
    })
}

fn stored(row: &SqliteRow) -> Result<StoredUser<Member>, StoreError> {
    let read = || {
        let password: Option<String> = row.try_get("password")?;
        let password = password.map(PasswordHash::from_stored);
        Ok(StoredUser { user: member(row)?, rev: row.try_get("rev")?, password, status: AccountStatus::Active })
    };
    read().map_err(own::store_error)
}

/// Our ids are texts; a number is nobody's.
fn text(id: &UserId) -> Option<&str> {
    match id {
        UserId::Text(id) => Some(id),
        UserId::Int(_) => None,
    }
}

/// A token, its member and the member's roles. Our ids are strings, so we join by
/// `token_user_text`. Made once, of nothing but our own words.
static FIND_TOKEN_OWNER: LazyLock<String> = LazyLock::new(|| {
    let (token, roles) = (own::TOKEN_COLUMNS, own::TOKEN_ROLES);
    format!(
        "SELECT {token}, {roles}, id, email, name, newsletter, rev \
         FROM gatekit_access_tokens JOIN members ON id = token_user_text \
         WHERE token_digest = ? AND token_user_type = ?"
    )
});

/// Six methods, each one statement. `find_token_owner` is there to save a query: the token and its
/// member at once. `find_users_like` and `list_users` are for members from before Gatekit.
#[async_trait]
impl UserStore<Member> for Members {
    async fn create_user(&self, new: NewUser<Profile>) -> Result<StoredUser<Member>, CreateUserError> {
        let insert = sqlx::query(
            "INSERT INTO members (email, name, newsletter, password) VALUES (?, ?, ?, ?) \
             RETURNING id, email, name, newsletter, password, rev",
        )
        .bind(new.email)
        .bind(new.profile.name)
        .bind(new.profile.newsletter)
        .bind(new.password.as_ref().map(PasswordHash::expose));
        let done = self.db.change(insert).await;
        let done = done.map_err(|e| own::create_user_error(e, &[("members.email", IdentifierKind::Email)]))?;
        let row = done.rows.first().ok_or_else(|| StoreError::corrupt("members: the insert returned no row"))?;
        Ok(stored(row)?)
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<Member>>, StoreError> {
        let select = "SELECT id, email, name, newsletter, password, rev FROM members WHERE id = ?";
        let row = self.db.find(sqlx::query(select).bind(text(id))).await?;
        row.as_ref().map(stored).transpose()
    }

    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<Member>>, StoreError> {
        if identifier.kind == IdentifierKind::Username {
            return Ok(None);
        }
        let select = "SELECT id, email, name, newsletter, password, rev FROM members WHERE email = ?";
        let row = self.db.find(sqlx::query(select).bind(&identifier.value)).await?;
        row.as_ref().map(stored).transpose()
    }

    /// Finds members who were stored with capitals, before Gatekit, in whatever case they are
    /// typed. Letters beyond ASCII are found as they are stored. A column with `normalize::key` and
    /// an index on it would find all spellings.
    async fn find_users_like(&self, wanted: &Identifier, typed: &str) -> Result<Vec<StoredUser<Member>>, StoreError> {
        if wanted.kind == IdentifierKind::Username {
            return Ok(Vec::new());
        }
        let select = "SELECT id, email, name, newsletter, password, rev FROM members \
                      WHERE lower(trim(email)) IN (?1, lower(trim(?2))) ORDER BY email = ?1 DESC, email = ?2 DESC LIMIT 16";
        let rows = self.db.find_all(sqlx::query(select).bind(&wanted.value).bind(typed)).await?;
        rows.iter().map(stored).collect()
    }

    fn supports(&self, operation: UserOperation) -> bool {
        operation == UserOperation::List
    }

    /// For `cargo run -p own-users -- doctor`.
    async fn list_users(&self, after: Option<&UserId>, limit: u32) -> Result<Vec<ListedUser<Member>>, StoreError> {
        let select = "SELECT id, email, name, newsletter, password, rev FROM members WHERE id > ? ORDER BY id LIMIT ?";
        let rows =
            self.db.find_all(sqlx::query(select).bind(after.and_then(text).unwrap_or_default()).bind(limit)).await?;
        let listed = |row: &SqliteRow| match stored(row) {
            Ok(user) => Ok(ListedUser::readable("", user)),
            Err(reason) => {
                let id: String = row.try_get("id").map_err(own::store_error)?;
                Ok(ListedUser::unreadable(UserId::Text(id), reason))
            }
        };
        rows.iter().map(listed).collect()
    }

    async fn set_password(&self, id: &UserId, rev: i64, hash: &PasswordHash) -> Result<Option<i64>, StoreError> {
        let update = sqlx::query("UPDATE members SET password = ?, rev = rev + 1 WHERE id = ? AND rev = ?")
            .bind(hash.expose())
            .bind(text(id))
            .bind(rev);
        let done = self.db.change(update).await.map_err(own::store_error)?;
        Ok((done.count > 0).then(|| rev + 1))
    }

    async fn rehash_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, StoreError> {
        let update = sqlx::query("UPDATE members SET password = ? WHERE id = ? AND password = ?")
            .bind(new.expose())
            .bind(text(id))
            .bind(old.expose());
        let done = self.db.change(update).await.map_err(own::store_error)?;
        Ok(done.count > 0)
    }

    async fn bump_rev(&self, id: &UserId) -> Result<Option<i64>, StoreError> {
        let update = sqlx::query("UPDATE members SET rev = rev + 1 WHERE id = ? RETURNING rev").bind(text(id));
        let done = self.db.change(update).await.map_err(own::store_error)?;
        done.rows.first().map(|row| row.try_get("rev")).transpose().map_err(own::store_error)
    }

    async fn find_token_owner(
        &self,
        tokens: &dyn TokenStore,
        digest: &TokenDigest,
    ) -> Result<Option<TokenOwner<Member>>, StoreError> {
        if tokens.identity() != self.db.identity() {
            return find_token_owner_separately(self, tokens, digest).await;
        }
        let select = sqlx::query(AssertSqlSafe(FIND_TOKEN_OWNER.as_str()));
        let select = select.bind(digest.as_bytes().as_slice()).bind(Member::model_name());
        let Some(row) = self.db.find(select).await? else { return Ok(None) };
        let user = member(&row).map_err(own::store_error)?;
        let rev = row.try_get("rev").map_err(own::store_error)?;
        Ok(Some(TokenOwner { token: own::token_from_row(&row)?, user, rev, roles: own::roles_from_row(&row)? }))
    }
}

#[cfg(test)]
mod tests {
    use gatekit_testkit::conformance::{self, Identifiers};

    use super::*;

    async fn empty() -> (Members, SqliteStore) {
        let db = SqliteStore::in_memory().await.unwrap();
        (Members::open(db.clone()).await.unwrap(), db)
    }

    fn ada(email: &str) -> NewUser<Profile> {
        NewUser::new(email, Profile { name: format!("who has {email}"), newsletter: true })
    }

    /// Whoever writes a `UserStore` runs this: it holds every promise Gatekit relies on.
    #[tokio::test(flavor = "multi_thread")]
    async fn our_table_keeps_every_promise_of_a_user_store() {
        conformance::user_store::<Member, _, _>(Identifiers::EMAIL_ONLY, async || empty().await.0, ada).await;
        conformance::device_store(async || empty().await.1).await;
        conformance::token_owner::<Member, _, _, _>(empty, ada).await;
        conformance::token_owner_roles::<Member, _, _, _>(empty, ada).await;
    }
}
