//! A site with Wix members login: a page that logs in and applies a session token, the members'
//! routes, and the endpoints that `@wix/sdk` calls.
//!
//! Copy this folder as a start.
//!
//! ```text
//! cargo run -p wix                    # then open http://127.0.0.1:3000
//! ```
//!
//! In development it begins with the member `user@example.com` / `correct horse battery`: see
//! [`development`]. Mails are printed to the terminal. It reads from the environment:
//!
//! | variable | without it |
//! | --- | --- |
//! | `PORT` | 3000 |
//! | `DATABASE`; the keys are beside it, in a file of the same name with `.keys` | `wix.db` in the current folder |
//! | `PUBLIC_URL`, where browsers reach it | `http://127.0.0.1:<PORT>` |
//! | `ORIGINS`, of whose pages the SDK may be in, with blanks between | `http://localhost:<PORT>` |
//! | `CLIENT_ID`, what the SDK is told | the one that it prints |
//! | `OWNER_KEY`, what the owner's routes ask for | a new one at each start, which it prints |
//! | `APPROVAL=manual`: members wait to be approved | off |
//! | `OWNER_EMAIL`, who is told by mail of members that wait | nobody is |
//! | `DEVELOPMENT`: `1` for a development server, `0` for none | `1` in a debug build, `0` in a release build |
//! | `EMAIL_VERIFICATION=1`: members prove their address with a code | off |

mod development;
mod keys;
mod owner;
mod pages;
mod server;

use std::env;
use std::error::Error;
use std::path::Path;
use std::process::ExitCode;

use axum::routing::get;
use axum::{Json, Router};
use gatekit::wix::{ApprovalPolicy, MemberUser, RefreshReuse, SiteId, TakenEmail, WixMembers};
use gatekit::{Auth, AuthLayer, AuthUser, ConsoleMailer, Policy, SqliteStore, TokenCookie, TokenSources};

use crate::development::MEMBER;

/// The site, as its tokens name it. Make one of your own: `uuidgen`.
const SITE: &str = "0d3c51c0-6f0c-4b53-9b0e-2f0b1a6f7c55";
/// What the SDK is told: `OAuthStrategy({ clientId })`. It is no secret.
const CLIENT: &str = "7f0c1d3e-5a1b-4c1e-9a53-0d7f2f6f1a11";

#[tokio::main]
async fn main() -> ExitCode {
    server::exit(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let stop = server::stop_signal();
    let listener = server::listen("127.0.0.1", &setting("PORT", "3000")).await?;
    let port = listener.local_addr()?.port();
    let url = server::local_url(&listener)?;
    let public_url = setting("PUBLIC_URL", &url);
    let database = setting("DATABASE", "wix.db");

    let verify = setting("EMAIL_VERIFICATION", "0") == "1";
    let mut policy = Policy::default();
    policy.email.verification_required = verify;
    // Members get a code, and not a link as well.
    policy.email.verify_on_register = false;
    let store = SqliteStore::open(&database).await?;
    let auth: Auth<MemberUser> = Auth::builder(store)
        .policy(policy)
        .mailer(ConsoleMailer::stdout())
        .public_url(&public_url)
        .reset_link(format!("{public_url}/choose-password?token={{token}}"))
        .build()?;

    let keys = keys::read_or_make(Path::new(&format!("{database}.keys")), &auth)?;
    let manual = setting("APPROVAL", "automatic") == "manual";
    let client = setting("CLIENT_ID", CLIENT);
    let mut members = WixMembers::builder(auth.clone(), SiteId::new(SITE)?, keys.session, keys.approval)
        .approval(if manual { ApprovalPolicy::Manual } else { ApprovalPolicy::Automatic })
        .email_verification(verify)
        // Where everybody gets a code, nobody is told whose address is a member's.
        .taken_email(if verify { TakenEmail::AlwaysVerify } else { TakenEmail::Reveal })
        .public_url(&public_url)
        .client_id(&client)
        // The SDK keeps its first refresh token. This is what that costs: see RefreshReuse.
        .refresh_reuse(RefreshReuse::AllowedToSdk);
    // The owner is told who waits, and finds everybody who does at /owner/pending.
    if let (true, Ok(owner)) = (manual, env::var("OWNER_EMAIL")) {
        members = members.approver(owner).approval_page("/approve?token={token}");
    }
    for origin in setting("ORIGINS", &format!("http://localhost:{port}")).split_whitespace() {
        members = members.allowed_origin(origin);
    }
    let members = members.build()?;
    let development = development::is_on()?;
    if development {
        development::make_member(&auth).await?;
    } else {
        development::refuse_member(&auth).await?;
    }
    let (owner_key, shown_key) = match env::var("OWNER_KEY") {
        // An empty one would be everybody's. Who has set it knows it, and need not find it in logs.
        Ok(key) if !key.is_empty() => (key, "$OWNER_KEY".to_owned()),
        _ => {
            let key = auth.new_secret()?.expose().to_owned();
            (key.clone(), key)
        }
    };

    // Over HTTPS, as in production, browsers keep the token in a cookie that no other host can set.
    // Plain http is for development.
    let cookie = if public_url.starts_with("https://") { TokenCookie::default() } else { TokenCookie::for_localhost() };
    let app = Router::new()
        .route("/me", get(|AuthUser(member): AuthUser<MemberUser>| async move { Json(member) }))
        .nest("/wix", members.router())
        .merge(members.iam_router())
        .merge(owner::routes(members, &owner_key))
        .merge(pages::routes())
        .layer(AuthLayer::new(auth.clone()).sources(TokenSources::default().with_cookie(cookie)));

    println!("READY {url}");
    if development {
        println!("{}", curl_lines(&url, &client, &shown_key));
    } else {
        println!("OWNER_KEY {shown_key}");
    }
    server::run(listener, app, stop).await;
    // Mails are sent on tasks of their own: those of the last requests too.
    auth.settled().await;
    Ok(())
}

/// An environment variable, or what holds without it.
fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}

fn curl_lines(url: &str, client: &str, owner_key: &str) -> String {
    let (email, password) = MEMBER;
    format!(
        r#"
Open {url} and log in as {email} with {password}, or try it:

  # Log in: a session token, to be applied within two minutes
  TOKEN=$(curl -s {url}/wix/login -H 'Content-Type: application/json' \
    -d '{{"email":"{email}","password":"{password}"}}' | sed 's/.*"sessionToken":"\([^"]*\)".*/\1/')

  # Apply it: a browser gets a cookie, a program the token of a session
  ACCESS=$(curl -s '{url}/wix/apply-session-token?cookie=false' -H 'Content-Type: application/json' \
    -d "{{\"sessionToken\":\"$TOKEN\"}}" | sed 's/.*"accessToken":"\([^"]*\)".*/\1/')

  # What is for members
  curl {url}/me -H "Authorization: $ACCESS"

  # A visitor of the SDK: OAuthStrategy({{ clientId: '{client}' }})
  curl -s {url}/oauth2/token -H 'Content-Type: application/json' \
    -d '{{"clientId":"{client}","grantType":"anonymous"}}'

  # The owner sees who waits for approval (APPROVAL=manual)
  curl -X POST {url}/owner/pending -H "X-Owner-Key: {owner_key}"

  # The owner keeps a member out, and lets it in again
  curl {url}/owner/block -H "X-Owner-Key: {owner_key}" -H 'Content-Type: application/json' -d '{{"email":"{email}"}}'
  curl {url}/owner/approve -H "X-Owner-Key: {owner_key}" -H 'Content-Type: application/json' -d '{{"email":"{email}"}}'
"#
    )
}
