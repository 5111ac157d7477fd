//! A condition on users as SQL, as far as the database compares as [`Where::matches`] does.
//!
//! No name of a field becomes SQL: it is looked up among our own columns, and if it is none of
//! them the test stays with the caller. Values are parameters.

use gatekit_core::{Order, StoreError, Test, Where};
use serde_json::Value;

use crate::database::{Bound, Database};
use crate::dialect::Dialect;
use crate::user_row::TABLE;

/// Confines a statement to one user type. The unique indexes begin with this column: rows read by
/// way of one of them would have to be sorted for every page.
const OF_TYPE: &str = "{unindexed(user_type)} = ?";
/// The most values of one statement. SQLite's own limit is 32766.
const MAX_PARAMETERS: usize = 1000;
/// The most tests of one statement. SQLite's own limit is an expression 1000 levels deep, and a
/// chain of ANDs is as deep as it is long.
const MAX_TESTS: usize = 500;
/// How deep they are nested at most: SQLite's parser had a stack of 100.
const MAX_DEPTH: usize = 20;
// What a client may send is within these: the names in it decide who answers, not how long it is.
const _: () =
    assert!(Where::MAX_VALUES <= MAX_PARAMETERS && 2 * Where::MAX_TESTS < MAX_TESTS && Where::MAX_DEPTH < MAX_DEPTH);

/// An order as SQL, if all of it is about columns. The database too has `false` before `true`, and
/// strings by their bytes.
pub(crate) fn order_by(dialect: Dialect, orders: &[Order]) -> Option<String> {
    let mut text = String::new();
    let mut seen = Vec::new();
    for Order { property, descending } in orders {
        let (column, _) = column(property)?;
        if !seen.contains(&column) {
            seen.push(column);
            text.push_str(column);
            text.push_str(dialect.null_is_least(*descending));
            text.push_str(", ");
        }
    }
    text.push_str("id");
    Some(text)
}

#[derive(Clone, Copy)]
enum Kind {
    Integer,
    Text,
    Boolean,
}

/// The column of a built-in field.
fn column(property: &str) -> Option<(&'static str, Kind)> {
    match property {
        "id" => Some(("id", Kind::Integer)),
        "realm" => Some(("realm", Kind::Text)),
        "username" => Some(("username", Kind::Text)),
        "email" => Some(("email", Kind::Text)),
        "emailVerified" => Some(("email_verified", Kind::Boolean)),
        _ => None,
    }
}

/// A condition as SQL: our own words, and parameters.
#[derive(Default)]
pub(crate) struct Sql {
    text: String,
    values: Vec<Parameter>,
    tests: usize,
}

enum Parameter {
    Integer(i64),
    Text(String),
    Boolean(bool),
}

impl Sql {
    pub(crate) fn everybody() -> Self {
        Self { text: "TRUE".into(), ..Self::default() }
    }

    /// A condition that holds for the same users, if there is one.
    pub(crate) fn exactly(condition: &Where) -> Option<Self> {
        let mut sql = Self::default();
        sql.push(condition, 0)?;
        Some(sql)
    }

    /// A condition that holds for all of them and maybe for others.
    pub(crate) fn necessarily(condition: &Where, depth: usize) -> Option<Self> {
        match (Self::exactly(condition), condition) {
            (Some(exact), _) => Some(exact),
            (None, Where::And(all)) if depth < MAX_DEPTH => {
                let mut sql = Self::everybody();
                for part in all.iter().filter_map(|part| Self::necessarily(part, depth + 1)) {
                    if sql.tests + part.tests <= MAX_TESTS && sql.values.len() + part.values.len() <= MAX_PARAMETERS {
                        sql.text = format!("{} AND {}", sql.text, part.text);
                        sql.values.extend(part.values);
                        sql.tests += part.tests;
                    }
                }
                Some(sql)
            }
            (None, _) => None,
        }
    }

    fn push(&mut self, condition: &Where, depth: usize) -> Option<()> {
        self.tests += 1;
        if depth > MAX_DEPTH || self.tests > MAX_TESTS {
            return None;
        }
        match condition {
            Where::And(all) => self.push_all(all, " AND ", "TRUE", depth),
            Where::Or(any) => self.push_all(any, " OR ", "FALSE", depth),
            Where::Is { property, test } => {
                let (column, kind) = column(property)?;
                self.push_test(column, kind, test)
            }
        }
    }

