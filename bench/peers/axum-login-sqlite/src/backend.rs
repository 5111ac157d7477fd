//! The users, in a table beside the sessions, as in axum-login's own SQLite example.

use axum_login::AuthnBackend;
use axum_login_app::Account;
use bench_serve::{Login, PASSWORD, Result, Secret, User, verify_on_blocking_pool};
use tower_sessions_sqlx_store::sqlx::{self, SqlitePool};

/// A row of the table.
type Row = (i64, String, bool, Vec<u8>, Vec<u8>);

#[derive(Clone)]
pub(crate) struct Backend {
    pool: SqlitePool,
}

impl Backend {
    pub(crate) async fn new(pool: SqlitePool) -> Result<Self> {
        sqlx::query(
            "create table users (id integer primary key, email text not null unique, \
             email_verified integer not null, salt blob not null, hash blob not null)",
        )
        .execute(&pool)
        .await?;
        let (user, secret) = (User::bench(), Secret::new(PASSWORD)?);
        sqlx::query("insert into users values (?, ?, ?, ?, ?)")
            .bind(user.id)
            .bind(user.email)
            .bind(user.email_verified)
            .bind(&secret.salt()[..])
            .bind(&secret.hash()[..])
            .execute(&pool)
            .await?;
        Ok(Self { pool })
    }
}

impl AuthnBackend for Backend {
    type User = Account;
    type Credentials = Login;
    type Error = sqlx::Error;

    async fn authenticate(&self, login: Login) -> sqlx::Result<Option<Account>> {
        let row: Option<Row> =
            sqlx::query_as("select * from users where email = ?").bind(login.email).fetch_optional(&self.pool).await?;
        let Some(account) = row.map(account).transpose()? else {
            return Ok(None);
        };
        let right =
            verify_on_blocking_pool(account.secret.clone(), login.password).await.map_err(sqlx::Error::Decode)?;
        Ok(right.then_some(account))
    }

    async fn get_user(&self, id: &i64) -> sqlx::Result<Option<Account>> {
        let row: Option<Row> =
            sqlx::query_as("select * from users where id = ?").bind(id).fetch_optional(&self.pool).await?;
        row.map(account).transpose()
    }
}

fn account((id, email, email_verified, salt, hash): Row) -> sqlx::Result<Account> {
    let wrong_length = |_| sqlx::Error::Decode("a salt or hash of another length".into());
    let secret = Secret::from_parts(salt.try_into().map_err(wrong_length)?, hash.try_into().map_err(wrong_length)?);
    Ok(Account { user: User { id, email, email_verified }, secret })
}
