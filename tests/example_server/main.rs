//! The server of the examples, which apps copy: what a slow client can hold, and how the server
//! stops. `templates` is about the rest of what is copied.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

// The file as it stands in an example; `every_example_has_the_same_server` compares the others with
// it.
#[path = "../../examples/quickstart/src/server.rs"]
mod server;
mod templates;

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

/// A limit on everything that waits. Time is paused in these tests: it passes only while nothing
/// else can happen.
const LIMIT: Duration = Duration::from_secs(120);

struct Running {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: tokio::task::JoinHandle<()>,
}

impl Running {
    async fn start(app: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let stopping = async move { stopped.await.unwrap_or_default() };
        let ended = tokio::spawn(server::run(listener, app, stopping));
        Self { address, stop: Some(stop), ended }
    }

    async fn connect(&self, sent: &str) -> TcpStream {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(sent.as_bytes()).await.unwrap();
        stream
    }

    /// Everything the server says on a connection until it closes it.
    async fn rest(stream: &mut TcpStream) -> String {
        let mut said = Vec::new();
        // A reset is an end as well.
        let _ = timeout(LIMIT, stream.read_to_end(&mut said)).await.expect("the server closes the connection");
        String::from_utf8(said).unwrap()
    }

    /// Tells the server to stop and waits for that. Returns how long it took.
    async fn stop(&mut self) -> Duration {
        let before = Instant::now();
        self.stop.take().unwrap().send(()).unwrap();
        timeout(LIMIT, &mut self.ended).await.expect("the server stops").unwrap();
        before.elapsed()
    }
}

fn app() -> Router {
    Router::new()
        .route("/", get(async |ConnectInfo(client): ConnectInfo<SocketAddr>| client.ip().to_string()))
        .route("/slow", get(async || tokio::time::sleep(Duration::from_secs(5)).await))
        .route("/never", post(async || std::future::pending::<()>().await))
}

/// LOAD-5
#[tokio::test(start_paused = true)]
async fn half_a_head_ends_its_connection_after_the_limit() {
    let running = Running::start(app()).await;
    let before = Instant::now();
    let mut stream = running.connect("POST / HTTP/1.1\r\nHost: a\r\n").await;
    Running::rest(&mut stream).await;
    let waited = before.elapsed();
    assert!((server::HEAD_TIMEOUT..server::HEAD_TIMEOUT * 2).contains(&waited), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_without_a_request_ends_after_the_limit() {
    let running = Running::start(app()).await;
    let mut silent = running.connect("").await;
    assert_eq!(Running::rest(&mut silent).await, "");
    let mut idle = running.connect("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(Running::rest(&mut idle).await.ends_with("127.0.0.1"), "the request before the pause is answered");
}

#[tokio::test(start_paused = true)]
async fn a_stop_waits_for_requests_under_way_and_for_no_idle_connection() {
    let mut running = Running::start(app()).await;
    let mut idle = running.connect("GET / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(idle.read_u8().await.is_ok(), "it is answered");
    let mut slow = running.connect("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let took = running.stop().await;
    assert!((Duration::from_secs(3)..Duration::from_secs(6)).contains(&took), "{took:?}");
    assert!(Running::rest(&mut slow).await.starts_with("HTTP/1.1 200"));
    assert!(TcpStream::connect(running.address).await.is_err(), "nothing is accepted any more");
}

#[tokio::test(start_paused = true)]
async fn a_request_that_never_ends_holds_a_stop_for_the_limit_only() {
    let mut running = Running::start(app()).await;
    let _never = running.connect("POST /never HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf").await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let took = running.stop().await;
    assert!((server::DRAIN_TIMEOUT..server::DRAIN_TIMEOUT * 2).contains(&took), "{took:?}");
}

#[tokio::test]
async fn a_listener_on_all_addresses_is_opened_as_localhost() {
    for (bound, shown) in [
        ("127.0.0.1", "http://127.0.0.1:"),
        ("0.0.0.0", "http://localhost:"),
        ("::", "http://localhost:"),
        ("[::]", "http://localhost:"),
    ] {
        let Ok(listener) = server::listen(bound, "0").await else { continue };
        let url = server::local_url(&listener).unwrap();
        assert!(url.starts_with(shown), "{bound}: {url}");
    }
}

#[tokio::test]
async fn an_address_that_cannot_be_listened_on_is_named() {
    let taken = server::listen("127.0.0.1", "0").await.unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for port in [port.as_str(), "many"] {
        let error = server::listen("127.0.0.1", port).await.unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot listen on 127.0.0.1:{port}: ")), "{error}");
    }
}

#[test]
fn every_example_has_the_same_server() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples");
    let ours = std::fs::read_to_string(examples.join("quickstart/src/server.rs")).unwrap();
    let mut count = 0;
    for example in std::fs::read_dir(&examples).unwrap() {
        let example = example.unwrap().path();
        let theirs = std::fs::read_to_string(example.join("src/server.rs"));
        assert_eq!(theirs.unwrap_or_default(), ours, "{} differs", example.display());
        let main = std::fs::read_to_string(example.join("src/main.rs")).unwrap();
        assert!(main.contains("server::run(") && main.contains("server::stop_signal("), "{}", example.display());
        count += 1;
    }
    assert!(count >= 7, "{count} examples");
}

#[test]
fn an_error_that_ends_an_example_is_told_in_words_with_its_causes() {
    #[derive(Debug)]
    struct Outer(std::num::ParseIntError, &'static str);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str(self.1)
        }
    }
    impl std::error::Error for Outer {
        fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
            Some(&self.0)
        }
    }
    let cause = || "x".parse::<u16>().unwrap_err();
    let told = [
        ("PORT is no number", "PORT is no number: invalid digit found in string"),
        ("PORT: invalid digit found in string", "PORT: invalid digit found in string"),
    ];
    for (message, expected) in told {
        assert_eq!(server::explain(&Outer(cause(), message)), expected);
    }
    assert_eq!(server::exit(Err(Outer(cause(), "expected in this test").into())), std::process::ExitCode::FAILURE);
    assert_eq!(server::exit(Ok(())), std::process::ExitCode::SUCCESS);
}

/// The signal of service managers ends `server::run`, also if it comes before the server is
/// awaited.
#[cfg(unix)]
#[tokio::test]
async fn sigterm_stops_the_server() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stop = server::stop_signal();
    let pid = std::process::id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    timeout(LIMIT, server::run(listener, app(), stop)).await.expect("the signal stops it");
}
