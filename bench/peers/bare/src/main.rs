//! The app without accounts: what all others are compared with. Its `/me` answers a constant, its
//! `/login` hashes as most apps do and hands out a token that nobody checks. With `BENCH_LAYER=1`
//! it has the smallest layer there is, one that leaves a value in each request, to tell what a
//! layer costs from what is done in it.

use std::sync::Arc;

use axum::{
    Extension, Json, Router,
    extract::State,
    http::StatusCode,
    routing::{get, post},
};
use bench_serve::{Login, PASSWORD, Result, Secret, Token, User, run, verify_on_blocking_pool};

fn main() -> Result<()> {
    run(async {
        let app = Router::new()
            .route("/open", get(|| async { "ok" }))
            .route("/me", get(|| async { Json(User::bench()) }))
            .route("/login", post(login))
            .with_state(Secret::new(PASSWORD)?);
        Ok(if std::env::var_os("BENCH_LAYER").is_some() { app.layer(Extension(Arc::new(()))) } else { app })
    })
}

async fn login(State(secret): State<Secret>, Json(body): Json<Login>) -> Result<Json<Token>, StatusCode> {
    match verify_on_blocking_pool(secret, body.password).await {
        Ok(true) => Token::random(1).map(Json).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR),
        Ok(false) => Err(StatusCode::UNAUTHORIZED),
        Err(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
