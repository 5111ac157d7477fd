//! How a client's JSON becomes a query.

use serde_json::{Map, Value};

use super::values::Exact;
use super::{Fields, Order, Test, UserQuery, Where};

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

/// A filter cannot be read, or asks for more than is answered. HTTP status 400.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// The filter is no JSON object.
    #[error("The query filter {0} is not an object")]
    Filter(String),
    /// `where`, or a part of `and` or `or`, is no JSON object.
    #[error("The where clause {0} is not an object")]
    Where(String),
    /// `and` or `or` has no list of conditions.
    #[error(
        "The {operator} operator has invalid clauses {clauses}: Value is not an array or object with sequential numeric indices"
    )]
    Clauses {
        /// Which of the two.
        operator: &'static str,
        /// What it has, as JSON, cut off if it is long.
        clauses: String,
    },
    /// An operator has a value that is not for it.
    #[error("The {property} property has invalid clause {clause}: {expected}")]
    Clause {
        /// The member's name.
        property: String,
        /// What was asked of it, as JSON, cut off if it is long.
        clause: String,
        /// What would be right.
        expected: &'static str,
    },
    /// An operator is unknown, or one that is not offered (`regexp`, `near`).
    #[error(
        "The {property} property has the operator \"{operator}\", which is none of eq, neq, gt, gte, lt, lte, between, inq, nin, like, nlike, ilike, nilike"
    )]
    Operator {
        /// The member's name.
        property: String,
        /// The operator.
        operator: String,
    },
    /// `limit` is no whole number above 0.
    #[error("The limit parameter {0} is not valid")]
    Limit(String),
    /// `skip` or `offset` is no whole number.
    #[error("The offset/skip parameter {0} is not valid")]
    Skip(String),
    /// `order` is no text and no array of texts.
    #[error("The order {0} is not valid")]
    Order(String),
    /// A direction is neither `ASC` nor `DESC`.
    #[error("The order {0} has invalid direction")]
    Direction(String),
    /// `where` or `order` is about something that is never sent. To ignore it would change whom a
    /// request is for.
    #[error("The property {0} is hidden and cannot be asked for")]
    Hidden(String),
    /// The filter has a member that is none of those it may have. To ignore it would send everybody
    /// to a client that has written `were` for `where`.
    #[error("The query filter has {0}, which is none of where, fields, order, limit, skip, offset, include")]
    Member(String),
    /// `fields` is no name, no list of names, and no object of names.
    #[error("The fields {0} are not valid")]
    Fields(String),
    /// `and` and `or` are nested too deep.
    #[error("The query object exceeds maximum depth {0}")]
    TooDeep(usize),
    /// There is more of something than is answered.
    #[error("The query has too many {what}: the maximum is {max}")]
    TooMany {
        /// Of what.
        what: &'static str,
        /// How many are answered.
        max: usize,
    },
    /// `include` names a relation there is not.
    #[error("Relation {0} is not defined")]
    Relation(String),
}

impl FilterError {
    /// The stable code: of the two errors that have one in LoopBack, and `INVALID_FILTER` for what
    /// LoopBack ignores.
    #[must_use]
    pub fn code(&self) -> Option<&'static str> {
        match self {
            Self::TooDeep(_) => Some("QUERY_OBJECT_TOO_DEEP"),
            Self::Operator { .. } => Some("OPERATOR_NOT_ALLOWED_IN_QUERY"),
            Self::Hidden(_) | Self::Member(_) | Self::Fields(_) => Some("INVALID_FILTER"),
            _ => None,
        }
    }
}

impl Filter {
    /// The most entries of an order.
    pub const MAX_ORDER: usize = 16;
    /// How many are answered at most to who skips some and sets no limit (LoopBack).
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

impl Where {
    /// How deep `and` and `or` may be nested in each other (LoopBack's `maxDepthOfQuery` of 32
    /// levels of JSON, two for each).
    pub const MAX_DEPTH: usize = 16;
    /// The most tests of a member in one condition, and the most entries of all its `and` and `or`
    /// together.
    pub const MAX_TESTS: usize = 200;
    /// The most values in one condition, those in lists counted one by one: what one user is
    /// compared with at most.
    pub const MAX_VALUES: usize = 1000;
    /// The most bytes of a pattern of `like` and its kind.
    pub const MAX_PATTERN: usize = 256;
    /// The most tests of `like` and its kind in one condition: each reads the whole of a member,
    /// which may be as long as `policy.limits.profile_max_bytes`.
    pub const MAX_PATTERNS: usize = 32;
    /// The most bytes of a member's name or path.
    pub const MAX_NAME: usize = 256;

