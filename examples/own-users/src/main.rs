//! An app's own user type, in an own table, with fields of its own: `members.rs` is all it takes.
//! Tokens are kept by Gatekit, in the same database.
//!
//! It reads `PORT` (default 3000) and `DATABASE` (default `own-users.db`). With the argument
//! `doctor` it lists the members that break a rule, such as an address that is stored with
//! capitals, and stops.

mod members;
mod server;

use std::error::Error;
use std::process::ExitCode;

use axum::routing::get;
use axum::{Json, Router};
use gatekit::{Auth, AuthLayer, AuthUser, ConsoleMailer, SqliteStore, routes};

use crate::members::{Member, Members};

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

    let store = SqliteStore::open(std::env::var("DATABASE").unwrap_or_else(|_| "own-users.db".into())).await?;
    let members = Members::open(store.clone()).await?;
    let auth: Auth<Member> =
        Auth::builder_with_users(members).store(store).mailer(ConsoleMailer::stdout()).public_url(&url).build()?;

    if std::env::args().nth(1).as_deref() == Some("doctor") {
        let mut doctor = auth.doctor();
        while let Some(finding) = doctor.next().await? {
            println!("{finding}");
        }
        return Ok(());
    }

    let app = Router::new()
        .route("/me", get(me))
        .route("/greeting", get(greeting))
        .nest("/api/members", routes::all(&auth))
        .layer(AuthLayer::new(auth.clone()));
    let app = routes::ignore_case("/api/members", app);

    println!("READY {url}");
    println!("{}", curl_lines(&url));
    server::run(listener, app, stop).await;
    // Mails are sent on tasks of their own: those of the last requests too.
    auth.settled().await;
    Ok(())
}

async fn me(AuthUser(member): AuthUser<Member>) -> Json<Member> {
    Json(member)
}

/// For everyone, with a word more for a known caller.
async fn greeting(member: Option<AuthUser<Member>>) -> String {
    match member {
        Some(AuthUser(member)) => format!("Welcome back, {}\n", member.name),
        None => "Hello, stranger\n".into(),
    }
}

fn curl_lines(url: &str) -> String {
    format!(
        r#"
Try it:

  # Sign up, with the fields of our own
  curl -X POST {url}/api/members -H 'Content-Type: application/json' \
    -d '{{"email":"ada@domain.com","password":"correct horse battery","name":"Ada","newsletter":true}}'

  # Without a name: refused, because Profile asks for one
  curl -X POST {url}/api/members -H 'Content-Type: application/json' \
    -d '{{"email":"bob@domain.com","password":"correct horse battery"}}'

  # Log in and keep the token
  TOKEN=$(curl -s -X POST {url}/api/members/login -H 'Content-Type: application/json' \
    -d '{{"email":"ada@domain.com","password":"correct horse battery"}}' | sed 's/.*"id":"\([^"]*\)".*/\1/')

  # Who am I?
  curl {url}/me -H "Authorization: $TOKEN"
  curl {url}/greeting -H "Authorization: Bearer $TOKEN"
  curl {url}/greeting

  # Log out
  curl -i -X POST {url}/api/members/logout -H "Authorization: $TOKEN"
"#
    )
}
