//! Users by a condition on their members.
//!
//! 1. What is asked of the built-in members, and compares there exactly as [`Where::matches`] says, is asked of the database. The rest
//!    is asked of what was read, 500 rows at a time: what is found needs memory, what is looked through does not.
//! 2. No name of a member becomes SQL: it is looked up among our own columns, and if it is none of them the test stays here. Values are
//!    parameters.
//! 3. Rows are read in the order of their ids or all at once, so nobody is found twice. Who is changed while pages are being read is
//!    found as before or as after.
//!
//! A profile must have no members with the names of the built-in ones: their columns are asked, whatever the profile says.

use gatekit_core::{Fields, Model, Order, StoreError, Test, User, UserQuery, Where};
use serde_json::Value;
use sqlx::query::Query;
use sqlx::sqlite::{SqliteArguments, SqliteRow};
use sqlx::{AssertSqlSafe, Sqlite};

use super::SqliteStore;
use super::users::{TABLE, unwritable, user_from_row};

/// Confines a statement to one user type. The plus keeps SQLite from the unique indexes, which begin with this column: rows read by way of
/// one of them would have to be sorted for every page.
const OF_TYPE: &str = "+user_type = ?";
/// Rows that are read at a time.
const PAGE: usize = 500;
/// The most values of one statement. SQLite's own limit is 32766.
const MAX_PARAMETERS: usize = 1000;
/// The most tests of one statement. SQLite's own limit is an expression 1000 levels deep, and a chain of ANDs is as deep as it is
/// long.
const MAX_TESTS: usize = 500;
/// How deep they are nested at most: SQLite's parser had a stack of 100.
const MAX_DEPTH: usize = 20;
// What a client may send is within these: the names in it decide who answers, not how long it is.
const _: () =
    assert!(Where::MAX_VALUES <= MAX_PARAMETERS && 2 * Where::MAX_TESTS < MAX_TESTS && Where::MAX_DEPTH < MAX_DEPTH);

pub(super) async fn find<P: Model>(store: &SqliteStore, query: &UserQuery) -> Result<Vec<User<P>>, StoreError> {
    match (Sql::exactly(&query.condition), order_by(&query.order)) {
        (Some(condition), _) if is_by_id(&query.order) => find_by_id(store, condition, query).await,
        (Some(condition), Some(order)) => {
            let rows = condition.select(store, P::NAME, &order, query.limit.unwrap_or(u64::MAX), query.skip).await?;
            rows.iter().map(user_from_row).collect()
        }
        _ => {
            let mut found = Found::new(query);
            scan(store, &query.condition, |user, json| found.add(user, json)).await?;
            Ok(found.finish())
        }
    }
}

pub(super) async fn count<P: Model>(store: &SqliteStore, condition: &Where) -> Result<u64, StoreError> {
    if let Some(condition) = Sql::exactly(condition) {
        return condition.count(store, P::NAME).await;
    }
    let mut count = 0;
    scan(store, condition, |_: User<P>, _| {
        count += 1;
        true
    })
    .await?;
    Ok(count)
}

/// Finds in the order of ids what the database can tell on its own.
async fn find_by_id<P: Model>(
    store: &SqliteStore,
    condition: Sql,
    query: &UserQuery,
) -> Result<Vec<User<P>>, StoreError> {
    let limit = query.limit.map_or(usize::MAX, size);
    let mut users = Vec::new();
    let (mut after, mut skip) = (None, query.skip);
    loop {
        let wanted = PAGE.min(limit - users.len());
        let rows = condition.page(store, P::NAME, after, wanted, skip).await?;
        for row in &rows {
            users.push(user_from_row(row)?);
        }
        if rows.len() < wanted || users.len() == limit {
            return Ok(users);
        }
        after = last_id(&rows)?;
        skip = 0;
    }
}

/// Shows all users for whom the condition holds, with their JSON, in the order of their ids, until `visit` has seen enough.
async fn scan<P: Model>(
    store: &SqliteStore,
    condition: &Where,
    mut visit: impl FnMut(User<P>, Value) -> bool + Send,
) -> Result<(), StoreError> {
    let necessary = Sql::necessarily(condition, 0).unwrap_or_else(Sql::everybody);
    let mut after = None;
    loop {
        let rows = necessary.page(store, P::NAME, after, PAGE, 0).await?;
        for row in &rows {
            let user = user_from_row(row)?;
            let json = serde_json::to_value(&user).map_err(|_| unwritable())?;
            if condition.matches(&json) && !visit(user, json) {
                return Ok(());
            }
        }
        if rows.len() < PAGE {
            return Ok(());
        }
        after = last_id(&rows)?;
    }
}

