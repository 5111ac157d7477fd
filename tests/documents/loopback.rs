//! The routes of LoopBack's User API and ours beside them.

use std::collections::BTreeSet;

use gatekit::routes::{COMMON_RESPONSES, RouteGroup, route_table};
use gatekit::web::{Place, Route, RouteResponse, Shape};
use gatekit::{AccessType, Method};

use crate::markdown::{NamedRoute, codes, docs, read, routes, statuses, tables};

/// The guide of each builder.
const GUIDES: [(&str, &str); 17] = [
    ("register", "register"),
    ("login", "login"),
    ("logout", "logout"),
    ("change_password", "change-password"),
    ("reset_password", "reset-password"),
    ("find_user", "find-user"),
    ("access_tokens", "sessions"),
    ("update_user", "update-user"),
    ("delete_user", "delete-account"),
    ("find_users", "find-users"),
    ("upsert_users", "update-user"),
    ("verify_email", "verify-email"),
    ("sessions", "sessions"),
    ("step_up", "step-up"),
    ("change_email", "change-email"),
    ("delete_account", "delete-account"),
    ("all", "roles"),
];

fn routes_of(builders: &[&str]) -> Vec<Route> {
    let groups = route_table().into_iter().filter(|group| builders.contains(&group.builder));
    groups.flat_map(|group| group.routes).copied().filter(is_documented).collect()
}

/// To LoopBack the `confirm` of a HEAD is the id of a user: it is no feature of its own.
fn is_documented(route: &Route) -> bool {
    route.to_string() != "HEAD /confirm"
}

fn named(route: &Route) -> NamedRoute {
    NamedRoute { verb: route.verb.as_str().to_owned(), path: route.path.to_owned(), fields: None }
}

fn without_fields(routes: Vec<NamedRoute>) -> BTreeSet<NamedRoute> {
    routes.into_iter().map(|route| NamedRoute { fields: None, ..route }).collect()
}

fn builders_of(guide: &str) -> Vec<&'static str> {
    GUIDES.iter().filter(|(_, of)| *of == guide).map(|(builder, _)| *builder).collect()
}

#[test]
fn every_builder_has_a_guide() {
    for RouteGroup { builder, .. } in route_table() {
        assert!(GUIDES.iter().any(|(of, _)| *of == builder), "{builder} has no guide");
    }
}

#[test]
fn a_guide_names_each_route_of_its_builders_and_its_tables_no_other() {
    for (_, guide) in GUIDES.iter().filter(|(builder, _)| *builder != "all") {
        let text = read(&format!("docs/guide/{guide}.md"));
        let declared: BTreeSet<NamedRoute> = routes_of(&builders_of(guide)).iter().map(named).collect();
        let told = without_fields(routes(&text));
        for route in &declared {
            assert!(told.contains(route), "{guide}.md does not name `{route}`");
        }
        let route_tables = tables(&text).into_iter().filter(|table| table.header[0] == "route");
        for row in route_tables.flat_map(|table| table.rows) {
            let told = without_fields(routes(&row[0]));
            assert!(!told.is_empty(), "{guide}.md: no route in {:?}", row[0]);
            for route in told {
                assert!(declared.contains(&route), "{guide}.md: `{route}` is not declared");
            }
        }
    }
}

#[test]
fn the_fields_of_a_body_are_those_that_are_declared() {
    let table = route_table();
    let declared: Vec<&Route> = table.iter().flat_map(|group| group.routes).collect();
    let guides = GUIDES.iter().map(|(_, guide)| (format!("{guide}.md"), read(&format!("docs/guide/{guide}.md"))));
    let sources = GUIDES.iter().filter(|(builder, _)| *builder != "all").map(|(builder, _)| {
        let path = format!("crates/routes/src/{builder}.rs");
        let docs = docs(&read(&path));
        (path, docs)
    });
    let mut compared = 0;
    for (path, text) in guides.chain(sources) {
        for told in routes(&text.replace('\n', " ")) {
            let Some(fields) = told.fields.clone() else { continue };
            let route = declared.iter().find(|route| named(route) == NamedRoute { fields: None, ..told.clone() });
            let route = route.unwrap_or_else(|| panic!("{path}: `{told}` is not declared"));
            for (name, required) in &fields {
                let found = body_fields(route).into_iter().find(|(field, _)| field == name);
                if found.is_none() && takes_fields_of_users(route) {
                    continue;
                }
                let (_, is_required) = found.unwrap_or_else(|| panic!("{path}: `{told}` has no field {name:?}"));
                // One of two that must be there: `"email" or "username"`.
                let is_one_of_two = route.path == "/login" && ["email", "username"].contains(&name.as_str());
                // `Policy` decides whether the password is asked for.
                let is_asked = route.path == "/{id}" && name == "password";
                // An example.
                let is_example = text.contains(&format!("\"{name}\":"));
                assert!(
                    *required == is_required || is_one_of_two || is_asked || is_example,
                    "{path}: `{told}`, whether {name:?} is required"
                );
            }
            compared += 1;
        }
    }
    assert!(compared > 20, "{compared}");
}