    fn push_all(&mut self, conditions: &[Where], between: &str, of_none: &str, depth: usize) -> Option<()> {
        if conditions.is_empty() {
            self.text.push_str(of_none);
            return Some(());
        }
        self.text.push('(');
        for (n, condition) in conditions.iter().enumerate() {
            if n > 0 {
                self.text.push_str(between);
            }
            self.push(condition, depth + 1)?;
        }
        self.text.push(')');
        Some(())
    }

    /// What is compared with NULL is NULL in SQL, which counts as not holding: there is no NOT
    /// around anything here that may be NULL.
    fn push_test(&mut self, column: &str, kind: Kind, test: &Test) -> Option<()> {
        match test {
            Test::Eq(value) => self.push_comparison(column, kind, "=", value, "IS NULL"),
            Test::Neq(value) if value.is_null() => self.push_comparison(column, kind, "", value, "IS NOT NULL"),
            Test::Neq(value) => {
                self.text.push_str("NOT ");
                self.push_comparison(column, kind, "{same}", value, "")
            }
            Test::Gt(Value::Null) | Test::Lt(Value::Null) => {
                self.text.push_str("FALSE");
                Some(())
            }
            Test::Gt(value) => self.push_comparison(column, kind, ">", value, ""),
            Test::Gte(value) => self.push_comparison(column, kind, ">=", value, "IS NULL"),
            Test::Lt(value) => self.push_comparison(column, kind, "<", value, ""),
            Test::Lte(value) => self.push_comparison(column, kind, "<=", value, "IS NULL"),
            Test::Between(low, high) => {
                self.push_comparison(column, kind, ">=", low, "IS NULL")?;
                self.text.push_str(" AND ");
                self.push_comparison(column, kind, "<=", high, "IS NULL")
            }
            Test::Inq(values) => self.push_list(column, kind, "IN", values, values.contains(&Value::Null)),
            Test::Nin(values) => self.push_list(column, kind, "NOT IN", values, !values.contains(&Value::Null)),
            _ => None,
        }
    }

    fn push_comparison(
        &mut self,
        column: &str,
        kind: Kind,
        operator: &str,
        value: &Value,
        with_null: &str,
    ) -> Option<()> {
        self.text.push_str(column);
        self.text.push(' ');
        if value.is_null() {
            self.text.push_str(with_null);
            return Some(());
        }
        self.text.push_str(operator);
        self.text.push_str(" ?");
        self.push_value(kind, value)
    }

    /// `operator` is `IN` or `NOT IN`; with an empty list it is false or true, also for NULL.
    fn push_list(&mut self, column: &str, kind: Kind, operator: &str, values: &[Value], null: bool) -> Option<()> {
        let values: Vec<&Value> = values.iter().filter(|value| !value.is_null()).collect();
        let is_listed = match (values.is_empty(), operator) {
            (false, _) => format!("{column} {operator} ({})", vec!["?"; values.len()].join(", ")),
            // Not every database takes `IN ()`.
            (true, "IN") => "FALSE".to_owned(),
            (true, _) => "TRUE".to_owned(),
        };
        let null = if null { "OR" } else { "AND NOT" };
        self.text.push_str(&format!("({is_listed} {null} {column} IS NULL)"));
        values.into_iter().try_for_each(|value| self.push_value(kind, value))
    }

