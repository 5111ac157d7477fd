//! Lock files that fit the manifests: a build from them is the build that was tested.
//!
//! The benchmarks depend on our crates by path, and nothing else in `cargo xtask test` builds them:
//! without this step their lock files would go stale unseen.

use super::Passed;
use crate::run::{Result, Run};
use crate::workspace::{WORKSPACES, Workspace};

pub(super) fn run(_: &Workspace) -> Result<Passed> {
    for folder in WORKSPACES {
        // Resolves without fetching or building any crate; `--locked` makes a difference an error.
        Run::cargo(&["update", "--workspace", "--locked", "--quiet"])
            .dir(folder)
            .show()
            .map_err(|why| format!("run `cargo update --workspace` in {folder} ({why})"))?;
    }
    Ok(Passed::default())
}
