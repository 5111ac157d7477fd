//! What identifies a user: an integer or a text, and which of the two it is.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The id of a user, an integer or a text. It keeps its kind in JSON.
///
/// LoopBack's clients store and echo `userId`: a number from SQL stores, a 24-digit hex text from
/// MongoDB. An integer and a text are never equal, even if they print the same.
///
/// ```
/// use gatekit_core::UserId;
///
/// assert_eq!(UserId::from(7).to_string(), "7");
/// assert_ne!(UserId::from(7), UserId::from("7"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum UserId {
    /// A number, as SQL databases give out.
    Int(i64),
    /// A text, such as a UUID or MongoDB's ObjectID.
    Text(String),
}

impl UserId {
    /// Whether this id is what `text`, a path segment, names. The comparison is by text, as
    /// LoopBack's `$owner` does it: `1` is `1`, but `01` is not.
    ///
    /// ```
    /// use gatekit_core::UserId;
    ///
    /// assert!(UserId::from(1).is_named("1"));
    /// assert!(!UserId::from(1).is_named("01"));
    /// ```
    #[must_use]
    pub fn is_named(&self, text: &str) -> bool {
        match self {
            Self::Int(id) => id.to_string() == text,
            Self::Text(id) => id == text,
        }
    }
}

impl fmt::Display for UserId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(id) => id.fmt(f),
            Self::Text(id) => id.fmt(f),
        }
    }
}

impl From<i64> for UserId {
    fn from(id: i64) -> Self {
        Self::Int(id)
    }
}

impl From<String> for UserId {
    fn from(id: String) -> Self {
        Self::Text(id)
    }
}

impl From<&str> for UserId {
    fn from(id: &str) -> Self {
        Self::Text(id.to_owned())
    }
}
