//! Users of the built-in type. Each statement names the user type (`Model::NAME`), so that several
//! share the table and are apart.

use async_trait::async_trait;
use gatekit_core::{
    AccountStatus, Clock, CreateUserError, Identifier, IdentifierKind, ListedUser, Model, NewUser, PasswordHash,
    StoreError, StoreIdentity, StoredUser, SystemClock, TokenDigest, TokenOwner, TokenStore, User, UserChange,
    UserCursor, UserId, UserOperation, UserPage, UserQuery, UserStore, Where, find_token_owner_separately, normalize,
};

use crate::database::{Changed, Database};
use crate::error::{create_user_error, is_in_use, store_error};
use crate::own::{roles_from_row, token_columns, token_from_row};
use crate::row::Row;
use crate::statement::Statement;
use crate::store::SqlStore;
use crate::user_row::{TABLE, is_written_as, profile_to_text, stored_from_row, user_from_row};
use crate::{find, spellings};

const UNIQUE: [(&str, IdentifierKind); 2] =
    [("gatekit_users.email", IdentifierKind::Email), ("gatekit_users.username", IdentifierKind::Username)];

/// The columns that make a stored user.
macro_rules! user_columns {
    () => {
        "id, realm, username, email, email_verified, password, rev, profile, status"
    };
}

/// The columns of a new user but for its id, and their values.
macro_rules! new_user {
    ($id:literal, $value:literal) => {
        concat!(
            "INSERT INTO gatekit_users (",
            $id,
            "user_type, namespace, realm, username, email, username_key, email_key, email_verified, password, rev, \
             profile, status, created) VALUES (",
            $value,
            "?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?) RETURNING id"
        )
    };
}

/// The database gives out an id above all that ever were.
static CREATE: Statement = Statement::new(new_user!("", ""));

static CREATE_WITH_ID: Statement = Statement::new(new_user!("id, ", "?, "));

/// The greatest id that an importer may give: the greatest whole number that every reader of JSON
/// keeps exactly (RFC 8259 §6). Ids above it stay free for new users.
const MAX_GIVEN_ID: i64 = (1 << 53) - 1;

static FIND: Statement =
    Statement::new(concat!("SELECT ", user_columns!(), " FROM gatekit_users WHERE id = ? AND user_type = ?"));

static FIND_BY_EMAIL: Statement = Statement::new(concat!(
    "SELECT ",
    user_columns!(),
    " FROM gatekit_users WHERE user_type = ? AND namespace = ? AND email = ?"
));

static FIND_BY_USERNAME: Statement = Statement::new(concat!(
    "SELECT ",
    user_columns!(),
    " FROM gatekit_users WHERE user_type = ? AND namespace = ? AND username = ?"
));

static FIND_TOKEN_OWNER: Statement = Statement::new(concat!(
    "SELECT ",
    token_columns!(),
    ", id, realm, username, email, email_verified, rev, profile, \
     (SELECT {json_array(role)} FROM gatekit_roles \
     WHERE user_type = token_user_type AND user_key = token_user_key) AS token_roles \
     FROM gatekit_access_tokens JOIN gatekit_users u ON id = token_user_int \
     WHERE token_digest = ? AND token_user_type = ? AND u.user_type = token_user_type"
));

/// In the order of their ids, without sorting all users of the type for each page.
static LIST: Statement = Statement::new(concat!(
    "SELECT ",
    user_columns!(),
    ", namespace FROM gatekit_users WHERE {unindexed(user_type)} = ? AND id > ? ORDER BY id LIMIT ?"
));

static LIST_ACTIVE: Statement = Statement::new(concat!(
    "SELECT ",
    user_columns!(),
    " FROM gatekit_users WHERE user_type = ? AND status = ? AND id > ? ORDER BY id LIMIT ?"
));

/// The index of those that are not active is used only where the statement says that they are not.
static LIST_WITH_STATUS: Statement = Statement::new(concat!(
    "SELECT ",
    user_columns!(),
    " FROM gatekit_users WHERE user_type = ? AND status = ? AND status <> 'active' AND id > ? ORDER BY id LIMIT ?"
));

static SET_PASSWORD: Statement = Statement::new(
    "UPDATE gatekit_users SET password = ?, rev = rev + 1, \
     status = CASE status WHEN 'password_reset' THEN 'active' ELSE status END \
     WHERE id = ? AND user_type = ? AND rev = ? RETURNING rev",
);

static REHASH_PASSWORD: Statement =
    Statement::new("UPDATE gatekit_users SET password = ? WHERE id = ? AND user_type = ? AND password = ?");

