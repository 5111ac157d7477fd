//! Reads tables, code spans and doc comments.

use std::fmt;
use std::path::Path;

/// A table: the cells of its header and of its rows.
pub(crate) struct Table {
    pub(crate) header: Vec<String>,
    pub(crate) rows: Vec<Vec<String>>,
}

/// A route as a document names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct NamedRoute {
    pub(crate) verb: String,
    pub(crate) path: String,
    /// The fields of the body, if the document lists them: `with {"email", "realm"?}`.
    pub(crate) fields: Option<Vec<(String, bool)>>,
}

impl fmt::Display for NamedRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verb, self.path)
    }
}

/// A file of the repository.
pub(crate) fn read(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The doc comments of a source file, in one text. What stands between two of them is an empty
/// line.
pub(crate) fn docs(source: &str) -> String {
    let line = |line: &str| {
        let line = line.trim_start();
        let doc = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
        doc.map(|doc| doc.strip_prefix(' ').unwrap_or(doc)).unwrap_or_default().to_owned()
    };
    source.lines().map(line).collect::<Vec<_>>().join("\n")
}

pub(crate) fn tables(text: &str) -> Vec<Table> {
    let mut tables: Vec<Table> = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        match line.strip_prefix('|') {
            None => is_inside = false,
            Some(row) if is_inside => tables.last_mut().unwrap().rows.push(cells(row)),
            Some(header) => {
                tables.push(Table { header: cells(header), rows: Vec::new() });
                is_inside = true;
            }
        }
    }
    for table in &mut tables {
        table.rows.remove(0); // | --- | --- |
    }
    tables
}

fn cells(row: &str) -> Vec<String> {
    row.trim().trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

/// The code spans of a text, each with what follows it up to the next one.
pub(crate) fn spans(text: &str) -> Vec<(&str, &str)> {
    let parts: Vec<&str> = text.split('`').collect();
    parts[1..].chunks(2).map(|pair| (pair[0], pair.get(1).copied().unwrap_or_default())).collect()
}

/// The routes that a text names: `GET /{id}`; a verb alone goes with the next path, as in
/// `` `GET`, `PUT /{id}` ``.
pub(crate) fn routes(text: &str) -> Vec<NamedRoute> {
    const VERBS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    let (mut routes, mut verbs) = (Vec::new(), Vec::new());
    let spans = spans(text);
    for (at, (span, after)) in spans.iter().enumerate() {
        let (verb, path) = span.split_once(' ').unwrap_or((span, ""));
        if !VERBS.contains(&verb) {
            verbs.clear();
            continue;
        }
        verbs.push(verb);
        if path.is_empty() {
            continue;
        }
        let path = path.split(['?', '[', '#']).next().unwrap();
        let fields = (after.trim() == "with").then(|| fields(spans.get(at + 1).map_or("", |(span, _)| span))).flatten();
        for verb in verbs.drain(..) {
            routes.push(NamedRoute { verb: verb.to_owned(), path: path.to_owned(), fields: fields.clone() });
        }
    }
    routes
}

/// The fields of `{"email" or "username", "realm"?}`, each with whether it must be there.
fn fields(body: &str) -> Option<Vec<(String, bool)>> {
    let body = body.strip_prefix('{')?;
    let parts: Vec<&str> = body.split('"').collect();
    let named = parts[1..].chunks(2);
    let field = |pair: &[&str]| {
        let after = pair.get(1).copied().unwrap_or_default();
        (pair[0].to_owned(), !after.starts_with('?'))
    };
    Some(named.map(field).collect())
}

/// The stable codes that a cell names: `` `LOGIN_FAILED` ``.
pub(crate) fn codes(cell: &str) -> Vec<String> {
    let is_code = |span: &&str| span.len() > 3 && span.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
    spans(cell).into_iter().map(|(span, _)| span).filter(is_code).map(str::to_owned).collect()
}

/// The statuses at the beginning of a cell: `400, 413`.
pub(crate) fn statuses(cell: &str) -> Vec<u16> {
    let words = cell.split([',', ' ']).filter(|word| !word.is_empty());
    words.map_while(|word| word.parse().ok()).collect()
}
