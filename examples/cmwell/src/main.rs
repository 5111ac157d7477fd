//! A server with CM-Well's login: `GET /_login` with Basic and Digest, its tokens, `/_auth`, and a protected page.
//!
//! Copy this folder as a start.
//!
//! ```text
//! cargo run -p cmwell
//! curl -u myUser:myPassword 'http://127.0.0.1:3000/_login?exp=30d'
//! ```
//!
//! The account `myUser` with the password `myPassword` is made at the first start in development only: see [`development`]. It reads
//! `PORT` (default 3000), `DATABASE` (default `cmwell.db`), `DIGEST` (`0` leaves Basic alone) and `DEVELOPMENT` (`0` in a debug build,
//! `1` in a release build, to change what it is). Keys are made at the first start and kept beside the database: [`keys`].

mod development;
mod keys;
mod server;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use gatekit::cmwell::{CmWell, EnableDigestError, ForgetDigests, SealingKey, SigningKey};
use gatekit::{Auth, AuthLayer, AuthUser, SqliteStore, User, routes};
use serde::Deserialize;

use crate::development::{NAME, PASSWORD};
use crate::keys::Keys;

#[tokio::main]
async fn main() -> ExitCode {
    server::exit(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let stop = server::stop_signal();
    let listener = server::listen("127.0.0.1", &setting("PORT", "3000")).await?;
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
    let development = development::is_on()?;
    if development {
        development::make_account(store, &cmwell).await?;
    } else {
        development::refuse_account(&auth).await?;
    }

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
    if development {
        println!("{}", curl_lines(&url));
    }
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
