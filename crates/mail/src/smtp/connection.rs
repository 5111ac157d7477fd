//! A connection to the mail server, and the few that are kept for the next mail.
//!
//! A connection in use is owned by the send that uses it, and dropped, thus closed, with it: a send
//! that is given up half-way leaves nothing behind that another mail could be mixed up with.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use lettre::address::Envelope;
use lettre::transport::smtp::authentication::DEFAULT_MECHANISMS;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::extension::Extension;
use tokio::time::timeout;

use super::config::{Server, Tls};
use super::failure::{Failure, Stage};

/// More than a burst of reset mails needs, less than servers allow one client.
const MOST_KEPT: usize = 4;
/// Servers close what is idle for some minutes.
const KEPT_FOR: Duration = Duration::from_secs(60);

/// Connections that have delivered a mail and wait for the next, and what the server has said it
/// cannot do.
#[derive(Default)]
pub(super) struct Connections {
    idle: Mutex<Vec<Idle>>,
    /// Whether the server, when it was last connected to, did not offer SMTPUTF8 (RFC 6531).
    ascii_only: AtomicBool,
}

struct Idle {
    connection: AsyncSmtpConnection,
    since: Instant,
}

impl Connections {
    /// Delivers one mail, over a connection that was kept or a new one.
    pub(super) async fn deliver(
        &self,
        server: &Server,
        limit: Duration,
        envelope: &Envelope,
        message: &[u8],
    ) -> Result<(), Failure> {
        let mut connection = match self.kept(limit).await {
            Some(connection) => connection,
            None => self.open(server, limit).await?,
        };
        match timeout(limit, connection.send(envelope, message)).await {
            Ok(Ok(_)) => {
                self.keep(connection);
                Ok(())
            }
            Ok(Err(error)) => Err(Failure::smtp(Stage::Sending, error)),
            Err(_) => Err(Failure::timeout(Stage::Sending)),
        }
    }

    /// A new connection, encrypted as the server's settings ask for and logged in.
    pub(super) async fn open(&self, server: &Server, limit: Duration) -> Result<AsyncSmtpConnection, Failure> {
        let connect = async {
            let wrapped = match &server.tls {
                Tls::Wrapped(parameters) => Some(parameters.clone()),
                _ => None,
            };
            let address = (server.host.as_str(), server.port);
            let mut connection =
                AsyncSmtpConnection::connect_tokio1(address, Some(limit), &server.hello, wrapped, None).await?;
            match &server.tls {
                Tls::Required(parameters) => connection.starttls(parameters.clone(), &server.hello).await?,
                Tls::Opportunistic(parameters) if connection.can_starttls() => {
                    connection.starttls(parameters.clone(), &server.hello).await?;
                }
                Tls::Wrapped(_) | Tls::Opportunistic(_) | Tls::None => {}
            }
            if let Some(credentials) = &server.credentials {
                connection.auth(DEFAULT_MECHANISMS, credentials).await?;
            }
            Ok(connection)
        };
        let connected: Result<AsyncSmtpConnection, lettre::transport::smtp::Error> = match timeout(limit, connect).await
        {
            Ok(connected) => connected,
            Err(_) => return Err(Failure::timeout(Stage::Connecting)),
        };
        let connection = connected.map_err(|error| Failure::smtp(Stage::Connecting, error))?;
        let takes_utf8 = connection.server_info().supports_feature(Extension::SmtpUtfEight);
        self.ascii_only.store(!takes_utf8, Ordering::Relaxed);
        Ok(connection)
    }

    /// Whether the server is known to take no address beyond ASCII.
    pub(super) fn is_ascii_only(&self) -> bool {
        self.ascii_only.load(Ordering::Relaxed)
    }

    /// Keeps a connection that has just worked.
    pub(super) fn keep(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if !connection.has_broken() && idle.len() < MOST_KEPT {
            idle.push(Idle { connection, since: Instant::now() });
        }
    }

    /// The one kept last, if the server still answers on it. If it says nothing at all, the others
    /// are given up too, so that a server that is gone costs one timeout and not one for each.
    async fn kept(&self, limit: Duration) -> Option<AsyncSmtpConnection> {
        while let Some(mut connection) = self.pop() {
            match timeout(limit, connection.test_connected()).await {
                Ok(true) => return Some(connection),
                Ok(false) => {}
                Err(_) => self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear(),
            }
        }
        None
    }

    fn pop(&self) -> Option<AsyncSmtpConnection> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|idle| idle.since.elapsed() < KEPT_FOR);
        idle.pop().map(|idle| idle.connection)
    }
}
