//! The documentation: a broken link in it is a broken promise.

use super::Passed;
use crate::run::{Result, Run};
use crate::workspace::Workspace;

pub(super) fn run(_: &Workspace) -> Result<Passed> {
    Run::cargo(&["doc", "--no-deps", "--workspace", "--all-features"]).env("RUSTDOCFLAGS", "-D warnings").show()?;
    Ok(Passed::default())
}
