//! Users of the built-in type. Each statement names the user type (`Model::NAME`), so that several
//! share the table and are apart.

use async_trait::async_trait;
use gatekit_core::{
    AccountStatus, Clock, CreateUserError, Identifier, IdentifierKind, ListedUser, Model, NewUser, PasswordHash,
    ProfileError, StoreError, StoreIdentity, StoredUser, SystemClock, TokenDigest, TokenOwner, TokenStore, User,
    UserChange, UserCursor, UserId, UserOperation, UserPage, UserQuery, UserStore, Where, find_token_owner_separately,
    normalize, profile_to_json,
};
use sqlx::sqlite::SqliteRow;

use super::rows::Table;
use super::{Changed, SqliteStore, find, spellings};
use crate::own::{create_user_error, roles_from_row, store_error, token_from_row};

pub(super) const TABLE: Table = Table("gatekit_users");

const UNIQUE: [(&str, IdentifierKind); 2] =
    [("gatekit_users.email", IdentifierKind::Email), ("gatekit_users.username", IdentifierKind::Username)];

// typeof: `7` and `'7'` are equal to the rowid, but not the same user.
const FIND_TOKEN_OWNER: &str = "SELECT t.token_digest, t.token_user_type, t.token_user_id, t.token_rev, t.token_ttl, t.token_created, \
     t.token_renewed, t.token_scopes, t.token_proofs, t.token_user_agent, t.token_network, t.token_last_used, u.id, u.realm, u.username, u.email, u.email_verified, u.rev, u.profile, \
     (SELECT json_group_array(role) FROM gatekit_roles \
     WHERE user_type = t.token_user_type AND user_id = t.token_user_id) AS token_roles \
     FROM gatekit_access_tokens t JOIN gatekit_users u ON u.id = t.token_user_id \
     WHERE t.token_digest = ? AND t.token_user_type = ? AND u.user_type = t.token_user_type \
     AND typeof(t.token_user_id) = 'integer'";

