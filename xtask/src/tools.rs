//! What a fresh Debian machine lacks, and how it is got: from rustup, apt, crates.io and npm, in
//! this order of preference.
//!
//! Each function leaves the tool ready or returns one line that says what is missing and how a
//! person gets it.

use std::path::PathBuf;

use crate::run::{Result, Run};
use crate::workspace::Workspace;

/// The oldest Node.js whose test runner has the options we use.
const NODE_MAJOR: u32 = 20;

/// Bundled SQLite and aws-lc are C code.
pub(crate) fn c_compiler() -> Result<()> {
    let named = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    if Run::new(named, &["--version"]).works() {
        return Ok(());
    }
    apt("gcc")
        .and_then(|()| apt("libc6-dev"))
        .map_err(|why| format!("a C compiler is missing: install gcc and libc6-dev ({why})"))
}

/// rustfmt and clippy are components that a minimal toolchain leaves out.
pub(crate) fn component(subcommand: &str, component: &str) -> Result<()> {
    if Run::cargo(&[subcommand, "--version"]).works() {
        return Ok(());
    }
    Run::new("rustup", &["component", "add", component])
        .show()
        .map_err(|why| format!("`cargo {subcommand}` is missing: rustup component add {component} ({why})"))
}

/// The version of cargo-deny that reads our deny.toml.
pub(crate) const DENY: &str = "0.20.2";

/// cargo-deny: the one on the PATH, or one built once into the target folder (a minute on two
/// cores).
pub(crate) fn cargo_deny(workspace: &Workspace) -> Result<PathBuf> {
    let ours = workspace.target.join("tools");
    let executable = ours.join("bin").join("cargo-deny").with_extension(std::env::consts::EXE_EXTENSION);
    let wanted =
        |program: &PathBuf| Run::new(program, &["--version"]).read().is_ok_and(|said| said.trim().ends_with(DENY));
    for program in [PathBuf::from("cargo-deny"), executable.clone()] {
        if wanted(&program) {
            return Ok(program);
        }
    }
    // Unoptimized and without debug info: it builds in half the time, and checks our tree in
    // seconds all the same.
    Run::cargo(&["install", "cargo-deny", "--locked", "--version", DENY, "--profile", "dev", "--force", "--root"])
        .arg(&ours)
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .show()
        .map_err(|why| format!("cargo-deny is missing: cargo install cargo-deny --locked --version {DENY} ({why})"))?;
    Ok(executable)
}

/// Valgrind, whose callgrind counts the instructions of a request.
pub(crate) fn valgrind() -> Result<()> {
    if Run::new("valgrind", &["--version"]).works() {
        return Ok(());
    }
    apt("valgrind").map_err(|why| format!("valgrind is missing: apt-get install valgrind ({why})"))
}

/// Chromium and the chromedriver of the same version.
pub(crate) fn chromium() -> Result<()> {
    for (program, package) in [("chromium", "chromium"), ("chromedriver", "chromium-driver")] {
        if !Run::new(program, &["--version"]).works() {
            apt(package).map_err(|why| format!("{program} is missing: apt-get install {package} ({why})"))?;
        }
    }
    Ok(())
}

/// curl, the client that CM-Well's documentation speaks to.
pub(crate) fn curl() -> Result<()> {
    if Run::new("curl", &["--version"]).works() {
        return Ok(());
    }
    apt("curl").map_err(|why| format!("curl is missing: apt-get install curl ({why})"))
}

/// A Python that has requests: the first on the PATH, or Debian's own.
pub(crate) fn python_requests() -> Result<String> {
    let pythons = ["python3", "/usr/bin/python3"];
    let ready = || pythons.into_iter().find(|python| Run::new(python, &["-c", "import requests"]).works());
    if ready().is_none() {
        apt("python3-requests")
            .map_err(|why| format!("Python's requests is missing: apt-get install python3-requests ({why})"))?;
    }
    ready().map(str::to_owned).ok_or_else(|| "python3-requests is installed, but no python3 finds it".to_owned())
}

/// npm and a Node.js that is new enough; the path of the latter.
pub(crate) fn node(workspace: &Workspace) -> Result<PathBuf> {
    let installed = PathBuf::from("node");
    let missing = |why: String| {
        format!("Node.js {NODE_MAJOR} or newer with npm is missing: see https://nodejs.org/en/download ({why})")
    };
    if !Run::new(&installed, &["--version"]).works() {
        apt("nodejs").map_err(missing)?;
    }
    if !Run::new("npm", &["--version"]).works() {
        apt("npm").map_err(missing)?;
    }
    if is_new_enough(&installed) {
        return Ok(installed);
    }
    // Debian 12 has Node.js 18. npm has the current ones as packages, which hold the executable and
    // run no script.
    let arch = match std::env::consts::ARCH {
        "x86_64" => "x64",
        "aarch64" => "arm64",
        other => return Err(missing(format!("npm has no build for {other}"))),
    };
    let package = format!("node-linux-{arch}");
    let folder = workspace.target.join("tools").join("node");
    let ours = folder.join("node_modules").join(&package).join("bin").join("node");
    if !is_new_enough(&ours) {
        Run::new(
            "npm",
            &["install", "--no-audit", "--no-fund", "--ignore-scripts", &format!("{package}@22"), "--prefix"],
        )
        .arg(&folder)
        .show()
        .map_err(missing)?;
    }
    Ok(ours)
}

fn is_new_enough(node: &PathBuf) -> bool {
    let version = Run::new(node, &["--version"]).read().unwrap_or_default();
    let major = version.trim_start_matches('v').split('.').next().and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| major >= NODE_MAJOR)
}

/// Installs one of Debian's packages, as root or through sudo where that asks for no password.
fn apt(package: &str) -> Result<()> {
    if !Run::new("apt-get", &["--version"]).works() {
        return Err("this machine has no apt-get".to_owned());
    }
    let is_root = Run::new("id", &["-u"]).read().is_ok_and(|id| id.trim() == "0");
    let apt_get = |args: &[&str]| {
        let run = if is_root {
            Run::new("apt-get", args)
        } else {
            Run::new("sudo", &[&["-n", "DEBIAN_FRONTEND=noninteractive", "apt-get"], args].concat())
        };
        run.env("DEBIAN_FRONTEND", "noninteractive").show()
    };
    if !is_root && !Run::new("sudo", &["-n", "true"]).works() {
        return Err(format!("apt-get install {package} needs root, or sudo without a password"));
    }
    apt_get(&["update", "--quiet"])?;
    apt_get(&["install", "--yes", "--quiet", "--no-install-recommends", package])
}
