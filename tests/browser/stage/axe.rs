//! Can everybody use a page? As far as axe-core can tell.

use std::fmt::Write;
use std::path::Path;

use serde_json::Value;

use super::Browser;

/// All rules that axe has, its advice included; what it can't decide is not counted.
const RUN: &str = "const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ['violations'] }).then(
    results => done(results.violations.map(violation => ({
        rule: violation.id,
        help: violation.help,
        nodes: violation.nodes.map(node => node.html + ' (' + node.failureSummary + ')'),
    }))),
    error => done([{ rule: 'axe itself', help: String(error), nodes: [] }]),
);";

impl Browser {
    /// Fails if axe-core finds a violation of any of its rules on the page.
    pub(crate) async fn expect_accessible(&self, what: &str) {
        let violations = self.violations().await;
        let mut report = String::new();
        for violation in &violations {
            let _ = writeln!(report, "{}: {}", violation["rule"], violation["help"]);
            for node in violation["nodes"].as_array().into_iter().flatten() {
                let _ = writeln!(report, "    {node}");
            }
        }
        assert!(violations.is_empty(), "{what}:\n{report}");
    }

    /// What axe-core finds. A driver's script is not bound by the page's Content-Security-Policy.
    pub(crate) async fn violations(&self) -> Vec<Value> {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser/node_modules/axe-core/axe.min.js");
        let axe = std::fs::read_to_string(&file).unwrap_or_else(|e| {
            panic!("{}: {e}; `cargo xtask test --only browser` gets it from npm", file.display());
        });
        self.execute(&axe, Vec::new()).await;
        self.execute_async(RUN, Vec::new()).await.as_array().expect("a list").clone()
    }
}
