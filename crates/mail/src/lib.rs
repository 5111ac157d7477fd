//! Sends the mails of Gatekit's flows: to the console while an app is developed, over SMTP when it
//! runs.
//!
//! | you want | use |
//! | --- | --- |
//! | to see the link of a reset mail in the terminal | [`ConsoleMailer`] |
//! | to send mails through a mail server | `SmtpMailer`, behind the feature `smtp` |
//! | to send them any other way | implement [`Mailer`](gatekit_core::Mailer): one method |
//!
//! ```
//! use gatekit_core::{Auth, MemoryStore};
//! use gatekit_mail::ConsoleMailer;
//!
//! let store = MemoryStore::new();
//! let auth: Auth = Auth::builder(store)
//!     .mailer(ConsoleMailer::stdout())
//!     .public_url("http://localhost:3000")
//!     .build()?;
//! # Ok::<_, gatekit_core::ConfigError>(())
//! ```
//!
//! A mail holds a secret, so nothing here logs one. Do not switch on the feature `tracing` of
//! lettre in your own `Cargo.toml`: it logs every line that is sent.

mod console;
#[cfg(feature = "smtp")]
mod smtp;

pub use console::ConsoleMailer;
#[cfg(feature = "smtp")]
pub use smtp::{SmtpConfigError, SmtpMailer};
