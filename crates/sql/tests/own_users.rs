//! An app with users in an own table, beside Gatekit's tables in the same database.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::LazyLock;

use gatekit_core::{
    Account, AccountStatus, Auth, AuthenticateError, CreateUserError, Factor, Identifier, IdentifierKind, Login,
    NewUser, NoProfile, PasswordHash, PasswordReset, Proofs, Register, RequestPasswordReset, ResetPasswordError,
    RoleStore, StoreError, StoredUser, Timestamp, TokenClient, TokenDigest, TokenOwner, TokenRecord, TokenStore, User,
    UserChange, UserId, UserOperation, UserStore, async_trait, find_token_owner_separately,
};
use gatekit_sql::{SqliteStore, own};
use gatekit_testkit::MailSink;
use gatekit_testkit::conformance::{self, Identifiers};
use serde::{Deserialize, Serialize};
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

#[derive(Clone, Serialize)]
struct Member {
    id: i64,
    email: String,
    city: String,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Profile {
    city: String,
}

impl Account for Member {
    type Profile = Profile;

    fn model_name() -> &'static str {
        "Member"
    }

    fn id(&self) -> UserId {
        self.id.into()
    }

    fn email(&self) -> Option<&str> {
        Some(&self.email)
    }
}

#[derive(Clone)]
struct Members(SqliteStore);

impl Members {
    async fn new() -> Self {
        let store = SqliteStore::in_memory().await.unwrap();
        sqlx::raw_sql(
            "CREATE TABLE members (id INTEGER PRIMARY KEY AUTOINCREMENT, email TEXT NOT NULL UNIQUE, city TEXT NOT NULL, \
             password TEXT, rev INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL)",
        )
        .execute(&mut *store.writer().await.unwrap())
        .await
        .unwrap();
        Self(store)
    }
}

fn member(row: &SqliteRow) -> Result<Member, sqlx::Error> {
    Ok(Member { id: row.try_get("id")?, email: row.try_get("email")?, city: row.try_get("city")? })
}

fn stored(row: Option<SqliteRow>) -> Result<Option<StoredUser<Member>>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    let read = || {
        let password: Option<String> = row.try_get("password")?;
        Ok((member(&row)?, row.try_get("rev")?, password.map(PasswordHash::from_stored), row.try_get("status")?))
    };
    let (user, rev, password, status): (_, _, _, String) = read().map_err(own::store_error)?;
    let status = AccountStatus::from_stored(&status).ok_or_else(|| StoreError::corrupt("members.status"))?;
    Ok(Some(StoredUser { user, rev, password, status }))
}

fn number(id: &UserId) -> Option<i64> {
    match id {
        UserId::Int(id) => Some(*id),
        UserId::Text(_) => None,
    }
}

static FIND_TOKEN_OWNER: LazyLock<String> = LazyLock::new(|| {
    let (token, roles) = (own::TOKEN_COLUMNS, own::TOKEN_ROLES);
    format!(
        "SELECT {token}, {roles}, id, email, city, rev FROM gatekit_access_tokens JOIN members ON id = token_user_int \
         WHERE token_digest = ? AND token_user_type = ?"
    )
});

