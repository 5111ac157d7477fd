//! Clients in other languages, unmodified, against examples as an app author would run them.
//!
//! 1. `loopback` stands in place of a LoopBack project: every client must work.
//! 2. `quickstart` follows Gatekit's own rules: the clients must work that use nothing LoopBack
//!    alone allows.
//! 3. `cmwell` stands in place of a CM-Well server, for curl and for Python's requests.
//! 4. `wix` stands in place of Wix, for its JavaScript SDK.

use std::path::{Path, PathBuf};

use super::Passed;
use crate::run::{Result, Run};
use crate::server::Server;
use crate::tools;
use crate::workspace::Workspace;

/// The tests that also pass under the default policy.
const FOR_ANY_POLICY: [&str; 2] = ["loopback-connector-remote.test.mjs", "raw.test.mjs"];

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

/// curl, driven by a Node test, Python's requests, and clients that know Digest with MD5 alone. The
/// tests of the last start servers themselves.
fn cmwell(workspace: &Workspace, node: &Path, python: &str) -> Result<()> {
    let folder = workspace.root.join("tests/clients/cmwell");
    Run::new("npm", &["ci", "--no-audit", "--no-fund"]).dir(&folder).show()?;
    let executable = workspace.executable("cmwell");
    let server = Server::start("cmwell", &executable)?;
    println!("cmwell listens on {}", server.url);
    let run = |run: Run| run.env("BASE_URL", &server.url).env("EXECUTABLE", &executable).dir(&folder);
    let node = run(Run::new(node, &["--test", TEST]));
    let node = test_files(&folder)?.iter().fold(node, Run::arg).show();
    let python = run(Run::new(python, &["-B", "-m", "unittest", "requests_test", "urllib_test"])).show();
    let outcomes = [node, python];
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

/// `*.test.js`, `*.test.mjs` and so on; none at all is an error, since a run of no tests proves
/// nothing.
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
