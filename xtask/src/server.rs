//! A running example, as its author would start it.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::run::{Result, Run};

/// How long the server may take to say that it is ready.
const START: Duration = Duration::from_secs(60);

/// A running example. Dropping it kills the process and removes its folder.
pub(crate) struct Server {
    pub(crate) url: String,
    child: Child,
    folder: PathBuf,
}

impl Server {
    /// Starts it on a free port with its database in an empty folder, and waits for its `READY`
    /// line.
    pub(crate) fn start(example: &str, executable: &Path) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("gatekit-server-{example}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        let mut child = Run::new(executable, &[])
            .dir(&folder)
            .env("PORT", free_port()?.to_string())
            .env("DATABASE", folder.join("test.db"))
            // Error bodies as a deployed LoopBack project has them.
            .env("NODE_ENV", "production")
            .into_command()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|e| format!("{}: {e}", executable.display()))?;
        let output = child.stdout.take();
        // From here on the process ends with this value, also when it never gets ready.
        let mut server = Self { url: String::new(), child, folder };
        let ready = watch(example, output.ok_or("the server has no output")?);
        server.url = ready.recv_timeout(START).map_err(|_| {
            format!("{} ended or printed no line `READY http://..` in {} s", executable.display(), START.as_secs())
        })?;
        Ok(server)
    }
}

/// Starts an example with a setting that it has to refuse, and returns what it says when it ends.
pub(crate) fn refusal(executable: &Path, folder: &Path, (name, value): (&str, &str)) -> Result<String> {
    let said = |e: std::io::Error| format!("{}: {e}", executable.display());
    let mut child = Run::new(executable, &[])
        .dir(folder)
        .env("PORT", "0")
        .env(name, value)
        .into_command()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(said)?;
    let errors = child.stderr.take();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let mut text = String::new();
        let read = errors.map_or(Ok(0), |mut errors| errors.read_to_string(&mut text));
        // Nobody waits any more once the time is up.
        let _ = sender.send(read.map(|_| text));
    });
    let outcome = receiver.recv_timeout(START);
    // It is gone already, unless it has started.
    let _ = child.kill();
    let status = child.wait().map_err(said)?;
    match outcome {
        Ok(text) if status.code() == Some(1) => text.map_err(said),
        Ok(_) => Err(format!("with {name}={value} it ends with {status}")),
        Err(_) => Err(format!("with {name}={value} it starts")),
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, and so may the folder: both are what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Passes the server's output on, so that it never blocks on a full pipe, and hands over the
/// address when it is printed. The sender is dropped when the output ends, which wakes whoever
/// waits.
fn watch(example: &str, output: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    let example = example.to_owned();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(std::result::Result::ok) {
            println!("{example}| {line}");
            if let Some(url) = line.strip_prefix("READY ") {
                // Nobody waits any more once the time is up.
                let _ = sender.send(url.trim().to_owned());
            }
        }
    });
    receiver
}

fn free_port() -> Result<u16> {
    let address = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    address.map(|address| address.port()).map_err(|e| format!("no free port: {e}"))
}