#[async_trait]
impl UserStore<Member> for Members {
    async fn create_user(&self, new: NewUser<Profile>) -> Result<StoredUser<Member>, CreateUserError> {
        let query = sqlx::query("INSERT INTO members (email, city, password, status) VALUES (?, ?, ?, ?) RETURNING id")
            .bind(&new.email)
            .bind(&new.profile.city)
            .bind(new.password.as_ref().map(PasswordHash::expose))
            .bind(new.status.as_str());
        let done = self
            .0
            .change(query)
            .await
            .map_err(|error| own::create_user_error(error, &[("members.email", IdentifierKind::Email)]))?;
        let row = done.rows.first().ok_or_else(|| StoreError::failed("no id was returned"))?;
        let id = row.try_get("id").map_err(own::store_error)?;
        let user = Member { id, email: new.email.unwrap_or_default(), city: new.profile.city };
        Ok(StoredUser { user, rev: 0, password: new.password, status: new.status })
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<Member>>, StoreError> {
        let query =
            sqlx::query("SELECT id, email, city, password, rev, status FROM members WHERE id = ?").bind(number(id));
        stored(self.0.find(query).await?)
    }

    async fn find_user_by(&self, by: &Identifier) -> Result<Option<StoredUser<Member>>, StoreError> {
        let query =
            sqlx::query("SELECT id, email, city, password, rev, status FROM members WHERE email = ?").bind(&by.value);
        stored(self.0.find(query).await?)
    }

    async fn set_password(&self, id: &UserId, rev: i64, hash: &PasswordHash) -> Result<Option<i64>, StoreError> {
        let query = sqlx::query(
            "UPDATE members SET password = ?, rev = rev + 1, \
             status = CASE status WHEN 'password_reset' THEN 'active' ELSE status END WHERE id = ? AND rev = ?",
        )
        .bind(hash.expose())
        .bind(number(id))
        .bind(rev);
        let done = self.0.change(query).await.map_err(own::store_error)?;
        Ok((done.count > 0).then(|| rev + 1))
    }

    async fn rehash_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, StoreError> {
        let query = sqlx::query("UPDATE members SET password = ? WHERE id = ? AND password = ?")
            .bind(new.expose())
            .bind(number(id))
            .bind(old.expose());
        let done = self.0.change(query).await.map_err(own::store_error)?;
        Ok(done.count > 0)
    }

    async fn bump_rev(&self, id: &UserId) -> Result<Option<i64>, StoreError> {
        let query = sqlx::query("UPDATE members SET rev = rev + 1 WHERE id = ? RETURNING rev").bind(number(id));
        let done = self.0.change(query).await.map_err(own::store_error)?;
        done.rows.first().map(|row| row.try_get("rev")).transpose().map_err(own::store_error)
    }

    fn supports(&self, operation: UserOperation) -> bool {
        matches!(operation, UserOperation::Update | UserOperation::Delete | UserOperation::Status)
    }

    async fn update_user(
        &self,
        old: &StoredUser<Member>,
        change: UserChange<Profile>,
    ) -> Result<Option<StoredUser<Member>>, CreateUserError> {
        let of = &old.user;
        let query = sqlx::query(
            "UPDATE members SET email = ?, city = ?, password = coalesce(?, password), \
             status = CASE WHEN ? AND status = 'password_reset' THEN 'active' ELSE status END, rev = rev + ? \
             WHERE id = ? AND rev = ? AND email = ? AND city = ? RETURNING id, email, city, password, rev, status",
        )
        .bind(change.email.flatten().unwrap_or_else(|| of.email.clone()))
        .bind(change.profile.map_or_else(|| of.city.clone(), |profile| profile.city))
        .bind(change.password.as_ref().map(PasswordHash::expose))
        .bind(change.password.is_some())
        .bind(change.bump_rev)
        .bind(of.id)
        .bind(old.rev)
        .bind(&of.email)
        .bind(&of.city);
        let done = self.0.change(query).await;
        let done = done.map_err(|error| own::create_user_error(error, &[("members.email", IdentifierKind::Email)]))?;
        Ok(stored(done.rows.into_iter().next())?)
    }

    async fn delete_user(&self, id: &UserId) -> Result<bool, StoreError> {
        let query = sqlx::query("DELETE FROM members WHERE id = ?").bind(number(id));
        Ok(self.0.change(query).await.map_err(own::store_error)?.count > 0)
    }

    async fn users_with_status(
        &self,
        status: AccountStatus,
        after: Option<&UserId>,
        limit: u32,
    ) -> Result<Vec<StoredUser<Member>>, StoreError> {
        let Some(after) = after.map_or(Some(i64::MIN), number) else { return Ok(Vec::new()) };
        let query = sqlx::query(
            "SELECT id, email, city, password, rev, status FROM members WHERE status = ? AND id > ? ORDER BY id LIMIT ?",
        )
        .bind(status.as_str())
        .bind(after)
        .bind(limit);
        let found = self.0.find_all(query).await?;
        Ok(found
            .into_iter()
            .map(|row| stored(Some(row)))
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    async fn set_status(&self, id: &UserId, status: AccountStatus) -> Result<Option<i64>, StoreError> {
        let query = sqlx::query("UPDATE members SET status = ?, rev = rev + 1 WHERE id = ? RETURNING rev")
            .bind(status.as_str())
            .bind(number(id));
        let done = self.0.change(query).await.map_err(own::store_error)?;
        done.rows.first().map(|row| row.try_get("rev")).transpose().map_err(own::store_error)
    }

    async fn find_token_owner(
        &self,
        tokens: &dyn TokenStore,
        digest: &TokenDigest,
    ) -> Result<Option<TokenOwner<Member>>, StoreError> {
        if tokens.identity() != self.0.identity() {
            return find_token_owner_separately(self, tokens, digest).await;
        }
        let query = sqlx::query(sqlx::AssertSqlSafe(FIND_TOKEN_OWNER.as_str()))
            .bind(digest.as_bytes().as_slice())
            .bind(Member::model_name());
        let Some(row) = self.0.find(query).await? else { return Ok(None) };
        let (user, rev) = member(&row).and_then(|user| Ok((user, row.try_get("rev")?))).map_err(own::store_error)?;
        Ok(Some(TokenOwner { token: own::token_from_row(&row)?, user, rev, roles: own::roles_from_row(&row)? }))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_own_table_conforms() {
    let new_user = |email: &str| NewUser::new(email, Profile { city: format!("the city of {email}") });
    conformance::user_store::<Member, _, _>(Identifiers::EMAIL_ONLY, Members::new, new_user).await;
    let both = || async {
        let members = Members::new().await;
        (members.clone(), members.0)
    };
    conformance::token_owner::<Member, _, _, _>(both, new_user).await;
    conformance::token_owner_roles::<Member, _, _, _>(both, new_user).await;
}

/// V-80: beside users in Gatekit's own table.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_own_table_is_apart_from_gatekits() {
    let new_member = |email: &str| NewUser::new(email, Profile { city: format!("the city of {email}") });
    let new_user = |email: &str| NewUser::new(email, NoProfile {});
    let only = Identifiers::EMAIL_ONLY;
    let members_first = || async {
        let members = Members::new().await;
        (members.clone(), members.0.clone(), members.0)
    };
    conformance::user_types::<Member, User, _, _, _, _>(only, members_first, new_member, new_user).await;
    let users_first = || async {
        let members = Members::new().await;
        (members.0.clone(), members.clone(), members.0)
    };
    conformance::user_types::<User, Member, _, _, _, _>(only, users_first, new_user, new_member).await;
}

/// What a token ends by is read whole or not at all.
#[tokio::test]
async fn a_token_is_read_from_all_its_columns_and_roles_are_optional() {
    let store = SqliteStore::in_memory().await.unwrap();
    let token = TokenRecord {
        digest: TokenDigest::of("secret"),
        user_type: "Member".into(),
        user_id: UserId::Int(1),
        rev: 0,
        ttl: 60,
        created: Timestamp(5),
        renewed: Some(Timestamp(7)),
        scopes: None,
        proofs: Proofs::of(Factor::Password, Timestamp(5)),
        client: TokenClient::new(Some("Mozilla/5.0"), Some([203, 0, 113, 7].into())),
        last_used: Some(Timestamp(9)),
    };
    store.insert_token(&token).await.unwrap();
    store.assign_role("Member", &token.user_id, "editor").await.unwrap();
    store.assign_role("Member", &token.user_id, "author").await.unwrap();
    let select = async |columns: &str| {
        let query = format!("SELECT {columns} FROM gatekit_access_tokens");
        store.find(sqlx::query(sqlx::AssertSqlSafe(query))).await.unwrap().unwrap()
    };
    let row = select(own::TOKEN_COLUMNS).await;
    assert_eq!(own::token_from_row(&row).unwrap(), token);
    assert_eq!(own::roles_from_row(&row).unwrap(), None, "unknown, which is not the same as none");

    let row = select(&format!("{}, {}", own::TOKEN_COLUMNS, own::TOKEN_ROLES)).await;
    assert_eq!(own::token_from_row(&row).unwrap(), token);
    assert_eq!(own::roles_from_row(&row).unwrap(), Some(vec!["author".to_owned(), "editor".to_owned()]));

    for column in own::TOKEN_COLUMNS.split(", ") {
        let others: Vec<&str> = own::TOKEN_COLUMNS.split(", ").filter(|other| *other != column).collect();
        let row = select(&others.join(", ")).await;
        let refused = own::token_from_row(&row);
        assert!(matches!(&refused, Err(StoreError::Failed(_))), "{column}: {refused:?}");
    }

    let broken = store.find(sqlx::query("SELECT 'editor' AS token_roles")).await.unwrap().unwrap();
    assert!(matches!(own::roles_from_row(&broken), Err(StoreError::Corrupt(_))));
}

/// An id that prints like another one is another one, also where the app's table has ids of the
/// other kind.
#[tokio::test]
async fn a_number_and_a_string_never_meet_in_a_join() {
    let store = SqliteStore::in_memory().await.unwrap();
    sqlx::raw_sql(
        "CREATE TABLE numbers (id INTEGER PRIMARY KEY); INSERT INTO numbers VALUES (7); \
         CREATE TABLE strings (id TEXT PRIMARY KEY); INSERT INTO strings VALUES ('7'), ('007')",
    )
    .execute(&mut *store.writer().await.unwrap())
    .await
    .unwrap();
    for (id, joined) in [
        (UserId::Int(7), ["numbers", ""]),
        (UserId::from("7"), ["", "strings"]),
        (UserId::from("007"), ["", "strings"]),
        (UserId::from("7.0"), ["", ""]),
    ] {
        let token = TokenRecord {
            digest: TokenDigest::of(&format!("{id:?}")),
            user_type: "Member".into(),
            user_id: id.clone(),
            rev: 0,
            ttl: 60,
            created: Timestamp(5),
            renewed: None,
            scopes: None,
            proofs: Proofs::default(),
            client: None,
            last_used: None,
        };
        store.insert_token(&token).await.unwrap();
        for (table, column, expected) in
            [("numbers", "token_user_int", joined[0]), ("strings", "token_user_text", joined[1])]
        {
            let query = format!(
                "SELECT token_digest FROM gatekit_access_tokens JOIN {table} ON id = {column} WHERE token_digest = ?"
            );
            let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(token.digest.as_bytes().as_slice());
            let found = store.find(query).await.unwrap().is_some();
            assert_eq!(found, expected == table, "{id:?} in {table}");
        }
    }
}

#[tokio::test]
async fn members_log_in_with_gatekits_tokens() {
    let members = Members::new().await;
    let auth: Auth<Member> = Auth::builder_with_users(members.clone()).store(members.0).build().unwrap();
    let mut ada = Register::email("ada@example.com", "correct horse battery");
    ada.profile = Profile { city: "Ulm".into() };
    auth.register(ada).await.unwrap();
    let session = auth.login(Login::email("ada@example.com", "correct horse battery")).await.unwrap();
    assert_eq!(auth.authenticate(session.token.secret.expose()).await.unwrap().principal.city, "Ulm");
}

/// 8.4.1, V-132: the first member and the first user have the same id, the same `rev` and the same
/// table of tokens, and are strangers to each other all the same.
#[tokio::test]
async fn two_types_of_users_share_a_store_and_no_token_crosses_over() {
    const OLD: &str = "correct horse battery";
    const NEW: &str = "staple battery horse";
    let members = Members::new().await;
    let store = members.0.clone();
    let mails = MailSink::new();
    let member_auth: Auth<Member> =
        Auth::builder_with_users(members).store(store.clone()).mailer(mails.clone()).build().unwrap();
    let user_auth: Auth = Auth::builder(store).build().unwrap();
    let ada = member_auth.register(Register::email("ada@example.com", OLD)).await.unwrap();
    let bob = user_auth.register(Register::email("bob@example.com", OLD)).await.unwrap();
    assert_eq!(ada.id(), bob.id());

    let of_ada = member_auth.login(Login::email("ada@example.com", OLD)).await.unwrap().token;
    let of_bob = user_auth.login(Login::email("bob@example.com", OLD)).await.unwrap().token;
    assert!(matches!(user_auth.authenticate(of_ada.secret.expose()).await, Err(AuthenticateError::Invalid)));
    assert!(matches!(member_auth.authenticate(of_bob.secret.expose()).await, Err(AuthenticateError::Invalid)));
    assert!(user_auth.logout(&of_ada.record.digest).await.is_err());

    member_auth.request_password_reset(RequestPasswordReset::email("ada@example.com")).await.unwrap();
    let secret = mails.last_token().await;
    let at_the_wrong_door = user_auth.reset_password(PasswordReset::new(secret.clone(), NEW)).await;
    assert!(matches!(at_the_wrong_door, Err(ResetPasswordError::InvalidToken)));
    member_auth.reset_password(PasswordReset::new(secret, NEW)).await.unwrap();
    assert!(member_auth.authenticate(of_ada.secret.expose()).await.is_err());
    assert!(
        user_auth.authenticate(of_bob.secret.expose()).await.is_ok(),
        "a member's new password ends no user's token"
    );
}

/// Which of several unique indexes refused a row, whatever they are called.
#[tokio::test]
async fn the_index_that_refused_is_named() {
    let store = SqliteStore::in_memory().await.unwrap();
    let mut connection = store.writer().await.unwrap();
    sqlx::raw_sql(
        "CREATE TABLE t (tenant TEXT, mail TEXT, nick TEXT, code TEXT UNIQUE, size INTEGER CHECK (size > 0)); \
         CREATE UNIQUE INDEX a ON t (tenant, mail); CREATE UNIQUE INDEX b ON t (nick, tenant); \
         INSERT INTO t VALUES ('x', 'm', 'n', 'c', 1)",
    )
    .execute(&mut *connection)
    .await
    .unwrap();
    let unique = [("t.mail", IdentifierKind::Email), ("t.nick", IdentifierKind::Username)];
    let mut kinds = Vec::new();
    for insert in [
        "INSERT INTO t VALUES ('x', 'm', '2', '2', 1)",
        "INSERT INTO t VALUES ('x', '3', 'n', '3', 1)",
        "INSERT INTO t VALUES ('x', '4', '4', 'c', 1)",
        "INSERT INTO t VALUES ('x', '5', '5', '5', 0)",
        "INSERT INTO nowhere VALUES (1)",
    ] {
        let error = sqlx::query(insert).execute(&mut *connection).await.unwrap_err();
        kinds.push(match own::create_user_error(error, &unique) {
            CreateUserError::Taken(kind) => Some(kind),
            _ => None,
        });
    }
    assert_eq!(kinds, [Some(IdentifierKind::Email), Some(IdentifierKind::Username), None, None, None]);
}
