//! The server's side of one SMTP conversation.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::shared::{ReceivedMail, Shared, SmtpBehavior};
use crate::mime;

pub(super) struct Session {
    pub(super) stream: BufReader<TcpStream>,
    pub(super) shared: Arc<Shared>,
}

#[derive(Default)]
struct Envelope {
    from: String,
    parameters: String,
    to: Vec<String>,
}

impl Session {
    pub(super) async fn run(mut self) -> std::io::Result<()> {
        match self.shared.behavior(&[SmtpBehavior::HangAtConnect, SmtpBehavior::CloseAtConnect]) {
            SmtpBehavior::HangAtConnect => std::future::pending().await,
            SmtpBehavior::CloseAtConnect => return Ok(()),
            _ => {}
        }
        self.say("220 sink ready").await?;
        let mut envelope = Envelope::default();
        while let Some(line) = self.line().await? {
            let line = line.trim_end().to_owned();
            let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
            match verb.to_ascii_uppercase().as_str() {
                "EHLO" => self.hello().await?,
                "HELO" | "NOOP" => self.say("250 ok").await?,
                "AUTH" => self.login(rest).await?,
                "MAIL" => {
                    let (from, parameters) = path(rest);
                    envelope = Envelope { from, parameters, to: Vec::new() };
                    self.say("250 ok").await?;
                }
                "RCPT" => match self.shared.behavior(&[SmtpBehavior::Defer, SmtpBehavior::Reject]) {
                    SmtpBehavior::Defer => self.say("451 4.7.1 greylisted, come back later").await?,
                    SmtpBehavior::Reject => self.say("550 5.1.1 nobody of that name").await?,
                    _ => {
                        envelope.to.push(path(rest).0);
                        self.say("250 ok").await?;
                    }
                },
                "DATA" if envelope.to.is_empty() => self.say("503 no recipient").await?,
                "DATA" => {
                    self.say("354 go on").await?;
                    let Some(raw) = self.content().await? else { return Ok(()) };
                    match self.shared.behavior(&[SmtpBehavior::HangAfterMail, SmtpBehavior::CloseAfterMail]) {
                        SmtpBehavior::HangAfterMail => std::future::pending().await,
                        SmtpBehavior::CloseAfterMail => return Ok(()),
                        _ => {}
                    }
                    self.keep(std::mem::take(&mut envelope), raw);
                    self.say("250 kept").await?;
                }
                "RSET" => {
                    envelope = Envelope::default();
                    self.say("250 ok").await?;
                }
                "QUIT" => return self.say("221 bye").await,
                _ => self.say("500 what?").await?,
            }
        }
        Ok(())
    }

    async fn hello(&mut self) -> std::io::Result<()> {
        let withheld = self.shared.state().withheld.clone();
        let mut reply = String::from("250-sink\r\n");
        for extension in ["8BITMIME", "SMTPUTF8", "AUTH PLAIN"] {
            if !withheld.iter().any(|w| extension.starts_with(w.as_str())) {
                reply.push_str(&format!("250-{extension}\r\n"));
            }
        }
        reply.push_str("250 SIZE 10485760");
        self.say(&reply).await
    }

    /// RFC 4954, RFC 4616: `AUTH PLAIN base64(\0user\0password)`, at once or after a 334.
    async fn login(&mut self, rest: &str) -> std::io::Result<()> {
        let initial = rest.split_once(' ').map(|(_, initial)| initial.to_owned());
        let response = match initial {
            Some(initial) => initial,
            None => {
                self.say("334 ").await?;
                self.line().await?.unwrap_or_default()
            }
        };
        let decoded = STANDARD.decode(response.trim()).unwrap_or_default();
        let decoded = String::from_utf8_lossy(&decoded).into_owned();
        let mut parts = decoded.split('\0').skip(1);
        let (user, password) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        self.shared.state().logins.push((user.to_owned(), password.to_owned()));
        match self.shared.behavior(&[SmtpBehavior::RefuseLogin]) {
            SmtpBehavior::RefuseLogin => self.say("535 5.7.8 wrong user or password").await,
            _ => self.say("235 welcome").await,
        }
    }

    /// Everything up to the line with one dot.
    async fn content(&mut self) -> std::io::Result<Option<String>> {
        let mut content = String::new();
        while let Some(line) = self.line().await? {
            if line == ".\r\n" {
                return Ok(Some(content));
            }
            content.push_str(line.strip_prefix('.').unwrap_or(&line));
        }
        Ok(None)
    }

    fn keep(&self, envelope: Envelope, raw: String) {
        let mime::Parsed { headers, text, html } = mime::parse(&raw);
        let Envelope { from, parameters, to } = envelope;
        self.shared.state().mails.push(ReceivedMail { from, to, parameters, headers, text, html, raw });
        self.shared.changed.notify_waiters();
    }

    async fn say(&mut self, reply: &str) -> std::io::Result<()> {
        self.stream.get_mut().write_all(format!("{reply}\r\n").as_bytes()).await
    }

    /// One line with its end; `None` if there are no more.
    async fn line(&mut self) -> std::io::Result<Option<String>> {
        let mut line = Vec::new();
        let read = self.stream.read_until(b'\n', &mut line).await?;
        Ok((read > 0).then(|| String::from_utf8_lossy(&line).into_owned()))
    }
}

/// `FROM:<ada@example.com> SMTPUTF8` to address and parameters.
fn path(rest: &str) -> (String, String) {
    let Some((_, rest)) = rest.split_once('<') else { return (rest.to_owned(), String::new()) };
    let (address, parameters) = rest.rsplit_once('>').unwrap_or((rest, ""));
    (address.to_owned(), parameters.trim().to_owned())
}
