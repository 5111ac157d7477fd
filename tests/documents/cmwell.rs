//! CM-Well's routes.

use std::collections::BTreeSet;

use gatekit::cmwell::route_table;

use crate::markdown::{docs, read, statuses, tables};

#[test]
fn the_statuses_in_the_docs_of_a_router_are_those_that_its_routes_declare() {
    for (builder, file) in [("login_router", "login.rs"), ("auth_router", "auth_operations.rs")] {
        let docs = docs(&read(&format!("crates/cmwell/src/{file}")));
        let refusals = tables(&docs).into_iter().filter(|table| table.header.last().is_some_and(|cell| cell == "when"));
        let told: BTreeSet<u16> = refusals
            .flat_map(|table| table.rows)
            .flat_map(|row| statuses(&row[0]))
            .filter(|status| *status >= 400)
            .collect();
        let (_, routes) = route_table().into_iter().find(|(name, _)| *name == builder).unwrap();
        let declared = routes.iter().flat_map(|route| route.responses).map(|response| response.status);
        assert_eq!(told, declared.filter(|status| *status >= 400).collect(), "{builder}");
    }
}
