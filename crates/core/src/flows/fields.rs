//! The checks of addresses and names that a sign-up and a change of a user share.

use crate::{Account, Auth, FieldError, FieldProblem};

impl<U: Account> Auth<U> {
    /// What is wrong with an address that a user is to get.
    pub(crate) fn check_email(&self, address: Option<&str>) -> Option<FieldError> {
        match address {
            None if !self.0.policy.requires_email() => None,
            None | Some("") => Some(FieldError::missing("email", address.map(Into::into))),
            Some(typed) if !self.accepts_email(typed) => {
                Some(FieldError::new("email", FieldProblem::InvalidEmail, Some(typed.into())))
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
        Some(FieldError::new(field, FieldProblem::InvalidString, Some(wrong.into())))
    }
}
