//! Builds the servers.

use std::{path::PathBuf, process::Command};

use load::Result;

use crate::{bench_folder, servers::Kind};

/// Builds one server and returns the path of its program.
///
/// Each is built by itself: built together, they would share the union of the features that each
/// asks of its dependencies, and the smallest would carry what only the largest needs.
pub(crate) fn compile(kind: &Kind) -> Result<PathBuf> {
    // One folder for both workspaces, so that what they have in common is built once.
    let target = bench_folder().join("target");
    let status = Command::new("cargo")
        .args(["build", "--release", "--package", kind.package, "--manifest-path"])
        .arg(bench_folder().join(kind.workspace).join("Cargo.toml"))
        .arg("--target-dir")
        .arg(&target)
        .status()?;
    if !status.success() {
        return Err(format!("{} does not build", kind.package).into());
    }
    Ok(target.join("release").join(kind.package).canonicalize()?)
}
