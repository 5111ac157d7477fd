//! Each library with no feature, with its defaults and with each feature alone: apps pick features
//! one by one, and code that only compiles because a neighbour's feature is on too breaks for them,
//! not for us.

use super::Passed;
use crate::run::{Result, Run};
use crate::tools;
use crate::workspace::{Library, Workspace};

pub(super) fn run(workspace: &Workspace) -> Result<Passed> {
    tools::component("clippy", "clippy")?;
    let mut broken = Vec::new();
    for library in &workspace.libraries {
        for selection in selections(library) {
            let selection: Vec<&str> = selection.iter().map(String::as_str).collect();
            // Only the library: its tests may need more, and `clippy` has seen them with all
            // features.
            let head = ["clippy", "--quiet", "--lib", "-p", &library.name];
            if Run::cargo(&[&head, &*selection, &["--", "-D", "warnings"]].concat()).show().is_err() {
                broken.push(format!("{} {}", library.name, selection.join(" ")).trim_end().to_owned());
            }
        }
    }
    if broken.is_empty() { Ok(Passed::default()) } else { Err(broken.join("; ")) }
}

/// Command line arguments, one list for each build.
fn selections(library: &Library) -> Vec<Vec<String>> {
    let none = "--no-default-features".to_owned();
    let mut all = vec![vec![none.clone()]];
    if library.has_defaults {
        all.push(Vec::new());
    }
    all.extend(library.features.iter().map(|feature| vec![none.clone(), "--features".to_owned(), feature.clone()]));
    all
}
