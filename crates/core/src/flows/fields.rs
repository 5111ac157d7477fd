//! The fields of a user that a client sends: what is wrong with one, and the checks of addresses
//! and names that a sign-up and a change share.

use serde_json::Value;

use crate::{Account, Auth, IdentifierKind};

/// What is wrong with one field. Codes and messages are LoopBack's.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldError {
    /// The field's name in JSON.
    pub field: String,
    /// `presence`, `uniqueness`, `custom.email`, ...
    pub code: String,
    /// What is wrong, to be read after the field's name.
    pub message: String,
    /// What was sent; `None` for nothing. Never a password.
    pub value: Option<Value>,
}

impl FieldError {
    /// A field that is wrong.
    #[must_use]
    pub fn new(
        field: impl Into<String>,
        code: impl Into<String>,
        message: impl Into<String>,
        value: Option<Value>,
    ) -> Self {
        Self { field: field.into(), code: code.into(), message: message.into(), value }
    }

    pub(crate) fn taken(kind: IdentifierKind, value: &str) -> Self {
        match kind {
            IdentifierKind::Email => Self::new("email", "uniqueness", "Email already exists", Some(value.into())),
            IdentifierKind::Username => Self::new("username", "uniqueness", "User already exists", Some(value.into())),
        }
    }
}

impl<U: Account> Auth<U> {
    /// What is wrong with an address that a user is to get, in LoopBack's words.
    pub(crate) fn check_email(&self, address: Option<&str>) -> Option<FieldError> {
        match address {
            None if !self.0.policy.requires_email() => None,
            None | Some("") => Some(FieldError::new("email", "presence", "can't be blank", address.map(Into::into))),
            Some(typed) if !self.accepts_email(typed) => {
                Some(FieldError::new("email", "custom.email", "is invalid", Some(typed.into())))
            }
            Some(_) => None,
        }
    }

    /// What is wrong with a username or a realm that a user is to get.
    pub(crate) fn check_name(&self, field: &str, name: Option<&str>) -> Option<FieldError> {
        let is_fine = |name: &str| match field {
            "username" => self.0.policy.accepts_username(name),
            _ => self.0.policy.accepts_name(name),
        };
        let wrong = name.filter(|name| !is_fine(name))?;
        Some(FieldError::new(field, "custom.string", "is invalid", Some(wrong.into())))
    }
}