static BUMP_REV: Statement =
    Statement::new("UPDATE gatekit_users SET rev = rev + 1 WHERE id = ? AND user_type = ? RETURNING rev");

static SET_STATUS: Statement =
    Statement::new("UPDATE gatekit_users SET status = ?, rev = rev + 1 WHERE id = ? AND user_type = ? RETURNING rev");

static FIND_PROFILE: Statement = Statement::new("SELECT profile FROM gatekit_users WHERE id = ? AND user_type = ?");

static UPDATE: Statement = Statement::new(concat!(
    "UPDATE gatekit_users SET namespace = coalesce(?, namespace), realm = ?, username = ?, email = ?, \
     username_key = ?, email_key = ?, email_verified = ?, password = coalesce(?, password), \
     status = CASE WHEN ? AND status = 'password_reset' THEN 'active' ELSE status END, \
     profile = ?, rev = rev + ? \
     WHERE id = ? AND user_type = ? AND rev = ? AND realm {same} ? AND username {same} ? AND email {same} ? \
     AND email_verified {same} ? AND profile {same} ? \
     RETURNING ",
    user_columns!()
));

static DELETE: Statement = Statement::new("DELETE FROM gatekit_users WHERE id = ? AND user_type = ?");

#[async_trait]
impl<P: Model, D: Database> UserStore<User<P>> for SqlStore<D> {
    async fn create_user(&self, new: NewUser<P>) -> Result<StoredUser<User<P>>, CreateUserError> {
        let create = match &new.id {
            None => CREATE.on(self.database()),
            Some(UserId::Int(id @ 1..=MAX_GIVEN_ID)) => CREATE_WITH_ID.on(self.database()).bind(*id),
            Some(id) => return Err(CreateUserError::InvalidId(id.clone())),
        };
        let create = create
            .bind(P::NAME)
            .bind(&new.namespace)
            .bind(&new.realm)
            .bind(&new.username)
            .bind(&new.email)
            .bind(key(IdentifierKind::Username, new.username.as_deref()))
            .bind(key(IdentifierKind::Email, new.email.as_deref()))
            .bind(new.email_verified)
            .bind(new.password.as_ref().map(PasswordHash::expose))
            .bind(profile_to_text(&new.profile)?)
            .bind(new.status.as_str())
            .bind(SystemClock.now());
        let created = create.change().await.map_err(|error| match &new.id {
            Some(id) if is_in_use(&error, "gatekit_users.id") => CreateUserError::IdTaken(id.clone()),
            _ => create_user_error(error, &UNIQUE),
        })?;
        let row = created.rows.first().ok_or_else(|| StoreError::failed("no id was returned"))?;
        let mut user = User::new(UserId::Int(TABLE.get(row, "id")?), new.profile);
        user.realm = new.realm;
        user.username = new.username;
        user.email = new.email;
        user.email_verified = new.email_verified;
        Ok(StoredUser { user, rev: 0, password: new.password, status: new.status })
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<User<P>>>, StoreError> {
        let UserId::Int(id) = id else { return Ok(None) };
        let row = FIND.on(self.database()).bind(*id).bind(P::NAME).find().await?;
        row.as_ref().map(stored_from_row).transpose()
    }

    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<User<P>>>, StoreError> {
        let find = match identifier.kind {
            IdentifierKind::Email => &FIND_BY_EMAIL,
            IdentifierKind::Username => &FIND_BY_USERNAME,
        };
        let find = find.on(self.database()).bind(P::NAME).bind(&identifier.namespace).bind(&identifier.value);
        find.find().await?.as_ref().map(stored_from_row).transpose()
    }

    async fn find_users_like(&self, wanted: &Identifier, typed: &str) -> Result<Vec<StoredUser<User<P>>>, StoreError> {
        let rows = spellings::find_like(self.database(), P::NAME, wanted, typed).await?;
        rows.iter().map(stored_from_row).collect()
    }

    async fn list_users(&self, after: Option<&UserId>, limit: u32) -> Result<Vec<ListedUser<User<P>>>, StoreError> {
        let Some(after) = behind(after) else { return Ok(Vec::new()) };
        let rows = LIST.on(self.database()).bind(P::NAME).bind(after).bind(limit).find_all().await?;
        rows.iter().map(listed_from_row).collect()
    }

    async fn set_password(&self, id: &UserId, rev: i64, hash: &PasswordHash) -> Result<Option<i64>, StoreError> {
        let UserId::Int(id) = id else { return Ok(None) };
        let set = SET_PASSWORD.on(self.database()).bind(hash.expose()).bind(*id).bind(P::NAME).bind(rev);
        new_rev(set.change().await)
    }

    async fn rehash_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, StoreError> {
        let UserId::Int(id) = id else { return Ok(false) };
        let set = REHASH_PASSWORD.on(self.database()).bind(new.expose()).bind(*id).bind(P::NAME).bind(old.expose());
        Ok(set.change().await.map_err(store_error)?.count > 0)
    }

    async fn bump_rev(&self, id: &UserId) -> Result<Option<i64>, StoreError> {
        let UserId::Int(id) = id else { return Ok(None) };
        new_rev(BUMP_REV.on(self.database()).bind(*id).bind(P::NAME).change().await)
    }

    async fn find_token_owner(
        &self,
        tokens: &dyn TokenStore,
        digest: &TokenDigest,
    ) -> Result<Option<TokenOwner<User<P>>>, StoreError> {
        if tokens.identity() != Some(self.store_identity()) {
            return find_token_owner_separately(self, tokens, digest).await;
        }
        let row = FIND_TOKEN_OWNER.on(self.database()).bind(digest).bind(P::NAME).find().await?;
        let Some(row) = row else { return Ok(None) };
        Ok(Some(TokenOwner {
            token: token_from_row(&row)?,
            user: user_from_row(&row)?,
            rev: TABLE.get(&row, "rev")?,
            roles: roles_from_row(&row)?,
        }))
    }

    fn users_identity(&self) -> Option<&StoreIdentity> {
        Some(self.store_identity())
    }

    fn supports(&self, operation: UserOperation) -> bool {
        use UserOperation::{AnySpelling, Delete, Find, GivenId, List, Status, Update};
        matches!(operation, Update | Delete | Find | Status | List | AnySpelling | GivenId)
    }

    async fn update_user(
        &self,
        old: &StoredUser<User<P>>,
        change: UserChange<P>,
    ) -> Result<Option<StoredUser<User<P>>>, CreateUserError> {
        let UserId::Int(id) = old.user.id else { return Ok(None) };
        // The text of the profile is compared in the statement, but is not what decides whether it
        // is the same: an earlier version of the app may have written its fields in another order,
        // or without one that has a default.
        let Some(row) = FIND_PROFILE.on(self.database()).bind(id).bind(P::NAME).find().await? else { return Ok(None) };
        let old_profile: Option<String> = TABLE.get_nullable(&row, "profile")?;
        if !is_written_as(&old.user.profile, old_profile.as_deref())? {
            return Ok(None);
        }
        let profile = match &change.profile {
            Some(new) => profile_to_text(new)?,
            None => old_profile.clone(),
        };
        let of = &old.user;
        let username = change.username.unwrap_or_else(|| of.username.clone());
        let email = change.email.unwrap_or_else(|| of.email.clone());
        let update = UPDATE
            .on(self.database())
            .bind(change.namespace)
            .bind(change.realm.unwrap_or_else(|| of.realm.clone()))
            .bind(&username)
            .bind(&email)
            .bind(key(IdentifierKind::Username, username.as_deref()))
            .bind(key(IdentifierKind::Email, email.as_deref()))
            .bind(change.email_verified.unwrap_or(of.email_verified))
            .bind(change.password.as_ref().map(PasswordHash::expose))
            .bind(change.password.is_some())
            .bind(profile)
            .bind(i64::from(change.bump_rev))
            .bind(id)
            .bind(P::NAME)
            .bind(old.rev)
            .bind(&of.realm)
            .bind(&of.username)
            .bind(&of.email)
            .bind(of.email_verified)
            .bind(old_profile);
        let updated = update.change().await.map_err(|error| create_user_error(error, &UNIQUE))?;
        Ok(updated.rows.first().map(stored_from_row).transpose()?)
    }

    async fn delete_user(&self, id: &UserId) -> Result<bool, StoreError> {
        let UserId::Int(id) = id else { return Ok(false) };
        Ok(DELETE.on(self.database()).bind(*id).bind(P::NAME).change().await.map_err(store_error)?.count > 0)
    }

    async fn find_users(&self, query: &UserQuery) -> Result<Vec<User<P>>, StoreError> {
        find::all(self.database(), query).await
    }

    async fn find_users_page(
        &self,
        query: &UserQuery,
        from: Option<UserCursor>,
    ) -> Result<UserPage<User<P>>, StoreError> {
        find::page(self.database(), query, from).await
    }

    async fn count_users(&self, condition: &Where) -> Result<u64, StoreError> {
        find::count::<P>(self.database(), condition).await
    }

    async fn users_with_status(
        &self,
        status: AccountStatus,
        after: Option<&UserId>,
        limit: u32,
    ) -> Result<Vec<StoredUser<User<P>>>, StoreError> {
        let Some(after) = behind(after) else { return Ok(Vec::new()) };
        let list = match status {
            AccountStatus::Active => &LIST_ACTIVE,
            _ => &LIST_WITH_STATUS,
        };
        let list = list.on(self.database()).bind(P::NAME).bind(status.as_str()).bind(after).bind(limit);
        list.find_all().await?.iter().map(stored_from_row).collect()
    }

    async fn set_status(&self, id: &UserId, status: AccountStatus) -> Result<Option<i64>, StoreError> {
        let UserId::Int(id) = id else { return Ok(None) };
        new_rev(SET_STATUS.on(self.database()).bind(status.as_str()).bind(*id).bind(P::NAME).change().await)
    }
}

/// What an address or a name is found by, whatever its spelling.
fn key(kind: IdentifierKind, text: Option<&str>) -> Option<String> {
    text.map(|text| normalize::key(kind, text))
}

/// Behind which row a list goes on. `None` if no user is behind the id: every number is before
/// every string.
fn behind(after: Option<&UserId>) -> Option<i64> {
    match after {
        Some(UserId::Int(after)) => Some(*after),
        Some(UserId::Text(_)) => None,
        None => Some(i64::MIN),
    }
}

/// The `rev` an UPDATE returned, if it found its row.
fn new_rev(changed: Result<Changed<impl Row>, sqlx::Error>) -> Result<Option<i64>, StoreError> {
    changed.map_err(store_error)?.rows.first().map(|row| TABLE.get(row, "rev")).transpose()
}

/// A row of a list, which goes on where a row cannot be read.
fn listed_from_row<P: Model>(row: &impl Row) -> Result<ListedUser<User<P>>, StoreError> {
    let read = || Ok((TABLE.get(row, "namespace")?, stored_from_row(row)?));
    let id: i64 = TABLE.get(row, "id")?;
    Ok(match read() {
        Ok::<(String, _), StoreError>((namespace, user)) => ListedUser::readable(namespace, user),
        Err(reason) => ListedUser::unreadable(id, reason),
    })
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use super::*;
    use crate::{Sqlite, SqliteStore};

    async fn plan(statement: &'static Statement, parameters: &[&str]) -> Vec<String> {
        let store = SqliteStore::in_memory().await.unwrap();
        let explain = format!("EXPLAIN QUERY PLAN {}", statement.text(Sqlite::DIALECT));
        let mut query = sqlx::query(sqlx::AssertSqlSafe(explain));
        for parameter in parameters {
            query = query.bind(parameter);
        }
        store.find_all(query).await.unwrap().iter().map(|row| row.get("detail")).collect()
    }

    /// What a protected request costs: look-ups by primary key, of the token, its user and the
    /// user's roles.
    #[tokio::test]
    async fn the_query_of_a_request_uses_the_primary_keys() {
        let expected = [
            "SEARCH gatekit_access_tokens USING PRIMARY KEY (token_digest=?)",
            "SEARCH u USING INTEGER PRIMARY KEY (rowid=?)",
            "CORRELATED SCALAR SUBQUERY 1",
            "SEARCH gatekit_roles USING PRIMARY KEY (user_type=? AND user_key=?)",
        ];
        assert_eq!(plan(&FIND_TOKEN_OWNER, &["", "User"]).await, expected);
    }

    /// A list of users is read in the order of their ids, without sorting all users of the type for
    /// each page.
    #[tokio::test]
    async fn a_page_of_users_and_one_user_are_read_by_id() {
        for statement in [&LIST, &FIND, &BUMP_REV, &SET_PASSWORD, &UPDATE, &DELETE] {
            let steps = plan(statement, &[]).await;
            assert!(steps.len() == 1 && steps[0].contains("USING INTEGER PRIMARY KEY"), "{steps:?}");
        }
    }

    /// [`TOKEN_ROLES`](crate::own::TOKEN_ROLES) is what the kit's own query has.
    #[test]
    fn an_apps_own_query_selects_roles_as_the_kit_does() {
        let own = crate::own::TOKEN_ROLES;
        assert!(FIND_TOKEN_OWNER.text(Sqlite::DIALECT).contains(own), "{own}");
    }
}
