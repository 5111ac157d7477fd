//! The servers, in the order of the table's columns.

use load::Result;

/// One of them.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) name: &'static str,
    /// The package that is its program.
    pub(crate) package: &'static str,
    /// The folder of the workspace that the package is in.
    pub(crate) workspace: &'static str,
    /// What it is told through its environment.
    pub(crate) environment: &'static [(&'static str, &'static str)],
    /// Differs from the server before it in its logins only, so that only those are measured.
    pub(crate) only_logins: bool,
}

const PEER: Kind = Kind { name: "", package: "", workspace: ".", environment: &[], only_logins: false };
const GATEKIT: Kind = Kind { workspace: "gatekit", ..PEER };

/// What the others are compared with.
pub(crate) const BASE: &str = "bare";

/// All of them.
pub(crate) const ALL: &[Kind] = &[
    Kind { name: BASE, package: "bare", ..PEER },
    Kind { name: "bare-layer", package: "bare", environment: &[("BENCH_LAYER", "1")], ..PEER },
    Kind { name: "by-hand", package: "by-hand", ..PEER },
    Kind {
        name: "by-hand-reused",
        package: "by-hand",
        environment: &[("BENCH_REUSE_BLOCKS", "1")],
        only_logins: true,
        ..PEER
    },
    Kind { name: "axum-login-memory", package: "axum-login-memory", ..PEER },
    Kind { name: "axum-login-sqlite", package: "axum-login-sqlite", ..PEER },
    Kind { name: "gatekit-memory", package: "gatekit-memory", ..GATEKIT },
    Kind { name: "gatekit-memory-simd", package: "gatekit-memory-simd", only_logins: true, ..GATEKIT },
    Kind { name: "gatekit-sqlite", package: "gatekit-sqlite", ..GATEKIT },
];

/// All, or those named in a list with commas, in which `peers` and `gatekit` stand for all of
/// either.
pub(crate) fn select(only: Option<&str>) -> Result<Vec<&'static Kind>> {
    let Some(only) = only else {
        return Ok(ALL.iter().collect());
    };
    let matches = |kind: &Kind, word: &str| match word {
        "peers" => kind.workspace == PEER.workspace,
        "gatekit" => kind.workspace == GATEKIT.workspace,
        name => kind.name == name,
    };
    if let Some(unknown) = only.split(',').find(|word| !ALL.iter().any(|kind| matches(kind, word))) {
        let names: Vec<_> = ALL.iter().map(|kind| kind.name).collect();
        return Err(format!("there is no {unknown}; there are peers, gatekit and {names:?}").into());
    }
    Ok(ALL.iter().filter(|kind| only.split(',').any(|word| matches(kind, word))).collect())
}
