//! Which users are wanted: LoopBack's `filter` and `where`, as types.
//!
//! | you look for | it is in |
//! | --- | --- |
//! | the types, and in which order users come | here |
//! | how a client's JSON becomes one of them | `parse.rs` |
//! | whether a condition holds for a user | `matching.rs` |
//! | whether a pattern of `like` matches | `like.rs` |
//! | when two values are equal, or one is less | `values.rs` |
//! | which members of a user are sent | `fields.rs` |

mod fields;
mod filter;
mod filter_error;
mod like;
mod matching;
mod values;
mod where_json;

use std::cmp::Ordering;

use serde_json::Value;

pub use self::fields::Fields;
pub use self::filter::Filter;
pub use self::filter_error::FilterError;

/// A condition on a user's members, as JSON has them: `email`, `username`, `realm`,
/// `emailVerified`, `id` and the app's own.
///
/// What holds for which user is said at [`Where::matches`]; how a client's JSON is read, at
/// [`Where::from_json`].
#[derive(Clone, Debug, PartialEq)]
pub enum Where {
    /// All of these; of none: everybody.
    And(Vec<Where>),
    /// Any of these; of none: nobody.
    Or(Vec<Where>),
    /// A test of one member.
    Is {
        /// The member's name; `a.b` is the member `b` of `a`.
        property: String,
        /// The test.
        test: Test,
    },
}

impl Default for Where {
    /// Everybody.
    fn default() -> Self {
        Self::And(Vec::new())
    }
}

/// A test of one member.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Test {
    /// Equal; `null` is equal to what is not set.
    Eq(Value),
    /// Not equal.
    Neq(Value),
    /// Greater.
    Gt(Value),
    /// Greater or equal.
    Gte(Value),
    /// Less.
    Lt(Value),
    /// Less or equal.
    Lte(Value),
    /// Within, both ends included.
    Between(Value, Value),
    /// Equal to one of these.
    Inq(Vec<Value>),
    /// Equal to none of these.
    Nin(Vec<Value>),
    /// A pattern matches the text or a part of it. `%` is any text, `_` any character, `\` takes
    /// the character behind it as it is.
    Like(String),
    /// Does not match a pattern.
    Nlike(String),
    /// As `Like`, in any case.
    Ilike(String),
    /// As `Nlike`, in any case.
    Nilike(String),
}

/// By what users are ordered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// The member's name; `a.b` is the member `b` of `a`.
    pub property: String,
    /// Whether the greatest comes first.
    pub descending: bool,
}

/// A condition with an order and a part of what it finds.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct UserQuery {
    /// Whom.
    pub condition: Where,
    /// In which order; users that are equal in it come in the order of their ids, as all do if it
    /// is empty.
    pub order: Vec<Order>,
    /// At most how many.
    pub limit: Option<u64>,
    /// After how many.
    pub skip: u64,
}

impl UserQuery {
    /// Whether its order is that of the ids: an order that comes behind them tells nobody apart.
    #[must_use]
    pub fn is_by_id(&self) -> bool {
        self.order.first().is_none_or(|order| order.property == "id" && !order.descending)
    }

    /// The fields that its order looks at. What is kept to sort many users by needs no others.
    #[must_use]
    pub fn order_fields(&self) -> Fields {
        let first = |order: &Order| order.property.split('.').next().unwrap_or_default().to_owned();
        Fields::Only(self.order.iter().map(first).collect())
    }

    /// Which of two users comes first, by the order that is asked for.
    ///
    /// What is not set comes first, then `false`, `true`, numbers by size, texts by their
    /// characters (not by the rules of a language), and last arrays and objects, of which none
    /// comes before another. Descending is exactly the other way round. It is a total order,
    /// whatever the values are.
    ///
    /// ```
    /// use std::cmp::Ordering;
    ///
    /// use gatekit_core::Filter;
    /// use serde_json::json;
    ///
    /// let filter = Filter::from_json(&json!({ "order": "age DESC" }))?;
    /// let (ada, bob, carl) = (json!({ "id": 1, "age": 36 }), json!({ "id": 2, "age": 7 }), json!({ "id": 3 }));
    /// assert_eq!(filter.query.compare(&ada, &bob), Ordering::Less);
    /// assert_eq!(filter.query.compare(&bob, &carl), Ordering::Less);
    /// # Ok::<_, gatekit_core::FilterError>(())
    /// ```
    #[must_use]
    pub fn compare(&self, a: &Value, b: &Value) -> Ordering {
        let compare = |order: &Order| {
            let ordering = values::order(values::member(a, &order.property), values::member(b, &order.property));
            if order.descending { ordering.reverse() } else { ordering }
        };
        self.order.iter().map(compare).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// What the query finds among these. Those that are equal in its order stay in the order in
    /// which they are given.
    ///
    /// ```
    /// use gatekit_core::Filter;
    /// use serde_json::json;
    ///
    /// let filter = Filter::from_json(&json!({ "where": { "ttl": { "gt": 5 } }, "limit": 1 }))?;
    /// let found = filter.query.select(vec![json!({ "ttl": 5 }), json!({ "ttl": 6 }), json!({ "ttl": 7 })]);
    /// assert_eq!(found, [json!({ "ttl": 6 })]);
    /// # Ok::<_, gatekit_core::FilterError>(())
    /// ```
    #[must_use]
    pub fn select(&self, mut values: Vec<Value>) -> Vec<Value> {
        values.retain(|value| self.condition.matches(value));
        values.sort_by(|a, b| self.compare(a, b));
        let skip = usize::try_from(self.skip).unwrap_or(usize::MAX);
        let limit = self.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        values.into_iter().skip(skip).take(limit).collect()
    }
}
