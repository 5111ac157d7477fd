//! What goes wrong, and how is a client told? In the envelope that Wix' clients read.

use axum::body::Body;
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use gatekit_core::{
    ErrorDetails, ErrorKind, FieldError, FieldProblem, FlowError, HookVeto, LoginError, PasswordError, RegisterError,
    RequestEmailCodeError, SetAccountStatusError, TokenSecret, Unavailable, UpdateUserError,
};
use gatekit_layer::AuthRejection;
use gatekit_web::{BrowserError, private};
use serde_json::{Map, Value, json};

use crate::TokenError;

/// Why a member or its client does not get what it wants.
///
/// | | status | code |
/// | --- | --- | --- |
/// | [`InvalidCredentials`](Self::InvalidCredentials) | 401 | `-19976` |
/// | [`ApprovalRequired`](Self::ApprovalRequired) | 403 | `-19958` |
/// | [`Blocked`](Self::Blocked) | 403 | `-19956` |
/// | [`PasswordReset`](Self::PasswordReset) | 403 | `-19973` |
/// | [`EmailVerificationRequired`](Self::EmailVerificationRequired) | 428 | `EMAIL_VERIFICATION_REQUIRED`, with `data.stateToken` |
/// | [`VerificationFailed`](Self::VerificationFailed) | 400 | `VERIFICATION_FAILED` |
/// | [`Throttled`](Self::Throttled) | 429 | `-19959` |
/// | [`EmailTaken`](Self::EmailTaken) | 409 | `-19995` |
/// | [`EmailMissing`](Self::EmailMissing) | 400 | `-18880` |
/// | [`Invalid`](Self::Invalid) | 400 | `-19988`, with `validationError.fieldViolations` |
/// | [`InvalidSessionToken`](Self::InvalidSessionToken), [`InvalidApprovalToken`](Self::InvalidApprovalToken) | 401 | `-19984` |
/// | [`InvalidRecoveryToken`](Self::InvalidRecoveryToken) | 401 | `-19972` |
/// | [`UnknownMember`](Self::UnknownMember) | 404 | `-19999` |
/// | [`Refused`](Self::Refused) | 403 | the hook's |
/// | [`BadRequest`](Self::BadRequest) | 400, 408, 413, 415 | `-19988` |
/// | [`Rejected`](Self::Rejected) | as the layer says | `CROSS_ORIGIN_REQUEST` and the like |
/// | [`Conflict`](Self::Conflict) | 409 | `CONFLICT` |
/// | [`Unsupported`](Self::Unsupported) | 500 | `UNSUPPORTED` |
/// | [`Unavailable`](Self::Unavailable) | 503 | `SERVICE_UNAVAILABLE`; 500 `INTERNAL_ERROR` where [`Unavailable::is_fault`] |
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WixError {
    /// Unknown address or wrong password; or a member that is blocked or waits for approval, and
    /// the password is wrong.
    #[error("the email or the password is wrong")]
    InvalidCredentials,
    /// The password is right, and the site has yet to approve of the member.
    #[error("the member waits to be approved")]
    ApprovalRequired,
    /// The password is right, and the member is blocked.
    #[error("the member is blocked")]
    Blocked,
    /// The password is right, and the site's owner has reset it: the member must choose a new one
    /// by mail.
    #[error("the password was reset by the owner; choose a new one")]
    PasswordReset,
    /// The password is right, and the address is to be verified first: a code of six digits is on
    /// its way to it.
    #[error("the email must be verified first")]
    EmailVerificationRequired {
        /// What the code must be sent with. `None` where no code was mailed: a session token that
        /// the app made without a login.
        state_token: Option<TokenSecret>,
    },
    /// The code is wrong or has ended, was tried too often, or the state token belongs to nothing.
    /// A client does not learn which: it would learn whether there is a member.
    #[error("the code is wrong or has ended")]
    VerificationFailed,
    /// Too many codes were tried. Another one can be asked for in a few minutes.
    #[error("too many codes were tried")]
    Throttled,
    /// Another member has this address.
    #[error("the email belongs to a member already")]
    EmailTaken,
    /// There is no address.
    #[error("an email is required")]
    EmailMissing,
    /// Fields are not as they should be.
    #[error("{}", .0.iter().map(|one| format!("{}: {}", one.field, one.description)).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<FieldViolation>),
    /// The session token cannot be applied. A client does not learn why.
    #[error("the session token is not valid")]
    InvalidSessionToken(#[source] TokenError),
    /// The approval token approves nobody.
    #[error("the approval token is not valid")]
    InvalidApprovalToken(#[source] TokenError),
    /// The secret from the mail chooses no password: it is unknown, used, or has ended.
    #[error("the link has ended")]
    InvalidRecoveryToken,
    /// There is no such member. Only functions for trusted callers say so.
    #[error("there is no such member")]
    UnknownMember,
    /// A hook of the app's refused it.
    #[error(transparent)]
    Refused(#[from] HookVeto),
    /// The request cannot be read: its status and what is wrong with it.
    #[error("{1}")]
    BadRequest(StatusCode, &'static str),
    /// The layer refuses the request: it comes from another origin, or the app is put together
    /// wrongly.
    #[error(transparent)]
    Rejected(#[from] AuthRejection),
    /// The member was changed at the same time.
    #[error("the member was changed at the same time")]
    Conflict,
    /// The store of the users cannot do it.
    #[error("the store of the users cannot do this")]
    Unsupported,
    /// It cannot be done now.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// What is wrong with a field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct FieldViolation {
    /// Its name on the wire.
    pub field: String,
    /// What is wrong, for people. Never what was sent: it may be a password.
    pub description: String,
    /// What kind of value it should be. Wix' clients look for `EMAIL`.
    pub kind: &'static str,
}

impl FieldViolation {
    /// Of this field.
    #[must_use]
    pub fn new(field: impl Into<String>, description: impl Into<String>) -> Self {
        let field = field.into();
        let kind = match field.as_str() {
            "email" | "loginId.email" => "EMAIL",
            "password" => "PASSWORD",
            _ => "OTHER",
        };
        Self { field, description: description.into(), kind }
    }

    fn to_json(&self) -> Value {
        json!({"field": self.field, "description": self.description, "data": {"type": self.kind}})
    }
}

impl WixError {
    /// One field that is not as it should be.
    #[must_use]
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self::Invalid(vec![FieldViolation::new(field, description)])
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::InvalidCredentials
            | Self::InvalidSessionToken(_)
            | Self::InvalidApprovalToken(_)
            | Self::InvalidRecoveryToken => StatusCode::UNAUTHORIZED,
            Self::ApprovalRequired | Self::Blocked | Self::PasswordReset | Self::Refused(_) => StatusCode::FORBIDDEN,
            Self::EmailVerificationRequired { .. } => StatusCode::PRECONDITION_REQUIRED,
            Self::VerificationFailed | Self::EmailMissing | Self::Invalid(_) => StatusCode::BAD_REQUEST,
            Self::Throttled => StatusCode::TOO_MANY_REQUESTS,
            Self::EmailTaken | Self::Conflict => StatusCode::CONFLICT,
            Self::UnknownMember => StatusCode::NOT_FOUND,
            Self::BadRequest(status, _) => *status,
            Self::Rejected(rejection) => rejection.to_error().status(),
            Self::Unsupported => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable(error) if error.is_fault() => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The stable code: `applicationError.code`.
    #[must_use]
    pub fn code(&self) -> &str {
        match self {
            Self::InvalidCredentials => "-19976",
            Self::ApprovalRequired => "-19958",
            Self::Blocked => "-19956",
            Self::PasswordReset => "-19973",
            Self::EmailVerificationRequired { .. } => "EMAIL_VERIFICATION_REQUIRED",
            Self::VerificationFailed => "VERIFICATION_FAILED",
            Self::Throttled => "-19959",
            Self::EmailTaken => "-19995",
            Self::EmailMissing => "-18880",
            Self::Invalid(_) | Self::BadRequest(..) => "-19988",
            Self::InvalidSessionToken(_) | Self::InvalidApprovalToken(_) => "-19984",
            Self::InvalidRecoveryToken => "-19972",
            Self::UnknownMember => "-19999",
            Self::Refused(refusal) => &refusal.code,
            Self::Rejected(AuthRejection::CrossOrigin) => "CROSS_ORIGIN_REQUEST",
            Self::Rejected(AuthRejection::Unavailable(error)) if error.is_corrupt() => "INTERNAL_ERROR",
            Self::Unavailable(error) if error.is_fault() => "INTERNAL_ERROR",
            Self::Rejected(AuthRejection::Unavailable(_)) | Self::Unavailable(_) => "SERVICE_UNAVAILABLE",
            Self::Rejected(AuthRejection::Misconfigured(_)) => "MISCONFIGURED",
            Self::Rejected(_) => "UNAUTHENTICATED",
            Self::Conflict => "CONFLICT",
            Self::Unsupported => "UNSUPPORTED",
        }
    }

    /// What people are told.
    fn description(&self) -> String {
        match self {
            // What a store or a queue complains of is for the log.
            Self::Unavailable(error) if error.is_fault() => "Internal Server Error".into(),
            Self::Unavailable(_) | Self::Rejected(AuthRejection::Unavailable(_)) => "Service Unavailable".into(),
            other => other.to_string(),
        }
    }

    fn data(&self) -> Value {
        match self {
            Self::EmailVerificationRequired { state_token: Some(token) } => json!({"stateToken": token.expose()}),
            _ => json!({}),
        }
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self) -> Value {
        let description = self.description();
        let error = json!({"code": self.code(), "description": description, "data": self.data()});
        // First and always: without it the SDK does not understand a refused login.
        let mut details = Map::from_iter([("applicationError".to_owned(), error)]);
        if let Self::Invalid(violations) = self {
            let violations: Vec<Value> = violations.iter().map(FieldViolation::to_json).collect();
            details.insert("validationError".to_owned(), json!({"fieldViolations": violations}));
        }
        json!({"message": description, "details": details})
    }
}

impl IntoResponse for WixError {
    fn into_response(self) -> Response {
        let (status, body) = (self.status(), self.body().to_string());
        let mut response = Response::new(Body::from(body));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        if status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §15.5.2
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        match &self {
            Self::Unavailable(error) => {
                tracing::error!(%error, "a request about a member failed");
                if !error.is_fault() {
                    headers.insert(RETRY_AFTER, HeaderValue::from(error.retry_after()));
                }
            }
            Self::Rejected(AuthRejection::Unavailable(error)) => {
                tracing::error!(%error, "a request about a member failed");
                if !error.is_corrupt() {
                    headers.insert(RETRY_AFTER, HeaderValue::from(1));
                }
            }
            Self::Rejected(AuthRejection::Misconfigured(mistake)) => tracing::error!("{mistake}"),
            Self::Unsupported => tracing::error!("the store of the users keeps no status, or cannot update users"),
            Self::InvalidSessionToken(error) => tracing::info!(%error, "a session token was refused"),
            _ => {}
        }
        private(response)
    }
}

impl From<BrowserError> for WixError {
    fn from(error: BrowserError) -> Self {
        match error {
            BrowserError::Rejected(rejection) => rejection.into(),
            BrowserError::Unavailable(error) => error.into(),
        }
    }
}

/// Errors of the flows become Wix's by their kind. What Wix names otherwise, it names by its code.
fn of_flow(error: &impl FlowError) -> WixError {
    match error.details() {
        ErrorDetails::Unavailable(reason) => return WixError::Unavailable(reason.clone()),
        ErrorDetails::Veto(veto) => return WixError::Refused(veto.clone()),
        ErrorDetails::Fields(errors) => return fields(errors),
        _ => {}
    }
    match (error.code(), error.kind()) {
        ("USERNAME_EMAIL_REQUIRED", _) => WixError::EmailMissing,
        ("ACCOUNT_PENDING", _) => WixError::ApprovalRequired,
        ("ACCOUNT_BLOCKED", _) => WixError::Blocked,
        ("PASSWORD_RESET", _) => WixError::PasswordReset,
        // The caller of a login adds the state token.
        ("LOGIN_FAILED_EMAIL_NOT_VERIFIED", _) => WixError::EmailVerificationRequired { state_token: None },
        // Members have no realms, and ask for no lifetime.
        ("REALM_REQUIRED" | "INVALID_TTL", _) | (_, ErrorKind::Unauthenticated) => WixError::InvalidCredentials,
        (_, ErrorKind::NotFound) => WixError::UnknownMember,
        (_, ErrorKind::Conflict) => WixError::Conflict,
        (_, ErrorKind::TooMany) => WixError::Throttled,
        // Of what is not a list of fields, only a password is not acceptable.
        (_, ErrorKind::Unprocessable) => WixError::invalid("password", error.to_string()),
        _ => WixError::Unsupported,
    }
}

macro_rules! from_flows {
    ($($Error:ty),*) => {$(
        impl From<$Error> for WixError {
            fn from(error: $Error) -> Self {
                of_flow(&error)
            }
        }
    )*};
}

from_flows!(LoginError, PasswordError, RegisterError, RequestEmailCodeError, SetAccountStatusError, UpdateUserError);

/// What is wrong with the fields of an account.
pub(crate) fn fields(errors: &[FieldError]) -> WixError {
    match errors {
        [only] if only.field == "email" && only.problem == FieldProblem::Taken => WixError::EmailTaken,
        [only] if only.field == "email" && only.problem == FieldProblem::Missing => WixError::EmailMissing,
        errors => {
            let violation = |one: &FieldError| FieldViolation::new(&*one.field, one.problem.to_string());
            WixError::Invalid(errors.iter().map(violation).collect())
        }
    }
}