    /// A value that compares with the column as it does with the field; `None` if that is not
    /// certain.
    fn push_value(&mut self, kind: Kind, value: &Value) -> Option<()> {
        // Not every database takes this character as a part of text.
        if value.as_str().is_some_and(|text| text.contains('\0')) {
            return None;
        }
        let parameter = match (kind, value) {
            (Kind::Integer, Value::Number(number)) => Parameter::Integer(number.as_i64()?),
            (Kind::Integer, Value::String(text)) => {
                Parameter::Integer(text.parse().ok().filter(|id: &i64| id.to_string() == *text)?)
            }
            (Kind::Text, Value::String(text)) => Parameter::Text(text.clone()),
            (Kind::Text, Value::Number(number)) => Parameter::Text(number.as_i64()?.to_string()),
            (Kind::Boolean, Value::Bool(value)) => Parameter::Boolean(*value),
            (Kind::Boolean, Value::String(text)) => match text.as_str() {
                "true" | "1" => Parameter::Boolean(true),
                "false" | "0" => Parameter::Boolean(false),
                _ => return None,
            },
            _ => return None,
        };
        self.values.push(parameter);
        (self.values.len() <= MAX_PARAMETERS).then_some(())
    }

    pub(crate) async fn count(&self, database: &impl Database, user_type: &'static str) -> Result<u64, StoreError> {
        let text = format!("SELECT count(*) AS users FROM gatekit_users WHERE {OF_TYPE} AND ({})", self.text);
        let row = self.bound(database, &text, user_type, &[]).find().await?;
        let row = row.ok_or_else(|| StoreError::failed("no count was returned"))?;
        TABLE.get(&row, "users").map(i64::cast_unsigned)
    }

    /// Up to `limit` rows, in the order of their ids, of those behind an id.
    pub(crate) fn page<'d, D: Database>(
        &self,
        database: &'d D,
        user_type: &'static str,
        after: Option<i64>,
        limit: u64,
        skip: u64,
    ) -> Bound<'d, D> {
        let text = format!("{} AND id > ? ORDER BY id LIMIT ? OFFSET ?", self.rows());
        self.bound(database, &text, user_type, &[after.unwrap_or(i64::MIN), integer(limit), integer(skip)])
    }

    /// The ids of up to `limit` rows, in this order.
    pub(crate) fn ids<'d, D: Database>(
        &self,
        database: &'d D,
        user_type: &'static str,
        order: &str,
        limit: u64,
        skip: u64,
    ) -> Bound<'d, D> {
        let condition = format!("{OF_TYPE} AND ({})", self.text);
        let text = format!("SELECT id FROM gatekit_users WHERE {condition} ORDER BY {order} LIMIT ? OFFSET ?");
        self.bound(database, &text, user_type, &[integer(limit), integer(skip)])
    }

    /// Those of these rows for which the condition holds. In no order.
    pub(crate) fn of_ids<'d, D: Database>(
        &self,
        database: &'d D,
        user_type: &'static str,
        ids: &[i64],
    ) -> Bound<'d, D> {
        let text = format!("{} AND id IN ({})", self.rows(), vec!["?"; ids.len()].join(", "));
        self.bound(database, &text, user_type, ids)
    }

    fn rows(&self) -> String {
        let columns = "id, realm, username, email, email_verified, profile";
        format!("SELECT {columns} FROM gatekit_users WHERE {OF_TYPE} AND ({})", self.text)
    }

    fn bound<'d, D: Database>(
        &self,
        database: &'d D,
        text: &str,
        user_type: &'static str,
        more: &[i64],
    ) -> Bound<'d, D> {
        let mut bound = Bound::once(database, text).bind(user_type);
        for value in &self.values {
            bound = match value {
                Parameter::Integer(value) => bound.bind(*value),
                Parameter::Text(value) => bound.bind(value),
                Parameter::Boolean(value) => bound.bind(*value),
            };
        }
        more.iter().fold(bound, |bound, value| bound.bind(*value))
    }
}

