//! The examples are made to be copied. Each is copied out of the repository, pointed at this
//! checkout as the README says, built and started. So is the first example of the README, with the
//! rest of `quickstart` around it.
//!
//! 1. The copy is all of the example's folder, and nothing else of the repository. Cargo.lock comes
//!    along so that the test depends on no version published since.
//! 2. The commands `sed ..` of its README, or of the repository's, make it depend on this checkout.
//!    Nothing else changes.
//! 3. `cargo build` in that folder. What it compiles is kept in our target folder, the executables
//!    in a folder of their own there.
//! 4. Password hashing is optimized.
//! 5. It prints `READY`. With a setting that is wrong it ends, and says why in words.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::Passed;
use crate::run::{Result, Run};
use crate::server::{self, Server};
use crate::workspace::Workspace;

/// The folder that stands for a checkout in a README.
const CHECKOUT: &str = "/path/to/gatekit";
/// Settings with which an example does not start, and how the sentence begins that says so.
const REFUSALS: [(&str, &str, &str, &str); 3] = [
    ("every one", "PORT", "many", "cannot listen on 127.0.0.1:many: "),
    ("website", "SMTP_URL", "smtp://127.0.0.1:1", "the server of SMTP_URL cannot be used: "),
    ("website", "PUBLIC_URL", "http://0.0.0.0:3000", "`public_url`"),
];
/// Crates that take most of the time of a login.
const HASHING: [&str; 2] = ["argon2", "blake2"];

pub(super) fn run(workspace: &Workspace) -> Result<Passed> {
    let examples = workspace.root.join("examples");
    let copies = Copies::new(workspace)?;
    let mut broken = Vec::new();
    for name in folders(&examples)? {
        if let Err(why) = copies.check(workspace, &name) {
            broken.push(format!("{name}: {why}"));
        }
    }
    if let Err(why) = copies.check_readme(workspace) {
        broken.push(format!("the first example of README.md: {why}"));
    }
    if broken.is_empty() { Ok(Passed::default()) } else { Err(broken.join("; ")) }
}

/// The folder of the copies. Dropping it removes it.
struct Copies(PathBuf);

impl Copies {
    /// The same folder in each run, so that cargo knows the copies again.
    fn new(workspace: &Workspace) -> Result<Self> {
        let checkout = workspace.root.file_name().unwrap_or_default().display();
        let folder = std::env::temp_dir().join(format!("gatekit-copies-{checkout}"));
        // It is left over where a run was killed.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        Ok(Self(folder))
    }

    fn check(&self, workspace: &Workspace, name: &str) -> Result<()> {
        let copy = self.copy(workspace, name, name)?;
        hashing_is_optimized(&build(workspace, &copy)?)?;
        let executable =
            executables(workspace).join("debug").join(name).with_extension(std::env::consts::EXE_EXTENSION);
        let server = Server::start(name, &executable)?;
        println!("a copy of {name} listens on {}", server.url);
        drop(server);
        refuses_in_words(name, &executable, &copy)
    }

    fn check_readme(&self, workspace: &Workspace) -> Result<()> {
        let readme = read(&workspace.root.join("README.md"))?;
        let code = readme.split("```rust").nth(1).and_then(|rest| rest.split("```").next()).ok_or("there is none")?;
        let copy = self.copy(workspace, "quickstart", "readme")?;
        let main = code.split_once('\n').unwrap_or_default().1;
        fs::write(copy.join("src/main.rs"), main).map_err(|e| format!("main.rs: {e}"))?;
        build(workspace, &copy).map(drop)
    }

