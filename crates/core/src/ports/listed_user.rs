//! A row of a list of all users, which may be one that cannot be read.

use crate::{Account, StoreError, StoredUser, UserId};

/// What [`UserStore::list_users`](crate::UserStore::list_users) returns of a row.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum ListedUser<U> {
    /// The row could be read.
    Readable {
        /// Within which its identifiers are unique: see
        /// [`NewUser::namespace`](crate::NewUser::namespace).
        namespace: String,
        /// The user.
        user: Box<StoredUser<U>>,
    },
    /// The row could not be read.
    Unreadable {
        /// Its id.
        id: UserId,
        /// Why.
        reason: StoreError,
    },
}

impl<U: Account> ListedUser<U> {
    /// Its id.
    pub(crate) fn id(&self) -> UserId {
        match self {
            Self::Readable { user, .. } => user.user.id(),
            Self::Unreadable { id, .. } => id.clone(),
        }
    }
}

impl<U> ListedUser<U> {
    /// The user, if the row could be read.
    pub(crate) fn into_user(self) -> Option<StoredUser<U>> {
        match self {
            Self::Readable { user, .. } => Some(*user),
            Self::Unreadable { .. } => None,
        }
    }

    /// A row that could be read.
    #[must_use]
    pub fn readable(namespace: impl Into<String>, user: StoredUser<U>) -> Self {
        Self::Readable { namespace: namespace.into(), user: Box::new(user) }
    }

    /// A row that could not be read.
    #[must_use]
    pub fn unreadable(id: impl Into<UserId>, reason: StoreError) -> Self {
        Self::Unreadable { id: id.into(), reason }
    }
}
