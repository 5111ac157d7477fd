//! Starts an app and stops it.

use std::{env, fs, future::Future, io, path::PathBuf};

use axum::Router;
use tokio::{net::TcpListener, runtime, signal::unix};

/// The result of anything in a benchmark server. Nobody reads its errors but people.
pub type Result<T, E = Box<dyn std::error::Error + Send + Sync>> = std::result::Result<T, E>;

/// Runs the app that `build` makes on 127.0.0.1 until SIGTERM arrives.
///
/// `PORT` is the port; 0, the default, takes a free one. The address is in the line
/// `READY http://127.0.0.1:PORT`. `BENCH_SINGLE=1` runs it all on one thread, as counting its
/// instructions needs.
///
/// # Errors
/// When the app cannot be built or the port is taken.
pub fn run(build: impl Future<Output = Result<Router>>) -> Result<()> {
    let mut builder = if env::var_os("BENCH_SINGLE").is_some() {
        runtime::Builder::new_current_thread()
    } else {
        // What `#[tokio::main]` makes.
        runtime::Builder::new_multi_thread()
    };
    builder.enable_all().build()?.block_on(async {
        let port = env::var("PORT").map_or(Ok(0), |port| port.parse::<u16>())?;
        let app = build.await?;
        let listener = TcpListener::bind(("127.0.0.1", port)).await?;
        println!("READY http://{}", listener.local_addr()?);

        let mut terminate = unix::signal(unix::SignalKind::terminate())?;
        axum::serve(listener, app).with_graceful_shutdown(async move { _ = terminate.recv().await }).await?;
        Ok(())
    })
}

/// Path of a database file that does not exist yet, in the folder `BENCH_DIR` or the system's for
/// temporary files.
///
/// # Errors
/// When an older one cannot be removed.
pub fn scratch_file(name: &str) -> io::Result<PathBuf> {
    let folder = env::var_os("BENCH_DIR").map_or_else(env::temp_dir, PathBuf::from);
    let path = folder.join(name);
    for suffix in ["", "-wal", "-shm"] {
        let mut path = path.clone().into_os_string();
        path.push(suffix);
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(path)
}
