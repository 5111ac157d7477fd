//! The caller of `/_auth`, and the response to one that is refused.

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use gatekit_core::Account;
use gatekit_layer::{AuthRejection, AuthUser, PresentedToken};

use crate::CmWellToken;
use crate::errors::{failure, unavailable};

/// The response to a caller that is refused.
pub(super) type Refused = Box<Response>;

/// Why a request counts as anonymous.
pub(super) enum Anonymous {
    /// There is no token, or nothing of its form.
    Absent,
    /// It is not valid.
    Bad,
}

pub(super) async fn caller<U: Account>(parts: &mut Parts) -> Result<Result<U, Anonymous>, Refused> {
    // Not `Caller`: a token that is confined to something else changes no password.
    match AuthUser::<U>::from_request_parts(parts, &()).await {
        Ok(AuthUser(user)) => Ok(Ok(user)),
        Err(AuthRejection::Missing) => Ok(Err(Anonymous::Absent)),
        Err(AuthRejection::Expired) => Ok(Err(Anonymous::Bad)),
        Err(AuthRejection::Invalid) => {
            let presented = PresentedToken::from_request_parts(parts, &()).await;
            let formed = presented.is_ok_and(|PresentedToken(token)| CmWellToken::is_well_formed(token.expose()));
            Ok(Err(if formed { Anonymous::Bad } else { Anonymous::Absent }))
        }
        Err(AuthRejection::Unavailable(error)) => Err(Box::new(unavailable(&error.into()))),
        Err(other) => Err(Box::new(other.into_response())),
    }
}

pub(super) fn refused<T>(status: StatusCode, message: &str) -> Result<T, Refused> {
    Err(Box::new(failure(status, message)))
}
