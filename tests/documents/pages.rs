//! The pages: their paths, and the fields of their forms.

use std::collections::BTreeSet;

use gatekit::pages::{Feature, route_table};
use gatekit::web::{Place, Route, Verb};

use crate::markdown::{docs, read, spans, tables};

/// A page as its routes declare it: the feature, the path, and the fields of its form, all of them
/// and those that must be there.
type Page = (Option<Feature>, &'static str, BTreeSet<&'static str>, BTreeSet<&'static str>);

/// All pages. Forms below a page, such as `/account/sessions/revoke`, belong to it.
fn declared() -> Vec<Page> {
    let mut pages = Vec::new();
    for (feature, routes) in route_table() {
        for page in routes.iter().filter(|route| route.verb == Verb::Get) {
            let is_of_page =
                |route: &&Route| route.path == page.path || route.path.starts_with(&format!("{}/", page.path));
            let fields = routes.iter().filter(is_of_page).flat_map(|route| route.arguments);
            let fields: Vec<_> = fields.filter(|argument| argument.place == Place::Body).collect();
            let all = fields.iter().map(|field| field.name).collect();
            let required = fields.iter().filter(|field| field.required).map(|field| field.name).collect();
            pages.push((feature, page.path, all, required));
        }
    }
    pages
}

/// The paths in a cell: `/reset-password?token=…`.
fn paths(cell: &str) -> Vec<String> {
    let spans = spans(cell).into_iter().map(|(span, _)| span).filter(|span| span.starts_with('/'));
    spans.map(|span| span.split('?').next().unwrap().to_owned()).collect()
}

/// The names of fields in a cell: `confirm=on`.
fn fields(cell: &str) -> BTreeSet<String> {
    let spans = spans(cell).into_iter().map(|(span, _)| span.split('=').next().unwrap());
    spans.filter(|span| span.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')).map(str::to_owned).collect()
}

#[test]
fn the_tables_of_pages_have_all_pages_and_the_fields_of_their_forms() {
    for (file, column) in [("docs/guide/pages.md", 0), ("crates/pages/src/lib.rs", 1)] {
        let text = read(file);
        let text = if file.ends_with(".rs") { docs(&text) } else { text };
        let table = tables(&text).into_iter().find(|table| table.header.get(column).is_some_and(|cell| cell == "URL"));
        let table = table.unwrap_or_else(|| panic!("{file}: no table of pages"));
        let at = table.header.iter().position(|cell| cell == "fields of the form").unwrap();
        let mut told = BTreeSet::new();
        for row in &table.rows {
            for path in paths(&row[column]) {
                let page = declared().into_iter().find(|(_, declared, ..)| *declared == path);
                let (_, _, all, required) = page.unwrap_or_else(|| panic!("{file}: `{path}` is not declared"));
                let fields = fields(&row[at]);
                // Two paths of one row, such as a page and the place where programs look for it.
                let is_page = !all.is_empty() || paths(&row[column]).len() == 1;
                for field in fields.iter().filter(|_| is_page) {
                    assert!(all.contains(field.as_str()), "{file}: the form of `{path}` has no field {field:?}");
                }
                for field in required {
                    assert!(fields.contains(field), "{file}: the row of `{path}` lacks the field {field:?}");
                }
                told.insert(path);
            }
        }
        for (feature, path, ..) in declared() {
            let is_asset = feature.is_none() && file.ends_with(".md");
            assert!(told.contains(path) || is_asset, "{file}: no row has `{path}`");
        }
    }
}

#[test]
fn the_docs_of_a_feature_name_its_pages() {
    let source = read("crates/pages/src/feature.rs");
    let mut above = String::new();
    let mut told = Vec::new();
    for line in source.lines().map(str::trim) {
        match line.strip_prefix("///") {
            Some(doc) => above.push_str(doc),
            None => {
                told.push((line.trim_end_matches(',').to_owned(), paths(&above)));
                above.clear();
            }
        }
    }
    for feature in declared().into_iter().filter_map(|(feature, ..)| feature) {
        let name = format!("{feature:?}");
        let (_, told) = told.iter().find(|(variant, _)| *variant == name).unwrap_or_else(|| panic!("{name}"));
        let pages: BTreeSet<String> = declared()
            .into_iter()
            .filter(|(of, ..)| *of == Some(feature))
            .map(|(_, path, ..)| path.to_owned())
            .collect();
        assert_eq!(told.iter().cloned().collect::<BTreeSet<_>>(), pages, "{name}");
    }
}
