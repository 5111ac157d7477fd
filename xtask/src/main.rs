//! The chores of this repository as Rust code: everything that a person or CI runs is
//! `cargo xtask ..`.
//!
//! `steps` has one file for each thing that `cargo xtask test` checks, and the table they stand in;
//! `bench` starts the comparison with other crates; `tools` gets what a fresh machine lacks; `run`
//! starts processes, `server` an example; `workspace` answers what crates there are.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "talking to the person at the terminal is what this crate is for"
)]

mod bench;
mod run;
mod server;
mod steps;
mod tools;
mod workspace;

use std::process::ExitCode;

use crate::run::Result;
use crate::workspace::Workspace;

const HELP: &str = "\
The chores of this repository.

cargo xtask test                    all checks and tests; installs what is missing where it can
cargo xtask test --only STEP[,STEP] some of them
cargo xtask test --list             their names
cargo xtask budget                  how many crates the kit costs an app, and that the unwanted ones are absent
cargo xtask bench [ARG..]           the comparison with other crates; ARGs are passed on to it";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&args.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("xtask: {message}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(args: &[&str]) -> Result<()> {
    match args {
        ["test", "--list"] => {
            steps::list();
            Ok(())
        }
        ["test"] => steps::run(&Workspace::open()?, &steps::all()),
        ["test", "--only", names] => steps::run(&Workspace::open()?, &steps::named(names)?),
        ["budget"] => steps::run(&Workspace::open()?, &steps::named("budget")?),
        ["bench", rest @ ..] => bench::run(&Workspace::open()?, rest),
        [] | ["help" | "--help" | "-h"] => {
            println!("{HELP}");
            Ok(())
        }
        other => Err(format!("`{}` is no chore\n\n{HELP}", other.join(" "))),
    }
}
