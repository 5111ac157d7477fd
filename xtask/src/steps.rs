//! What `cargo xtask test` checks: one file a step, and the order they run in.

mod browser;
mod budget;
mod circles;
mod clients;
mod clippy;
mod copies;
mod deny;
mod docs;
mod features;
mod floors;
mod fmt;
mod lock;
mod test;

use std::time::{Duration, Instant};

use crate::run::Result;
use crate::tools;
use crate::workspace::Workspace;

/// One thing to check.
pub(crate) struct Step {
    name: &'static str,
    /// What holds when it passes.
    promise: &'static str,
    run: fn(&Workspace) -> Result<Passed>,
}

/// A step passed. Whatever it had to leave out is said again in the summary, so that nothing is
/// skipped silently.
#[derive(Default)]
pub(crate) struct Passed {
    left_out: Option<String>,
}

/// Quick ones first; those that need the network last.
static STEPS: [Step; 13] = [
    Step { name: "fmt", promise: "every file is formatted", run: fmt::run },
    Step { name: "lock", promise: "the lock files fit the manifests", run: lock::run },
    Step { name: "floors", promise: "no crate depends on one of its own floor or above", run: floors::run },
    Step { name: "budget", promise: "the kit costs an app no more crates than promised", run: budget::run },
    Step { name: "circles", promise: "no two files of a crate import from each other", run: circles::run },
    Step { name: "clippy", promise: "no warning in any target with all features", run: clippy::run },
    Step { name: "test", promise: "all tests and doctests pass", run: test::run },
    Step { name: "docs", promise: "the documentation builds without a warning", run: docs::run },
    Step { name: "features", promise: "no warning in any library with each feature alone", run: features::run },
    Step { name: "copies", promise: "a copy of each example builds and starts elsewhere", run: copies::run },
    Step { name: "deny", promise: "licences, bans, sources and advisories are in order", run: deny::run },
    Step { name: "clients", promise: "clients in other languages work against the examples", run: clients::run },
    Step { name: "browser", promise: "the pages work in a real browser", run: browser::run },
];

/// All steps, in order.
pub(crate) fn all() -> Vec<&'static Step> {
    STEPS.iter().collect()
}

/// The steps of a comma-separated list, in the order of [`all`].
pub(crate) fn named(names: &str) -> Result<Vec<&'static Step>> {
    let names: Vec<&str> = names.split(',').map(str::trim).collect();
    if let Some(unknown) = names.iter().find(|name| STEPS.iter().all(|step| step.name != **name)) {
        let known: Vec<&str> = STEPS.iter().map(|step| step.name).collect();
        return Err(format!("`{unknown}` is no step; there are {}", known.join(", ")));
    }
    Ok(STEPS.iter().filter(|step| names.contains(&step.name)).collect())
}

/// Prints the steps' names and what each promises.
pub(crate) fn list() {
    for step in &STEPS {
        println!("{:<9} {}", step.name, step.promise);
    }
}

/// Runs all of `steps`, also after one that failed, and prints a summary.
pub(crate) fn run(workspace: &Workspace, steps: &[&Step]) -> Result<()> {
    tools::c_compiler()?;
    let began = Instant::now();
    let mut summary = Vec::new();
    let mut failed = Vec::new();
    for step in steps {
        println!("\n==> {}: {}", step.name, step.promise);
        let began = Instant::now();
        let outcome = (step.run)(workspace);
        let took = seconds(began.elapsed());
        let line = match outcome {
            Ok(Passed { left_out: None }) => format!("ok     {:<9} {took}", step.name),
            Ok(Passed { left_out: Some(what) }) => format!("ok     {:<9} {took}  left out: {what}", step.name),
            Err(why) => {
                failed.push(step.name);
                format!("FAILED {:<9} {took}  {why}", step.name)
            }
        };
        println!("<== {line}");
        summary.push(line);
    }
    println!("\nSummary\n{}\nall in          {}", summary.join("\n"), seconds(began.elapsed()));
    if failed.is_empty() { Ok(()) } else { Err(format!("failed: {}", failed.join(", "))) }
}

fn seconds(time: Duration) -> String {
    format!("{:>7.1} s", time.as_secs_f64())
}