    /// Reads a condition as LoopBack's clients send it.
    ///
    /// - `{"email": "a@b.c"}` is equality; `{"id": {"gt": 5}}` has an operator: `eq`, `neq`, `gt`,
    ///   `gte`, `lt`, `lte`, `between`, `inq`, `nin`, `like`, `nlike`, `ilike`, `nilike`.
    /// - Several members, and several operators of one (of which LoopBack sees but one), must all
    ///   hold; `and` and `or` have lists of conditions.
    /// - `password` and `verificationToken` are an error wherever they stand, also as a part of a
    ///   path. LoopBack takes them out, so that `{"password": "x"}` holds for everybody there and
    ///   changes everybody.
    /// - A list may also be an object with the keys `0`, `1` and so on, which is what long lists in
    ///   query strings become.
    ///
    /// ```
    /// use gatekit_core::{FilterError, Where};
    /// use serde_json::json;
    ///
    /// let condition = Where::from_json(&json!({ "or": [{ "id": { "inq": [1, 2] } }, { "realm": null }] }))?;
    /// assert!(condition.matches(&json!({ "id": 3 })));
    /// assert!(!condition.matches(&json!({ "id": 3, "realm": "a" })));
    ///
    /// let error = Where::from_json(&json!({ "email": { "regexp": ".*" } })).unwrap_err();
    /// assert!(matches!(error, FilterError::Operator { .. }));
    /// # Ok::<_, FilterError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`FilterError`], also for what exceeds the limits above.
    pub fn from_json(condition: &Value) -> Result<Self, FilterError> {
        Reader::default().condition(condition, 0)
    }
}

/// What has been read of a condition so far.
#[derive(Default)]
struct Reader {
    clauses: usize,
    tests: usize,
    values: usize,
    patterns: usize,
}

impl Reader {
    fn condition(&mut self, condition: &Value, depth: usize) -> Result<Where, FilterError> {
        let Value::Object(members) = condition else { return Err(FilterError::Where(shown(condition))) };
        if depth > Where::MAX_DEPTH {
            return Err(FilterError::TooDeep(Where::MAX_DEPTH));
        }
        let mut all = Vec::with_capacity(members.len());
        for (name, value) in members {
            match name.as_str() {
                "and" => all.push(Where::And(self.conditions("and", value, depth)?)),
                "or" => all.push(Where::Or(self.conditions("or", value, depth)?)),
                name if is_hidden(name) => return Err(FilterError::Hidden(cut(name))),
                name => self.tests(name, value, &mut all)?,
            }
        }
        Ok(match all.len() {
            1 => all.swap_remove(0),
            _ => Where::And(all),
        })
    }

    fn conditions(&mut self, operator: &'static str, list: &Value, depth: usize) -> Result<Vec<Where>, FilterError> {
        let clauses = as_list(list).ok_or_else(|| FilterError::Clauses { operator, clauses: shown(list) })?;
        self.clauses += clauses.len();
        limited("clauses", self.clauses, Where::MAX_TESTS)?;
        clauses.into_iter().map(|clause| self.condition(clause, depth + 1)).collect()
    }

    fn tests(&mut self, property: &str, clause: &Value, all: &mut Vec<Where>) -> Result<(), FilterError> {
        limited("characters in a name", property.len(), Where::MAX_NAME)?;
        match clause {
            Value::Object(operators) if !operators.is_empty() => {
                for (operator, value) in operators {
                    let test = self.test(property, operator, value, clause)?;
                    all.push(Where::Is { property: property.to_owned(), test });
                }
                Ok(())
            }
            Value::Object(_) => Err(wrong(property, clause, "Expected an operator")),
            value => {
                let test = Test::Eq(self.one(property, value, clause)?);
                all.push(Where::Is { property: property.to_owned(), test });
                Ok(())
            }
        }
    }

