//! What a query finds, a part at a time.

use std::any::Any;
use std::fmt;

/// A part of what a query finds, and where the next part begins.
#[derive(Debug)]
pub struct UserPage<U> {
    /// The users of this part, in the order of the query. There may be none before a later part.
    pub users: Vec<U>,
    /// Where the next part begins; `None` if this is the last one.
    pub next: Option<UserCursor>,
}

/// Where a store goes on with a query. Only the store that made it can read it.
///
/// ```
/// use gatekit_core::UserCursor;
///
/// let cursor = UserCursor::new(7_i64);
/// assert_eq!(cursor.into_inner::<i64>(), Some(7));
/// ```
pub struct UserCursor(Box<dyn Any + Send>);

impl UserCursor {
    /// Remembers this.
    #[must_use]
    pub fn new<T: Any + Send>(position: T) -> Self {
        Self(Box::new(position))
    }

    /// What it remembers; `None` if that is of another type, as in a cursor of another store.
    #[must_use]
    pub fn into_inner<T: Any>(self) -> Option<T> {
        self.0.downcast().ok().map(|position| *position)
    }
}

impl fmt::Debug for UserCursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UserCursor").finish_non_exhaustive()
    }
}
