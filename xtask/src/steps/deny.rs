//! cargo-deny, by the rules of deny.toml.

use super::Passed;
use crate::run::{Result, Run};
use crate::tools;
use crate::workspace::Workspace;

pub(super) fn run(workspace: &Workspace) -> Result<Passed> {
    let deny = tools::cargo_deny(workspace)?;
    Run::new(&deny, &["check", "--hide-inclusion-graph", "bans", "licenses", "sources"]).show()?;

    // The advisories are a git repository elsewhere. Where it cannot be reached, that is no fault
    // of the tree.
    if let Err(why) = Run::new(&deny, &["fetch", "db"]).read() {
        let left_out = format!("advisories, because the RustSec database cannot be fetched here: {why}");
        println!("{left_out}");
        return Ok(Passed { left_out: Some(left_out) });
    }
    Run::new(&deny, &["check", "--hide-inclusion-graph", "advisories"]).show()?;
    Ok(Passed::default())
}