    fn test(&mut self, property: &str, operator: &str, value: &Value, clause: &Value) -> Result<Test, FilterError> {
        Ok(match operator {
            "eq" => Test::Eq(self.one(property, value, clause)?),
            "neq" => Test::Neq(self.one(property, value, clause)?),
            "gt" => Test::Gt(self.one(property, value, clause)?),
            "gte" => Test::Gte(self.one(property, value, clause)?),
            "lt" => Test::Lt(self.one(property, value, clause)?),
            "lte" => Test::Lte(self.one(property, value, clause)?),
            "between" => {
                let mut ends = self.many(property, value, clause)?.into_iter();
                match (ends.next(), ends.next(), ends.next()) {
                    (Some(low), Some(high), None) => Test::Between(low, high),
                    _ => return Err(wrong(property, clause, "Expected precisely 2 values")),
                }
            }
            "inq" => Test::Inq(self.many(property, value, clause)?),
            "nin" => Test::Nin(self.many(property, value, clause)?),
            "like" => Test::Like(self.pattern(property, value, clause)?),
            "nlike" => Test::Nlike(self.pattern(property, value, clause)?),
            "ilike" => Test::Ilike(self.pattern(property, value, clause)?),
            "nilike" => Test::Nilike(self.pattern(property, value, clause)?),
            other => {
                let (property, operator) = (cut(property), cut(other));
                return Err(FilterError::Operator { property, operator });
            }
        })
    }

    fn one(&mut self, property: &str, value: &Value, clause: &Value) -> Result<Value, FilterError> {
        self.count(1)?;
        scalar(value).ok_or_else(|| wrong(property, clause, "Expected one value; several are for inq, nin and between"))
    }

    fn many(&mut self, property: &str, value: &Value, clause: &Value) -> Result<Vec<Value>, FilterError> {
        let expected = "Value is not an array or object with sequential numeric indices";
        let values = as_list(value).ok_or_else(|| wrong(property, clause, expected))?;
        self.count(values.len())?;
        let values: Option<Vec<Value>> = values.into_iter().map(scalar).collect();
        values.ok_or_else(|| wrong(property, clause, "Expected a list of texts, numbers, true, false or null"))
    }

    fn pattern(&mut self, property: &str, value: &Value, clause: &Value) -> Result<String, FilterError> {
        self.count(1)?;
        let pattern = value.as_str().ok_or_else(|| wrong(property, clause, "Expected a string"))?;
        limited("characters in a pattern", pattern.len(), Where::MAX_PATTERN)?;
        self.patterns += 1;
        limited("patterns", self.patterns, Where::MAX_PATTERNS)?;
        Ok(pattern.to_owned())
    }

    /// Counts a test and its values.
    fn count(&mut self, values: usize) -> Result<(), FilterError> {
        self.tests += 1;
        self.values += values;
        limited("conditions", self.tests, Where::MAX_TESTS)?;
        limited("values", self.values, Where::MAX_VALUES)
    }
}

fn wrong(property: &str, clause: &Value, expected: &'static str) -> FilterError {
    FilterError::Clause { property: cut(property), clause: shown(clause), expected }
}

pub(super) fn limited(what: &'static str, count: usize, max: usize) -> Result<(), FilterError> {
    if count > max { Err(FilterError::TooMany { what, max }) } else { Ok(()) }
}

/// What is never sent, and so is never asked about either: who may ask `like` of a hash reads it
/// letter by letter.
const HIDDEN: [&str; 2] = ["password", "verificationToken"];

/// Whether a path leads through something hidden.
pub(super) fn is_hidden(path: &str) -> bool {
    path.split('.').any(|name| HIDDEN.contains(&name))
}

/// What JavaScript takes for false.
pub(super) fn falsy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

fn scalar(value: &Value) -> Option<Value> {
    match value {
        Value::Array(_) | Value::Object(_) => None,
        value => Some(value.clone()),
    }
}

/// An array, or an object with the keys `0` up to the last.
fn as_list(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(values) => Some(values.iter().collect()),
        Value::Object(members) if !members.is_empty() => {
            (0..members.len()).map(|index| members.get(&index.to_string())).collect()
        }
        _ => None,
    }
}

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

/// How much of a client's own words an error repeats, in characters.
const MAX_SHOWN: usize = 100;

pub(super) fn shown(value: &Value) -> String {
    cut(&value.to_string())
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
