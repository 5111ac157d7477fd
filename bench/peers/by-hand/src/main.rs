//! What a careful author writes without a kit: an extractor that looks up the token's digest in a
//! map, and logins behind as many permits as there are cores. `BENCH_REUSE_BLOCKS=1` keeps one
//! block of argon2 memory per permit.

mod hasher;
mod users;

use std::{env, sync::Arc};

use axum::{
    Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use bench_serve::{Login, Result, Token, run};

use crate::{
    hasher::Hasher,
    users::{CurrentUser, Users},
};

struct App {
    users: Users,
    hasher: Hasher,
}

fn main() -> Result<()> {
    run(async {
        let app = App { users: Users::new()?, hasher: Hasher::new(env::var_os("BENCH_REUSE_BLOCKS").is_some())? };
        Ok(Router::new()
            .route("/open", get(|| async { "ok" }))
            .route("/me", get(|CurrentUser(user): CurrentUser| async { Json(user) }))
            .route("/login", post(login))
            .with_state(Arc::new(app)))
    })
}

async fn login(State(app): State<Arc<App>>, Json(body): Json<Login>) -> Result<Json<Token>, StatusCode> {
    let account = app.users.find(&body.email).ok_or(StatusCode::UNAUTHORIZED)?;
    match app.hasher.verify(account.secret, body.password).await {
        Ok(true) => app.users.log_in(account.user).map(Json).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR),
        Ok(false) => Err(StatusCode::UNAUTHORIZED),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
