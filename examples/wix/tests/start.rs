//! What a person sees who starts the server: whether it has the member that everybody knows, and
//! what is wrong with a key that it refuses.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
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
        let mut process = Command::new(env!("CARGO_BIN_EXE_wix"))
            .env("PORT", "0")
            .env_remove("DEVELOPMENT")
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

    /// Sends a request and returns the status of the response.
    fn status(&self, request: &str) -> u16 {
        let address = self.url.as_deref().unwrap().trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).unwrap();
        response.split(' ').nth(1).unwrap().parse().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An empty folder, and a database in it that is yet to be made.
fn database(test: &str) -> String {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{test}-{}", std::process::id()));
    // It may be left from an earlier run.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder.join("test.db").to_str().unwrap().to_owned()
}

const LOGIN: &str = "POST /wix/login HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: 63\r\n\r\n\
                     {\"email\":\"user@example.com\",\"password\":\"correct horse battery\"}";

#[test]
fn the_member_that_everybody_knows_is_there_in_development_only() {
    let database = database("development");
    let development = Server::start(&[("DEVELOPMENT", "1"), ("DATABASE", &database)]);
    assert!(development.says("DEVELOPMENT: everybody knows the member user@example.com"), "{:?}", development.said);
    assert_eq!(development.status(LOGIN), 200);
    drop(development);

    let message = Server::start(&[("DEVELOPMENT", "0"), ("DATABASE", &database)]).refusal();
    assert!(
        message.starts_with("the member user@example.com in this database has a password that everybody"),
        "{message}"
    );

    let production = Server::start(&[("DEVELOPMENT", "0"), ("DATABASE", &self::database("production"))]);
    assert!(!production.says("DEVELOPMENT"), "{:?}", production.said);
    assert!((400..500).contains(&production.status(LOGIN)));
}

#[test]
fn a_refused_key_is_told_in_words() {
    for keys in ["one line", "short\nshort\n"] {
        let database = database(&format!("key-{}", keys.len()));
        fs::write(format!("{database}.keys"), keys).unwrap();
        let message = Server::start(&[("DATABASE", &database)]).refusal();
        assert!(message.contains("key") && !message.contains(['{', '"']), "{message}");
    }
}