/// The fields of the body that a route declares, each with whether it is required.
fn body_fields(route: &Route) -> Vec<(String, bool)> {
    let mut fields = Vec::new();
    for argument in route.arguments {
        match (argument.place, argument.shape) {
            (Place::Body | Place::BodyQueryOrHeader, _) => fields.push((argument.name.to_owned(), argument.required)),
            (Place::WholeBody, shape) => collect(shape, &mut fields),
            _ => {}
        }
    }
    fields
}

fn takes_fields_of_users(route: &Route) -> bool {
    route.arguments.iter().any(|argument| argument.shape == Shape::UserFields)
}

fn collect(shape: Shape, fields: &mut Vec<(String, bool)>) {
    match shape {
        Shape::Object(schema) => {
            fields.extend(schema.fields.iter().map(|field| (field.name.to_owned(), field.required)));
        }
        Shape::OneOf(shapes) => shapes.iter().for_each(|shape| collect(*shape, fields)),
        _ => {}
    }
}

/// The pairs of status and code in tables about errors, which have one of these headers.
fn told_errors(text: &str) -> Vec<(u16, String)> {
    let of_errors = tables(text).into_iter().filter(|table| {
        let header: Vec<&str> = table.header.iter().map(String::as_str).collect();
        matches!(header[..], ["status", "code", "when"] | ["answer", "when"] | ["response", "when"])
    });
    let rows = of_errors.flat_map(|table| table.rows);
    rows.flat_map(|row| {
        let codes = codes(row[..row.len() - 1].join(" ").as_str());
        statuses(&row[0]).into_iter().flat_map(move |status| codes.clone().into_iter().map(move |code| (status, code)))
    })
    .collect()
}

fn pairs(responses: &[RouteResponse]) -> Vec<(u16, String)> {
    let pairs = responses.iter().flat_map(|response| response.codes.iter().map(|code| (response.status, code)));
    pairs.map(|(status, code)| (status, (*code).to_owned())).collect()
}

/// What every protected route may answer; a guide need not repeat it.
fn is_common(pair: &(u16, String)) -> bool {
    let protected = [(401, "AUTHORIZATION_REQUIRED"), (401, "INVALID_TOKEN")];
    pairs(COMMON_RESPONSES).contains(pair) || protected.map(|(status, code)| (status, code.to_owned())).contains(pair)
}

/// What a filter may have wrong is told in one place.
fn is_of_a_filter(path: &str, pair: &(u16, String)) -> bool {
    const CODES: [&str; 3] = ["INVALID_FILTER", "OPERATOR_NOT_ALLOWED_IN_QUERY", "QUERY_OBJECT_TOO_DEEP"];
    path != "docs/guide/find-users.md" && pair.0 == 400 && CODES.contains(&pair.1.as_str())
}

/// What a document says that is not declared, and what it leaves out.
fn differences(path: &str, text: &str, routes: &[Route]) -> Vec<String> {
    let declared: Vec<(u16, String)> = routes.iter().flat_map(|route| pairs(route.responses)).collect();
    let told = told_errors(text);
    let invented = told.iter().filter(|pair| !declared.contains(pair) && !is_common(pair));
    let left_out =
        declared.iter().filter(|pair| !told.contains(pair) && !is_common(pair) && !is_of_a_filter(path, pair));
    let mut differences: Vec<String> =
        invented.map(|(status, code)| format!("{path}: {status} `{code}` is not declared")).collect();
    differences.extend(left_out.map(|(status, code)| format!("{path}: no table has {status} `{code}`")));
    differences.sort();
    differences.dedup();
    differences
}

