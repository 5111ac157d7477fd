//! A server in place of a LoopBack 3 project: the built-in User at `/api/Users`, with the responses
//! its clients know.
//!
//! Copy this folder as a start. It reads what a generated project reads, `HOST`, `PORT` (default
//! 3000) and `NODE_ENV` (`production` for short error bodies), and `DATABASE` (default
//! `loopback.db`) and `PUBLIC_URL` (where the links in mails lead).

mod helmet;
mod server;

use std::env;
use std::error::Error;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use gatekit::core::{Clock, SystemClock};
use gatekit::routes::{self, Answers, ResponseFormatLayer, UserApi};
use gatekit::{Acl, AclRow, Auth, AuthLayer, ConsoleMailer, Policy, SqliteStore, Timestamp, TokenSources, User};
use serde_json::{Map, Value, json};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

/// LoopBack's User. It keeps every property that a client sends, as LoopBack does
/// (`"strict": false`); an app that knows its properties writes a struct in place of the map.
type LoopBackUser = User<Map<String, Value>>;

#[tokio::main]
async fn main() -> ExitCode {
    server::exit(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let stop = server::stop_signal();
    let listener = server::listen(&setting("HOST", "127.0.0.1"), &setting("PORT", "3000")).await?;
    let url = server::local_url(&listener)?;
    let public_url = setting("PUBLIC_URL", &url);

    let store = SqliteStore::open(setting("DATABASE", "loopback.db")).await?;
    let auth: Auth<LoopBackUser> = Auth::builder(store)
        // LoopBack's rules and limits. Each of its fields says what that risks; change those that
        // your clients can do without.
        .policy(Policy::loopback())
        // LoopBack's rows for its User, and one more: who is in the role `admin` may see all users.
        // Nobody is, until `auth.assign_role(&id, "admin")`.
        .acl(Acl::user().row(AclRow::allow("admin").methods(["find", "findById", "count"])))
        // It prints mails here. SmtpMailer sends them.
        .mailer(ConsoleMailer::stdout())
        .public_url(&public_url)
        // Your page where a user chooses a new password, in place of a plain one below /api/Users.
        // It sends the token to POST /api/Users/reset-password.
        // .reset_link("https://app.example.com/reset-password?token={token}") Where GET
        // /api/Users/confirm may send a browser, besides paths of this server:
        // .redirect_origin("https://app.example.com")
        .build()?;

    let (started, clock) = (SystemClock.now(), Instant::now());
    let api = UserApi::new(&auth).answers(Answers::loopback());
    let users = routes::loopback(api).fallback(routes::user_url_not_found::<LoopBackUser>);
    let rest = Router::new().nest("/Users", users).fallback(routes::rest_url_not_found);
    let app = Router::new()
        .route("/", get(async move || status(started, clock)))
        .method_not_allowed_fallback(routes::url_not_found)
        .nest("/api", rest)
        .fallback(routes::url_not_found)
        // LoopBack's places. A cookie is none of them, and must not become one, signed or not,
        // while every origin may send cookies along and read the answers: see `cors`.
        .layer(AuthLayer::new(auth.clone()).sources(TokenSources::loopback()))
        // The form that a client accepts, and how much it is told of an error.
        .layer(ResponseFormatLayer::new().debug(setting("NODE_ENV", "development") != "production"));
    let app = routes::ignore_case("/api/Users", app)
        .layer(cors())
        .layer(middleware::from_fn(no_content_for_options))
        .layer(middleware::from_fn(helmet::add));

    println!("READY {url}");
    println!("{}", curl_lines(&url));
    server::run(listener, app, stop).await;
    // Mails are sent on tasks of their own: those of the last requests too.
    auth.settled().await;
    Ok(())
}

/// What `GET /` of a generated project says: since when the server runs, and for how many seconds.
fn status(started: Timestamp, clock: Instant) -> Json<Value> {
    Json(json!({ "started": started, "uptime": clock.elapsed().as_secs_f64() }))
}

/// The CORS answers of a generated project: every origin may call, with credentials. That is
/// harmless only because no cookie is a token here. Before one is, name your origins:
/// `AllowOrigin::list([..])`.
fn cors() -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::mirror_request())
        .allow_credentials(true)
        .allow_methods([Method::GET, Method::HEAD, Method::PUT, Method::PATCH, Method::POST, Method::DELETE])
        .allow_headers(AllowHeaders::mirror_request())
        .max_age(Duration::from_secs(86_400))
        .vary([header::ORIGIN, header::ACCESS_CONTROL_REQUEST_HEADERS])
}

/// LoopBack answers every OPTIONS request with 204, [`CorsLayer`] with 200.
async fn no_content_for_options(request: Request, next: Next) -> Response {
    let is_options = request.method() == Method::OPTIONS;
    let mut response = next.run(request).await;
    if is_options {
        *response.status_mut() = StatusCode::NO_CONTENT;
    }
    response
}

/// An environment variable, or what holds without it.
fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn curl_lines(url: &str) -> String {
    format!(
        r#"
Try it:

  # Sign up; properties of your own are kept
  curl -X POST {url}/api/Users -H 'Content-Type: application/json' \
    -d '{{"email":"me@domain.com","password":"secret","color":"green"}}'

  # Log in and keep the token
  TOKEN=$(curl -s -X POST {url}/api/Users/login -H 'Content-Type: application/json' \
    -d '{{"email":"me@domain.com","password":"secret"}}' | sed 's/.*"id":"\([^"]*\)".*/\1/')

  # Read and change yourself, if you were the first to sign up
  curl {url}/api/Users/1 -H "Authorization: $TOKEN"
  curl -X PATCH {url}/api/Users/1 -H "Authorization: $TOKEN" -H 'Content-Type: application/json' -d '{{"color":"blue"}}'

  # Prove your address: the mail with the link appears here
  curl -i -X POST {url}/api/Users/1/verify

  # Forgotten the password: this mail too
  curl -i -X POST {url}/api/Users/reset -H 'Content-Type: application/json' -d '{{"email":"me@domain.com"}}'

  # Log out
  curl -i -X POST {url}/api/Users/logout -H "Authorization: $TOKEN"
"#
    )
}
