//! Clippy on everything at once: libraries, tests, examples, chores.

use super::Passed;
use crate::run::{Result, Run};
use crate::tools;
use crate::workspace::Workspace;

pub(super) fn run(_: &Workspace) -> Result<Passed> {
    tools::component("clippy", "clippy")?;
    // The browser's tests are not among "all" targets, because `cargo test` shall not run them.
    for targets in [&["--all-targets"][..], &["--test", "browser"]] {
        let everything = ["clippy", "--workspace", "--all-features"];
        Run::cargo(&[&everything, targets, &["--", "-D", "warnings"]].concat()).show()?;
    }
    Ok(Passed::default())
}