#[test]
fn the_errors_in_a_guide_are_those_that_its_routes_declare() {
    let guides = GUIDES.iter().filter(|(builder, _)| *builder != "all").map(|(_, guide)| guide);
    let differences: Vec<String> = guides
        .flat_map(|guide| {
            let path = format!("docs/guide/{guide}.md");
            differences(&path, &read(&path), &routes_of(&builders_of(guide)))
        })
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn the_errors_in_the_docs_of_a_builder_are_those_that_its_routes_declare() {
    let builders = GUIDES.iter().filter(|(builder, _)| *builder != "all").map(|(builder, _)| builder);
    let differences: Vec<String> = builders
        .flat_map(|builder| {
            let path = format!("crates/routes/src/{builder}.rs");
            differences(&path, &docs(&read(&path)), &routes_of(&[builder]))
        })
        .collect();
    assert!(differences.is_empty(), "{differences:#?}");
}

#[test]
fn the_table_of_builders_has_all_routes_of_each() {
    let docs = docs(&read("crates/routes/src/lib.rs"));
    let table = tables(&docs).into_iter().find(|table| table.header[0] == "builder").expect("a table of builders");
    let mut told: Vec<(String, BTreeSet<NamedRoute>)> = Vec::new();
    for row in table.rows {
        let name = row[0].trim_matches(|c| matches!(c, '[' | ']' | '`')).to_owned();
        let routes = without_fields(routes(&row[1]));
        match told.last_mut() {
            Some((_, all)) if name.is_empty() => all.extend(routes),
            _ => told.push((name, routes)),
        }
    }
    for (builder, _) in GUIDES.iter().filter(|(builder, _)| *builder != "all") {
        let (_, told) = told.iter().find(|(name, _)| name == builder).unwrap_or_else(|| panic!("no row for {builder}"));
        let declared: BTreeSet<NamedRoute> = routes_of(&[builder]).iter().map(named).collect();
        assert_eq!(told, &declared, "{builder}");
    }
}

/// The constants of `Method` as its source has them: name, method, and the routes in its docs.
fn method_constants() -> Vec<(String, Method, BTreeSet<NamedRoute>)> {
    let source = read("crates/core/src/acl/method.rs");
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let mut constants = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some((constant, value)) = line.strip_prefix("pub const ").and_then(|rest| rest.split_once(": Self = "))
        else {
            continue;
        };
        let name: &'static str = value.split('"').nth(1).expect("a name").to_owned().leak();
        let access = match value.split('(').next().unwrap() {
            "read" => AccessType::Read,
            "write" => AccessType::Write,
            _ => AccessType::Execute,
        };
        let above = lines[..at].iter().rev().take_while(|line| line.starts_with("///"));
        let docs: Vec<&str> = above.copied().collect::<Vec<_>>().into_iter().rev().collect();
        constants.push((constant.to_owned(), Method { name, access }, without_fields(routes(&docs.join(" ")))));
    }
    constants
}

#[test]
fn each_method_of_the_access_control_list_has_the_routes_that_declare_it() {
    let table = route_table();
    let constants = method_constants();
    assert!(constants.len() > 25);
    for (constant, method, told) in &constants {
        let of_method = table.iter().flat_map(|group| group.routes).filter(|route| route.method == Some(*method));
        let declared: BTreeSet<NamedRoute> = of_method.map(named).collect();
        assert_eq!(told, &declared, "Method::{constant}");
        assert!(!declared.is_empty() || constant == "ANY", "no route is guarded by Method::{constant}");
    }
    for route in table.iter().flat_map(|group| group.routes) {
        let Some(method) = route.method else { continue };
        assert!(constants.iter().any(|(_, constant, _)| *constant == method), "{route}: {method:?} is no constant");
    }
}

#[test]
fn the_guide_to_roles_names_the_rule_of_each_route_that_loopback_has_not() {
    let text = read("docs/guide/roles.md");
    let table = tables(&text).into_iter().find(|table| table.header == ["route", "rule"]).expect("the table of rules");
    let mut told: BTreeSet<(NamedRoute, Option<String>)> = BTreeSet::new();
    for row in &table.rows {
        let rule = (row[1] != "none").then(|| row[1].trim_matches('`').to_owned());
        told.extend(without_fields(routes(&row[0])).into_iter().map(|route| (route, rule.clone())));
    }
    let ours = route_table().into_iter().filter(|group| !group.is_loopback).flat_map(|group| group.routes);
    // Pages that mailed links lead to ask no list.
    let ours = ours.filter(|route| !route.path.ends_with("/form"));
    let declared: BTreeSet<_> =
        ours.map(|route| (named(route), route.method.map(|method| method.name.to_owned()))).collect();
    assert_eq!(told, declared);
}
