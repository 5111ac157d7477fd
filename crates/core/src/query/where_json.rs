//! Reads a client's condition, the `where` of a filter.

use serde_json::Value;

use super::fields::is_hidden;
use super::filter_error::{FilterError, cut, limited, shown, wrong};
use super::{Test, Where};

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
