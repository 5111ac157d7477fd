//! The pages in Chromium, by the tests in `tests/browser`. They start `examples/website`
//! themselves.

use super::Passed;
use crate::run::{Result, Run};
use crate::tools;
use crate::workspace::Workspace;

pub(super) fn run(workspace: &Workspace) -> Result<Passed> {
    tools::chromium()?;
    tools::node(workspace)?;
    // axe-core, which looks for barriers in pages.
    Run::new("npm", &["ci", "--no-audit", "--no-fund"]).dir(workspace.root.join("tests/browser")).show()?;
    // All features, as in the step `test`: what that has built is not built again.
    Run::cargo(&["test", "--workspace", "--all-features", "--test", "browser"]).show()?;
    println!("pictures of the pages are in {}", workspace.target.join("browser").display());
    Ok(Passed::default())
}
