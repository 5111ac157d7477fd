//! What LoopBack's clients are sent for an error of a flow: status, code and text.

use axum::http::StatusCode;
use gatekit_core::{ErrorDetails, ErrorKind, FlowError, Unavailable};
use gatekit_layer::{AuthRejection, ErrorResponse};
use serde_json::json;

use crate::validation_error::validation_error;

/// Turns a flow's error into a response. `model` is what validation messages call a user.
pub(crate) trait IntoError {
    fn into_error(self, model: &str) -> ErrorResponse;
}

impl<E: FlowError> IntoError for E {
    fn into_error(self, model: &str) -> ErrorResponse {
        let response = || ErrorResponse::new(status(&self), self.to_string());
        match (self.kind(), self.code(), self.details()) {
            (.., ErrorDetails::Unavailable(reason)) => unavailable(reason),
            (.., ErrorDetails::Fields(errors)) => validation_error(model, errors),
            (_, code, ErrorDetails::User(id)) => response().code(code.to_owned()).details(json!({ "userId": id })),
            // The token that was sent for a flow is like one that was sent for a request.
            (ErrorKind::Unauthenticated, "INVALID_TOKEN", ErrorDetails::None) => AuthRejection::Invalid.to_error(),
            (_, code, ErrorDetails::None) if WITHOUT_CODE.contains(&code) => response(),
            (_, code, _) => response().code(code.to_owned()),
        }
    }
}

/// The errors that have no code in LoopBack.
const WITHOUT_CODE: [&str; 3] = ["ID_CHANGE_NOT_ALLOWED", "MALFORMED_FILTER", "TOKEN_NOT_FOUND"];

/// The errors for which LoopBack has 401 in place of the status of their kind.
const UNAUTHORIZED: [&str; 2] = ["PASSWORD_CHANGE_NOT_ALLOWED", "RESET_FAILED_EMAIL_NOT_VERIFIED"];

fn status(error: &impl FlowError) -> StatusCode {
    match error.kind() {
        // The code of a hook is the app's.
        ErrorKind::Forbidden if matches!(error.details(), ErrorDetails::Veto(_)) => StatusCode::FORBIDDEN,
        _ if UNAUTHORIZED.contains(&error.code()) => StatusCode::UNAUTHORIZED,
        ErrorKind::Invalid => StatusCode::BAD_REQUEST,
        ErrorKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        ErrorKind::Forbidden => StatusCode::FORBIDDEN,
        ErrorKind::NotFound => StatusCode::NOT_FOUND,
        ErrorKind::Conflict => StatusCode::CONFLICT,
        ErrorKind::Unprocessable => StatusCode::UNPROCESSABLE_ENTITY,
        ErrorKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        ErrorKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// 503 with `Retry-After`, or 500 where trying again does not help. The log says why.
fn unavailable(reason: &Unavailable) -> ErrorResponse {
    tracing::error!(error = %reason, "a request failed");
    if reason.is_fault() {
        return ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    }
    ErrorResponse::unavailable(reason.retry_after())
}
