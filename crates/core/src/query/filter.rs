//! How a client's JSON becomes a query.

use serde_json::{Map, Value};

use super::fields::{Fields, is_hidden};
use super::filter_error::{FilterError, cut, limited, shown};
use super::values::{Exact, falsy};
use super::{Order, UserQuery, Where};

/// What LoopBack calls a filter: which users, in which order, how many, and which of their members.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Filter {
    /// Which users: `where`, `order`, `limit` and `skip`, for a store.
    pub query: UserQuery,
    /// Which of their members: `fields`.
    pub fields: Fields,
    /// With which related things: `include`, the names only. Which there are, the route knows.
    pub include: Vec<String>,
}

impl Filter {
    /// The most entries of an order.
    pub const MAX_ORDER: usize = 16;
    /// The limit of a filter that skips users and sets no limit itself (LoopBack).
    pub const LIMIT_OF_SKIP: u64 = 100;

    /// Reads a filter as LoopBack's clients send it, with JSON's types or, from a query string,
    /// with texts throughout.
    ///
    /// | member | what |
    /// | --- | --- |
    /// | `where` | see [`Where::from_json`] |
    /// | `fields` | see [`Fields::from_json`] |
    /// | `order` | `"id DESC"`, `"realm, id DESC"`, or an array of such |
    /// | `limit` | a whole number above 0; none, `null`, `0` and `""` mean all |
    /// | `skip` or `offset` | a whole number; without a limit 100 are answered |
    /// | `include` | names of relations |
    ///
    /// What cannot be understood is an error and never ignored: another member, or `password` and
    /// `verificationToken` in `where` and `order`. LoopBack ignores both. `null` is the empty
    /// filter.
    ///
    /// ```
    /// use gatekit_core::Filter;
    /// use serde_json::json;
    ///
    /// let filter = Filter::from_json(&json!({ "where": { "realm": "a" }, "order": "id DESC", "limit": "10", "fields": ["id"] }))?;
    /// assert_eq!(filter.query.limit, Some(10));
    /// assert!(filter.query.order[0].descending);
    ///
    /// let error = Filter::from_json(&json!({ "order": "id up" })).unwrap_err();
    /// assert_eq!(error.to_string(), r#"The order "id up" has invalid direction"#);
    /// # Ok::<_, gatekit_core::FilterError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`FilterError`].
    pub fn from_json(filter: &Value) -> Result<Self, FilterError> {
        let members = match filter {
            Value::Null => return Ok(Self::default()),
            Value::Object(members) => members,
            other => return Err(FilterError::Filter(shown(other))),
        };
        if let Some(unknown) = members.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            return Err(FilterError::Member(shown(&Value::from(unknown.as_str()))));
        }
        let given = |name: &str| members.get(name).filter(|value| !falsy(value));
        let (limit, skip) = part(members)?;
        let order = given("order").map(order).transpose()?.unwrap_or_default();
        let condition = match members.get("where") {
            None | Some(Value::Null) => Where::default(),
            Some(condition) => Where::from_json(condition)?,
        };
        let mut include = Vec::new();
        names_of_relations(members.get("include").unwrap_or(&Value::Null), &mut include)?;
        Ok(Self {
            query: UserQuery { condition, order, limit, skip },
            fields: given("fields").map(Fields::from_json).transpose()?.unwrap_or_default(),
            include,
        })
    }

    /// Whether all that `include` names is among these relations.
    ///
    /// # Errors
    ///
    /// [`FilterError::Relation`] names the first that is not.
    pub fn check_include(&self, relations: &[&str]) -> Result<(), FilterError> {
        match self.include.iter().find(|name| !relations.contains(&name.as_str())) {
            Some(unknown) => Err(FilterError::Relation(shown(&Value::from(unknown.as_str())))),
            None => Ok(()),
        }
    }
}

/// What a filter may have.
const MEMBERS: [&str; 7] = ["where", "fields", "order", "limit", "skip", "offset", "include"];

/// `limit` and `skip`.
fn part(members: &Map<String, Value>) -> Result<(Option<u64>, u64), FilterError> {
    let given = |name: &str| members.get(name).filter(|value| !falsy(value));
    let limit = match given("limit") {
        None => None,
        Some(value) => {
            let limit = whole(value).filter(|limit| *limit > 0);
            Some(limit.ok_or_else(|| FilterError::Limit(shown(value)))?)
        }
    };
    match given("skip").or_else(|| given("offset")) {
        None => Ok((limit, 0)),
        Some(value) => {
            let skip = whole(value).ok_or_else(|| FilterError::Skip(shown(value)))?;
            Ok((Some(limit.unwrap_or(Filter::LIMIT_OF_SKIP)), skip))
        }
    }
}

/// A whole number that is not negative; one that is too large is cut.
fn whole(value: &Value) -> Option<u64> {
    let number = match value {
        Value::Number(number) => Exact::from_json(number),
        Value::String(text) => Exact::from_text(text)?,
        _ => return None,
    };
    let is_whole = number.float().fract() == 0.0 && number.float() >= 0.0;
    is_whole.then(|| u64::try_from(number.whole()).unwrap_or(u64::MAX))
}

fn order(value: &Value) -> Result<Vec<Order>, FilterError> {
    let entries = match value {
        Value::Array(entries) => entries.iter().collect(),
        one => vec![one],
    };
    let mut orders = Vec::new();
    for entry in entries {
        let Value::String(text) = entry else { return Err(FilterError::Order(shown(entry))) };
        for part in text.split(',') {
            let mut words = part.split_whitespace();
            let Some(property) = words.next() else { continue };
            let descending = match (words.next(), words.next()) {
                (None, _) => false,
                (Some(word), None) if word.eq_ignore_ascii_case("ASC") => false,
                (Some(word), None) if word.eq_ignore_ascii_case("DESC") => true,
                _ => return Err(FilterError::Direction(shown(&Value::from(part.trim())))),
            };
            limited("characters in a name", property.len(), Where::MAX_NAME)?;
            if is_hidden(property) {
                return Err(FilterError::Hidden(cut(property)));
            }
            orders.push(Order { property: property.to_owned(), descending });
            limited("orders", orders.len(), Filter::MAX_ORDER)?;
        }
    }
    Ok(orders)
}

/// A name, an object with `relation` or `rel`, one with names as keys, or an array of such.
fn names_of_relations(include: &Value, names: &mut Vec<String>) -> Result<(), FilterError> {
    match include {
        Value::Null => {}
        Value::String(name) if name.is_empty() => {}
        Value::String(name) => names.push(name.clone()),
        Value::Array(all) => return all.iter().try_for_each(|one| names_of_relations(one, names)),
        Value::Object(members) => match members.get("rel").or_else(|| members.get("relation")) {
            Some(Value::String(name)) => names.push(name.clone()),
            _ => names.extend(members.keys().cloned()),
        },
        other => return Err(FilterError::Relation(shown(other))),
    }
    Ok(())
}
