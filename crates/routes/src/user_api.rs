//! What the routes are built from: the accounts, and how they are answered.

use std::fmt;
use std::sync::Arc;

use gatekit_core::{Account, Auth};

use crate::Answers;

/// The accounts that a builder of this crate makes routes for, with the [`Answers`] of these
/// routes. Every builder takes an [`Auth`](gatekit_core::Auth) in its place, which has
/// [`Answers::default`].
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore, Policy};
/// use gatekit_routes::{self as routes, Answers, UserApi};
///
/// let store = MemoryStore::new();
/// let auth: Auth = Auth::builder(store).policy(Policy::loopback()).build()?;
/// let users: Router = routes::loopback(UserApi::new(&auth).answers(Answers::loopback()));
/// # Ok::<_, gatekit_core::ConfigError>(())
/// ```
pub struct UserApi<U: Account> {
    pub(crate) auth: Auth<U>,
    pub(crate) answers: Arc<Answers>,
}

impl<U: Account> UserApi<U> {
    /// These accounts, with [`Answers::default`].
    #[must_use]
    pub fn new(auth: &Auth<U>) -> Self {
        Self { auth: auth.clone(), answers: Arc::default() }
    }

    /// Sets how the routes answer.
    #[must_use]
    pub fn answers(mut self, answers: Answers) -> Self {
        self.answers = Arc::new(answers);
        self
    }
}

impl<U: Account> From<&Auth<U>> for UserApi<U> {
    fn from(auth: &Auth<U>) -> Self {
        Self::new(auth)
    }
}

impl<U: Account> From<&Self> for UserApi<U> {
    fn from(api: &Self) -> Self {
        api.clone()
    }
}

impl<U: Account> Clone for UserApi<U> {
    fn clone(&self) -> Self {
        Self { auth: self.auth.clone(), answers: Arc::clone(&self.answers) }
    }
}

impl<U: Account> fmt::Debug for UserApi<U> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserApi").field("auth", &self.auth).field("answers", &self.answers).finish()
    }
}
