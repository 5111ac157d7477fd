//! What is wrong with the fields of a user, as data. Each wire format says it in its own words.

use std::ops::Deref;

use serde_json::Value;

use crate::IdentifierKind;

/// One field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
#[non_exhaustive]
pub struct FieldError {
    /// The field's name in JSON, or the path to it: `email`, `address.street`, `tags[1]`. `profile`
    /// stands for all fields of the app's profile.
    pub field: String,
    /// What is wrong with it.
    pub problem: FieldProblem,
    /// The value that was sent; `None` if there was none. Never a password.
    pub value: Option<Value>,
}

/// What is wrong with a field. `Display` says it in English, to be read after the field's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldProblem {
    /// It is required, and missing or empty.
    #[error("is missing")]
    Missing,
    /// Another user has this address or name.
    #[error("is in use")]
    Taken,
    /// It is not an address that mail can be sent to.
    #[error("is not a valid address")]
    InvalidEmail,
    /// It is not a string, or a name with characters that names may not have.
    #[error("is not a valid name")]
    InvalidString,
    /// It is not an id that the store can keep.
    #[error("is not a valid id")]
    InvalidId,
    /// A client cannot set it.
    #[error("cannot be set")]
    NotSettable,
    /// The profile has no such field.
    #[error("is not a field")]
    Unknown,
    /// The profile's type does not take the value. The text is serde's.
    #[error("has the wrong type: {0}")]
    WrongType(String),
    /// The profile has more bytes of JSON than this.
    #[error("is too large: the maximum is {0} bytes of JSON")]
    TooLarge(usize),
    /// Objects and arrays in the profile are nested deeper than this many levels.
    #[error("is nested too deep: the maximum is {0} levels")]
    TooDeep(usize),
}

impl FieldError {
    /// A field that is wrong, and the value that was sent.
    #[must_use]
    pub fn new(field: impl Into<String>, problem: FieldProblem, value: Option<Value>) -> Self {
        Self { field: field.into(), problem, value }
    }

    pub(crate) fn missing(field: impl Into<String>, value: Option<Value>) -> Self {
        Self::new(field, FieldProblem::Missing, value)
    }

    pub(crate) fn taken(kind: IdentifierKind, value: &str) -> Self {
        Self::new(kind.as_str(), FieldProblem::Taken, Some(value.into()))
    }
}

/// The fields that are wrong, at least one. HTTP status 422.
///
/// ```
/// use gatekit_core::{FieldError, FieldErrors, FieldProblem};
///
/// let errors = FieldErrors::from(FieldError::new("email", FieldProblem::Taken, None));
/// assert_eq!(errors[0].problem, FieldProblem::Taken);
/// assert_eq!(errors.to_string(), "the user is not valid: email is in use");
/// ```
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the user is not valid: {}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
pub struct FieldErrors(Vec<FieldError>);

impl From<Vec<FieldError>> for FieldErrors {
    fn from(errors: Vec<FieldError>) -> Self {
        Self(errors)
    }
}

impl From<FieldError> for FieldErrors {
    fn from(error: FieldError) -> Self {
        Self(vec![error])
    }
}

impl Deref for FieldErrors {
    type Target = [FieldError];

    fn deref(&self) -> &[FieldError] {
        &self.0
    }
}
