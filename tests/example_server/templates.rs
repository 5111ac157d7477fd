//! Each example is made to be copied: its `Cargo.toml` stands alone, and its README says what to do
//! with the copy. That a copy builds and starts is checked by `cargo xtask test --only copies`.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The folder of each example.
fn examples() -> Vec<PathBuf> {
    let mut examples: Vec<PathBuf> =
        fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path()).collect();
    examples.sort();
    assert!(examples.len() >= 7, "{examples:?}");
    examples
}

/// The lines `name = ..` of the tables of dependencies.
fn dependencies(manifest: &str) -> Vec<(&str, &str)> {
    let mut is_dependency = false;
    let lines = manifest.lines().filter(|line| {
        if line.starts_with('[') {
            is_dependency = line.ends_with("dependencies]");
        }
        is_dependency && !line.starts_with(['#', '['])
    });
    lines.filter_map(|line| line.split_once(" = ")).collect()
}

/// `"1.2"`, or `{ version = "1.2", .. }`.
fn version(dependency: &str) -> &str {
    let text = dependency.split_once("version = ").map_or(dependency, |(_, rest)| rest);
    text.split('"').nth(1).unwrap_or_default()
}

#[test]
fn an_example_takes_nothing_from_the_workspace_around_it() {
    for example in examples() {
        let manifest = read(&example.join("Cargo.toml"));
        let lines: Vec<&str> = manifest.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(
            lines.iter().all(|line| !line.contains("workspace") && !line.contains("path = ")),
            "{}",
            example.display()
        );
        assert!(lines.contains(&"edition = \"2024\""), "{}", example.display());
    }
}

#[test]
fn an_example_depends_on_what_the_workspace_depends_on() {
    let workspace = read(&root().join("Cargo.toml"));
    let known = dependencies(&workspace);
    let repository = workspace.lines().find_map(|line| line.strip_prefix("repository = ")).unwrap();
    assert!(
        workspace.contains(&format!("\n[patch.{repository}]\n")),
        "the root replaces the repository by the crates here"
    );
    for example in examples() {
        let manifest = read(&example.join("Cargo.toml"));
        let dependencies = dependencies(&manifest);
        assert!(dependencies.iter().any(|(name, _)| *name == "gatekit"), "{}", example.display());
        for (name, dependency) in dependencies {
            let (_, ours) =
                known.iter().find(|(known, _)| *known == name).unwrap_or_else(|| panic!("{name} is unknown"));
            if name.starts_with("gatekit") {
                assert!(dependency.contains(&format!("git = {repository}")), "{}: {name}", example.display());
                assert!(version(ours).starts_with(version(dependency)), "{}: {name}", example.display());
            } else {
                assert_eq!(version(dependency), version(ours), "{}: {name}", example.display());
            }
        }
    }
}

#[test]
fn an_example_that_hashes_passwords_compiles_that_with_optimizations() {
    for example in examples() {
        if read(&example.join("Cargo.toml")).contains("default-features = false, features = [\"jwt\"]") {
            continue;
        }
        let config = read(&example.join(".cargo/config.toml"));
        for name in ["argon2", "blake2"] {
            let profile = format!("[profile.dev.package.{name}]\nopt-level = 3\n");
            assert!(config.contains(&profile), "{}: {name}", example.display());
        }
    }
}

#[test]
fn the_readme_of_an_example_says_what_it_shows_and_how_it_goes_on() {
    for example in examples() {
        let readme = read(&example.join("README.md"));
        let name = example.file_name().unwrap().to_str().unwrap();
        for part in ["**Shows** ", "**Run**: ", "**Change first**: ", "**Does not do yet**: "] {
            assert!(readme.contains(&format!("\n{part}")), "{name}: {part}");
        }
        assert!(readme.contains(&format!("cp -r examples/{name} ~/")), "{name}");
        assert!(readme.lines().count() <= 20, "{name}");
    }
}
