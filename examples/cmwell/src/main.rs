//! A server with CM-Well's login: `GET /_login` with Basic and Digest, its tokens, `/_auth`, and a protected page.
//!
//! Copy this folder as a start.
//!
//! ```text
//! cargo run -p cmwell
//! curl -u myUser:myPassword 'http://127.0.0.1:3000/_login?exp=30d'
//! ```
//!
//! The account `myUser` with the password `myPassword` is made at the first start. It reads `PORT` (default 3000), `DATABASE` (default
//! `cmwell.db`), and `DIGEST` (`0` leaves Basic alone). Keys are made at the first start and kept beside the database: [`keys`].
#![expect(clippy::print_stdout, reason = "it tells the person who starts it what to try")]

mod keys;
mod server;

use std::env;
use std::error::Error;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use gatekit::cmwell::{CmWell, EnableDigestError, ForgetDigests, SealingKey, SigningKey};
use gatekit::core::AccountName;
use gatekit::{Auth, AuthLayer, AuthUser, Policy, Register, SqliteStore, User, routes};
use serde::Deserialize;
use tokio::net::TcpListener;

use crate::keys::Keys;

/// The account for development. Everybody knows it: remove it where others can reach the server.
const NAME: &str = "myUser";
const PASSWORD: &str = "myPassword";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let stop = server::stop_signal();
    let listener = TcpListener::bind(format!("127.0.0.1:{}", setting("PORT", "3000"))).await?;
    let url = server::local_url(&listener)?;

    let database = setting("DATABASE", "cmwell.db");
    let keys = Keys::beside(&database)?;
    let store = SqliteStore::open(&database).await?;
    let auth: Auth = Auth::builder(store.clone())
        .tokens(store.clone())
        // What Digest keeps of a password goes with it.
        .hooks(ForgetDigests::new(store.clone()))
        .build()?;
    let mut cmwell = CmWell::builder(auth.clone(), SigningKey::new(keys.signing)?).permissions(store.clone());
    if setting("DIGEST", "1") != "0" {
        cmwell = cmwell.digest(store.clone(), SealingKey::new(keys.sealing)?);
    }
    let cmwell = cmwell.build()?;
    make_account(store, &cmwell).await?;

    let app = Router::new()
        .route("/me", get(me))
        .route("/me/digest", post(turn_digest_on).delete(turn_digest_off))
        .with_state(cmwell.clone())
        // Sign-up, as LoopBack has it.
        .nest("/api/users", routes::register(&auth))
        // GET /_login and POST /_auth.
        .merge(cmwell.router())
        .layer(AuthLayer::new(cmwell.authenticator()).sources(cmwell.token_sources()));

    println!("READY {url}");
    println!("{}", curl_lines(&url));
    server::run(listener, app, stop).await;
    // Changes and what hooks do with events run on tasks of their own.
    auth.settled().await;
    Ok(())
}

/// The guard is the argument: without a valid token this is not run, and the caller gets 401.
async fn me(AuthUser(user): AuthUser) -> Json<User> {
    Json(user)
}

#[derive(Deserialize)]
struct Proof {
    password: String,
}

/// A user who wants to log in by Digest says so, with the password: what Digest needs of it is kept from then on, sealed.
async fn turn_digest_on(
    State(cmwell): State<CmWell>,
    AuthUser(user): AuthUser,
    Json(proof): Json<Proof>,
) -> StatusCode {
    match cmwell.enable_digest(&user.id, proof.password).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(EnableDigestError::Unavailable(_)) => StatusCode::SERVICE_UNAVAILABLE,
        Err(_) => StatusCode::BAD_REQUEST,
    }
}

async fn turn_digest_off(State(cmwell): State<CmWell>, AuthUser(user): AuthUser) -> StatusCode {
    match cmwell.disable_digest(&user.id).await {
        Ok(()) => StatusCode::NO_CONTENT,
        Err(_) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// Makes the account, unless there is one of this name.
async fn make_account(store: SqliteStore, cmwell: &CmWell) -> Result<(), Box<dyn Error>> {
    // This password is on the list of common ones, which sign-up refuses. So the account is made by other rules than all others.
    let mut policy = Policy::default();
    policy.refuse_common_passwords = false;
    let auth: Auth = Auth::builder(store.clone()).tokens(store).policy(policy).build()?;
    if auth.find_account(&AccountName::username(NAME)).await?.is_none() {
        let user = auth.register(Register::email("my.user@example.com", PASSWORD).username(NAME)).await?;
        match cmwell.enable_digest(&user.id, PASSWORD).await {
            Ok(()) | Err(EnableDigestError::NotSetUp) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// An environment variable, or what holds without it.
fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn curl_lines(url: &str) -> String {
    format!(
        r#"
Try it:

  # A token for thirty days; `3d 5h` and `2h30m` are lifetimes too
  curl -u {NAME}:{PASSWORD} '{url}/_login?exp=30d'

  # By Digest: the password does not travel
  curl -u {NAME}:{PASSWORD} --digest '{url}/_login'

  # Keep it and use it
  TOKEN=$(curl -s -u {NAME}:{PASSWORD} '{url}/_login' | sed 's/.*"token":"\([^"]*\)".*/\1/')
  curl {url}/me -H "X-CM-WELL-TOKEN: $TOKEN"

  # Another account, which turns Digest on
  curl -X POST {url}/api/users -H 'Content-Type: application/json' \
    -d '{{"email":"ada@example.com","username":"ada","password":"correct horse battery"}}'
  ADA=$(curl -s -u 'ada:correct horse battery' '{url}/_login' | sed 's/.*"token":"\([^"]*\)".*/\1/')
  curl -i -X POST {url}/me/digest -H "X-CM-WELL-TOKEN: $ADA" -H 'Content-Type: application/json' \
    -d '{{"password":"correct horse battery"}}'

  # Change the password: all tokens from before end, and Digest is off until it is turned on again
  curl -X POST {url}/_auth -H "X-CM-WELL-TOKEN: $ADA" -H 'Content-Type: application/json' \
    -d '{{"op":"change-password","current":"correct horse battery","new":"wrong giraffe charger"}}'
"#
    )
}
