//! The name that a user logs in with.

use gatekit_core::{Account, AccountName, Auth, normalize};

/// Which of a user's names `_login` takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoginNames {
    /// The username, as CM-Well.
    #[default]
    Username,
    /// The address.
    Email,
    /// An address if it has an `@`, otherwise a username. A user whose username has an `@` logs in
    /// with the address.
    Either,
}

impl LoginNames {
    /// Whom a name means.
    pub(crate) fn account_name(self, typed: &str) -> AccountName {
        // An empty name costs what an unknown name costs: it is replaced by a name that no user can
        // have, and that one is hashed for.
        let typed = if typed.is_empty() { "\0" } else { typed };
        match self {
            // The full-width `@` is one, too.
            Self::Either if normalize::username(typed).contains('@') => AccountName::email(typed),
            Self::Email => AccountName::email(typed),
            Self::Username | Self::Either => AccountName::username(typed),
        }
    }

    /// What a user is called; `None` if it cannot log in here.
    pub(crate) fn name_of<U: Account>(self, user: &U) -> Option<String> {
        let (username, email) = (user.username(), user.email());
        let name = match self {
            Self::Username => username,
            Self::Email => email,
            // With an `@` in it a username would be taken for an address.
            Self::Either => username.filter(|name| !name.contains('@')).or(email),
        };
        name.filter(|name| !name.is_empty()).map(str::to_owned)
    }

    /// The same, with the realm before it where names are unique only within one: what
    /// `account_name` finds the user by again.
    pub(crate) fn full_name_of<U: Account>(self, auth: &Auth<U>, user: &U) -> Option<String> {
        let name = self.name_of(user)?;
        Some(match (auth.policy().identifiers.realm_delimiter, user.realm()) {
            (Some(delimiter), Some(realm)) => format!("{realm}{delimiter}{name}"),
            _ => name,
        })
    }
}
