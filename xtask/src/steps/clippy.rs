//! Clippy on everything at once: libraries, tests, examples, chores.

use super::Passed;
use crate::run::{Result, Run};
use crate::tools;
use crate::workspace::Workspace;

pub(super) fn run(_: &Workspace) -> Result<Passed> {
    tools::component("clippy", "clippy")?;
    Run::cargo(&["clippy", "--workspace", "--all-targets", "--all-features", "--", "-D", "warnings"]).show()?;
    Ok(Passed::default())
}
