//! Why a filter is refused, and how the refused part is shown.

use serde_json::Value;

use crate::{ErrorKind, FlowError};

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

impl FlowError for FilterError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Invalid
    }

    /// LoopBack's for the two errors that have one there, `INVALID_FILTER` for what LoopBack
    /// ignores, and `MALFORMED_FILTER` for the rest.
    fn code(&self) -> &str {
        match self {
            Self::TooDeep(_) => "QUERY_OBJECT_TOO_DEEP",
            Self::Operator { .. } => "OPERATOR_NOT_ALLOWED_IN_QUERY",
            Self::Hidden(_) | Self::Member(_) | Self::Fields(_) => "INVALID_FILTER",
            _ => "MALFORMED_FILTER",
        }
    }
}

pub(super) fn wrong(property: &str, clause: &Value, expected: &'static str) -> FilterError {
    FilterError::Clause { property: cut(property), clause: shown(clause), expected }
}

pub(super) fn limited(what: &'static str, count: usize, max: usize) -> Result<(), FilterError> {
    if count > max { Err(FilterError::TooMany { what, max }) } else { Ok(()) }
}

/// How much of a client's own words an error repeats, in characters.
const MAX_SHOWN: usize = 100;

pub(super) fn shown(value: &Value) -> String {
    cut(&value.to_string())
}

pub(super) fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
