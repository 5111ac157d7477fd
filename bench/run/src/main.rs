//! Measures all servers side by side in one run, prints the table and writes it to `results.md`.
//! See README.md.

mod compile;
mod instructions;
mod report;
mod rounds;
mod server;
mod servers;

use std::{
    fs,
    path::{Path, PathBuf},
};

use load::{Args, Result};

use crate::{report::Column, rounds::Plan, servers::Kind};

#[tokio::main]
async fn main() -> Result<()> {
    let args = Args::from_env(&["only"], &["quick"])?;
    let plan = if args.has("quick") { Plan::quick() } else { Plan::full() };
    let servers = servers::select(args.get::<String>("only")?.as_deref())?;

    warn_if_busy();
    let mut columns = Vec::new();
    for kind in servers {
        columns.push(Column::new(kind, compile::compile(kind)?));
    }
    instructions::count_all(&mut columns, &plan).await?;
    rounds::run_all(&mut columns, &plan).await?;

    let report = report::markdown(&columns, &plan)?;
    println!("{report}");
    // A part of the table must not replace the whole one.
    if columns.len() == servers::ALL.len() && !args.has("quick") {
        fs::write(bench_folder().join("results.md"), report)?;
    }
    Ok(())
}

/// The folder that holds the workspace of this program.
fn bench_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// All but the instruction counts suffer from whatever else runs.
fn warn_if_busy() {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    let average = load.split(' ').next().and_then(|average| average.parse().ok());
    if average.is_some_and(|average: f64| average > 0.5) {
        eprintln!("the machine is busy (load {load:.4}): rates and times will say little");
    }
}

/// Shows a single measurement as soon as it is there.
fn progress(kind: &Kind, what: &str, result: impl serde::Serialize) {
    eprintln!("{}", serde_json::json!({ "server": kind.name, "what": what, "result": result }));
}
