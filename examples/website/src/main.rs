//! A little site whose visitors have accounts: pages to sign up, log in and manage an account,
//! mails, and pages of its own.
//!
//! Copy this folder as a start.
//!
//! ```text
//! cargo run -p website                # then open http://localhost:3000
//! ```
//!
//! 1. "Create an account", with any address. Mails are printed to the terminal.
//! 2. `/private` is for users: log out, open it, and you are back there after logging in.
//! 3. `/private/keys` asks for the password again, ten minutes after the last time.
//! 4. `/account` has the rest: change the password or the address, end sessions, delete the
//!    account.
//!
//! It reads from the environment:
//!
//! | variable | without it |
//! | --- | --- |
//! | `PORT` | 3000 |
//! | `DATABASE` | `website.db` in the current folder |
//! | `PUBLIC_URL`, where visitors reach it: the links in mails begin with it | `http://localhost:<PORT>` |
//! | `SMTP_URL`, such as `smtps://user:password@mail.example.com` | mails are printed |
//! | `MAIL_FROM`, such as `Website <no-reply@example.com>` | `Website <no-reply@localhost>` |
//! | `VERIFY_EMAIL=1`: nobody logs in before the address is verified | off |
//!
//! In production put it behind a server that speaks HTTPS, and set `PUBLIC_URL` to that address.

mod headers;
mod server;
mod site;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use axum::{Router, middleware};
use gatekit::pages::{AskToLogInLayer, Pages, ignore_case};
use gatekit::{Auth, AuthLayer, ConsoleMailer, Policy, SmtpMailer, SqliteStore, TokenCookie, TokenSources};

/// What the site is called.
const NAME: &str = "Website";

#[tokio::main]
async fn main() -> ExitCode {
    server::exit(run().await)
}

async fn run() -> Result<(), Box<dyn Error>> {
    tracing_subscriber::fmt().init();
    let stop = server::stop_signal();
    let listener = server::listen("127.0.0.1", &setting("PORT", "3000")).await?;
    // Browsers keep cookies of `localhost` and `127.0.0.1` apart.
    let url = server::local_url(&listener)?.replace("127.0.0.1", "localhost");
    let public_url = setting("PUBLIC_URL", &url);

    let mut policy = Policy::default();
    policy.email.verification_required = setting("VERIFY_EMAIL", "0") == "1";
    let store = SqliteStore::open(setting("DATABASE", "website.db")).await?;
    let auth = Auth::builder(store).policy(policy).public_url(&public_url).site_name(NAME);
    let auth = match env::var("SMTP_URL") {
        Ok(server) => {
            let mailer = SmtpMailer::from_url(&server, &setting("MAIL_FROM", "Website <no-reply@localhost>"))?;
            // A wrong password is found now, and not when the first visitor waits for a mail.
            mailer.check().await.map_err(|error| format!("the server of SMTP_URL cannot be used: {error}"))?;
            auth.mailer(mailer)
        }
        Err(_) => auth.mailer(ConsoleMailer::stdout()),
    };
    let auth: Auth = auth.build()?;

    // Over HTTPS, as in production, browsers keep the token in a cookie that no other host can set.
    // Plain http is for development.
    let cookie = if public_url.starts_with("https://") { TokenCookie::default() } else { TokenCookie::for_localhost() };
    let pages = Pages::new(auth.clone());
    let app = Router::new()
        // The site's own pages. A person who may not see one is sent to where that can be changed,
        // and comes back.
        .merge(site::routes().layer(AskToLogInLayer::of(&pages)).layer(middleware::from_fn(headers::set)))
        .merge(pages.router())
        .layer(AuthLayer::new(auth.clone()).sources(TokenSources::default().with_cookie(cookie)));
    // `/Login` too, as the keyboard of a phone writes it.
    let app = ignore_case("", app);

    println!("READY {url}");
    server::run(listener, app, stop).await;
    // Mails are sent on tasks of their own: those of the last requests too.
    auth.settled().await;
    Ok(())
}

/// An environment variable, or what holds without it.
fn setting(name: &str, default: &str) -> String {
    env::var(name).unwrap_or_else(|_| default.to_owned())
}
