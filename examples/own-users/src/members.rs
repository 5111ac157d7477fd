//! The members of our club: their type, and where they are kept.

use gatekit::core::{
    CreateUserError, Identifier, IdentifierKind, NewUser, PasswordHash, StoreError, StoredUser, TokenDigest,
    TokenOwner, TokenStore, UserId, UserStore, async_trait, find_token_owner_separately,
};
use gatekit::sql::sqlx::sqlite::SqliteRow;
use gatekit::sql::sqlx::{self, Row};
use gatekit::{Account, SqliteStore, sql};
use serde::{Deserialize, Serialize};

/// A member. What is in here may be shown to the member; the password's hash is kept beside it, never in it.
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

/// Our table, which we could have had long before Gatekit. `rev` is the one column Gatekit asks for: an integer that only grows,
/// and with it all tokens of the member end.
const TABLE: &str = "
    CREATE TABLE IF NOT EXISTS members (
        id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(12)))),
        email TEXT NOT NULL UNIQUE,
        name TEXT NOT NULL,
        newsletter INTEGER NOT NULL,
        password TEXT,
        rev INTEGER NOT NULL DEFAULT 0
    )";

#[derive(Clone, Debug)]
pub(crate) struct Members {
    db: SqliteStore,
}

impl Members {
    pub(crate) async fn open(db: SqliteStore) -> Result<Self, StoreError> {
        sqlx::query(TABLE).execute(&mut *db.writer().await?).await.map_err(sql::own::store_error)?;
        Ok(Self { db })
    }

    async fn find(&self, query: &'static str, value: &str) -> Result<Option<StoredUser<Member>>, StoreError> {
        let mut reader = self.db.reader().await?;
        let row = sqlx::query(query).bind(value).fetch_optional(&mut *reader).await.map_err(sql::own::store_error)?;
        row.map(|row| stored(&row).map_err(sql::own::store_error)).transpose()
    }

    /// Runs an UPDATE that returns the new `rev`, if it finds its row.
    async fn update<'q>(&self, update: SqliteQuery<'q>) -> Result<Option<i64>, StoreError> {
        let mut writer = self.db.writer().await?;
        let rows = update.fetch_all(&mut *writer).await.map_err(sql::own::store_error)?;
        rows.first().map(|row| row.try_get("rev")).transpose().map_err(sql::own::store_error)
    }
}

type SqliteQuery<'q> = sqlx::query::Query<'q, sqlx::Sqlite, sqlx::sqlite::SqliteArguments>;

fn member(row: &SqliteRow) -> Result<Member, sqlx::Error> {
    Ok(Member {
        id: row.try_get("id")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        newsletter: row.try_get("newsletter")?,
    })
}

fn stored(row: &SqliteRow) -> Result<StoredUser<Member>, sqlx::Error> {
    let password: Option<String> = row.try_get("password")?;
    Ok(StoredUser { user: member(row)?, rev: row.try_get("rev")?, password: password.map(PasswordHash::from_stored) })
}

/// Six methods, each one statement. The last is there to save a query: the token and its member at once.
#[async_trait]
impl UserStore<Member> for Members {
    async fn create_user(&self, new: NewUser<Profile>) -> Result<StoredUser<Member>, CreateUserError> {
        let mut writer = self.db.writer().await?;
        let insert =
            sqlx::query("INSERT INTO members (email, name, newsletter, password) VALUES (?, ?, ?, ?) RETURNING *")
                .bind(new.email)
                .bind(new.profile.name)
                .bind(new.profile.newsletter)
                .bind(new.password.as_ref().map(PasswordHash::expose));
        let rows = insert
            .fetch_all(&mut *writer)
            .await
            .map_err(|error| sql::own::create_user_error(error, &[("members.email", IdentifierKind::Email)]))?;
        let row = rows.first().ok_or_else(|| StoreError::corrupt("members: the insert returned no row"))?;
        Ok(stored(row).map_err(sql::own::store_error)?)
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<Member>>, StoreError> {
        let UserId::Text(id) = id else { return Ok(None) };
        self.find("SELECT * FROM members WHERE id = ?", id).await
    }

    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<Member>>, StoreError> {
        match identifier.kind {
            IdentifierKind::Email => self.find("SELECT * FROM members WHERE email = ?", &identifier.value).await,
            IdentifierKind::Username => Ok(None),
        }
    }

    async fn set_password(&self, id: &UserId, rev: i64, hash: &PasswordHash) -> Result<Option<i64>, StoreError> {
        let UserId::Text(id) = id else { return Ok(None) };
        let update = "UPDATE members SET password = ?, rev = rev + 1 WHERE id = ? AND rev = ? RETURNING rev";
        self.update(sqlx::query(update).bind(hash.expose()).bind(id).bind(rev)).await
    }

    async fn rehash_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, StoreError> {
        let UserId::Text(id) = id else { return Ok(false) };
        let update = "UPDATE members SET password = ? WHERE id = ? AND password = ? RETURNING rev";
        Ok(self.update(sqlx::query(update).bind(new.expose()).bind(id).bind(old.expose())).await?.is_some())
    }

    async fn bump_rev(&self, id: &UserId) -> Result<Option<i64>, StoreError> {
        let UserId::Text(id) = id else { return Ok(None) };
        self.update(sqlx::query("UPDATE members SET rev = rev + 1 WHERE id = ? RETURNING rev").bind(id)).await
    }

    async fn find_token_owner(
        &self,
        tokens: &dyn TokenStore,
        digest: &TokenDigest,
    ) -> Result<Option<TokenOwner<Member>>, StoreError> {
        if tokens.identity() != self.db.identity() {
            return find_token_owner_separately(self, tokens, digest).await;
        }
        let mut reader = self.db.reader().await?;
        let row = sqlx::query(
            "SELECT t.*, m.* FROM gatekit_access_tokens t JOIN members m ON m.id = t.token_user_id \
             WHERE t.token_digest = ? AND typeof(t.token_user_id) = 'text'",
        )
        .bind(digest.as_bytes().as_slice())
        .fetch_optional(&mut *reader)
        .await
        .map_err(sql::own::store_error)?;
        let Some(row) = row else { return Ok(None) };
        let token = sql::own::token_from_row(&row)?;
        let StoredUser { user, rev, .. } = stored(&row).map_err(sql::own::store_error)?;
        Ok(Some(TokenOwner { token, user, rev }))
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
        NewUser::new(email, Profile { name: "Ada".into(), newsletter: true })
    }

    /// Whoever writes a `UserStore` runs this: it holds every promise Gatekit relies on.
    #[tokio::test(flavor = "multi_thread")]
    async fn our_table_keeps_every_promise_of_a_user_store() {
        conformance::user_store::<Member, _, _>(Identifiers::EMAIL_ONLY, async || empty().await.0, ada).await;
        conformance::token_owner::<Member, _, _, _>(empty, ada).await;
    }
}
