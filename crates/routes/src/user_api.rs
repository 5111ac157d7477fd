//! What the routes are built from: the accounts.

use std::fmt;

use gatekit_core::{Account, Auth};

/// The accounts that a builder of this crate makes routes for. Every builder takes an
/// [`Auth`](gatekit_core::Auth) in its place.
pub struct UserApi<U: Account> {
    pub(crate) auth: Auth<U>,
}

impl<U: Account> From<&Auth<U>> for UserApi<U> {
    fn from(auth: &Auth<U>) -> Self {
        Self { auth: auth.clone() }
    }
}

impl<U: Account> From<&Self> for UserApi<U> {
    fn from(api: &Self) -> Self {
        api.clone()
    }
}

impl<U: Account> Clone for UserApi<U> {
    fn clone(&self) -> Self {
        Self { auth: self.auth.clone() }
    }
}

impl<U: Account> fmt::Debug for UserApi<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserApi").field("auth", &self.auth).finish()
    }
}