#[async_trait]
impl<P: Model> UserStore<User<P>> for SqliteStore {
    async fn create_user(&self, new: NewUser<P>) -> Result<StoredUser<User<P>>, CreateUserError> {
        let profile = profile_to_text(&new.profile)?;
        let insert = sqlx::query(
            "INSERT INTO gatekit_users \
             (user_type, namespace, realm, username, email, username_key, email_key, email_verified, password, rev, \
             profile, status, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
        )
        .bind(P::NAME)
        .bind(&new.namespace)
        .bind(&new.realm)
        .bind(&new.username)
        .bind(&new.email)
        .bind(key(IdentifierKind::Username, new.username.as_deref()))
        .bind(key(IdentifierKind::Email, new.email.as_deref()))
        .bind(new.email_verified)
        .bind(new.password.as_ref().map(PasswordHash::expose))
        .bind(profile)
        .bind(new.status.as_str())
        .bind(SystemClock.now().0);
        let inserted = self.change(insert).await.map_err(|error| create_user_error(error, &UNIQUE))?;
        let mut user = User::new(inserted.last_insert_rowid.into(), new.profile);
        user.realm = new.realm;
        user.username = new.username;
        user.email = new.email;
        user.email_verified = new.email_verified;
        Ok(StoredUser { user, rev: 0, password: new.password, status: new.status })
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<User<P>>>, StoreError> {
        let UserId::Int(id) = id else { return Ok(None) };
        let query = sqlx::query(
            "SELECT id, realm, username, email, email_verified, password, rev, profile, status FROM gatekit_users \
             WHERE id = ? AND user_type = ?",
        )
        .bind(id)
        .bind(P::NAME);
        self.find(query).await?.as_ref().map(stored_from_row).transpose()
    }

    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<User<P>>>, StoreError> {
        let query = match identifier.kind {
            IdentifierKind::Email => {
                "SELECT id, realm, username, email, email_verified, password, rev, profile, status FROM gatekit_users \
                 WHERE user_type = ? AND namespace = ? AND email = ?"
            }
            IdentifierKind::Username => {
                "SELECT id, realm, username, email, email_verified, password, rev, profile, status FROM gatekit_users \
                 WHERE user_type = ? AND namespace = ? AND username = ?"
            }
        };
        let query = sqlx::query(query).bind(P::NAME).bind(&identifier.namespace).bind(&identifier.value);
        self.find(query).await?.as_ref().map(stored_from_row).transpose()
    }

    async fn find_users_like(&self, wanted: &Identifier, typed: &str) -> Result<Vec<StoredUser<User<P>>>, StoreError> {
        spellings::find_like(self, P::NAME, wanted, typed).await?.iter().map(stored_from_row).collect()
    }

    async fn list_users(&self, after: Option<&UserId>, limit: u32) -> Result<Vec<ListedUser<User<P>>>, StoreError> {
        let after = match after {
            Some(UserId::Int(after)) => Some(*after),
            // Every number is before every text.
            Some(UserId::Text(_)) => return Ok(Vec::new()),
            None => None,
        };
        let listed = |row: &SqliteRow| {
            let read = || Ok((TABLE.get(row, "namespace")?, stored_from_row(row)?));
            let id: i64 = TABLE.get(row, "id")?;
            Ok(match read() {
                Ok::<(String, _), StoreError>((namespace, user)) => ListedUser::readable(namespace, user),
                Err(reason) => ListedUser::unreadable(id, reason),
            })
        };
        spellings::list(self, P::NAME, after, limit).await?.iter().map(listed).collect()
    }

    async fn set_password(&self, id: &UserId, rev: i64, hash: &PasswordHash) -> Result<Option<i64>, StoreError> {
        let UserId::Int(id) = id else { return Ok(None) };
        let set = sqlx::query(
            "UPDATE gatekit_users SET password = ?, rev = rev + 1, \
             status = CASE status WHEN 'password_reset' THEN 'active' ELSE status END \
             WHERE id = ? AND user_type = ? AND rev = ? RETURNING rev",
        )
        .bind(hash.expose())
        .bind(id)
        .bind(P::NAME)
        .bind(rev);
        new_rev(self.change(set).await)
    }

    async fn rehash_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, StoreError> {
        let UserId::Int(id) = id else { return Ok(false) };
        let set = sqlx::query("UPDATE gatekit_users SET password = ? WHERE id = ? AND user_type = ? AND password = ?")
            .bind(new.expose())
            .bind(id)
            .bind(P::NAME)
            .bind(old.expose());
        Ok(self.change(set).await.map_err(store_error)?.count > 0)
    }

    async fn bump_rev(&self, id: &UserId) -> Result<Option<i64>, StoreError> {
        let UserId::Int(id) = id else { return Ok(None) };
        let bump = sqlx::query("UPDATE gatekit_users SET rev = rev + 1 WHERE id = ? AND user_type = ? RETURNING rev")
            .bind(id)
            .bind(P::NAME);
        new_rev(self.change(bump).await)
    }

    async fn find_token_owner(
        &self,
        tokens: &dyn TokenStore,
        digest: &TokenDigest,
    ) -> Result<Option<TokenOwner<User<P>>>, StoreError> {
        if tokens.identity() != Some(&self.identity) {
            return find_token_owner_separately(self, tokens, digest).await;
        }
        let query = sqlx::query(FIND_TOKEN_OWNER).bind(digest.as_bytes().as_slice()).bind(P::NAME);
        let Some(row) = self.find(query).await? else { return Ok(None) };
        Ok(Some(TokenOwner {
            token: token_from_row(&row)?,
            user: user_from_row(&row)?,
            rev: TABLE.get(&row, "rev")?,
            roles: roles_from_row(&row)?,
        }))
    }

    fn users_identity(&self) -> Option<&StoreIdentity> {
        Some(&self.identity)
    }

    fn supports(&self, operation: UserOperation) -> bool {
        use UserOperation::{AnySpelling, Delete, Find, List, Status, Update};
        matches!(operation, Update | Delete | Find | Status | List | AnySpelling)
    }

    async fn update_user(
        &self,
        old: &StoredUser<User<P>>,
        change: UserChange<P>,
    ) -> Result<Option<StoredUser<User<P>>>, CreateUserError> {
        let UserId::Int(id) = old.user.id else { return Ok(None) };
        // The text of the profile is compared in the statement, but is not what decides whether it
        // is the same: an earlier version of the app may have written its members in another order,
        // or without one that has a default.
        let query =
            sqlx::query("SELECT profile FROM gatekit_users WHERE id = ? AND user_type = ?").bind(id).bind(P::NAME);
        let Some(row) = self.find(query).await? else { return Ok(None) };
        let old_profile: Option<String> = TABLE.get(&row, "profile")?;
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
        let update = sqlx::query(
            "UPDATE gatekit_users SET namespace = coalesce(?, namespace), realm = ?, username = ?, email = ?, \
             username_key = ?, email_key = ?, email_verified = ?, password = coalesce(?, password), \
             status = CASE WHEN ? AND status = 'password_reset' THEN 'active' ELSE status END, \
             profile = ?, rev = rev + ? \
             WHERE id = ? AND user_type = ? AND rev = ? AND realm IS ? AND username IS ? AND email IS ? AND email_verified IS ? \
             AND profile IS ? \
             RETURNING id, realm, username, email, email_verified, password, rev, profile, status",
        )
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
        let updated = self.change(update).await.map_err(|error| create_user_error(error, &UNIQUE))?;
        Ok(updated.rows.first().map(stored_from_row).transpose()?)
    }

    async fn delete_user(&self, id: &UserId) -> Result<bool, StoreError> {
        let UserId::Int(id) = id else { return Ok(false) };
        let delete = sqlx::query("DELETE FROM gatekit_users WHERE id = ? AND user_type = ?").bind(id).bind(P::NAME);
        Ok(self.change(delete).await.map_err(store_error)?.count > 0)
    }

    async fn find_users(&self, query: &UserQuery) -> Result<Vec<User<P>>, StoreError> {
        find::all(self, query).await
    }

    async fn find_users_page(
        &self,
        query: &UserQuery,
        from: Option<UserCursor>,
    ) -> Result<UserPage<User<P>>, StoreError> {
        find::page(self, query, from).await
    }

    async fn count_users(&self, condition: &Where) -> Result<u64, StoreError> {
        find::count::<P>(self, condition).await
    }

    async fn users_with_status(
        &self,
        status: AccountStatus,
        after: Option<&UserId>,
        limit: u32,
    ) -> Result<Vec<StoredUser<User<P>>>, StoreError> {
        let after = match after {
            Some(UserId::Int(after)) => *after,
            // Every number is before every text.
            Some(UserId::Text(_)) => return Ok(Vec::new()),
            None => i64::MIN,
        };
        // SQLite uses the index of those that are not active only where the statement says so.
        let query = match status {
            AccountStatus::Active => sqlx::query(
                "SELECT id, realm, username, email, email_verified, password, rev, profile, status FROM gatekit_users \
                 WHERE user_type = ? AND status = ? AND id > ? ORDER BY id LIMIT ?",
            ),
            _ => sqlx::query(
                "SELECT id, realm, username, email, email_verified, password, rev, profile, status FROM gatekit_users \
                 WHERE user_type = ? AND status = ? AND status <> 'active' AND id > ? ORDER BY id LIMIT ?",
            ),
        };
        let query = query.bind(P::NAME).bind(status.as_str()).bind(after).bind(limit);
        self.find_all(query).await?.iter().map(stored_from_row).collect()
    }

    async fn set_status(&self, id: &UserId, status: AccountStatus) -> Result<Option<i64>, StoreError> {
        let UserId::Int(id) = id else { return Ok(None) };
        let set = sqlx::query(
            "UPDATE gatekit_users SET status = ?, rev = rev + 1 WHERE id = ? AND user_type = ? RETURNING rev",
        )
        .bind(status.as_str())
        .bind(id)
        .bind(P::NAME);
        new_rev(self.change(set).await)
    }
}

/// What an address or a name is found by, whatever its spelling.
fn key(kind: IdentifierKind, text: Option<&str>) -> Option<String> {
    text.map(|text| normalize::key(kind, text))
}

/// The `rev` an UPDATE returned, if it found its row.
fn new_rev(changed: Result<Changed, sqlx::Error>) -> Result<Option<i64>, StoreError> {
    changed.map_err(store_error)?.rows.first().map(|row| TABLE.get(row, "rev")).transpose()
}

fn stored_from_row<P: Model>(row: &SqliteRow) -> Result<StoredUser<User<P>>, StoreError> {
    let password: Option<String> = TABLE.get(row, "password")?;
    let status: &str = TABLE.get(row, "status")?;
    Ok(StoredUser {
        user: user_from_row(row)?,
        rev: TABLE.get(row, "rev")?,
        password: password.map(PasswordHash::from_stored),
        status: match AccountStatus::from_stored(status) {
            Some(status) => status,
            None => return Err(corrupt("status", TABLE.get(row, "id")?)),
        },
    })
}

pub(super) fn user_from_row<P: Model>(row: &SqliteRow) -> Result<User<P>, StoreError> {
    let id: i64 = TABLE.get(row, "id")?;
    let profile = profile_from_text(TABLE.get(row, "profile")?).map_err(|_| corrupt("profile", id))?;
    let mut user = User::new(UserId::Int(id), profile);
    user.realm = TABLE.get(row, "realm")?;
    user.username = TABLE.get(row, "username")?;
    user.email = TABLE.get(row, "email")?;
    user.email_verified = TABLE.get(row, "email_verified")?;
    Ok(user)
}

fn profile_from_text<P: Model>(text: Option<&str>) -> Result<P, StoreError> {
    serde_json::from_str(text.unwrap_or("{}")).map_err(|_| TABLE.corrupt("profile"))
}

/// Whether `text` is how this profile, or one equal to it, was written.
fn is_written_as<P: Model>(profile: &P, text: Option<&str>) -> Result<bool, StoreError> {
    if profile_to_text(profile)?.as_deref() == text {
        return Ok(true);
    }
    let json = |profile: &P| serde_json::to_value(profile).map_err(|_| unwritable());
    Ok(json(profile)? == json(&profile_from_text(text)?)?)
}

pub(super) fn unwritable() -> StoreError {
    StoreError::failed("the profile cannot be written as JSON")
}

/// Whoever reads the log has to find the row.
fn corrupt(column: &str, id: i64) -> StoreError {
    StoreError::corrupt(format_args!("{}.{column} of the row with id {id}", TABLE.0))
}

/// Deeper profiles are not written, whatever the policy says: serde_json reads 128 levels at most,
/// and what it cannot read is lost.
const MAX_DEPTH: usize = 100;

/// `None` for the empty object, so that a user without fields of the app's own has none in the row.
fn profile_to_text(profile: &impl Model) -> Result<Option<String>, StoreError> {
    let text = profile_to_json(profile, usize::MAX, MAX_DEPTH).map_err(|error| match error {
        ProfileError::Unwritable => unwritable(),
        error => StoreError::failed(format!("the profile {error}")),
    })?;
    match text.as_str() {
        "{}" => Ok(None),
        object if object.starts_with('{') => Ok(Some(text)),
        _ => {
            Err(StoreError::failed("the profile is not a JSON object: it must be a struct with named fields or a map"))
        }
    }
}
