//! Layer and extractor alone. Users live elsewhere; whoever keeps them signs JSON Web Tokens, and
//! this app checks them.
//!
//! Copy this folder as a start. It reads `PORT` (default 3000) and `JWT_SECRET`, the secret shared
//! with the server that signs. Without `JWT_SECRET` it is a development server: it makes a secret
//! for this start, and prints a token to try.

mod server;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use axum::routing::get;
use axum::{Json, Router};
use gatekit::{AuthLayer, AuthUser, JwtVerifier};
use serde::{Deserialize, Serialize};

/// What this app wants to see of a token. `iss`, `aud`, `exp` and `nbf` are checked whether they
/// are fields here or not.
#[derive(Clone, Serialize, Deserialize)]
struct Claims {
    sub: String,
    email: Option<String>,
}

const ISSUER: &str = "https://login.example.com";
const AUDIENCE: &str = "https://api.example.com";

#[tokio::main]
async fn main() -> ExitCode {
    server::exit(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    let stop = server::stop_signal();
    let port = env::var("PORT").unwrap_or_else(|_| "3000".into());
    // A secret that stands in a source file is known to everybody, so there is none.
    let (secret, development) = match env::var("JWT_SECRET") {
        Ok(secret) => (secret, false),
        Err(_) => (secret_of_this_start()?, true),
    };

    // Whose tokens, and for whom: both have to be said. With the public keys of an identity
    // provider in place of a secret: `JwtVerifier::<Claims>::from_jwks(include_str!("jwks.json"))`,
    // or `from_jwks_url(..)` with the feature `jwks-url`.
    let verifier = JwtVerifier::<Claims>::hs256(&secret).issuer(ISSUER).audience(AUDIENCE).build();
    let verifier = verifier.map_err(|error| format!("JWT_SECRET is refused: {error}"))?;

    let app = Router::new()
        .route("/", get(hello)) // open: it takes a caller, or none
        .route("/me", get(me)) // guarded by its argument
        .layer(AuthLayer::new(verifier));

    let listener = server::listen("127.0.0.1", &port).await?;
    let url = server::local_url(&listener)?;
    if development {
        println!(
            "DEVELOPMENT: JWT_SECRET is not set. This start made a secret of its own, which signs the token below."
        );
    }
    println!("READY {url}");
    if development {
        println!("{}", curl_lines(&url, &token_from_elsewhere(&secret)?));
    }
    server::run(listener, app, stop).await;
    Ok(())
}

/// Without a good token this is not run, and the caller gets 401.
async fn me(AuthUser(claims): AuthUser<Claims>) -> Json<Claims> {
    Json(claims)
}

async fn hello(caller: Option<AuthUser<Claims>>) -> String {
    caller.map_or("Hello, stranger\n".into(), |AuthUser(claims)| format!("Hello, {}\n", claims.sub))
}

/// 32 random bytes in hexadecimal digits.
fn secret_of_this_start() -> Result<String, Box<dyn Error>> {
    let mut bytes = [0; 32];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| "the system has no random bytes")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// What the identity provider would do, so that there is something to paste: a token for a quarter
/// of an hour.
fn token_from_elsewhere(secret: &str) -> Result<String, jsonwebtoken::errors::Error> {
    #[derive(Serialize)]
    struct Token {
        iss: &'static str,
        aud: &'static str,
        exp: u64,
        #[serde(flatten)]
        claims: Claims,
    }
    let claims = Claims { sub: "ada".into(), email: Some("ada@example.com".into()) };
    let token = Token { iss: ISSUER, aud: AUDIENCE, exp: jsonwebtoken::get_current_timestamp() + 15 * 60, claims };
    jsonwebtoken::encode(&<_>::default(), &token, &jsonwebtoken::EncodingKey::from_secret(secret.as_bytes()))
}

fn curl_lines(url: &str, token: &str) -> String {
    format!(
        r#"
Try it:

  # A token that was made elsewhere, good for 15 minutes
  TOKEN={token}

  # Who am I?
  curl -i {url}/me -H "Authorization: Bearer $TOKEN"

  # Nobody, without it: 401
  curl -i {url}/me

  # Open to everyone, and it knows you
  curl {url}/
  curl {url}/ -H "Authorization: Bearer $TOKEN"

  # One letter changed: 401
  curl -i {url}/me -H "Authorization: Bearer x$TOKEN"
"#
    )
}
