//! What does the browser look at, if not at the website? Another example, started as an app author
//! would start it.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;

use gatekit_tests::Folder;

use super::site::{Setting, target};

/// A running example. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Example {
    process: Child,
    url: String,
    _folder: Folder,
}

impl Example {
    /// Builds and starts the one of this name, with an empty database.
    pub(crate) fn start(name: &'static str, settings: &[Setting]) -> Self {
        let folder = Folder::new();
        let mut process = Command::new(executable(name))
            .current_dir(folder.path())
            .env("PORT", "0")
            .env("DATABASE", folder.database())
            .envs(settings.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = process.stdout.take().unwrap();
        // From here on it ends with this value, also when it does not get ready.
        let mut example = Self { process, url: String::new(), _folder: folder };
        let mut lines = BufReader::new(output).lines().map_while(Result::ok);
        example.url = lines
            .find_map(|line| line.strip_prefix("READY ").map(|url| url.trim().to_owned()))
            .expect("the example says where it listens");
        // It must not block on a full pipe.
        thread::spawn(move || lines.for_each(|line| println!("{name}| {line}")));
        example
    }

    /// The address of a page.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The same, with a name and a password in it.
    pub(crate) fn at_as(&self, name: &str, password: &str, path: &str) -> String {
        format!("{}{path}", self.url.replacen("http://", &format!("http://{name}:{password}@"), 1))
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// An example's executable, built if it is not up to date.
pub(crate) fn executable(name: &str) -> PathBuf {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "-p", name]).current_dir(env!("CARGO_MANIFEST_DIR"));
    // They describe this package, and build scripts that look at them would run again.
    for (variable, _) in std::env::vars_os() {
        let variable = variable.to_string_lossy().into_owned();
        if variable.starts_with("CARGO_PKG_") || variable.starts_with("CARGO_MANIFEST_") {
            cargo.env_remove(variable);
        }
    }
    assert!(cargo.status().unwrap().success(), "{name} does not build");
    Path::new(&target()).join("debug").join(name).with_extension(std::env::consts::EXE_EXTENSION)
}
