//! Accounts on embedded SQLite: all routes of the User API, a protected page, and mails on the
//! console.
//!
//! Copy this folder as a start. It reads `PORT` (default 3000) and `DATABASE` (default
//! `quickstart.db`).

mod server;

use std::error::Error;
use std::process::ExitCode;

use axum::response::Html;
use axum::routing::get;
use axum::{Json, Router};
use gatekit::{Auth, AuthLayer, AuthUser, ConsoleMailer, SqliteStore, User, routes};

#[tokio::main]
async fn main() -> ExitCode {
    server::exit(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let stop = server::stop_signal();
    let port = std::env::var("PORT").unwrap_or_else(|_| "3000".into());
    let listener = server::listen("127.0.0.1", &port).await?;
    let url = server::local_url(&listener)?;

    let store = SqliteStore::open(std::env::var("DATABASE").unwrap_or_else(|_| "quickstart.db".into())).await?;
    let auth: Auth = Auth::builder(store)
        .mailer(ConsoleMailer::stdout())
        .public_url(&url)
        // In the query and not behind a #, of which some mail gateways make %23.
        .reset_link(format!("{url}/new-password?token={{token}}"))
        .build()?;

    let app = Router::new()
        .route("/", get(|| async { "Open to everyone\n" }))
        .route("/me", get(me))
        .route("/new-password", get(|| async { Html(include_str!("new-password.html")) }))
        .nest("/api/users", routes::all(&auth))
        .layer(AuthLayer::new(auth.clone()));
    // LoopBack's SDKs ask for /api/Users, and other clients for /api/users/.
    let app = routes::ignore_case("/api/users", app);

    println!("READY {url}");
    println!("{}", curl_lines(&url));
    server::run(listener, app, stop).await;
    // Mails are sent on tasks of their own: those of the last requests too.
    auth.settled().await;
    Ok(())
}

/// The guard is the argument: without a valid token this is not run, and the caller gets 401.
async fn me(AuthUser(user): AuthUser) -> Json<User> {
    Json(user)
}

fn curl_lines(url: &str) -> String {
    format!(
        r#"
Try it:

  # Sign up
  curl -X POST {url}/api/users -H 'Content-Type: application/json' \
    -d '{{"email":"me@domain.com","password":"correct horse battery"}}'

  # Log in; the id in the answer is your token
  curl -X POST {url}/api/users/login -H 'Content-Type: application/json' \
    -d '{{"email":"me@domain.com","password":"correct horse battery"}}'

  # Log in and keep the token
  TOKEN=$(curl -s -X POST {url}/api/users/login -H 'Content-Type: application/json' \
    -d '{{"email":"me@domain.com","password":"correct horse battery"}}' | sed 's/.*"id":"\([^"]*\)".*/\1/')

  # Who am I?
  curl {url}/me -H "Authorization: $TOKEN"

  # Another password
  curl -i -X POST {url}/api/users/change-password -H "Authorization: $TOKEN" -H 'Content-Type: application/json' \
    -d '{{"oldPassword":"correct horse battery","newPassword":"staple battery horse"}}'

  # Forgotten: the mail with the link appears here
  curl -i -X POST {url}/api/users/reset -H 'Content-Type: application/json' -d '{{"email":"me@domain.com"}}'

  # Log out
  curl -i -X POST {url}/api/users/logout -H "Authorization: $TOKEN"
"#
    )
}
