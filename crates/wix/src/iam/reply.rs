//! Responses in the form that clients of Wix read: JSON with status 200, or an error in the one
//! shape that the SDK reads. The SDK reports any other response as a failure of its own.

use std::borrow::Cow;

use axum::extract::Request;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, WWW_AUTHENTICATE};
use axum::http::request::Parts;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use gatekit_core::{TokenSecret, Unavailable};
use serde_json::{Map, Value, json};

use super::context::IamContext;
use super::secret_response::secret_response;
use crate::WixError;
use crate::routes::call::{bytes, check_type};

/// Why something was not done, as Wix says it.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// What the members' functions say.
    Members(WixError),
    /// What only these endpoints say.
    Own(Own),
}

/// See [`Refusal::new`].
#[derive(Debug)]
pub(crate) struct Own {
    status: StatusCode,
    code: &'static str,
    description: Cow<'static, str>,
    oauth: bool,
}

impl Refusal {
    pub(crate) fn new(status: StatusCode, code: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self::Own(Own { status, code, description: description.into(), oauth: false })
    }

    /// What was sent cannot be read, or is not accepted.
    pub(crate) fn validation(description: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "-19988", description)
    }

    /// Nobody is sent there.
    pub(crate) fn redirect() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_REDIRECT", "the address is not below an allowed origin")
    }

    /// The client is not known.
    pub(crate) fn client() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_CLIENT", "the client is not known")
    }

    /// Who asks is nobody, or no longer.
    pub(crate) fn session() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "-19984", "the session is not valid")
    }

    /// At the token endpoint: with the members that RFC 6749 §5.2 has, too. `code` is one of its
    /// words.
    pub(crate) fn oauth(status: StatusCode, code: &'static str, description: impl Into<Cow<'static, str>>) -> Self {
        Self::Own(Own { status, code, description: description.into(), oauth: true })
    }
}

impl From<WixError> for Refusal {
    fn from(error: WixError) -> Self {
        Self::Members(error)
    }
}

impl From<Unavailable> for Refusal {
    fn from(error: Unavailable) -> Self {
        Self::Members(error.into())
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let own = match self {
            Self::Members(error) => return error.into_response(),
            Self::Own(own) => own,
        };
        let mut body = Map::new();
        if own.oauth {
            body.insert("error".into(), own.code.into());
            body.insert("error_description".into(), (*own.description).into());
        }
        let error = json!({"code": own.code, "description": own.description, "data": {}});
        body.insert("message".into(), (*own.description).into());
        body.insert("details".into(), json!({"applicationError": error}));
        let mut response = json_response(own.status, &Value::Object(body));
        if own.status == StatusCode::UNAUTHORIZED {
            // RFC 9110 §15.5.2
            response.headers_mut().insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response
    }
}

/// A success.
pub(crate) fn json(body: Value) -> Response {
    json_response(StatusCode::OK, &body)
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    secret_response((status, [(CONTENT_TYPE, json)], body.to_string()))
}

/// The head of a request, and its body, which is a JSON object.
pub(crate) async fn read(iam: &IamContext, request: Request) -> Result<(Parts, Map<String, Value>), Refusal> {
    let (parts, body) = request.into_parts();
    check_type(&parts.headers, "application/json")?;
    match serde_json::from_slice(&bytes(iam.auth().policy(), &parts.headers, body).await?) {
        Ok(Value::Object(body)) => Ok((parts, body)),
        _ => Err(Refusal::validation("the body must be a JSON object")),
    }
}

/// A member of an object that is a text.
pub(crate) fn text<'a>(body: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
    body.get(member).and_then(Value::as_str)
}

/// A member of an object that must be a text.
pub(crate) fn required<'a>(body: &'a Map<String, Value>, member: &'static str) -> Result<&'a str, Refusal> {
    text(body, member).ok_or_else(|| Refusal::validation(format!("{member} is required and must be a text")))
}

/// The member's token that a client sends, as Wix's do: bare. Others write `Bearer` before it. What
/// cannot be such a token is passed over, such as a proxy's `Basic` or a visitor's token.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let bare = match value.split_at_checked("bearer ".len()) {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer ") => token.trim(),
        _ => value,
    };
    Some(bare).filter(|token| TokenSecret::is_well_formed(token))
}
