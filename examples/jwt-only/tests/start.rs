//! What a person sees who starts the server: which secret it uses, and what is wrong with one that
//! it refuses.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// How long the server may be silent.
const LIMIT: Duration = Duration::from_secs(60);

/// A server that has started, or has refused to. Dropping it ends it.
struct Server {
    process: Child,
    /// Where it listens, if it does.
    url: Option<String>,
    /// What it has printed until then.
    said: Vec<String>,
    /// What it prints from then on. It is read, so that the server never waits for a full pipe.
    later: Receiver<String>,
}

impl Server {
    fn start(settings: &[(&str, &str)]) -> Self {
        let mut process = Command::new(env!("CARGO_BIN_EXE_jwt-only"))
            .env("PORT", "0")
            .env_remove("JWT_SECRET")
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let (sender, later) = mpsc::channel();
        thread::spawn(move || lines.for_each(|line| sender.send(line).unwrap_or_default()));
        let mut server = Self { process, url: None, said: Vec::new(), later };
        while server.url.is_none() {
            match server.later.recv_timeout(LIMIT) {
                Ok(line) => server.say(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("neither ready nor ended: {:?}", server.said),
            }
        }
        server
    }

    fn say(&mut self, line: String) {
        self.url = line.strip_prefix("READY ").map(str::to_owned);
        self.said.push(line);
    }

    fn says(&self, start: &str) -> bool {
        self.said.iter().any(|line| line.starts_with(start))
    }

    /// The message with which it refused to start.
    fn refusal(mut self) -> String {
        assert_eq!(self.url, None, "it has started");
        assert_eq!(self.process.wait().unwrap().code(), Some(1));
        let mut message = String::new();
        self.process.stderr.take().unwrap().read_to_string(&mut message).unwrap();
        message
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn without_a_secret_each_start_makes_one_and_says_that_it_is_for_development() {
    let tokens = [(); 2].map(|()| {
        let server = Server::start(&[]);
        assert!(server.url.is_some() && server.says("DEVELOPMENT: "), "{:?}", server.said);
        let mut lines = std::iter::from_fn(|| server.later.recv_timeout(LIMIT).ok());
        lines.find(|line| line.contains("TOKEN=")).unwrap()
    });
    let [first, second] = tokens.map(|token| token.rsplit('.').next().unwrap().to_owned());
    assert_ne!(first, second, "two starts sign with different secrets");
}

#[test]
fn with_a_secret_no_token_is_printed() {
    let mut server = Server::start(&[("JWT_SECRET", "a secret of at least thirty-two bytes")]);
    assert!(server.url.is_some() && !server.says("DEVELOPMENT: "), "{:?}", server.said);
    server.process.kill().unwrap();
    let rest: Vec<String> = std::iter::from_fn(|| server.later.recv_timeout(LIMIT).ok()).collect();
    assert!(rest.is_empty(), "{rest:?}");
}

#[test]
fn a_weak_secret_is_refused_in_words() {
    let message = Server::start(&[("JWT_SECRET", "short")]).refusal();
    assert!(message.starts_with("JWT_SECRET is refused: an HS256 secret has at least 32 bytes"), "{message}");
    assert!(!message.contains("short") && message.trim_end().lines().count() == 1, "{message}");
}