/// What a scan has found so far: no more than can be part of the answer.
struct Found<'a, P> {
    query: &'a UserQuery,
    users: Vec<(Value, User<P>)>,
    /// Of the members, what the order looks at.
    members: Fields,
    skip: usize,
    /// `skip` and `limit` together.
    wanted: usize,
}

impl<'a, P> Found<'a, P> {
    fn new(query: &'a UserQuery) -> Self {
        let first = |order: &Order| order.property.split('.').next().unwrap_or_default().to_owned();
        let skip = size(query.skip);
        let wanted = skip.saturating_add(query.limit.map_or(usize::MAX, size));
        let members = Fields::Only(query.order.iter().map(first).collect());
        Self { query, users: Vec::new(), members, skip, wanted }
    }

    /// Returns whether there can be more.
    fn add(&mut self, user: User<P>, json: Value) -> bool {
        if is_by_id(&self.query.order) {
            if self.skip > 0 {
                self.skip -= 1;
                self.wanted -= 1;
            } else {
                self.users.push((Value::Null, user));
            }
            return self.users.len() < self.wanted;
        }
        self.users.push((self.members.apply(json), user));
        if self.users.len() >= self.wanted.saturating_mul(2).saturating_add(PAGE) {
            self.sort();
            self.users.truncate(self.wanted);
        }
        true
    }

    fn sort(&mut self) {
        self.users.sort_by(|(a, one), (b, other)| self.query.compare(a, b).then_with(|| one.id.cmp(&other.id)));
    }

    fn finish(mut self) -> Vec<User<P>> {
        if !is_by_id(&self.query.order) {
            self.sort();
        }
        self.users.truncate(self.wanted);
        self.users.into_iter().skip(self.skip).map(|(_, user)| user).collect()
    }
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}

fn last_id(rows: &[SqliteRow]) -> Result<Option<i64>, StoreError> {
    rows.last().map(|row| TABLE.get(row, "id")).transpose()
}

/// Whether an order is that of the ids: what comes behind them tells nobody apart.
fn is_by_id(order: &[Order]) -> bool {
    order.first().is_none_or(|order| order.property == "id" && !order.descending)
}

