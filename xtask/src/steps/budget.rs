//! How many crates the kit costs an app, and which ones never come with it.
//!
//! Counted are the crates that are compiled for this platform, build dependencies included, the
//! counted one itself too.

use std::collections::BTreeSet;

use super::Passed;
use crate::run::{Result, Run};
use crate::workspace::Workspace;

/// What one kind of app may cost.
struct Budget {
    what: &'static str,
    /// Arguments of `cargo tree`.
    tree: &'static [&'static str],
    /// The most crates it may have; none where only the names matter.
    at_most: Option<usize>,
    /// Crates that it must not have.
    without: &'static [&'static str],
}

/// Nothing that stores or hashes: tokens are made elsewhere.
const STORAGE: &[&str] = &["sqlx", "sqlx-core", "libsqlite3-sys", "argon2", "gatekit-sql"];

/// LoopBack's routes, the pages and Wix, which CM-Well does without. It brings no store either.
const OTHER_FORMATS: &[&str] = &["gatekit-routes", "gatekit-pages", "gatekit-wix", "gatekit-sql", "askama"];

const BUDGETS: &[Budget] = &[
    Budget {
        what: "layer and extractor alone",
        tree: &["-p", "gatekit", "--no-default-features"],
        // About 60 is the aim; bare axum with tokio has 48.
        at_most: Some(65),
        without: STORAGE,
    },
    Budget {
        what: "layer and extractor with JSON Web Tokens",
        tree: &["-p", "gatekit", "--no-default-features", "--features", "jwt"],
        // Half of the difference builds aws-lc's C code, the other half reads keys in PEM.
        at_most: Some(90),
        without: STORAGE,
    },
    Budget {
        what: "CM-Well alone",
        tree: &["-p", "gatekit", "--no-default-features", "--features", "cmwell"],
        // Beside web and core it has aws-lc, MD5 and what verifies JSON Web Tokens.
        at_most: Some(134),
        without: OTHER_FORMATS,
    },
    Budget { what: "the app `jwt-only`", tree: &["-p", "jwt-only"], at_most: None, without: STORAGE },
    Budget {
        what: "the app `quickstart`",
        tree: &["-p", "quickstart"],
        // Five of them read compressed request bodies, and seven are Gatekit's own.
        at_most: Some(173),
        without: &[],
    },
    Budget {
        what: "everything, with all features, on all platforms",
        tree: &["--workspace", "--all-features", "--target", "all"],
        at_most: None,
        // deny.toml says why. Here without dev-dependencies, and in a second instead of a minute.
        without: &["openssl", "openssl-sys", "native-tls", "rsa"],
    },
];

pub(super) fn run(_: &Workspace) -> Result<Passed> {
    let mut broken = Vec::new();
    for budget in BUDGETS {
        if let Err(why) = check(budget) {
            println!("  {why}");
            broken.push(why);
        }
    }
    if broken.is_empty() { Ok(Passed::default()) } else { Err(broken.join("; ")) }
}

fn check(budget: &Budget) -> Result<()> {
    let head = ["tree", "--edges", "normal,build", "--prefix", "none"];
    let tree = Run::cargo(&[&head, budget.tree].concat()).read()?;
    let crates = crates(&tree);
    let limit = budget.at_most.map_or(String::new(), |most| format!(" (at most {most})"));
    println!("{:>4} crates{limit}: {}", crates.len(), budget.what);

    let unwanted: Vec<&str> =
        crates.iter().map(|(name, _)| *name).filter(|name| budget.without.contains(name)).collect();
    if !unwanted.is_empty() {
        return Err(format!("{} has {}", budget.what, unwanted.join(", ")));
    }
    match budget.at_most {
        Some(most) if crates.len() > most => {
            Err(format!("{} has {} crates, {most} at most", budget.what, crates.len()))
        }
        _ => Ok(()),
    }
}

/// Name and version of each crate once. A line is `name v1.2.3`, then perhaps `(proc-macro)` or a
/// path.
fn crates(tree: &str) -> BTreeSet<(&str, &str)> {
    tree.lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(name, rest)| (name, rest.split(' ').next().unwrap_or_default()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::crates;

    #[test]
    fn each_version_of_a_crate_counts_once() {
        let tree = "app v0.1.0 (/src/app)\nsyn v2.0.1\nserde_derive v1.0.0 (proc-macro)\nsyn v2.0.1\n\nsyn v1.0.9\n";
        let expected = [("app", "v0.1.0"), ("serde_derive", "v1.0.0"), ("syn", "v1.0.9"), ("syn", "v2.0.1")];
        assert_eq!(crates(tree).into_iter().collect::<Vec<_>>(), expected);
    }
}
