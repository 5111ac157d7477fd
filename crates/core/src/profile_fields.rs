//! The fields of a profile by their names: which of them a sign-up must have, and all that is wrong
//! with what was sent.
//!
//! serde stops at the first mistake. To name them all, each field is read by itself, and then what
//! is missing is filled in, one field after the other, until nothing is missing any more. That
//! works for structs; a type that reads its fields in another way has at least the first mistake
//! named.

use serde_json::{Map, Value, json};

use crate::{FieldError, FieldProblem, Profile};

/// As many mistakes as one response names.
const MAX_ERRORS: usize = 64;
/// Levels of objects that are filled in.
const MAX_DEPTH: usize = 4;

/// Reads a profile from the fields that a client has sent.
///
/// ```
/// use gatekit_core::{FieldProblem, read_profile};
/// use serde::{Deserialize, Serialize};
/// use serde_json::json;
///
/// #[derive(Clone, Debug, Serialize, Deserialize)]
/// struct Profile {
///     city: String,
///     age: u8,
///     nickname: Option<String>,
/// }
///
/// let sent = json!({ "age": "old", "nickname": 7 });
/// let errors = read_profile::<Profile>(sent.as_object().cloned().unwrap()).unwrap_err();
/// let fields: Vec<_> = errors.iter().map(|error| error.field.as_str()).collect();
/// assert_eq!(fields, ["age", "nickname", "city"]);
/// assert_eq!(errors[2].problem, FieldProblem::Missing);
/// ```
///
/// # Errors
///
/// Every field that is wrong or missing, by its path: `city`, `address.street`, `tags[1]`.
/// `profile` stands for all of them where serde does not say which.
pub fn read_profile<P: Profile>(fields: Map<String, Value>) -> Result<P, Vec<FieldError>> {
    let fields = Value::Object(fields);
    P::deserialize(&fields).map_err(|_| match fields {
        Value::Object(fields) => mistakes::<P>(fields),
        _ => Vec::new(),
    })
}

/// The fields that a profile cannot be read without, in the order of the type. None, if the type
/// does not say so field by field.
///
/// ```
/// use gatekit_core::required_profile_fields;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Profile {
///     city: String,
///     #[serde(default)]
///     newsletter: bool,
/// }
///
/// assert_eq!(required_profile_fields::<Profile>(), ["city"]);
/// ```
#[must_use]
pub fn required_profile_fields<P: Profile>() -> Vec<String> {
    mistakes::<P>(Map::new())
        .into_iter()
        .filter(|error| error.problem == FieldProblem::Missing)
        .map(|error| error.field)
        .collect()
}

fn mistakes<P: Profile>(mut fields: Map<String, Value>) -> Vec<FieldError> {
    let mut errors: Vec<FieldError> = Vec::new();
    // What is there is read before it is said what is missing.
    for (name, value) in &fields {
        let mut alone = json!({ name: value });
        while let Err(mistake) = read::<P>(&alone)
            && mistake.is_about(name)
        {
            let missing = mistake.missing();
            errors.push(mistake.into_error(Some(value)));
            if errors.len() == MAX_ERRORS {
                return errors;
            }
            if !missing.is_some_and(|path| fill::<P>(&mut alone, &path, 0)) {
                break;
            }
        }
    }
    fields.retain(|name, _| errors.iter().all(|error| top_level(&error.field) != name));
    let mut fields = Value::Object(fields);
    while let Err(mistake) = read::<P>(&fields) {
        let missing = mistake.missing();
        let is_known = |path: &[String]| {
            errors.iter().any(|error| Some(top_level(&error.field)) == path.first().map(String::as_str))
        };
        match &missing {
            Some(path) if is_known(path) => {}
            // What only all fields together show.
            None if !errors.is_empty() => break,
            _ => errors.push(mistake.into_error(None)),
        }
        let filled = missing.is_some_and(|path| fill::<P>(&mut fields, &path, 0));
        if !filled || errors.len() == MAX_ERRORS {
            break;
        }
    }
    errors
}

