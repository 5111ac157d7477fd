//! The least HTTP/1.1 client that keeps a connection: on a small machine, whatever the client
//! spends is taken from the server it measures.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    str,
    sync::Arc,
};

use serde::Deserialize;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::Result;

/// What any client sends with each request.
const COMMON: &str = "User-Agent: load\r\nAccept: */*\r\n";
/// The account that every benchmark server has.
const CREDENTIALS: &str = r#"{"email":"bench@example.com","password":"correct horse battery staple"}"#;

/// A server on this machine, and who one is there.
#[derive(Clone, Debug)]
pub struct Target {
    address: SocketAddr,
    /// The header line to send with each request, once logged in.
    credential: Arc<str>,
}

impl Target {
    /// The server at `http://127.0.0.1:PORT`.
    ///
    /// # Errors
    /// When it is any other address.
    pub fn new(url: &str) -> Result<Self> {
        let address: SocketAddr =
            url.strip_prefix("http://").ok_or("only http:// is spoken")?.trim_end_matches('/').parse()?;
        if address.ip() != Ipv4Addr::LOCALHOST {
            return Err("only 127.0.0.1 is ever sent to".into());
        }
        Ok(Self { address, credential: "".into() })
    }

    /// Logs in; all later requests carry the token or cookie that came back.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn log_in(&mut self) -> Result<()> {
        let mut connection = self.connect().await?;
        let reply = connection.exchange(&self.login()).await?;
        if reply.status != 200 {
            return Err(format!("login answered {}", reply.status).into());
        }
        self.credential = reply.credential()?.into();
        Ok(())
    }

    pub(crate) fn get(&self, path: &str) -> Vec<u8> {
        format!("GET {path} HTTP/1.1\r\nHost: {}\r\n{COMMON}{}\r\n", self.address, self.credential).into_bytes()
    }

    /// A login as someone who is not logged in yet.
    pub(crate) fn login(&self) -> Vec<u8> {
        format!(
            "POST /login HTTP/1.1\r\nHost: {}\r\n{COMMON}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{CREDENTIALS}",
            self.address,
            CREDENTIALS.len(),
        )
        .into_bytes()
    }

    pub(crate) async fn connect(&self) -> io::Result<Connection> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(4096) })
    }
}

pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
#[derive(Debug)]
pub struct Reply<'a> {
    /// Its status code.
    pub status: u16,
    head: &'a str,
    body: &'a [u8],
}

impl Connection {
    /// Sends a request and waits for its whole answer.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> io::Result<Reply<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head_end = loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if let Some(at) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                break at + 4;
            }
        };
        let head = head(&self.buffer, head_end)?;
        let length = match header(head, "content-length") {
            Some(length) => length.parse().map_err(io::Error::other)?,
            None if header(head, "transfer-encoding").is_some() => return Err(io::ErrorKind::Unsupported.into()),
            None => 0,
        };
        while self.buffer.len() < head_end + length {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        let head = self::head(&self.buffer, head_end)?;
        let status = head.get(9..12).and_then(|digits| digits.parse().ok()).ok_or(io::ErrorKind::InvalidData)?;
        Ok(Reply { status, head, body: &self.buffer[head_end..] })
    }
}

impl Reply<'_> {
    /// The header line that proves a login: the session's cookie, or the token of the body.
    fn credential(&self) -> Result<String> {
        #[derive(Deserialize)]
        struct Token {
            id: String,
        }
        if let Some(cookie) = header(self.head, "set-cookie") {
            let pair = cookie.split(';').next().unwrap_or(cookie);
            return Ok(format!("Cookie: {pair}\r\n"));
        }
        let token: Token = serde_json::from_slice(self.body)?;
        Ok(format!("Authorization: {}\r\n", token.id))
    }
}

fn head(buffer: &[u8], end: usize) -> io::Result<&str> {
    str::from_utf8(&buffer[..end]).map_err(io::Error::other)
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.trim())
}
