//! The result of looking for the caller of a request.

use std::sync::Arc;

use crate::AuthRejection;
use crate::erased::ErasedAuthenticated;

pub(crate) type Answer = Result<Arc<dyn ErasedAuthenticated>, Box<AuthRejection>>;

/// The result of looking for the caller of a request.
pub(crate) struct Lookup {
    pub(crate) answer: Answer,
    /// Whether the token stood in the layer's [`TokenCookie`](crate::TokenCookie) and has ended, so
    /// that the cookie is good for nothing.
    pub(crate) ended_cookie: bool,
}

impl Lookup {
    /// The caller, if there is one.
    pub(crate) fn caller(&self) -> Option<&dyn ErasedAuthenticated> {
        self.answer.as_deref().ok()
    }

    pub(crate) fn has_ended_cookie(&self) -> bool {
        self.ended_cookie
    }
}
