//! What crates there are, as `cargo metadata` tells it: no list of ours can go stale.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::run::{Result, Run};

/// Folders of the workspaces that the repository consists of. The benchmarks' are apart, so that
/// the crates they compare with stay out of our lock file.
pub(crate) const WORKSPACES: [&str; 3] = [".", "bench", "bench/gatekit"];

/// The repository.
pub(crate) struct Workspace {
    /// The folder with the workspace's Cargo.toml. It is the current directory too.
    pub(crate) root: PathBuf,
    /// Where cargo builds.
    pub(crate) target: PathBuf,
    /// The library crates of `crates/`.
    pub(crate) libraries: Vec<Library>,
}

/// A crate that apps depend on.
pub(crate) struct Library {
    pub(crate) name: String,
    /// All features but `default`.
    pub(crate) features: Vec<String>,
    /// Whether `default` has any feature in it.
    pub(crate) has_defaults: bool,
    /// The dependencies in its Cargo.toml, optional ones too.
    pub(crate) dependencies: Vec<Dependency>,
}

/// A dependency of a crate.
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// Whether only tests have it.
    pub(crate) is_dev: bool,
}

impl Workspace {
    /// Goes to the repository's root and reads what is there.
    pub(crate) fn open() -> Result<Self> {
        let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&here).parent().ok_or("xtask has no parent folder")?;
        std::env::set_current_dir(root).map_err(|e| format!("{}: {e}", root.display()))?;

        let metadata = Run::cargo(&["metadata", "--format-version", "1", "--no-deps"]).read()?;
        let metadata: Value = serde_json::from_str(&metadata).map_err(|e| format!("cargo metadata: {e}"))?;
        let target = metadata
            .get("target_directory")
            .and_then(Value::as_str)
            .ok_or("cargo metadata names no target directory")?;
        let packages = metadata.get("packages").and_then(Value::as_array).ok_or("cargo metadata names no packages")?;

        let crates = root.join("crates");
        let mut libraries: Vec<Library> = packages.iter().filter_map(|package| library(package, &crates)).collect();
        libraries.sort_by(|a, b| a.name.cmp(&b.name));
        if libraries.is_empty() {
            return Err(format!("cargo metadata names no library under {}", crates.display()));
        }
        Ok(Self { root: root.to_owned(), target: target.into(), libraries })
    }

    /// The executable that a debug build of the example `name` makes.
    pub(crate) fn executable(&self, name: &str) -> PathBuf {
        self.target.join("debug").join(name).with_extension(std::env::consts::EXE_EXTENSION)
    }
}

fn library(package: &Value, crates: &Path) -> Option<Library> {
    let manifest = Path::new(package.get("manifest_path")?.as_str()?);
    let is_library = package.get("targets")?.as_array()?.iter().any(|target| {
        target.get("kind").and_then(Value::as_array).is_some_and(|kinds| kinds.iter().any(|kind| kind == "lib"))
    });
    if !manifest.starts_with(crates) || !is_library {
        return None;
    }
    let features = package.get("features")?.as_object()?;
    let dependencies = package.get("dependencies")?.as_array()?.iter().filter_map(|dependency| {
        let is_dev = dependency.get("kind").and_then(Value::as_str) == Some("dev");
        Some(Dependency { name: dependency.get("name")?.as_str()?.to_owned(), is_dev })
    });
    Some(Library {
        name: package.get("name")?.as_str()?.to_owned(),
        features: features.keys().filter(|name| *name != "default").cloned().collect(),
        has_defaults: features.get("default").and_then(Value::as_array).is_some_and(|list| !list.is_empty()),
        dependencies: dependencies.collect(),
    })
}
