//! What does the browser ask its person? WebDriver BiDi tells of the login dialog and fills it in;
//! classic WebDriver cannot.
//!
//! It is JSON over a WebSocket. The few frames this needs are spoken here, so that the tests need
//! no crate for it.

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::PATIENCE;

/// A connection to a browser that was started with `webSocketUrl`.
#[derive(Debug)]
pub(crate) struct Bidi {
    stream: TcpStream,
    unread: Vec<u8>,
    sent: u64,
    events: Vec<Value>,
}

impl Bidi {
    /// Connects to `ws://127.0.0.1:port/session/..`.
    pub(crate) async fn connect(url: &str) -> Self {
        let (authority, path) = url.strip_prefix("ws://").and_then(|rest| rest.split_once('/')).expect("a ws URL");
        let mut stream = TcpStream::connect(authority.replace("localhost", "127.0.0.1")).await.unwrap();
        let request = format!(
            "GET /{path} HTTP/1.1\r\nHost: {authority}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bidi = Self { stream, unread: Vec::new(), sent: 0, events: Vec::new() };
        let head = loop {
            match bidi.unread.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                Some(end) => break bidi.unread.drain(..end + 4).collect::<Vec<u8>>(),
                None => bidi.read_more().await,
            }
        };
        assert!(head.starts_with(b"HTTP/1.1 101"), "{}", String::from_utf8_lossy(&head));
        bidi
    }

    /// Sends a command and waits for what it returns.
    pub(crate) async fn command(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params).await;
        loop {
            let message = self.receive().await;
            if message["id"] == id {
                assert_eq!(message["type"], "success", "{method}: {message}");
                return message["result"].clone();
            }
            self.events.push(message);
        }
    }

    /// Sends a command whose end nobody waits for.
    pub(crate) async fn send(&mut self, method: &str, params: Value) -> u64 {
        self.sent += 1;
        let message = json!({"id": self.sent, "method": method, "params": params}).to_string();
        // A final text frame, masked with zeros: the browser is on the same machine.
        let mut frame = vec![0x81];
        match u16::try_from(message.len()).expect("commands are short") {
            length @ 0..=125 => frame.push(0x80 | length as u8),
            length => {
                frame.push(0x80 | 126);
                frame.extend(length.to_be_bytes());
            }
        }
        frame.extend([0; 4]);
        frame.extend(message.as_bytes());
        self.stream.write_all(&frame).await.unwrap();
        self.sent
    }

    /// The next event of this name.
    pub(crate) async fn event(&mut self, method: &str) -> Value {
        loop {
            if let Some(found) = self.events.iter().position(|event| event["method"] == method) {
                return self.events.remove(found)["params"].clone();
            }
            let message = self.receive().await;
            self.events.push(message);
        }
    }

    /// The next message. Chromedriver sends each in one frame.
    async fn receive(&mut self) -> Value {
        loop {
            let kind = self.take(2).await;
            let length = match kind[1] & 0x7f {
                126 => self.take(2).await.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
                127 => self.take(8).await.iter().fold(0, |length, byte| length << 8 | usize::from(*byte)),
                length => usize::from(length),
            };
            let payload = self.take(length).await;
            if kind[0] & 0x0f == 1 {
                return serde_json::from_slice(&payload).unwrap();
            }
        }
    }

    async fn take(&mut self, count: usize) -> Vec<u8> {
        while self.unread.len() < count {
            self.read_more().await;
        }
        self.unread.drain(..count).collect()
    }

    async fn read_more(&mut self) {
        let read = timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await;
        let read = read.unwrap_or_else(|_| panic!("the browser said nothing for {} s", PATIENCE.as_secs())).unwrap();
        assert!(read > 0, "the browser hung up");
    }
}
