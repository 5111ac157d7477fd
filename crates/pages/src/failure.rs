//! Why a request to a page fails.

use axum::response::Response;
use gatekit_core::Unavailable;
use gatekit_layer::AuthRejection;
use gatekit_web::BrowserError;

/// Why a request to a page fails. `respond.rs` makes a page or a redirect of it.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No form of these pages sends such a request.
    BadRequest,
    /// The form did not arrive in time.
    TooSlow,
    /// The visitor is not logged in. They log in, and come back here.
    LogIn,
    /// The password was verified too long ago. The visitor enters it again, and comes back here.
    ConfirmPassword,
    /// It cannot be done now. The number is the seconds until it may be tried again.
    Unavailable(u64),
    /// A mistake in the app or the kit.
    Fault,
    /// The layer refused the request.
    Rejected(AuthRejection),
}

/// The result of a page's handler.
pub(crate) type Outcome = Result<Response, Failure>;

impl From<AuthRejection> for Failure {
    fn from(rejection: AuthRejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<BrowserError> for Failure {
    fn from(error: BrowserError) -> Self {
        match error {
            BrowserError::Unavailable(error) => error.into(),
            BrowserError::Rejected(rejection) => rejection.into(),
        }
    }
}

impl From<Unavailable> for Failure {
    fn from(error: Unavailable) -> Self {
        tracing::error!(%error, "a page could not be shown");
        if error.is_fault() { Self::Fault } else { Self::Unavailable(error.retry_after()) }
    }
}

/// A mistake in how the app mounts the pages.
pub(crate) fn misconfigured(message: &str) -> AuthRejection {
    AuthRejection::Misconfigured(message.to_owned())
}
