//! How a process is started, and what is said when it fails.

use std::ffi::OsStr;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// What went wrong, in one line for a person.
pub(crate) type Result<T> = std::result::Result<T, String>;

/// A command to run: a [`Command`] that can print itself.
pub(crate) struct Run {
    command: Command,
}

impl Run {
    /// `program` with `args`, in the current directory.
    pub(crate) fn new(program: impl AsRef<OsStr>, args: &[&str]) -> Self {
        let mut command = Command::new(program);
        command.args(args);
        // `cargo run` describes the xtask package in these. Build scripts that look at them would
        // run again each time that a person alternates between `cargo xtask test` and plain
        // `cargo test`.
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy();
            if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_") {
                command.env_remove(&*name);
            }
        }
        Self { command }
    }

    /// The cargo that started this program.
    pub(crate) fn cargo(args: &[&str]) -> Self {
        Self::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()), args)
    }

    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.command.arg(arg.as_ref());
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn dir(mut self, dir: impl AsRef<Path>) -> Self {
        self.command.current_dir(dir);
        self
    }

    /// Shows the command and all its output; an error if it fails.
    pub(crate) fn show(mut self) -> Result<()> {
        println!("$ {self}");
        let status = self.command.stdin(Stdio::null()).status().map_err(|e| format!("`{self}`: {e}"))?;
        if status.success() { Ok(()) } else { Err(format!("`{self}`: {status}")) }
    }

    /// Shows nothing and returns what it printed; an error with its last words if it fails.
    pub(crate) fn read(mut self) -> Result<String> {
        let output = self.output().map_err(|e| format!("`{self}`: {e}"))?;
        if output.status.success() {
            String::from_utf8(output.stdout).map_err(|e| format!("`{self}`: {e}"))
        } else {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or_default();
            Err(format!("`{self}`: {}: {}", output.status, last.trim()))
        }
    }

    /// Whether it can be run and succeeds. Shows nothing.
    pub(crate) fn works(mut self) -> bool {
        self.output().is_ok_and(|output| output.status.success())
    }

    /// The command itself, for a process that is not waited for.
    pub(crate) fn into_command(self) -> Command {
        self.command
    }

    fn output(&mut self) -> std::io::Result<Output> {
        self.command.stdin(Stdio::null()).output()
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, value) in self.command.get_envs() {
            if let Some(value) = value {
                write!(f, "{}={:?} ", name.display(), value)?;
            }
        }
        let program = Path::new(self.command.get_program());
        write!(f, "{}", program.file_name().unwrap_or_default().display())?;
        for arg in self.command.get_args() {
            write!(f, " {}", arg.display())?;
        }
        if let Some(dir) = self.command.get_current_dir().filter(|dir| *dir != Path::new(".")) {
            write!(f, " (in {})", dir.display())?;
        }
        Ok(())
    }
}
