//! Serves an app over HTTP/1.1 until Ctrl+C or SIGTERM. Every example has this same file.
//!
//! `axum::serve` waits without limit for a client that sends half a request, and for open
//! connections when it stops. So this file uses hyper directly:
//!
//! 1. A connection is closed if the head of a request is not complete within [`HEAD_TIMEOUT`]. The
//!    limit also ends idle connections.
//! 2. After Ctrl+C or SIGTERM no connection is accepted. Requests under way have [`DRAIN_TIMEOUT`]
//!    to finish; then their connections are closed.
//! 3. Each request carries the client's address as `ConnectInfo<SocketAddr>`.
//!
//! [`exit`] ends the process with a message that a person can read.

use std::convert::Infallible;
use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// How long a client may take to send the head of a request.
pub(crate) const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests may go on after the signal to stop. Service managers kill a process some time
/// after the signal (Docker: 10 s).
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(8);

/// Serves `app` until `stop` is ready, as [`stop_signal`] is when the process is told to stop.
pub(crate) async fn run(listener: TcpListener, app: Router, stop: impl Future<Output = ()>) {
    // Each connection holds a receiver until it ends.
    let stopping = watch::Sender::new(());
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, client)) => {
                let app = TowerToHyperService::new(app.clone());
                let service = service_fn(move |mut request: Request<Incoming>| {
                    request.extensions_mut().insert(ConnectInfo(client));
                    app.call(request)
                });
                let mut http = http1::Builder::new();
                http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
                let connection = http.serve_connection(TokioIo::new(stream), service).with_upgrades();
                let mut stopping = stopping.subscribe();
                tokio::spawn(async move {
                    let mut connection = pin!(connection);
                    // The errors of a connection are its client's: a cut line, or bytes that are
                    // not HTTP.
                    tokio::select! {
                        _ = connection.as_mut() => return,
                        _ = stopping.changed() => connection.as_mut().graceful_shutdown(),
                    }
                    let _ = connection.await;
                });
            }
            // No file descriptor is free, for example. Others may be given back soon.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    drop(listener);
    // Connections that are still open after the limit end with the process.
    stopping.send_replace(());
    let _ = tokio::time::timeout(DRAIN_TIMEOUT, stopping.closed()).await;
}

/// Listens on a port of an address or a name of this machine. The error says on which.
pub(crate) async fn listen(host: &str, port: &str) -> io::Result<TcpListener> {
    let host = host.trim_matches(['[', ']']);
    let address = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let cannot = |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
    TcpListener::bind(&address).await.map_err(cannot)
}

/// The address at which a browser on this machine reaches the listener. `0.0.0.0` and `[::]` mean
/// every address of the machine and cannot be opened, so they become `localhost`.
pub(crate) fn local_url(listener: &TcpListener) -> io::Result<String> {
    let address: SocketAddr = listener.local_addr()?;
    let is_all = address.ip().to_canonical().is_unspecified();
    Ok(if is_all { format!("http://localhost:{}", address.port()) } else { format!("http://{address}") })
}

/// Waits for Ctrl+C, or on Unix for the SIGTERM of service managers and containers. It counts from
/// this call on, not only once the future is awaited: a signal while the app is still starting
/// stops it too.
pub(crate) fn stop_signal() -> impl Future<Output = ()> {
    #[cfg(unix)]
    let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
    async move {
        let interrupted = async {
            // Without a signal to wait for, the server runs until it is killed.
            if tokio::signal::ctrl_c().await.is_err() {
                std::future::pending::<Infallible>().await;
            }
        };
        #[cfg(unix)]
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = terminate.recv() => {}
                () = interrupted => {}
            }
            return;
        }
        interrupted.await;
    }
}

/// Ends the process. An error is printed as [`explain`] tells it: `main` itself would print its
/// `Debug` form.
pub(crate) fn exit(result: Result<(), Box<dyn Error>>) -> ExitCode {
    let Err(error) = result else { return ExitCode::SUCCESS };
    // Where nobody reads the message, the exit code is left.
    let _ = writeln!(io::stderr(), "{}", explain(&*error));
    ExitCode::FAILURE
}

/// The message of an error, and those of its causes that it does not repeat.
pub(crate) fn explain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.contains(&message) {
            text = format!("{text}: {message}");
        }
        cause = error.source();
    }
    text
}