    /// Copies an example to a folder of this name, and points it at this checkout.
    fn copy(&self, workspace: &Workspace, example: &str, name: &str) -> Result<PathBuf> {
        let copy = self.0.join(name);
        copy_folder(&workspace.root.join("examples").join(example), &copy).map_err(|e| format!("{example}: {e}"))?;
        fs::copy(workspace.root.join("Cargo.lock"), copy.join("Cargo.lock")).map_err(|e| format!("Cargo.lock: {e}"))?;
        for readme in [copy.join("README.md"), workspace.root.join("README.md")] {
            let readme = read(&readme)?;
            let mut commands = readme.lines().filter(|line| line.starts_with("sed ")).peekable();
            if commands.peek().is_none() {
                continue;
            }
            for command in commands {
                let command = command.replace(CHECKOUT, &workspace.root.display().to_string());
                Run::new("sh", &["-c", &command]).dir(&copy).show()?;
            }
            return Ok(copy);
        }
        Err(format!("no README says how {example} is built against a checkout"))
    }
}

/// Where the executables of the copies are.
fn executables(workspace: &Workspace) -> PathBuf {
    workspace.target.join("copies")
}

/// Builds a copy and returns what cargo says about it.
fn build(workspace: &Workspace, copy: &Path) -> Result<String> {
    let build = |more: &[&str]| {
        Run::cargo(&[&["build", "--offline"], more].concat())
            .dir(copy)
            .env("CARGO_TARGET_DIR", executables(workspace))
            .env("CARGO_BUILD_BUILD_DIR", &workspace.target)
            // As in our own Cargo.toml, so that dependencies are not compiled a second time.
            .env("CARGO_PROFILE_DEV_DEBUG", "line-tables-only")
    };
    println!("$ {}", build(&[]));
    // The messages for programs hide what is wrong from people.
    build(&["--message-format", "json"]).read().or_else(|why| build(&[]).show().and(Err(why)))
}

fn read(file: &Path) -> Result<String> {
    fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))
}

impl Drop for Copies {
    fn drop(&mut self) {
        // What is left in the folder for temporary files harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The names of the folders in a folder.
fn folders(folder: &Path) -> Result<Vec<String>> {
    let unreadable = |e: std::io::Error| format!("{}: {e}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        if entry.path().is_dir() {
            names.push(entry.file_name().to_string_lossy().into_owned());
        }
    }
    names.sort();
    if names.is_empty() { Err(format!("{} is empty", folder.display())) } else { Ok(names) }
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// Reads what cargo says about each crate it has compiled, or had compiled before.
fn hashing_is_optimized(messages: &str) -> Result<()> {
    for line in messages.lines() {
        let Ok(message) = serde_json::from_str::<Value>(line) else { continue };
        let name = message.pointer("/target/name").and_then(Value::as_str).unwrap_or_default();
        let level = message.pointer("/profile/opt_level").and_then(Value::as_str).unwrap_or_default();
        if HASHING.contains(&name) && level != "3" {
            return Err(format!("{name} is compiled with opt-level {level}: is `.cargo/config.toml` missing?"));
        }
    }
    Ok(())
}

/// Mistakes that people make when they start an example end in a sentence, and not in the `Debug`
/// form of an error.
fn refuses_in_words(name: &str, executable: &Path, folder: &Path) -> Result<()> {
    for (example, variable, value, words) in REFUSALS {
        if !matches!(example, "every one") && example != name {
            continue;
        }
        let said = server::refusal(executable, folder, (variable, value))?;
        if !said.starts_with(words) || said.trim_end().lines().count() != 1 {
            return Err(format!("with {variable}={value} it says: {said}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::hashing_is_optimized;

    #[test]
    fn hashing_without_optimizations_is_found() {
        let compiled = |name: &str, level: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","target":{{"name":"{name}"}},"profile":{{"opt_level":"{level}"}}}}"#
            )
        };
        let built = |levels: [&str; 2]| format!("{}\n{}\n", compiled("axum", levels[0]), compiled("argon2", levels[1]));
        assert!(hashing_is_optimized(&built(["0", "3"])).is_ok());
        assert!(hashing_is_optimized(&built(["3", "0"])).is_err());
    }
}
