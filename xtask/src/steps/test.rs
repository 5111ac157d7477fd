//! All tests that need nothing but Rust: unit tests, black-box suites, doctests, and that the
//! examples compile.

use super::Passed;
use crate::run::{Result, Run};
use crate::workspace::Workspace;

pub(super) fn run(_: &Workspace) -> Result<Passed> {
    Run::cargo(&["test", "--workspace", "--all-features", "--no-fail-fast"]).show()?;
    Ok(Passed::default())
}
