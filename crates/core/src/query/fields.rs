//! Which members of a user are sent.

use serde_json::Value;

use super::filter_error::{FilterError, limited, shown};
use super::values::falsy;

/// Which members of a user a client wants, from `fields` of a filter.
///
/// ```
/// use gatekit_core::Fields;
/// use serde_json::json;
///
/// let user = json!({ "username": "ada", "email": "ada@example.com", "id": 1 });
/// assert_eq!(Fields::from_json(&json!(["id", "email"]))?.apply(user.clone()), json!({ "email": "ada@example.com", "id": 1 }));
/// assert_eq!(Fields::from_json(&json!({ "email": false }))?.apply(user), json!({ "username": "ada", "id": 1 }));
/// # Ok::<_, gatekit_core::FilterError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fields {
    /// All.
    #[default]
    All,
    /// Only these.
    Only(Vec<String>),
    /// All but these.
    Except(Vec<String>),
}

impl Fields {
    /// The most names.
    pub const MAX_NAMES: usize = 100;

    /// Reads one name, an array of names, or an object of names with `true` or `false`.
    ///
    /// - In an object with any `true`, what is `true` is sent and nothing else; otherwise all that
    ///   is not `false`. From a query string the texts `false` and `0` are false too (in LoopBack
    ///   they are true).
    /// - An empty text, array or object means all, and so do `null`, `false` and `0`.
    /// - `password` and `verificationToken` are never sent, whatever is asked for.
    ///
    /// # Errors
    ///
    /// [`FilterError::TooMany`] for more than [`Fields::MAX_NAMES`] names, [`FilterError::Fields`]
    /// for what is no name.
    pub fn from_json(fields: &Value) -> Result<Self, FilterError> {
        let names = |names: Vec<&str>| {
            limited("fields", names.len(), Self::MAX_NAMES)?;
            Ok(names.into_iter().filter(|name| !is_hidden(name)).map(str::to_owned).collect())
        };
        match fields {
            Value::String(name) if !name.is_empty() => names(vec![name]).map(Self::Only),
            Value::Array(listed) if !listed.is_empty() => {
                let listed: Option<Vec<&str>> = listed.iter().map(Value::as_str).collect();
                names(listed.ok_or_else(|| FilterError::Fields(shown(fields)))?).map(Self::Only)
            }
            Value::Object(members) => {
                let of = |wanted| -> Vec<&str> {
                    let wanted = members.iter().filter(|(_, value)| is_false(value) != wanted);
                    wanted.map(|(name, _)| name.as_str()).collect()
                };
                match (of(true), of(false)) {
                    (wanted, _) if !wanted.is_empty() => names(wanted).map(Self::Only),
                    (_, unwanted) => names(unwanted).map(Self::Except),
                }
            }
            Value::Array(_) => Ok(Self::All),
            other if falsy(other) => Ok(Self::All),
            other => Err(FilterError::Fields(shown(other))),
        }
    }

    /// A user's JSON with no more than these members, in the order they had.
    #[must_use]
    pub fn apply(&self, mut user: Value) -> Value {
        if let Value::Object(members) = &mut user {
            match self {
                Self::All => {}
                Self::Only(names) => members.retain(|name, _| names.contains(name)),
                Self::Except(names) => members.retain(|name, _| !names.contains(name)),
            }
        }
        user
    }
}

fn is_false(value: &Value) -> bool {
    falsy(value) || matches!(value.as_str(), Some("false" | "0"))
}

/// What is never sent, and so is never asked about either: who may ask `like` of a hash reads it
/// letter by letter.
const HIDDEN: [&str; 2] = ["password", "verificationToken"];

/// Whether a path leads through something hidden.
pub(super) fn is_hidden(path: &str) -> bool {
    path.split('.').any(|name| HIDDEN.contains(&name))
}
