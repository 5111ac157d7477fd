//! The one shape of all error bodies, which is LoopBack's.

use std::borrow::Cow;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde::Serialize;

/// An error as clients see it: `{"error":{"statusCode":401,"name":"Error","message":"…","code":"…"}}`.
///
/// Members come in this order, and `code` and `details` only if there are any (LoopBack's production form). Clients may rely on
/// `statusCode` and `code`; the message is for people. Every 401 carries `WWW-Authenticate` (RFC 9110 §15.5.2).
///
/// ```
/// use gatekit_layer::ErrorResponse;
/// use http::StatusCode;
///
/// let error = ErrorResponse::new(StatusCode::CONFLICT, "This name is taken").code("NAME_TAKEN");
/// assert_eq!(
///     error.body(),
///     r#"{"error":{"statusCode":409,"name":"Error","message":"This name is taken","code":"NAME_TAKEN"}}"#
/// );
/// ```
#[derive(Clone, Debug)]
pub struct ErrorResponse(Box<Contents>);

/// In a box, because what can fail should not cost those who succeed 250 bytes.
#[derive(Clone, Debug)]
struct Contents {
    status: StatusCode,
    name: Cow<'static, str>,
    message: Cow<'static, str>,
    code: Option<Cow<'static, str>>,
    details: Option<serde_json::Value>,
    headers: HeaderMap,
}

#[derive(Serialize)]
struct Wrapper<'a> {
    error: Members<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Members<'a> {
    status_code: u16,
    name: &'a str,
    message: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    details: Option<&'a serde_json::Value>,
}

impl ErrorResponse {
    /// With a status and a text for people.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        let mut headers = HeaderMap::new();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        let name = "Error".into();
        Self(Box::new(Contents { status, name, message: message.into(), code: None, details: None, headers }))
    }

    /// 503, which the client may try again after this many seconds.
    #[must_use]
    pub fn unavailable(retry_after: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            .code("SERVICE_UNAVAILABLE")
            .header(RETRY_AFTER, HeaderValue::from(retry_after))
    }

    /// With a stable code.
    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// With another name than `Error`: LoopBack has `ValidationError`, `SyntaxError` and a few more.
    #[must_use]
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.name = name.into();
        self
    }

    /// With details, as JSON.
    #[must_use]
    pub fn details(mut self, details: serde_json::Value) -> Self {
        self.0.details = Some(details);
        self
    }

    /// With a header, in place of any of that name.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.0.headers.insert(name, value);
        self
    }

    /// The status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.0.status
    }

    /// The body, as JSON text.
    #[must_use]
    pub fn body(&self) -> String {
        let Contents { status, name, message, code, details, .. } = &*self.0;
        let error =
            Members { status_code: status.as_u16(), name, message, code: code.as_deref(), details: details.as_ref() };
        // Strings and JSON values always serialize.
        serde_json::to_string(&Wrapper { error }).unwrap_or_default()
    }

    /// The whole answer, with a body of any type that can be made from bytes.
    pub fn into_http<B: From<bytes::Bytes>>(self) -> http::Response<B> {
        let mut response = http::Response::new(B::from(self.body().into()));
        *response.status_mut() = self.0.status;
        *response.headers_mut() = self.0.headers;
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        response
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        self.into_http::<Body>()
    }
}