/// Puts something into a missing field that its type takes, to see what else is missing. What is
/// missing in that is filled in too, a few levels deep.
fn fill<P: Profile>(fields: &mut Value, path: &[String], depth: usize) -> bool {
    let candidates = [
        json!(null),
        json!("a"),
        json!(1),
        json!(false),
        json!([]),
        json!({}),
        json!("2000-01-01"),
        json!("2000-01-01T00:00:00Z"),
        json!("12:00:00"),
        json!("00000000-0000-0000-0000-000000000000"),
        json!("https://example.com"),
        json!("someone@example.com"),
        json!("127.0.0.1"),
        json!("en"),
    ];
    // What the values of an enum are called, its mistake says.
    let mut variant = None;
    for candidate in candidates.into_iter().map(Some).chain([None]) {
        let Some(candidate) = candidate.or_else(|| variant.take().map(Value::String)) else { break };
        put(fields, path, candidate);
        for _ in 0..MAX_ERRORS {
            let Err(mistake) = read::<P>(fields) else { return true };
            match mistake.missing() {
                Some(next) if next.len() > path.len() && next.starts_with(path) => {
                    if depth == MAX_DEPTH || !fill::<P>(fields, &next, depth + 1) {
                        break;
                    }
                }
                // Flattened fields have no paths, so only what serde says next tells that it has
                // taken this.
                Some(next) if next != path => return true,
                _ => {
                    variant = variant.or_else(|| mistake.expected_variant());
                    break;
                }
            }
        }
    }
    false
}

/// Puts a value where the path leads, through objects.
fn put(fields: &mut Value, path: &[String], value: Value) {
    let ([name, rest @ ..], Value::Object(fields)) = (path, fields) else { return };
    if rest.is_empty() {
        fields.insert(name.clone(), value);
    } else {
        put(fields.entry(name.clone()).or_insert_with(|| json!({})), rest, value);
    }
}

/// What serde says, and where.
struct Mistake {
    /// Empty for the profile as a whole.
    path: String,
    message: String,
}

fn read<P: Profile>(fields: &Value) -> Result<P, Mistake> {
    serde_path_to_error::deserialize(fields).map_err(|error| {
        let path = error.path().to_string();
        Mistake { path: if path == "." { String::new() } else { path }, message: error.inner().to_string() }
    })
}

impl Mistake {
    /// Whether it is in this field, or is that there is such a field.
    fn is_about(&self, name: &str) -> bool {
        match self.path.strip_prefix(name) {
            Some(rest) if !self.path.is_empty() => rest.is_empty() || rest.starts_with(['.', '[']),
            _ => self.quoted("unknown field `") == Some(name),
        }
    }

    /// The names on the way from the profile to the field that is missing.
    fn missing(&self) -> Option<Vec<String>> {
        let name = self.quoted("missing field `")?;
        let above = self.path.split('.').filter(|name| !name.is_empty());
        Some(above.chain([name]).map(str::to_owned).collect())
    }

    /// The first value of an enum that is expected.
    fn expected_variant(&self) -> Option<String> {
        let (_, expected) = self.message.strip_prefix("unknown variant `")?.split_once("expected ")?;
        expected.split('`').nth(1).map(str::to_owned)
    }

    fn quoted(&self, before: &str) -> Option<&str> {
        self.message.strip_prefix(before)?.split('`').next()
    }

    fn into_error(self, value: Option<&Value>) -> FieldError {
        let below = |name: &str| if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) };
        if let Some(missing) = self.quoted("missing field `") {
            return FieldError::missing(below(missing), None);
        }
        if let Some(unknown) = self.quoted("unknown field `") {
            let path = if top_level(&self.path) == unknown { self.path.clone() } else { below(unknown) };
            return FieldError::new(path, FieldProblem::Unknown, value.cloned());
        }
        let field = if self.path.is_empty() { "profile".to_owned() } else { self.path };
        FieldError::new(field, FieldProblem::WrongType(self.message), value.cloned())
    }
}

