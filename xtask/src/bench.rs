//! `cargo xtask bench`: the comparison of `bench/`, whose workspaces are their own.

use crate::run::{Result, Run};
use crate::tools;
use crate::workspace::Workspace;

/// Passes `args` on to the comparison.
pub(crate) fn run(_: &Workspace, args: &[&str]) -> Result<()> {
    tools::c_compiler()?;
    tools::valgrind()?;
    let mut run = Run::cargo(&["run", "--release", "--locked", "-p", "run", "--"]).dir("bench");
    for arg in args {
        run = run.arg(arg);
    }
    run.show()
}
