//! Crates import downwards only, and crates on one floor do not depend on each other.
//!
//! 1. Each library of `crates/` stands on one floor of the table.
//! 2. A dependency in its Cargo.toml that is ours stands on a lower floor. A feature makes no
//!    difference: an optional dependency counts.
//! 3. For its tests a crate may also depend on `gatekit-testkit`, whatever its floor.

use super::Passed;
use crate::run::Result;
use crate::workspace::{Library, Workspace};

/// The floors, the lowest one first. `docs/architecture.md` says what each crate is for.
const FLOORS: &[&[&str]] = &[
    &["gatekit-core"],
    &["gatekit-mail", "gatekit-sql", "gatekit-testkit"],
    &["gatekit-layer"],
    &["gatekit-web"],
    &["gatekit-cmwell", "gatekit-pages", "gatekit-routes", "gatekit-wix"],
    &["gatekit"],
];

/// The tools of tests, which are beside the floors.
const FOR_TESTS: &str = "gatekit-testkit";

pub(super) fn run(workspace: &Workspace) -> Result<Passed> {
    let broken: Vec<String> = workspace.libraries.iter().flat_map(mistakes).collect();
    if broken.is_empty() { Ok(Passed::default()) } else { Err(broken.join("; ")) }
}

/// The dependencies of a crate that go up or sideways.
fn mistakes(library: &Library) -> Vec<String> {
    let name = &library.name;
    let Some(own) = floor(name) else {
        return vec![format!("{name} is on no floor: add it to FLOORS in xtask/src/steps/floors.rs")];
    };
    let dependencies = library.dependencies.iter().filter(|dependency| {
        let is_for_tests = dependency.is_dev && dependency.name == FOR_TESTS;
        !is_for_tests && floor(&dependency.name).is_some_and(|floor| floor >= own)
    });
    let why = |other| format!("{name} must not depend on {other}, which is not on a lower floor");
    dependencies.map(|dependency| why(&dependency.name)).collect()
}

/// The number of a crate's floor; `None` for a crate that is not ours.
fn floor(name: &str) -> Option<usize> {
    FLOORS.iter().position(|crates| crates.contains(&name))
}

#[cfg(test)]
mod tests {
    use super::mistakes;
    use crate::workspace::{Dependency, Library};

    fn library(name: &str, dependencies: &[(&str, bool)]) -> Library {
        let dependencies =
            dependencies.iter().map(|(name, is_dev)| Dependency { name: (*name).to_owned(), is_dev: *is_dev });
        Library {
            name: name.to_owned(),
            features: Vec::new(),
            has_defaults: false,
            dependencies: dependencies.collect(),
        }
    }

    #[test]
    fn a_dependency_on_a_lower_floor_is_allowed() {
        let pages = library("gatekit-pages", &[("gatekit-web", false), ("gatekit-core", false), ("axum", false)]);
        assert!(mistakes(&pages).is_empty());
    }

    #[test]
    fn a_dependency_on_the_same_floor_or_above_is_refused() {
        for other in ["gatekit-routes", "gatekit-pages", "gatekit"] {
            assert_eq!(mistakes(&library("gatekit-pages", &[(other, false)])).len(), 1, "{other}");
            assert_eq!(mistakes(&library("gatekit-pages", &[(other, true)])).len(), 1, "{other}, for tests");
        }
    }

    #[test]
    fn the_tools_of_tests_are_allowed_in_tests_alone() {
        assert!(mistakes(&library("gatekit-sql", &[("gatekit-testkit", true)])).is_empty());
        assert_eq!(mistakes(&library("gatekit-sql", &[("gatekit-testkit", false)])).len(), 1);
    }

    #[test]
    fn a_crate_without_a_floor_is_refused() {
        assert_eq!(mistakes(&library("gatekit-new", &[])).len(), 1);
    }
}
