//! The changes of a user that a client has sent, read before the user is known.

use serde_json::{Map, Value};

use crate::{Account, Auth, FieldError, FieldProblem, Password};

/// The members of a user that are Gatekit's; the rest of its JSON is the app's profile.
/// `accessTokens` is LoopBack's relation: a client that sends back what it has read may send it
/// along. `__proto__` is dropped: clients in JavaScript that copy a user would change the
/// prototype of all objects by it (CWE-1321).
pub(crate) const OWN: [&str; 9] =
    ["realm", "username", "email", "emailVerified", "id", "password", "verificationToken", "accessTokens", "__proto__"];

/// The changes as they were read, before the user they are for is known.
pub(crate) struct RequestedChange {
    pub(crate) realm: Option<Option<String>>,
    pub(crate) username: Option<Option<String>>,
    pub(crate) email: Option<Option<String>>,
    pub(crate) email_verified: Option<bool>,
    pub(crate) password: Option<Password>,
    /// The app's own fields.
    pub(crate) rest: Map<String, Value>,
    pub(crate) problems: Vec<FieldError>,
}

impl RequestedChange {
    /// Leaves the realm as it is, whatever was sent: a replacement without one takes none away.
    pub(crate) fn ignore_realm(&mut self) {
        self.realm = None;
        self.problems.retain(|problem| problem.field != "realm");
    }
}

impl<U: Account> Auth<U> {
    /// Reads the changes of a user as they were sent.
    pub(crate) fn read_changes(&self, mut changes: Map<String, Value>, replace: bool) -> RequestedChange {
        let mut problems = Vec::new();
        let password = match changes.shift_remove("password") {
            Some(Value::String(password)) => Some(Password::from(password)),
            _ => None,
        };
        if replace && password.is_none() {
            problems.push(FieldError::missing("password", None));
        }
        let username = self.read_name(&mut changes, "username", replace, &mut problems);
        let realm = self.read_name(&mut changes, "realm", replace, &mut problems);
        let email = match changes.shift_remove("email") {
            None if !replace => None,
            None => {
                problems.extend(self.check_email(None));
                None
            }
            Some(Value::Null) => {
                problems.push(FieldError::missing("email", Some(Value::Null)));
                None
            }
            Some(Value::String(address)) => {
                problems.extend(self.check_email(Some(&address)));
                Some(Some(address))
            }
            Some(other) => {
                problems.push(FieldError::new("email", FieldProblem::InvalidString, Some(other)));
                None
            }
        };
        let email_verified = changes.shift_remove("emailVerified").and_then(|value| value.as_bool());
        changes.retain(|name, _| !OWN.contains(&name.as_str()));
        RequestedChange { realm, username, email, email_verified, password, rest: changes, problems }
    }

    /// A name or realm: an empty one is none, and a number is a text, as in LoopBack.
    fn read_name(
        &self,
        changes: &mut Map<String, Value>,
        field: &str,
        replace: bool,
        problems: &mut Vec<FieldError>,
    ) -> Option<Option<String>> {
        let value = match changes.shift_remove(field) {
            None if replace => None,
            None => return None,
            Some(Value::Null) => None,
            Some(Value::String(text)) => Some(text).filter(|text| !text.is_empty()),
            Some(Value::Number(number)) => Some(number.to_string()),
            Some(other) => {
                problems.push(FieldError::new(field, FieldProblem::InvalidString, Some(other)));
                return None;
            }
        };
        problems.extend(self.check_name(field, value.as_deref()));
        Some(value)
    }
}
