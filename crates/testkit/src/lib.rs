//! For tests: of apps that use Gatekit, of stores written for it, and Gatekit's own.
//!
//! | to | use |
//! | --- | --- |
//! | hold time still and move it | [`FrozenClock`] |
//! | read the mails an app sent, and follow their links | [`MailSink`]; over real SMTP, [`SmtpSink`] |
//! | have somebody logged in without a password | [`login_as`], [`bearer`] |
//! | spend no time on hashing | [`fast_hasher`] |
//! | see a database fail, hang or answer late at a chosen call | [`FaultyStore`], [`Faults`] |
//! | be sure that no secret is in a log line | [`LogCapture`] |
//! | see what events were raised | [`EventLog`] |
//! | check a store of your own against the contract | [`conformance`] |
//!
//! # A test of an app
//!
//! Put what a test wants to hold in its hands into the app's own `Auth`, and nothing else changes:
//!
//! ```
//! use std::time::Duration;
//!
//! use gatekit_core::{Auth, AuthenticateError, Login, MemoryStore, PasswordReset, Register, RequestPasswordReset, Timestamp};
//! use gatekit_testkit::{FrozenClock, MailSink, fast_hasher, login_as};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (store, clock, mails) = (MemoryStore::new(), FrozenClock::at(Timestamp(1_387_571_420_377)), MailSink::new());
//! let auth: Auth = Auth::builder(store)
//!     .clock(clock.clone())
//!     .mailer(mails.clone())
//!     .hasher(fast_hasher())
//!     .public_url("https://app.example.com")
//!     .build()?;
//!
//! // Somebody signs up and is logged in.
//! let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await?;
//! let session = login_as(&auth, &ada).await;
//! assert!(auth.authenticate(session.secret.expose()).await.is_ok());
//!
//! // She loses her password and uses the link in the mail.
//! auth.request_password_reset(RequestPasswordReset::email("ada@example.com").mount("/api/users")).await?;
//! assert!(mails.last_link().await.starts_with("https://app.example.com/api/users/reset-password/form?token="));
//! auth.reset_password(PasswordReset::new(mails.last_token().await, "battery staple")).await?;
//! auth.login(Login::email("ada@example.com", "battery staple")).await?;
//!
//! // The session from before is over, and so is any after two weeks.
//! let gone = auth.authenticate(session.secret.expose()).await;
//! assert!(matches!(gone, Err(AuthenticateError::Invalid)));
//! let session = login_as(&auth, &ada).await;
//! clock.advance(Duration::from_secs(14 * 24 * 3600));
//! let ended = auth.authenticate(session.secret.expose()).await;
//! assert!(matches!(ended, Err(AuthenticateError::Expired)));
//! # Ok(()) }
//! ```
//!
//! # When something is wrong
//!
//! Whatever waits here waits a minute and then panics with a message that says what it waited for:
//! a test must end.
#![expect(
    clippy::panic,
    clippy::expect_used,
    reason = "a test kit tells by panicking; each such function documents when"
)]

mod clock;
pub mod conformance;
mod event_log;
mod faults;
mod faulty_store;
mod hasher;
mod hold;
mod log_capture;
mod login;
mod mail_sink;
mod mime;
mod smtp_sink;
mod wait;

pub use clock::FrozenClock;
pub use event_log::EventLog;
pub use faults::{Fault, Faults};
pub use faulty_store::FaultyStore;
pub use hasher::fast_hasher;
pub use hold::Held;
pub use log_capture::LogCapture;
pub use login::{bearer, login_as};
pub use mail_sink::{MailBehavior, MailSink};
pub use smtp_sink::{ReceivedMail, SmtpBehavior, SmtpSink};
