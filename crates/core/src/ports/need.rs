//! What a feature needs of the stores: [`Need`].

use std::fmt;

/// What a feature needs of the stores, beyond users, tokens and one-time records.
///
/// A builder of routes asks [`Auth::missing`](crate::Auth::missing) and refuses to mount a feature
/// whose need is missing. [`Display`](fmt::Display) names the trait and what the app has to call:
///
/// ```
/// use gatekit_core::{Need, UserOperation};
///
/// assert_eq!(Need::Counters.to_string(), "a `CounterStore`: pass one to `.counters(store)` of the builder");
/// assert_eq!(
///     Need::Users(UserOperation::Delete).to_string(),
///     "a store of users that implements delete_user: implement it and say so in `UserStore::supports`"
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Need {
    /// An operation of the store of users.
    Users(UserOperation),
    /// A [`RoleStore`](crate::RoleStore).
    Roles,
    /// A [`DeviceStore`](crate::DeviceStore).
    Devices,
    /// A [`CounterStore`](crate::CounterStore).
    Counters,
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (port, method) = match self {
            Self::Users(operation) => {
                let operation = operation.as_str();
                return write!(
                    f,
                    "a store of users that implements {operation}: implement it and say so in `UserStore::supports`"
                );
            }
            Self::Roles => ("RoleStore", "roles"),
            Self::Devices => ("DeviceStore", "devices"),
            Self::Counters => ("CounterStore", "counters"),
        };
        write!(f, "a `{port}`: pass one to `.{method}(store)` of the builder")
    }
}

/// What a [`UserStore`](crate::UserStore) may leave out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UserOperation {
    /// [`UserStore::update_user`](crate::UserStore::update_user).
    Update,
    /// [`UserStore::delete_user`](crate::UserStore::delete_user).
    Delete,
    /// [`UserStore::find_users`](crate::UserStore::find_users) and
    /// [`UserStore::count_users`](crate::UserStore::count_users).
    Find,
    /// [`UserStore::set_status`](crate::UserStore::set_status) and
    /// [`UserStore::users_with_status`](crate::UserStore::users_with_status), and users that are
    /// stored with another status than active.
    Status,
    /// [`UserStore::list_users`](crate::UserStore::list_users).
    List,
    /// [`UserStore::find_users_like`](crate::UserStore::find_users_like) finds users in every
    /// spelling, and not only in the exact one.
    AnySpelling,
    /// [`UserStore::create_user`](crate::UserStore::create_user) gives a user the id of
    /// [`NewUser::id`](crate::NewUser::id).
    GivenId,
}

impl UserOperation {
    /// The method, as an app's author has to write it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Update => "update_user",
            Self::Delete => "delete_user",
            Self::Find => "find_users and count_users",
            Self::Status => "set_status",
            Self::List => "list_users",
            Self::AnySpelling => "find_users_like",
            Self::GivenId => "create_user with NewUser::id",
        }
    }
}
