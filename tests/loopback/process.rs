//! A server as a process of its own: it is killed, and started again.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use gatekit_tests::{Folder, PASSWORD};
use serde_json::{Value, json};

/// A running server. It is killed when the test is over, however that ends.
struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(database: &Path) -> Self {
        let mut process =
            Command::new(env!("CARGO_BIN_EXE_test-server")).arg(database).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("READY ").expect("the server says where it listens").to_owned();
        Self { process, address }
    }

    /// SIGKILL: nothing is cleared up.
    fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be dead already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One request over a connection of its own: status and body, if the server lived to say them.
fn send(address: &str, method: &str, path: &str, token: &str, body: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect(address).ok()?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nAuthorization: {token}\r\n\
         Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let length =
        head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ").map(str::to_owned));
    let whole = length.is_none_or(|length| length.parse() == Ok(body.len()));
    whole.then_some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}

fn credentials(email: &str) -> String {
    json!({"email": email, "password": PASSWORD}).to_string()
}

fn log_in(address: &str, email: &str) -> Option<String> {
    let (status, body) = send(address, "POST", "/api/users/login", "", &credentials(email))?;
    let body: Value = serde_json::from_str(&body).ok()?;
    (status == 200).then(|| body["id"].as_str().map(str::to_owned))?
}

/// CRASH-1: what was acknowledged is there; who was logged in still is, and who logged out is not.
#[test]
fn a_server_that_is_killed_loses_nothing_that_it_acknowledged() {
    let folder = Folder::new();
    let server = Server::start(&folder.database());
    let address = server.address.clone();
    assert_eq!(send(&address, "POST", "/api/users", "", &credentials("ada@example.com")).unwrap().0, 200);
    let (token, ended) = (log_in(&address, "ada@example.com").unwrap(), log_in(&address, "ada@example.com").unwrap());
    assert_eq!(send(&address, "POST", "/api/users/logout", &ended, "").unwrap().0, 204);

    // Four clients register users until the server is gone. They say which, after it said so.
    let (acknowledge, acknowledged) = mpsc::channel();
    let clients: Vec<_> = (0..4)
        .map(|client| {
            let (address, acknowledge) = (address.clone(), acknowledge.clone());
            thread::spawn(move || {
                for number in 0.. {
                    let email = format!("u{client}-{number}@example.com");
                    match send(&address, "POST", "/api/users", "", &credentials(&email)) {
                        Some((200, _)) => acknowledge.send(email).unwrap(),
                        Some(other) => panic!("{email}: {other:?}"),
                        None => return,
                    }
                }
            })
        })
        .collect();
    drop(acknowledge);
    let mut registered: Vec<String> = acknowledged.iter().take(40).collect();
    server.kill();
    for client in clients {
        client.join().unwrap();
    }
    registered.extend(acknowledged.iter());

    let server = Server::start(&folder.database());
    assert_eq!(send(&server.address, "GET", "/me", &token, "").unwrap().0, 200, "a restart logs nobody out");
    assert_eq!(send(&server.address, "GET", "/me", &ended, "").unwrap().0, 401, "nor in again");
    for email in &registered {
        assert!(log_in(&server.address, email).is_some(), "{email} was registered, and cannot log in");
    }
    // And it goes on: a new one gets an id that nobody had.
    assert_eq!(send(&server.address, "POST", "/api/users", "", &credentials("new@example.com")).unwrap().0, 200);
    assert!(registered.len() >= 40);
}
