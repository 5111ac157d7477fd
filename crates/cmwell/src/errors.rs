//! The responses of `_login` and `_auth`, in CM-Well's words.

use axum::body::{Body, Bytes};
use axum::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use axum::http::{HeaderValue, Response, StatusCode};
use gatekit_core::{FlowError, LoginError, Unavailable};
use gatekit_web::private_url;
use serde::Serialize;

use crate::ExpError;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; charset=utf-8");
const JSON: HeaderValue = HeaderValue::from_static("application/json");

/// Why a login was refused.
pub(crate) enum LoginFailure {
    /// `exp` is refused.
    Exp(ExpError),
    /// The `Authorization` header is not what it should be. It is not repeated: there may be a
    /// password in it.
    Malformed,
    /// There is none, or none of a scheme that is offered.
    NoCredentials,
    /// They are wrong.
    WrongCredentials {
        /// Whether only the nonce of a Digest answer was.
        stale: bool,
    },
    /// They are right, and do not let in.
    Forbidden {
        /// The stable code.
        code: String,
        /// For people.
        message: String,
    },
    /// It cannot be done now.
    Unavailable(Unavailable),
}

impl From<Unavailable> for LoginFailure {
    fn from(error: Unavailable) -> Self {
        Self::Unavailable(error)
    }
}

impl From<LoginError> for LoginFailure {
    fn from(error: LoginError) -> Self {
        match error {
            LoginError::Unavailable(error) => Self::Unavailable(error),
            // A name that no account can have is one more that is wrong.
            LoginError::InvalidCredentials | LoginError::IdentifierRequired | LoginError::RealmRequired => {
                Self::WrongCredentials { stale: false }
            }
            other => Self::Forbidden { code: other.code().to_owned(), message: other.to_string() },
        }
    }
}

/// `{"success":false,"error":…}`, as `_login` says it.
#[derive(Serialize)]
struct LoginErrorBody<'a> {
    success: bool,
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
}

/// `{"success":…,"message":…}`, as `_auth` and the filter say it.
#[derive(Serialize)]
struct MessageBody<'a> {
    success: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<&'a str>,
}

impl LoginFailure {
    /// The answer. A 401 has these challenges.
    pub(crate) fn into_response(self, challenges: Vec<HeaderValue>) -> Response<Body> {
        let failed = |status, error: &str, code| json(status, &LoginErrorBody { success: false, error, code });
        match self {
            Self::Exp(error) => failed(StatusCode::BAD_REQUEST, &error.to_string(), None),
            Self::Malformed => failed(StatusCode::BAD_REQUEST, "malformed Authorization header", None),
            Self::NoCredentials => unauthorized("Please provide your credentials.\n", challenges),
            Self::WrongCredentials { .. } => unauthorized("Not authenticated.\n", challenges),
            Self::Forbidden { code, message } => failed(StatusCode::FORBIDDEN, &message, Some(&code)),
            Self::Unavailable(error) => {
                let (status, text) = status_of(&error);
                retry_later(failed(status, text, None), &error, "a login")
            }
        }
    }
}

/// A text for people.
pub(crate) fn text<B: From<Bytes>>(status: StatusCode, body: impl Into<Bytes>) -> Response<B> {
    with_type(status, TEXT, body.into())
}

/// A JSON body.
pub(crate) fn json<B: From<Bytes>>(status: StatusCode, body: &impl Serialize) -> Response<B> {
    // Texts always serialize.
    with_type(status, JSON, serde_json::to_vec(body).unwrap_or_default().into())
}

/// `{"success":true}`
pub(crate) fn success() -> Response<Body> {
    json(StatusCode::OK, &MessageBody { success: true, message: None })
}

/// `{"success":false,"message":…}`
pub(crate) fn failure<B: From<Bytes>>(status: StatusCode, message: &str) -> Response<B> {
    json(status, &MessageBody { success: false, message: Some(message) })
}

/// 401, with what would be accepted (RFC 9110 §15.5.2).
pub(crate) fn unauthorized(body: &'static str, challenges: Vec<HeaderValue>) -> Response<Body> {
    let mut response = text(StatusCode::UNAUTHORIZED, body);
    for challenge in challenges {
        response.headers_mut().append(WWW_AUTHENTICATE, challenge);
    }
    response
}

/// 503 of `_auth`, or 500.
pub(crate) fn unavailable(error: &Unavailable) -> Response<Body> {
    let (status, text) = status_of(error);
    retry_later(failure(status, text), error, "an operation of `_auth`")
}

/// 503, or 500 where trying again does not help.
pub(crate) fn status_of(error: &Unavailable) -> (StatusCode, &'static str) {
    match error.is_fault() {
        true => (StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable"),
    }
}

/// 405
pub(crate) fn method_not_allowed(allow: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(allow));
    response
}

/// With when to try again. The log says why.
pub(crate) fn retry_later<B>(mut response: Response<B>, error: &Unavailable, what: &str) -> Response<B> {
    tracing::error!(%error, "{what} failed because it cannot be done now");
    if !error.is_fault() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(error.retry_after()));
    }
    response
}

/// Finishes every response of `_login` and `_auth`: no cache keeps it (ASVS 14.3.2), and no other
/// site gets its URL.
pub(crate) async fn unkept(response: Response<Body>) -> Response<Body> {
    private_url(response)
}

fn with_type<B: From<Bytes>>(status: StatusCode, content_type: HeaderValue, body: Bytes) -> Response<B> {
    let mut response = Response::new(B::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, content_type);
    response
}
