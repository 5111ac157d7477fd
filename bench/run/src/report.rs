//! The table.

use std::{collections::BTreeSet, fmt::Write, fs, path::PathBuf, thread};

use load::{Closed, Logins, Result};

use crate::{
    bench_folder,
    rounds::{CONNECTIONS, IN_FLIGHT, Plan},
    servers::{BASE, Kind},
};

/// What the numbers depend on besides our own code.
const VERSIONS_SHOWN: &[&str] =
    &["argon2", "axum", "axum-login", "hyper", "sqlx", "tokio", "tower-sessions", "tower-sessions-sqlx-store"];

/// A server and all that was measured of it, one entry for each round.
pub(crate) struct Column {
    pub(crate) kind: &'static Kind,
    pub(crate) program: PathBuf,
    pub(crate) open_instructions: Option<f64>,
    pub(crate) me_instructions: Option<f64>,
    pub(crate) load: Vec<Closed>,
    pub(crate) logins: Vec<Logins>,
}

impl Column {
    pub(crate) fn new(kind: &'static Kind, program: PathBuf) -> Self {
        Self { kind, program, open_instructions: None, me_instructions: None, load: Vec::new(), logins: Vec::new() }
    }

    fn load(&self, value: impl Fn(&Closed) -> f64) -> Option<f64> {
        median(self.load.iter().map(value))
    }

    fn logins(&self, value: impl Fn(&Logins) -> f64) -> Option<f64> {
        median(self.logins.iter().map(value))
    }

    /// The median of the rates compared round by round, each with its neighbour in time.
    fn rate_of(&self, base: &Column) -> Option<f64> {
        median(self.load.iter().zip(&base.load).map(|(own, base)| own.requests_per_second / base.requests_per_second))
    }
}

/// The whole report.
pub(crate) fn markdown(columns: &[Column], plan: &Plan) -> Result<String> {
    let base = columns.iter().find(|column| column.kind.name == BASE);
    let mut text = String::from("# Results\n\n");
    line(&mut text, "", columns, |column| column.kind.name.to_owned())?;
    line(&mut text, "---", columns, |_| "---:".to_owned())?;
    let mut row = |title: &str, digits: usize, unit: &str, value: &dyn Fn(&Column) -> Option<f64>| {
        line(&mut text, title, columns, |column| match value(column) {
            Some(value) => format!("{value:.digits$}{unit}"),
            None => "–".to_owned(),
        })
    };
    let kilo = |value: Option<f64>| value.map(|value| value / 1000.0);
    row("open route, token sent, instructions", 1, "k", &|column| kilo(column.open_instructions))?;
    row("`/me`, instructions", 1, "k", &|column| kilo(column.me_instructions))?;
    row("`/me`, requests/s", 0, "", &|column| column.load(|load| load.requests_per_second))?;
    row("`/me`, requests/s of bare axum", 2, "", &|column| base.and_then(|base| column.rate_of(base)))?;
    row("`/me`, p99", 2, " ms", &|column| column.load(|load| load.p99_ms))?;
    row("`/me`, processor time of the server", 1, " µs", &|column| {
        column.load(|load| load.server_cpu_us.unwrap_or(f64::NAN))
    })?;
    row(&format!("peak memory, {IN_FLIGHT} logins in flight"), 0, " MB", &|column| {
        column.logins(|logins| logins.peak_memory_mb.unwrap_or(f64::NAN))
    })?;
    row("p99 of `/me` at 100/s while they run", 1, " ms", &|column| column.logins(|logins| logins.me_p99_ms))?;
    row("logins/s then", 1, "", &|column| column.logins(|logins| logins.logins_per_second))?;
    row("logins put off (503)", 0, "", &|column| column.logins(|logins| logins.refused as f64))?;

    writeln!(
        text,
        "\nMedians over rounds ({}) in which all servers take turns, over loopback with kept connections, on {} cores shared with \
         the load generator. Requests/s and its p99: {CONNECTIONS} connections for {} s. Logins: {} s. Instructions: callgrind, \
         difference of runs of {} and {} requests, on one thread.\n\nVersions: {}.",
        plan.rounds,
        thread::available_parallelism()?,
        plan.load_time.as_secs(),
        plan.login_time.as_secs(),
        plan.counted_requests.0,
        plan.counted_requests.1,
        versions(columns)?,
    )?;
    Ok(text)
}

fn line(text: &mut String, title: &str, columns: &[Column], cell: impl Fn(&Column) -> String) -> Result<()> {
    write!(text, "| {title} |")?;
    for column in columns {
        write!(text, " {} |", cell(column))?;
    }
    writeln!(text)?;
    Ok(())
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<_> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    let (below, above) = (values.get(values.len().checked_sub(1)? / 2)?, values.get(values.len() / 2)?);
    Some((below + above) / 2.0)
}

/// Versions from the lock files of the workspaces measured. Where those differ, both versions
/// appear.
fn versions(columns: &[Column]) -> Result<String> {
    let workspaces: BTreeSet<_> = columns.iter().map(|column| column.kind.workspace).collect();
    let mut found = BTreeSet::new();
    for workspace in workspaces {
        let lock = fs::read_to_string(bench_folder().join(workspace).join("Cargo.lock"))?;
        let mut name = "";
        for line in lock.lines() {
            let quoted = |key| line.strip_prefix(key).map(|value: &str| value.trim_matches('"'));
            if let Some(value) = quoted("name = ") {
                name = value;
            } else if let Some(version) = quoted("version = ").filter(|_| VERSIONS_SHOWN.contains(&name)) {
                found.insert(format!("{name} {version}"));
            }
        }
    }
    Ok(found.into_iter().collect::<Vec<_>>().join(", "))
}
