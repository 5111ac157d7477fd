//! The routes of Wix members.

use std::collections::BTreeSet;

use gatekit::web::{Place, Route, Shape};
use gatekit::wix::route_table;

use crate::markdown::{docs, read, routes, spans, tables};

fn declared(builder: &str) -> &'static [Route] {
    route_table().into_iter().find(|(name, _)| *name == builder).unwrap().1
}

fn names(routes: &[Route]) -> BTreeSet<String> {
    routes.iter().map(Route::to_string).collect()
}

/// The names in a cell, each with whether it must be there: `` `profile`? ``.
fn named(cell: &str) -> Vec<(String, bool)> {
    spans(cell).into_iter().map(|(name, after)| (name.to_owned(), !after.starts_with('?'))).collect()
}

#[test]
fn the_table_of_the_router_has_its_routes_with_their_bodies_and_answers() {
    let docs = docs(&read("crates/wix/src/routes/mod.rs"));
    let table = tables(&docs).into_iter().find(|table| table.header[0] == "route").unwrap();
    let mut told = BTreeSet::new();
    for row in &table.rows {
        let name = routes(&row[0]).remove(0).to_string();
        let route = declared("router").iter().find(|route| route.to_string() == name);
        let route = route.unwrap_or_else(|| panic!("`{name}` is not declared"));
        let body = route.arguments.iter().filter(|argument| argument.place == Place::Body);
        let body: Vec<_> = body.map(|argument| (argument.name.to_owned(), argument.required)).collect();
        assert_eq!(named(&row[1]), body, "{name}");
        if let Shape::Object(schema) = route.responses[0].shape {
            let fields: Vec<_> = schema.fields.iter().map(|field| (field.name.to_owned(), field.required)).collect();
            for (field, required) in
                named(&row[2]).into_iter().filter(|(name, _)| name.chars().all(char::is_alphanumeric))
            {
                // What is only there with `?cookie=false` has no question mark.
                let is_told = fields.iter().any(|(name, is_required)| *name == field && (required || !is_required));
                assert!(is_told || field == "null", "{name}: {field}");
            }
        } else {
            assert_eq!(row[2], route.responses[0].status.to_string(), "{name}");
        }
        told.insert(name);
    }
    assert_eq!(told, names(declared("router")));
}

#[test]
fn the_guide_names_the_routes_of_the_router() {
    let text = read("docs/guide/from-wix.md");
    let table =
        tables(&text).into_iter().find(|table| table.header.last().is_some_and(|cell| cell == "route")).unwrap();
    let told = table.rows.iter().flat_map(|row| routes(row.last().unwrap()));
    let told: BTreeSet<String> = told.map(|route| route.to_string().replace(" /wix/", " /")).collect();
    assert_eq!(told, names(declared("router")));
}

#[test]
fn the_table_of_endpoints_has_those_of_the_iam_router() {
    let docs = docs(&read("crates/wix/src/iam/mod.rs"));
    let table = tables(&docs).into_iter().find(|table| table.header[0] == "endpoint").unwrap();
    let told: BTreeSet<String> =
        table.rows.iter().flat_map(|row| routes(&row[0])).map(|route| route.to_string()).collect();
    assert_eq!(told, names(declared("iam_router")));
}
