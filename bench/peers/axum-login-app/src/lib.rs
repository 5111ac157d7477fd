//! The axum-login app, whatever its stores are: its user and its routes.

use axum::{
    Json, Router,
    http::StatusCode,
    routing::{get, post},
};
use axum_login::{AuthSession, AuthUser, AuthnBackend};
use bench_serve::{Login, Result, Secret, User};

/// The user as axum-login wants it.
#[derive(Clone, Debug)]
pub struct Account {
    /// What `/me` answers.
    pub user: User,
    /// Its password, whose change ends its sessions.
    pub secret: Secret,
}

impl AuthUser for Account {
    type Id = i64;

    fn id(&self) -> i64 {
        self.user.id
    }

    fn session_auth_hash(&self) -> &[u8] {
        self.secret.hash()
    }
}

/// The routes, for any backend. The layer comes on top.
pub fn routes<B>() -> Router
where
    B: AuthnBackend<User = Account, Credentials = Login> + 'static,
{
    Router::new().route("/open", get(|| async { "ok" })).route("/me", get(me::<B>)).route("/login", post(login::<B>))
}

async fn me<B>(session: AuthSession<B>) -> Result<Json<User>, StatusCode>
where
    B: AuthnBackend<User = Account>,
{
    session.user.map(|account| Json(account.user)).ok_or(StatusCode::UNAUTHORIZED)
}

async fn login<B>(mut session: AuthSession<B>, Json(body): Json<Login>) -> Result<Json<User>, StatusCode>
where
    B: AuthnBackend<User = Account, Credentials = Login>,
{
    let account = session.authenticate(body).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    let account = account.ok_or(StatusCode::UNAUTHORIZED)?;
    session.login(&account).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(account.user))
}
