//! What a user is looked up by when it logs in.

use std::fmt;

/// An address or a name that a user logs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identifier {
    /// See [`NewUser::namespace`](crate::NewUser::namespace).
    pub namespace: String,
    /// Address or name.
    pub kind: IdentifierKind,
    /// The value, in the one spelling of the policy.
    pub value: String,
}

/// The two kinds of identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum IdentifierKind {
    /// An email address.
    Email,
    /// A name.
    Username,
}

impl IdentifierKind {
    /// The name of the field of a user that has it.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Username => "username",
        }
    }
}

impl fmt::Display for IdentifierKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
