//! Clients in other languages, unmodified, against examples as an app author would run them.
//!
//! 1. `loopback` stands in place of a LoopBack project: every client must work.
//! 2. `quickstart` follows Gatekit's own rules: the clients must work that use nothing LoopBack alone allows.
//! 3. `cmwell` stands in place of a CM-Well server, for curl and for Python's requests.
//! 4. `wix` stands in place of Wix, for its JavaScript SDK.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::Passed;
use crate::run::{Result, Run};
use crate::tools;
use crate::workspace::Workspace;

/// The tests that also pass under the default policy.
const FOR_ANY_POLICY: [&str; 2] = ["loopback-connector-remote.test.mjs", "raw.test.mjs"];

/// How long the server may take to say that it is ready.
const START: Duration = Duration::from_secs(60);
/// How long one test may take, in milliseconds, before it counts as hanging.
const TEST: &str = "--test-timeout=120000";

pub(super) fn run(workspace: &Workspace) -> Result<Passed> {
    let clients = workspace.root.join("tests/clients");
    let all = test_files(&clients)?;
    let node = tools::node(workspace)?;
    tools::curl()?;
    let python = tools::python_requests()?;
    Run::new("npm", &["ci", "--no-audit", "--no-fund"]).dir(&clients).show()?;
    Run::cargo(&["build", "-p", "loopback", "-p", "quickstart", "-p", "cmwell", "-p", "wix"]).show()?;

    let against = |example: &str, tests: &[PathBuf]| {
        let server = Server::start(example, &workspace.executable(example))?;
        println!("{example} listens on {}", server.url);
        let run = Run::new(&node, &["--test", TEST]).env("BASE_URL", format!("{}/api", server.url)).dir(&clients);
        tests.iter().fold(run, Run::arg).show().map_err(|why| format!("{example}: {why}"))
    };
    // Each also runs if the one before fails: one report tells all.
    let outcomes = [
        against("loopback", &all),
        against("quickstart", &FOR_ANY_POLICY.map(PathBuf::from)),
        cmwell(workspace, &node, &python),
        wix(workspace, &node),
    ];
    let failures: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    if failures.is_empty() { Ok(Passed::default()) } else { Err(failures.join("; ")) }
}

/// curl, driven by a Node test, and Python's requests.
fn cmwell(workspace: &Workspace, node: &Path, python: &str) -> Result<()> {
    let folder = workspace.root.join("tests/clients/cmwell");
    let server = Server::start("cmwell", &workspace.executable("cmwell"))?;
    println!("cmwell listens on {}", server.url);
    let curl = Run::new(node, &["--test", TEST]).env("BASE_URL", &server.url).dir(&folder);
    let curl = test_files(&folder)?.iter().fold(curl, Run::arg).show();
    let requests =
        Run::new(python, &["-B", "-m", "unittest", "requests_test"]).env("BASE_URL", &server.url).dir(&folder);
    let outcomes = [curl, requests.show()];
    let failures: Vec<String> = outcomes.into_iter().filter_map(Result::err).collect();
    if failures.is_empty() { Ok(()) } else { Err(format!("cmwell: {}", failures.join("; "))) }
}

/// Wix's SDK, with packages of its own. Its tests start servers with other settings themselves.
fn wix(workspace: &Workspace, node: &Path) -> Result<()> {
    let folder = workspace.root.join("tests/clients/wix");
    Run::new("npm", &["ci", "--no-audit", "--no-fund"]).dir(&folder).show()?;
    let executable = workspace.executable("wix");
    let server = Server::start("wix", &executable)?;
    println!("wix listens on {}", server.url);
    let run = Run::new(node, &["--test", TEST]).env("BASE_URL", &server.url).env("EXECUTABLE", executable).dir(&folder);
    test_files(&folder)?.iter().fold(run, Run::arg).show().map_err(|why| format!("wix: {why}"))
}

/// `*.test.js`, `*.test.mjs` and so on; none at all is an error, since a run of no tests proves nothing.
fn test_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let unreadable = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let name = PathBuf::from(entry.map_err(unreadable)?.file_name());
        let stem = name.file_stem().map(Path::new);
        if stem.and_then(Path::extension).is_some_and(|ext| ext == "test") {
            files.push(name);
        }
    }
    files.sort();
    if files.is_empty() { Err(format!("{} has no tests", folder.display())) } else { Ok(files) }
}

/// A running example. Dropping it kills the process and removes its folder.
struct Server {
    url: String,
    child: Child,
    folder: PathBuf,
}

impl Server {
    /// Starts it on a free port with its database in an empty folder, and waits for its `READY` line.
    fn start(example: &str, executable: &Path) -> Result<Self> {
        let folder = std::env::temp_dir().join(format!("gatekit-clients-{example}-{}", std::process::id()));
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

impl Drop for Server {
    fn drop(&mut self) {
        // It may be gone already, and so may the folder: both are what we want.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// Passes the server's output on, so that it never blocks on a full pipe, and hands over the address when it is printed.
/// The sender is dropped when the output ends, which wakes whoever waits.
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
