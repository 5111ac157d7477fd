//! How a mail gets to a mail server, and what happens when that does not answer as it should.

mod config;
mod connection;
mod failure;
mod message;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use gatekit_core::{Mail, MailError, Mailer, email};
use lettre::message::Mailbox;

use config::Server;
pub use config::SmtpConfigError;
use connection::Connections;

/// Sends mails through a mail server.
///
/// ```
/// use gatekit_mail::SmtpMailer;
///
/// let mailer = SmtpMailer::from_url(
///     "smtps://user:p%40ssword@mail.example.com",
///     "Example <no-reply@example.com>",
/// )?;
/// // The password shows nowhere.
/// assert!(!format!("{mailer:?}").contains("p@ssword"));
/// # Ok::<_, gatekit_mail::SmtpConfigError>(())
/// ```
///
/// # The URL
///
/// `scheme://user:password@host:port/name?tls=...`. User and password are percent-encoded (`@` is
/// `%40`); `name` is what `EHLO` says, the machine's host name if absent.
///
/// | URL | connection | port unless given |
/// | --- | --- | --- |
/// | `smtps://host` | TLS from the first byte | 465 |
/// | `smtp://host` | STARTTLS; if the server does not offer it, nothing is sent | 587 |
/// | `smtp://host?tls=required` | the same, also for a loopback host | 587 |
/// | `smtp://localhost`, `127.0.0.1`, `[::1]` | in clear: it does not leave the machine | 25 |
/// | `smtp://host?tls=opportunistic` | STARTTLS if offered. Who sits in between can prevent that and read the password | 587 |
/// | `smtp://host?tls=none` | in clear. Everybody in between can read the password and every reset link | 25 |
///
/// Certificates are checked against those the system trusts (`ca-certificates` must be installed)
/// and [`root_certificate`](Self::root_certificate)s.
///
/// # Failures
///
/// 1. Connecting, and the conversation about one mail, may each take 10 seconds
///    ([`timeout`](Self::timeout)).
/// 2. What is surely not sent is a [temporary](MailError::temporary) error, after which Gatekit
///    tries again with growing pauses until `policy.mail.timeout`: no connection, a connection
///    lost before the mail was offered, and the server's "not now" (4xx).
/// 3. The server's "no" (5xx), a wrong certificate and a missing STARTTLS stay what they are, and
///    so does a connection lost while the mail was under way: a second copy could be one too many.
/// 4. A connection that worked is kept for the next mail, one that did not never.
///
/// Clones share their connections.
#[derive(Clone)]
pub struct SmtpMailer {
    server: Server,
    from: Mailbox,
    timeout: Duration,
    connections: Arc<Connections>,
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SmtpMailer").field("server", &self.server).field("from", &self.from.to_string()).finish()
    }
}

impl SmtpMailer {
    /// Through the server at `url`, from the address `from`: `no-reply@example.com` or
    /// `Example <no-reply@example.com>`.
    ///
    /// Nothing is connected yet; [`check`](Self::check) does that.
    ///
    /// # Errors
    ///
    /// [`SmtpConfigError`] says what to change. It never holds the URL, which may hold a password.
    pub fn from_url(url: &str, from: &str) -> Result<Self, SmtpConfigError> {
        Ok(Self {
            server: Server::from_url(url)?,
            from: message::sender(from)?,
            timeout: Duration::from_secs(10),
            connections: Arc::default(),
        })
    }

    /// How long connecting may take, and again the conversation about one mail. Default: 10
    /// seconds.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// Trusts this certificate (PEM) too, for a mail server whose certificate an authority of your
    /// own has signed.
    ///
    /// # Errors
    ///
    /// [`SmtpConfigError::Certificate`].
    pub fn root_certificate(mut self, pem: &[u8]) -> Result<Self, SmtpConfigError> {
        self.server = self.server.trusting(pem)?;
        self.connections = Arc::default();
        Ok(self)
    }

    /// Connects, checks the certificate and logs in, without sending anything: to find a wrong
    /// password when an app starts and not when the first user waits for a mail.
    ///
    /// # Errors
    ///
    /// [`MailError`], after one attempt.
    pub async fn check(&self) -> Result<(), MailError> {
        let connection = self.connections.open(&self.server, self.timeout).await.map_err(MailError::new)?;
        self.connections.keep(connection);
        Ok(())
    }
}

#[async_trait]
impl Mailer for SmtpMailer {
    /// A server that offers no SMTPUTF8 (RFC 6531) takes no address with characters beyond ASCII
    /// before the `@`. Known once the mailer has connected: await [`check`](Self::check) when the
    /// app starts. Until then every valid address counts as reachable.
    fn can_reach(&self, address: &str) -> bool {
        match email::smtp_form(address) {
            Some(address) => address.is_ascii() || !self.connections.is_ascii_only(),
            None => false,
        }
    }

    async fn send(&self, mail: Mail) -> Result<(), MailError> {
        let message = message::compose(&self.from, &mail)?;
        let (envelope, bytes) = (message.envelope(), message.formatted());
        let sent = self.connections.deliver(&self.server, self.timeout, envelope, &bytes).await;
        sent.map_err(|failure| match failure.is_worth_another_try() {
            true => MailError::temporary(failure),
            false => MailError::new(failure),
        })
    }
}
