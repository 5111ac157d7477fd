//! Formatting, so that no review is about it.

use super::Passed;
use crate::run::{Result, Run};
use crate::tools;
use crate::workspace::{WORKSPACES, Workspace};

pub(super) fn run(_: &Workspace) -> Result<Passed> {
    tools::component("fmt", "rustfmt")?;
    for folder in WORKSPACES {
        Run::cargo(&["fmt", "--all", "--", "--check"])
            .dir(folder)
            .show()
            .map_err(|why| format!("run `cargo fmt --all` in {folder} ({why})"))?;
    }
    Ok(Passed::default())
}
