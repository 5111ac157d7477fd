//! A mail server on the loopback that keeps the mails for a test to read, and can behave badly.

mod session;
mod shared;

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::BufReader;
use tokio::net::TcpListener;
use tokio::task::{AbortHandle, JoinSet};

use self::session::Session;
use self::shared::Shared;
pub use self::shared::{ReceivedMail, SmtpBehavior};
use crate::wait::{first_link, first_secret, until};

/// A real SMTP server (RFC 5321, with 8BITMIME, SMTPUTF8 and AUTH PLAIN) on a free port of
/// `127.0.0.1`, for tests. It takes every mail from everybody. Clones are the same server; it ends
/// with the last of them.
///
/// ```
/// use gatekit_testkit::SmtpSink;
///
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> std::io::Result<()> {
/// let server = SmtpSink::start().await;
/// println!("send mails to {}", server.url());
/// # use tokio::io::{AsyncReadExt, AsyncWriteExt};
/// # let mut client = tokio::net::TcpStream::connect(server.addr()).await?;
/// # client.write_all(b"EHLO me\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\nDATA\r\n\
/// #   Subject: Hello\r\n\r\nSee https://example.com/x\r\n.\r\nQUIT\r\n").await?;
/// // After a mail was sent there:
/// assert_eq!(server.next().await.header("subject"), Some("Hello"));
/// assert_eq!(server.last_link().await, "https://example.com/x");
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct SmtpSink {
    addr: SocketAddr,
    shared: Arc<Shared>,
    _server: Arc<Server>,
}

#[derive(Debug)]
struct Server(AbortHandle);

impl Drop for Server {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl ReceivedMail {
    /// The first header of this name, in any case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| &**value)
    }

    /// The first link in the text.
    #[must_use]
    pub fn link(&self) -> Option<String> {
        first_link(&self.text)
    }
}

impl SmtpSink {
    /// Starts a server on a free port.
    ///
    /// # Panics
    ///
    /// If the loopback has no free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("the loopback has a free port");
        let addr = listener.local_addr().expect("a bound listener has an address");
        let shared = Arc::<Shared>::default();
        let server = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self { addr, shared, _server: Arc::new(Server(server.abort_handle())) }
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where it listens, as a URL: `smtp://127.0.0.1:port`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://{}", self.addr)
    }

    /// From now on does this, whenever there is occasion.
    pub fn behave(&self, behavior: SmtpBehavior) {
        self.shared.state().always = behavior;
    }

    /// Does this the next `times` times there is occasion: a connection, a login, a recipient or a
    /// mail, whatever it is about.
    pub fn behave_next(&self, times: usize, behavior: SmtpBehavior) {
        self.shared.state().next.extend(std::iter::repeat_n(behavior, times));
    }

    /// Closes all connections there are, as a server does that is restarted. New ones are taken.
    pub fn hang_up(&self) {
        self.shared.hang_up.notify_waiters();
    }

    /// How much of what [`behave_next`](Self::behave_next) asked for is still to come.
    #[must_use]
    pub fn behaviors_left(&self) -> usize {
        self.shared.state().next.len()
    }

    /// No longer offers this extension, for instance `SMTPUTF8`.
    pub fn withhold(&self, extension: &str) {
        self.shared.state().withheld.push(extension.to_owned());
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.shared.state().connections
    }

    /// Users and passwords of the logins so far.
    #[must_use]
    pub fn logins(&self) -> Vec<(String, String)> {
        self.shared.state().logins.clone()
    }

    /// The mails so far, oldest first. It does not wait.
    #[must_use]
    pub fn mails(&self) -> Vec<ReceivedMail> {
        self.shared.state().mails.clone()
    }

    /// The next mail that `next` has not yet returned; waits for it.
    ///
    /// # Panics
    ///
    /// If none comes within a minute.
    pub async fn next(&self) -> ReceivedMail {
        let next = until(&self.shared.changed, || {
            let mut state = self.shared.state();
            let mail = state.mails.get(state.read).cloned()?;
            state.read += 1;
            Some(mail)
        });
        match next.await {
            Some(mail) => mail,
            None => panic!("waited for a mail over SMTP, but none came to {}", self.addr),
        }
    }

    /// The mails, once there are at least `count`.
    ///
    /// # Panics
    ///
    /// If they do not come within a minute.
    pub async fn wait_for(&self, count: usize) -> Vec<ReceivedMail> {
        let enough = until(&self.shared.changed, || Some(self.mails()).filter(|mails| mails.len() >= count));
        match enough.await {
            Some(mails) => mails,
            None => panic!("waited for {count} mails over SMTP, but only {} came to {}", self.mails().len(), self.addr),
        }
    }

    /// The link in the newest mail; waits for a mail if there is none.
    ///
    /// # Panics
    ///
    /// If no mail comes within a minute, or the newest holds no link.
    pub async fn last_link(&self) -> String {
        match self.wait_for(1).await.last().and_then(ReceivedMail::link) {
            Some(link) => link,
            None => panic!("the newest mail holds no link; is `public_url` set?"),
        }
    }

    /// The secret in the newest mail; waits for a mail if there is none.
    ///
    /// # Panics
    ///
    /// If no mail comes within a minute, or the newest holds no secret.
    pub async fn last_token(&self) -> String {
        match self.wait_for(1).await.last().and_then(|mail| first_secret(&mail.text)) {
            Some(secret) => secret,
            None => panic!("the newest mail holds no secret"),
        }
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut sessions = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        shared.state().connections += 1;
        let shared = Arc::clone(&shared);
        sessions.spawn(async move {
            let session = Session { stream: BufReader::new(stream), shared: Arc::clone(&shared) };
            tokio::select! {
                () = shared.hang_up.notified() => {}
                // An error here is a client that went away.
                _ = session.run() => {}
            }
        });
        while sessions.try_join_next().is_some() {}
    }
}
