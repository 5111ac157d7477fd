//! The Gatekit app, whatever its store is: the quick start, with the one account that every server
//! has.

use axum::{Json, Router, routing::get};
use bench_serve::{EMAIL, PASSWORD, Result};
use gatekit::{Auth, AuthLayer, AuthUser, Register, routes};

/// The app.
///
/// # Errors
/// When the account cannot be registered.
pub async fn app(auth: Auth) -> Result<Router> {
    let mut account = Register::email(EMAIL, PASSWORD);
    account.email_verified = Some(true);
    auth.register(account).await?;

    Ok(Router::new()
        .route("/open", get(|| async { "ok" }))
        .route("/me", get(|AuthUser(user): AuthUser| async move { Json(user) }))
        .merge(routes::login(&auth))
        .layer(AuthLayer::new(auth)))
}
