//! Whether a condition holds for a user.

use serde_json::Value;

use super::like::is_like;
use super::values::{child, compare, member, text};
use super::{Test, Where};

impl Where {
    /// Whether it holds for a user, as JSON. This is the rule by which every store finds users.
    ///
    /// It is what LoopBack's memory connector does, with the differences that are marked \*.
    ///
    /// - **Not set.** A member that is absent and one that is `null` are the same. It is equal to
    ///   `null` only, not equal to anything else (so `neq` and `nin` hold), neither less nor
    ///   greater, and matches no pattern\* (so `nlike` holds).
    /// - **Mixed types.** The condition's value is taken as the type that the member has, as
    ///   LoopBack does by the type a property was declared with: the text `"2"` finds the id 2, and
    ///   the number 2 finds the text `"2"` (but not `"02"`\*). For a member that is `true` or
    ///   `false`, the texts `false` and `0` and the empty one are false, all others are true. What
    ///   cannot be taken so is not equal to it.
    /// - **Texts** are compared by their characters, in no language's order; `like` matches a part
    ///   too, and its pattern is no regular expression\*: it has only `%`, `_` and `\`.
    /// - **Arrays.** A test holds for a member that is an array if it holds for one of its
    ///   elements, and `neq` also if there is none. An array within a condition from code is equal
    ///   to the same array.
    /// - **Paths.** `address.city` is a member of a member, `friends.0.name` of an element, and
    ///   `friends.name` that of any of them.
    ///
    /// ```
    /// use gatekit_core::Where;
    /// use serde_json::json;
    ///
    /// let ada = json!({ "email": "ada@example.com", "id": 2, "tags": ["math", "poet"] });
    /// for holds in [json!({ "id": "2" }), json!({ "tags": "poet" }), json!({ "realm": null }), json!({ "email": { "like": "ada@%" } })] {
    ///     assert!(Where::from_json(&holds)?.matches(&ada), "{holds}");
    /// }
    /// for fails in [json!({ "id": 3 }), json!({ "email": "ADA@example.com" }), json!({ "or": [] })] {
    ///     assert!(!Where::from_json(&fails)?.matches(&ada), "{fails}");
    /// }
    /// # Ok::<_, gatekit_core::FilterError>(())
    /// ```
    #[must_use]
    pub fn matches(&self, user: &Value) -> bool {
        match self {
            Self::And(all) => all.iter().all(|condition| condition.matches(user)),
            Self::Or(any) => any.iter().any(|condition| condition.matches(user)),
            Self::Is { property, test } => holds_at(user, property, test),
        }
    }

    /// Changes every text that a property is compared with for being equal: its values in `Eq`,
    /// `Neq`, `Inq` and `Nin`. For a policy that keeps addresses and names in one spelling, so that
    /// a condition finds one however it is written (LoopBack's setting `caseSensitiveEmail: false`
    /// does it for `Eq` of `email`).
    ///
    /// ```
    /// use gatekit_core::Where;
    /// use serde_json::json;
    ///
    /// let condition = Where::from_json(&json!({ "email": "Ada@Example.com" }))?
    ///     .map_texts("email", &str::to_lowercase);
    /// assert!(condition.matches(&json!({ "email": "ada@example.com" })));
    /// # Ok::<_, gatekit_core::FilterError>(())
    /// ```
    #[must_use]
    pub fn map_texts(self, name: &str, change: &dyn Fn(&str) -> String) -> Self {
        let all =
            |conditions: Vec<Self>| conditions.into_iter().map(|condition| condition.map_texts(name, change)).collect();
        match self {
            Self::And(conditions) => Self::And(all(conditions)),
            Self::Or(conditions) => Self::Or(all(conditions)),
            Self::Is { property, test } if property == name => Self::Is { property, test: test.map(change) },
            other @ Self::Is { .. } => other,
        }
    }
}

impl Test {
    fn map(self, change: &dyn Fn(&str) -> String) -> Self {
        let one = |value| match value {
            Value::String(text) => Value::String(change(&text)),
            other => other,
        };
        let all = |values: Vec<Value>| values.into_iter().map(one).collect();
        match self {
            Self::Eq(value) => Self::Eq(one(value)),
            Self::Neq(value) => Self::Neq(one(value)),
            Self::Inq(values) => Self::Inq(all(values)),
            Self::Nin(values) => Self::Nin(all(values)),
            other => other,
        }
    }

    fn holds(&self, member: Option<&Value>) -> bool {
        match member {
            Some(Value::Array(elements)) if !self.is_about_arrays() => {
                elements.iter().any(|element| self.holds(Some(element)))
                    || (elements.is_empty() && matches!(self, Self::Neq(_)))
            }
            member => self.holds_for_one(member),
        }
    }

    /// Whether it compares with an array: then it is about the whole of a member. No client can ask
    /// so.
    fn is_about_arrays(&self) -> bool {
        matches!(self, Self::Eq(Value::Array(_)) | Self::Neq(Value::Array(_)))
    }

    fn holds_for_one(&self, member: Option<&Value>) -> bool {
        let is_equal = |value: &Value| compare(member, value).is_some_and(|ordering| ordering.is_eq());
        let is_at_least = |value: &Value| compare(member, value).is_some_and(|ordering| ordering.is_ge());
        let is_at_most = |value: &Value| compare(member, value).is_some_and(|ordering| ordering.is_le());
        let is_like =
            |pattern: &str, ignore_case| member.and_then(text).is_some_and(|text| is_like(&text, pattern, ignore_case));
        match self {
            Self::Eq(value) => is_equal(value),
            Self::Neq(value) => !is_equal(value),
            Self::Gt(value) => compare(member, value).is_some_and(|ordering| ordering.is_gt()),
            Self::Gte(value) => is_at_least(value),
            Self::Lt(value) => compare(member, value).is_some_and(|ordering| ordering.is_lt()),
            Self::Lte(value) => is_at_most(value),
            Self::Between(low, high) => is_at_least(low) && is_at_most(high),
            Self::Inq(values) => values.iter().any(is_equal),
            Self::Nin(values) => !values.iter().any(is_equal),
            Self::Like(pattern) => is_like(pattern, false),
            Self::Nlike(pattern) => !is_like(pattern, false),
            Self::Ilike(pattern) => is_like(pattern, true),
            Self::Nilike(pattern) => !is_like(pattern, true),
        }
    }
}

/// Whether a test holds for the member at a path. Each value on the way is looked at once, so that
/// a path through a deep profile costs no more than one through a flat one.
fn holds_at(object: &Value, path: &str, test: &Test) -> bool {
    let Some((first, rest)) = path.split_once('.') else { return test.holds(member(object, path)) };
    match child(object, first) {
        Some(inner @ Value::Object(_)) => holds_at(inner, rest, test),
        // The same member of each element, if there is an array on the way; or the rest is the
        // place of an element.
        Some(list @ Value::Array(elements)) => {
            test.holds(member(list, rest)) || elements.iter().any(|element| holds_at(element, rest, test))
        }
        _ => test.holds(None),
    }
}
