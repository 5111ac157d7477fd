//! A server in place of CM-Well's: `GET /_login` with Basic and Digest, its tokens, `/_auth`, and
//! every path behind permissions, with roles and an administrator.
//!
//! Copy this folder as a start.
//!
//! ```text
//! cargo run -p cmwell
//! curl -u myUser:myPassword 'http://127.0.0.1:3000/_login?exp=30d'
//! ```
//!
//! The administrator `myUser` with the password `myPassword` is made at the first start in
//! development only: see [`development`]. Keys are in [`keys`], roles in [`roles`]. It reads from
//! the environment, beside the keys:
//!
//! | variable | without it |
//! | --- | --- |
//! | `PORT` | 3000 |
//! | `DATABASE` | `cmwell.db` in the current folder |
//! | `PUBLIC_URL`, where clients reach it: a proxy may have cut off its path | none |
//! | `ADMIN_EMAIL`: makes the account `admin`, if nobody is an administrator | none |
//! | `DIGEST=0` leaves Basic alone | Basic and Digest |
//! | `LEGACY`, the old ways of CM-Well that clients need, with commas between: names of the fields of `Legacy`, such as `md5,token2_header` | none |
//! | `DEVELOPMENT`: `0` in a debug build, `1` in a release build, to change what it is | as it is built |

mod development;
mod documents;
mod keys;
mod records;
mod roles;
mod server;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router};
use gatekit::cmwell::{CmWell, EnableDigestError, ForgetDigests, Legacy};
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
    let keys = Keys::find(&database)?;
    let store = SqliteStore::open(&database).await?;
    let mut auth = Auth::builder(store.clone())
        // What Digest keeps of a password goes with it.
        .hooks(ForgetDigests::new(store.clone()));
    if let Ok(url) = env::var("PUBLIC_URL") {
        auth = auth.public_url(url);
    }
    let auth: Auth = auth.build()?;
    let mut cmwell = CmWell::builder(auth.clone(), keys.signing.clone())
        .permissions(store.clone())
        .legacy(legacy(&setting("LEGACY", ""))?);
    cmwell = keys.with_old(cmwell);
    if setting("DIGEST", "1") != "0" {
        cmwell = keys.with_digest(cmwell, store.clone());
    }
    let cmwell = cmwell.build()?;
    roles::store_defaults(&cmwell).await?;
    let development = development::is_on()?;
    if development {
        let account = development::make_account(store.clone(), &cmwell).await?;
        roles::make_admin(&cmwell, &account).await?;
    } else {
        development::refuse_account(&auth).await?;
        roles::make_first_admin(&cmwell, env::var("ADMIN_EMAIL").ok()).await?;
    }

    // What every user may do with the own account, whatever the permissions.
    let own = Router::new()
        .route("/me", get(me))
        .route("/me/digest", post(turn_digest_on).delete(turn_digest_off))
        .with_state(cmwell.clone())
        // Sign-up, as LoopBack has it.
        .nest("/api/users", routes::register(&auth))
        .layer(AuthLayer::new(cmwell.authenticator()).sources(cmwell.token_sources()));
    let app = documents::routes()
        .merge(records::routes(cmwell.clone(), store))
        // GET /_login and POST /_auth.
        .merge(cmwell.router())
        // CM-Well's `use.authorization`: the permissions for the path decide.
        .layer(cmwell.filter())
        .merge(own);

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

/// A user who wants to log in by Digest says so, with the password: what Digest needs of it is kept
/// from then on, sealed.
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

/// The old ways that are named.
fn legacy(names: &str) -> Result<Legacy, String> {
    let mut legacy = Legacy::default();
    for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
        *match name {
            "md5" => &mut legacy.md5,
            "rfc2069" => &mut legacy.rfc2069,
            "get_operations" => &mut legacy.get_operations,
            "token_in_query" => &mut legacy.token_in_query,
            "token2_header" => &mut legacy.token2_header,
            "cookies" => &mut legacy.cookies,
            "lenient_exp" => &mut legacy.lenient_exp,
            _ => return Err(format!("LEGACY names `{name}`, which is no field of Legacy")),
        } = true;
    }
    Ok(legacy)
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

  # {NAME} is an administrator: it makes ada an editor, who may write below /docs
  curl -X PUT {url}/meta/auth/users/ada -H "X-CM-WELL-TOKEN: $TOKEN" -H 'Content-Type: application/json' \
    -d '{{"roles":["editor"]}}'
  curl -X PUT {url}/docs/hello -H "X-CM-WELL-TOKEN: $ADA" -d 'Hello'
  curl {url}/docs/hello
  curl {url}/meta/auth/users/ada    # 403 Not authorized, please login first

  # And gives her a password that was made up
  curl -X POST "{url}/_auth?op=generate-password" -H "X-CM-WELL-TOKEN: $TOKEN"
  curl -X POST {url}/_auth -H "X-CM-WELL-TOKEN: $TOKEN" -H 'Content-Type: application/json' \
    -d '{{"op":"set-password","user":"ada","encrypted":"<encrypted>"}}'

  # Change the password: all tokens from before end, and Digest is off until it is turned on again
  curl -X POST {url}/_auth -H "X-CM-WELL-TOKEN: $ADA" -H 'Content-Type: application/json' \
    -d '{{"op":"change-password","current":"correct horse battery","new":"wrong giraffe charger"}}'
"#
    )
}