/// An order as SQL, if all of it is about columns. SQLite too has NULL first, `false` before `true`, and texts by their bytes.
fn order_by(orders: &[Order]) -> Option<String> {
    let mut text = String::new();
    let mut seen = Vec::new();
    for Order { property, descending } in orders {
        let (column, _) = column(property)?;
        if !seen.contains(&column) {
            seen.push(column);
            text.push_str(column);
            text.push_str(if *descending { " DESC, " } else { ", " });
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

/// The column of a built-in member.
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
struct Sql {
    text: String,
    values: Vec<Parameter>,
    tests: usize,
}

enum Parameter {
    Integer(i64),
    Text(String),
}

impl Sql {
    fn everybody() -> Self {
        Self { text: "1".into(), ..Self::default() }
    }

    /// A condition that holds for the same users, if there is one.
    fn exactly(condition: &Where) -> Option<Self> {
        let mut sql = Self::default();
        sql.push(condition, 0)?;
        Some(sql)
    }

    /// A condition that holds for all of them and maybe for others.
    fn necessarily(condition: &Where, depth: usize) -> Option<Self> {
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
            Where::And(all) => self.push_all(all, " AND ", "1", depth),
            Where::Or(any) => self.push_all(any, " OR ", "0", depth),
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

    /// What is compared with NULL is NULL in SQL, which counts as not holding: there is no NOT around anything here.
    fn push_test(&mut self, column: &str, kind: Kind, test: &Test) -> Option<()> {
        match test {
            Test::Eq(value) => self.push_comparison(column, kind, "=", value, "IS NULL"),
            Test::Neq(value) => self.push_comparison(column, kind, "IS NOT", value, "IS NOT NULL"),
            Test::Gt(value) => self.push_comparison(column, kind, ">", value, "IN ()"),
            Test::Gte(value) => self.push_comparison(column, kind, ">=", value, "IS NULL"),
            Test::Lt(value) => self.push_comparison(column, kind, "<", value, "IN ()"),
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
        let places = vec!["?"; values.len()].join(", ");
        let null = if null { "OR" } else { "AND NOT" };
        self.text.push_str(&format!("({column} {operator} ({places}) {null} {column} IS NULL)"));
        values.into_iter().try_for_each(|value| self.push_value(kind, value))
    }

    /// A value that compares with the column as it does with the member; `None` if that is not certain.
    fn push_value(&mut self, kind: Kind, value: &Value) -> Option<()> {
        let parameter = match (kind, value) {
            (Kind::Integer, Value::Number(number)) => Parameter::Integer(number.as_i64()?),
            (Kind::Integer, Value::String(text)) => {
                Parameter::Integer(text.parse().ok().filter(|id: &i64| id.to_string() == *text)?)
            }
            (Kind::Text, Value::String(text)) => Parameter::Text(text.clone()),
            (Kind::Text, Value::Number(number)) => Parameter::Text(number.as_i64()?.to_string()),
            (Kind::Boolean, Value::Bool(value)) => Parameter::Integer(i64::from(*value)),
            (Kind::Boolean, Value::String(text)) => match text.as_str() {
                "true" | "1" => Parameter::Integer(1),
                "false" | "0" => Parameter::Integer(0),
                _ => return None,
            },
            _ => return None,
        };
        self.values.push(parameter);
        (self.values.len() <= MAX_PARAMETERS).then_some(())
    }

    async fn count(&self, store: &SqliteStore, user_type: &'static str) -> Result<u64, StoreError> {
        let text = format!("SELECT count(*) AS users FROM gatekit_users WHERE {OF_TYPE} AND ({})", self.text);
        let row = store.find(self.query(text, user_type, &[])).await?;
        let row = row.ok_or_else(|| StoreError::failed("no count was returned"))?;
        TABLE.get(&row, "users").map(i64::cast_unsigned)
    }

    /// Up to `limit` rows, in the order of their ids, of those behind an id.
    async fn page(
        &self,
        store: &SqliteStore,
        user_type: &'static str,
        after: Option<i64>,
        limit: usize,
        skip: u64,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let text = format!("{} AND id > ? ORDER BY id LIMIT ? OFFSET ?", self.rows());
        let after = after.unwrap_or(i64::MIN);
        store.find_all(self.query(text, user_type, &[after, integer(limit), integer(skip)])).await
    }

    async fn select(
        &self,
        store: &SqliteStore,
        user_type: &'static str,
        order: &str,
        limit: u64,
        skip: u64,
    ) -> Result<Vec<SqliteRow>, StoreError> {
        let text = format!("{} ORDER BY {order} LIMIT ? OFFSET ?", self.rows());
        store.find_all(self.query(text, user_type, &[integer(limit), integer(skip)])).await
    }

    fn rows(&self) -> String {
        let columns = "id, realm, username, email, email_verified, profile";
        format!("SELECT {columns} FROM gatekit_users WHERE {OF_TYPE} AND ({})", self.text)
    }

    /// Not kept as a prepared statement: there are too many different ones.
    fn query(&self, text: String, user_type: &'static str, more: &[i64]) -> Query<'static, Sqlite, SqliteArguments> {
        let mut query = sqlx::query(AssertSqlSafe(text)).persistent(false).bind(user_type);
        for value in &self.values {
            query = match value {
                Parameter::Integer(value) => query.bind(*value),
                Parameter::Text(value) => query.bind(value.clone()),
            };
        }
        more.iter().fold(query, |query, value| query.bind(*value))
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
    fn what_is_asked_of_built_in_members_is_asked_of_the_database() {
        for (asked, text) in [
            (json!({}), "1"),
            (json!({ "or": [] }), "0"),
            (json!({ "id": "2" }), "id = ?"),
            (json!({ "email": null }), "email IS NULL"),
            (json!({ "email": { "neq": "a" } }), "email IS NOT ?"),
            (json!({ "email": { "between": ["a", "b"] } }), "email >= ? AND email <= ?"),
            (json!({ "emailVerified": "true" }), "email_verified = ?"),
            (json!({ "realm": { "inq": ["a", "b"] } }), "(realm IN (?, ?) AND NOT realm IS NULL)"),
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
            json!({ "password": null, "rev": 1 }),
            json!({ "email.x": 1 }),
            json!({ "id": "01" }),
            json!({ "id": 1.5 }),
            json!({ "id": u64::MAX }),
            json!({ "id": true }),
            json!({ "emailVerified": "yes" }),
            json!({ "username": 1.5 }),
            json!({ "email": { "like": "a" } }),
            json!({ "or": [{ "id": 1 }, { "city": "Ulm" }] }),
        ] {
            assert!(Sql::exactly(&condition(asked.clone())).is_none(), "{asked}");
        }
        let by = |text: &str| order_by(&Filter::from_json(&json!({ "order": text })).unwrap().query.order);
        assert_eq!(by("realm DESC, email, realm, id DESC").as_deref(), Some("realm DESC, email, id DESC, id"));
        assert_eq!(by("city"), None);
        assert_eq!(by("namespace"), None);
    }

    #[test]
    fn of_a_condition_with_other_parts_the_database_gets_its_own() {
        let necessary = |asked: Value| Sql::necessarily(&condition(asked), 0).map(|sql| sql.text);
        let asked = json!({ "and": [{ "realm": "a" }, { "city": "Ulm" }, { "and": [{ "id": 1 }, { "x": 1 }] }] });
        assert_eq!(necessary(asked).as_deref(), Some("1 AND realm = ? AND 1 AND id = ?"));
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