/// The field of the profile that a path begins with: `address` of `address.street`.
fn top_level(path: &str) -> &str {
    path.split(['.', '[']).next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Serialize};

    use super::*;

    const MISSING: &str = "missing";
    const UNKNOWN: &str = "unknown";
    const TYPE: &str = "type";

    fn wrong<P: Profile>(sent: Value) -> Vec<(String, String)> {
        let Err(errors) = read_profile::<P>(sent.as_object().unwrap().clone()) else { return Vec::new() };
        let named = |error: FieldError| match error.problem {
            FieldProblem::Missing => (error.field, MISSING.into()),
            FieldProblem::Unknown => (error.field, UNKNOWN.into()),
            FieldProblem::WrongType(_) => (error.field, TYPE.into()),
            other => panic!("{} {other}", error.field),
        };
        errors.into_iter().map(named).collect()
    }

    fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
        wanted.iter().map(|(field, problem)| ((*field).into(), (*problem).into())).collect()
    }

    #[derive(Clone, Serialize, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Person {
        full_name: String,
        address: Address,
        #[serde(default)]
        tags: Vec<u8>,
        plan: Plan,
        nick: Option<String>,
    }

    #[derive(Clone, Serialize, Deserialize)]
    struct Address {
        street: String,
        number: u16,
    }

    #[derive(Clone, Serialize, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Plan {
        Free,
        Paid,
    }

    #[derive(Clone, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Strict {
        a: u8,
    }

    #[derive(Clone, Serialize, Deserialize)]
    struct Flat {
        own: u8,
        #[serde(flatten)]
        address: Address,
    }

    #[test]
    fn every_field_that_is_wrong_is_named_by_its_path() {
        let sent = json!({
            "fullName": 1, "address": { "street": "a", "number": "b" }, "tags": [1, "x", 300], "plan": "gold", "nick": [],
        });
        let fields =
            pairs(&[("fullName", TYPE), ("address.number", TYPE), ("tags[1]", TYPE), ("plan", TYPE), ("nick", TYPE)]);
        assert_eq!(wrong::<Person>(sent), fields);
        let sent = json!({ "fullName": "a", "address": {}, "plan": "free" });
        assert_eq!(wrong::<Person>(sent), pairs(&[("address.street", MISSING), ("address.number", MISSING)]));
        assert_eq!(wrong::<Strict>(json!({ "a": "x", "b": 1 })), pairs(&[("a", TYPE), ("b", UNKNOWN)]));
        assert_eq!(wrong::<Strict>(json!({ "a": 1 })), []);
    }

    #[test]
    fn every_field_that_is_missing_is_named_also_beside_wrong_ones() {
        assert_eq!(
            wrong::<Person>(json!({ "nick": 1 })),
            pairs(&[("nick", TYPE), ("fullName", MISSING), ("address", MISSING), ("plan", MISSING)])
        );
        assert_eq!(required_profile_fields::<Strict>(), ["a"]);
        assert!(required_profile_fields::<BTreeMap<String, Value>>().is_empty());
        assert!(required_profile_fields::<crate::NoProfile>().is_empty());
        // serde says of flattened fields what it says of the others.
        assert_eq!(required_profile_fields::<Flat>(), ["own", "street", "number"]);
    }

    #[test]
    fn what_is_missing_is_named_behind_an_enum_too() {
        #[derive(Clone, Serialize, Deserialize)]
        struct WithPlan {
            plan: Plan,
            city: String,
        }
        assert_eq!(required_profile_fields::<WithPlan>(), ["plan", "city"]);
        assert_eq!(wrong::<WithPlan>(json!({ "plan": "free" })), pairs(&[("city", MISSING)]));
        assert_eq!(wrong::<WithPlan>(json!({ "plan": "gold" })), pairs(&[("plan", TYPE), ("city", MISSING)]));
    }

    /// A type that no candidate fits ends the search, and what was found is told.
    #[test]
    fn a_type_that_cannot_be_filled_in_is_named_itself() {
        #[derive(Clone, Serialize, Deserialize)]
        struct Awkward {
            exact: (u8, String, [bool; 3]),
            city: String,
        }
        assert_eq!(required_profile_fields::<Awkward>(), ["exact"]);
        assert_eq!(wrong::<Vec<u8>>(json!({})), pairs(&[("profile", TYPE)]));
    }

    #[test]
    fn the_number_of_mistakes_is_bounded() {
        let sent: Map<String, Value> = (0..1000).map(|n| (format!("f{n}"), json!("x"))).collect();
        assert_eq!(read_profile::<BTreeMap<String, u8>>(sent).unwrap_err().len(), MAX_ERRORS);
    }
}