fn integer(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use gatekit_core::Filter;
    use serde_json::json;

    use super::*;

    fn condition(condition: Value) -> Where {
        Where::from_json(&condition).unwrap()
    }

    #[test]
    fn what_is_asked_of_built_in_fields_is_asked_of_the_database() {
        for (asked, text) in [
            (json!({}), "TRUE"),
            (json!({ "or": [] }), "FALSE"),
            (json!({ "id": "2" }), "id = ?"),
            (json!({ "email": null }), "email IS NULL"),
            (json!({ "email": { "neq": "a" } }), "NOT email {same} ?"),
            (json!({ "email": { "between": ["a", "b"] } }), "email >= ? AND email <= ?"),
            (json!({ "emailVerified": "true" }), "email_verified = ?"),
            (json!({ "realm": { "inq": ["a", "b"] } }), "(realm IN (?, ?) AND NOT realm IS NULL)"),
            (json!({ "realm": { "inq": [] } }), "(FALSE AND NOT realm IS NULL)"),
            (json!({ "realm": { "nin": [null] } }), "(TRUE AND NOT realm IS NULL)"),
            (json!({ "realm": { "gt": null } }), "FALSE"),
            (json!({ "realm": { "nin": ["a"] } }), "(realm NOT IN (?) OR realm IS NULL)"),
            (
                json!({ "or": [{ "id": 1 }, { "username": "x", "realm": 5 }] }),
                "(id = ? OR (username = ? AND realm = ?))",
            ),
        ] {
            let sql = Sql::exactly(&condition(asked)).unwrap();
            assert_eq!(sql.text, text);
            assert_eq!(sql.text.matches('?').count(), sql.values.len());
        }
    }

    #[test]
    fn what_the_database_might_compare_otherwise_is_not_asked_of_it() {
        for asked in [
            json!({ "city": "Ulm" }),
            json!({ "ID": 1 }),
            json!({ "email_verified": true }),
            json!({ "rev": 1 }),
            json!({ "email.x": 1 }),
            json!({ "id": "01" }),
            json!({ "id": 1.5 }),
            json!({ "id": u64::MAX }),
            json!({ "id": true }),
            json!({ "emailVerified": "yes" }),
            json!({ "username": 1.5 }),
            json!({ "username": "a\u{0}b" }),
            json!({ "email": { "like": "a" } }),
            json!({ "or": [{ "id": 1 }, { "city": "Ulm" }] }),
        ] {
            assert!(Sql::exactly(&condition(asked.clone())).is_none(), "{asked}");
        }
        let by =
            |text: &str| order_by(Dialect::Sqlite, &Filter::from_json(&json!({ "order": text })).unwrap().query.order);
        assert_eq!(by("realm DESC, email, realm, id DESC").as_deref(), Some("realm DESC, email, id DESC, id"));
        assert_eq!(by("city"), None);
        assert_eq!(by("namespace"), None);
    }

    #[test]
    fn of_a_condition_with_other_parts_the_database_gets_its_own() {
        let necessary = |asked: Value| Sql::necessarily(&condition(asked), 0).map(|sql| sql.text);
        let asked = json!({ "and": [{ "realm": "a" }, { "city": "Ulm" }, { "and": [{ "id": 1 }, { "x": 1 }] }] });
        assert_eq!(necessary(asked).as_deref(), Some("TRUE AND realm = ? AND TRUE AND id = ?"));
        assert_eq!(necessary(json!({ "or": [{ "realm": "a" }, { "city": "Ulm" }] })), None);
        assert_eq!(necessary(json!({ "city": "Ulm" })), None);
    }

    #[test]
    fn a_statement_has_no_more_than_the_database_takes() {
        let is = Where::Is { property: "id".into(), test: Test::Eq(1.into()) };
        let list = |count: usize| Where::Is { property: "id".into(), test: Test::Inq(vec![1.into(); count]) };
        let nested = |depth: usize| (0..depth).fold(is.clone(), |inner, _| Where::And(vec![inner]));
        assert!(Sql::exactly(&list(MAX_PARAMETERS)).is_some());
        assert!(Sql::exactly(&list(MAX_PARAMETERS + 1)).is_none());
        assert!(Sql::exactly(&Where::Or(vec![is.clone(); MAX_TESTS - 1])).is_some());
        assert!(Sql::exactly(&Where::Or(vec![is.clone(); MAX_TESTS])).is_none());
        assert!(Sql::exactly(&nested(MAX_DEPTH)).is_some());
        assert!(Sql::exactly(&nested(MAX_DEPTH + 1)).is_none());
        for (parts, values) in [(vec![list(700); 3], 700), (vec![is.clone(); 1000], MAX_TESTS)] {
            let necessary = Sql::necessarily(&Where::And(parts), 0).unwrap();
            assert_eq!(necessary.values.len(), values);
        }
    }
}
