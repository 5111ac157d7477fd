//! What did a client send? A JSON object, of this origin.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Request};
use axum::http::header::{ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_TYPE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::Response;
use gatekit_core::{MailOptions, Password, Policy};
use gatekit_layer::refuse_cross_origin_of;
use gatekit_web::{BodyError, read_body};
use serde_json::{Map, Value};

use crate::member::MemberUser;
use crate::{WixError, WixMembers};

/// Bytes of a body.
const MAX_BYTES: usize = 100 * 1024;

/// The members, for the client that sent the request.
pub(crate) struct Members(pub(crate) WixMembers);

impl FromRequestParts<WixMembers> for Members {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, members: &WixMembers) -> Result<Self, Infallible> {
        Ok(Self(members.for_client(gatekit_web::client(members.auth(), parts))))
    }
}

/// A POST.
pub(crate) struct Call {
    pub(crate) parts: Parts,
    body: Fields,
}

/// The members of a JSON object.
pub(crate) struct Fields(Map<String, Value>);

impl Call {
    /// Refuses what a page of another origin has sent, and reads the body.
    pub(crate) async fn begin(members: &WixMembers, request: Request) -> Result<Self, WixError> {
        let (parts, body) = request.into_parts();
        refuse_cross_origin_of::<MemberUser>(&parts)?;
        let body = Fields::read(members.auth().policy(), &parts.headers, body).await?;
        Ok(Self { parts, body })
    }

    /// The body.
    pub(crate) fn body(&mut self) -> &mut Fields {
        &mut self.body
    }

    /// How the mails of this request are written: in the language the client prefers.
    pub(crate) fn mails(&self, members: &WixMembers) -> MailOptions {
        mails(&self.parts, members)
    }
}

/// How the mails of a request are written.
pub(crate) fn mails(parts: &Parts, members: &WixMembers) -> MailOptions {
    // No mount: these routes have no pages that a link could lead to.
    let mut mails = MailOptions::default();
    let preferred = parts.headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    mails.language = preferred.map(|preferred| members.auth().texts().negotiate(preferred).to_owned());
    mails
}

impl Fields {
    /// Reads a JSON object. Nothing else is one: a page of another site can send a form or a text
    /// unasked, and JSON only if the app lets it.
    pub(crate) async fn read(policy: &Policy, headers: &HeaderMap, body: Body) -> Result<Self, WixError> {
        check_type(headers, "application/json")?;
        let bytes = bytes(policy, headers, body).await?;
        let value = serde_json::from_slice(&bytes)
            .map_err(|_| WixError::BadRequest(StatusCode::BAD_REQUEST, "the body is not JSON"))?;
        match value {
            Value::Object(fields) => Ok(Self(fields)),
            _ => Err(WixError::BadRequest(StatusCode::BAD_REQUEST, "the body must be a JSON object")),
        }
    }

    /// Of an object within another.
    pub(crate) fn object(&mut self, name: &str) -> Result<Option<Self>, WixError> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Object(fields)) => Ok(Some(Self(fields))),
            Some(_) => Err(WixError::invalid(name, "must be an object")),
        }
    }

    /// A text, which may be empty.
    pub(crate) fn text(&mut self, name: &str) -> Result<Option<String>, WixError> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(WixError::invalid(name, "must be a text")),
        }
    }

    /// A text that has to be there.
    pub(crate) fn required(&mut self, name: &str) -> Result<String, WixError> {
        let text = self.text(name)?.filter(|text| !text.is_empty());
        text.ok_or_else(|| WixError::invalid(name, "is required"))
    }

    /// The address, which has to be there.
    pub(crate) fn email(&mut self) -> Result<String, WixError> {
        self.text("email")?.filter(|email| !email.is_empty()).ok_or(WixError::EmailMissing)
    }

    /// The password, which has to be there.
    pub(crate) fn password(&mut self) -> Result<Password, WixError> {
        self.required("password").map(Password::from)
    }

    /// Yes or no; no, if it is not there.
    pub(crate) fn flag(&mut self, name: &str) -> Result<bool, WixError> {
        match self.0.remove(name) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(flag)) => Ok(flag),
            Some(_) => Err(WixError::invalid(name, "must be true or false")),
        }
    }

    /// The object itself.
    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.0)
    }
}

/// Whether the body is of this type, in UTF-8.
pub(crate) fn check_type(headers: &HeaderMap, wanted: &str) -> Result<(), WixError> {
    let unsupported = |what| Err(WixError::BadRequest(StatusCode::UNSUPPORTED_MEDIA_TYPE, what));
    let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::to_str).and_then(Result::ok).unwrap_or_default();
    let mut parts = content_type.split(';').map(str::trim);
    if !parts.next().unwrap_or_default().eq_ignore_ascii_case(wanted) {
        return unsupported("the body must be application/json");
    }
    let charsets = parts.filter_map(|parameter| parameter.split_once('='));
    let mut charsets = charsets.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    if charsets.any(|(_, charset)| !charset.trim().trim_matches('"').eq_ignore_ascii_case("utf-8")) {
        return unsupported("the body must be in UTF-8");
    }
    Ok(())
}

/// The bytes of a body, unpacked, if they are not too many and arrive in time.
pub(crate) async fn bytes(policy: &Policy, headers: &HeaderMap, body: Body) -> Result<Bytes, WixError> {
    read_body(policy, headers, body, MAX_BYTES).await.map_err(|error| match error {
        BodyError::TooLarge => WixError::BadRequest(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large"),
        BodyError::TooSlow => WixError::BadRequest(StatusCode::REQUEST_TIMEOUT, "the body did not arrive in time"),
        BodyError::UnsupportedEncoding => WixError::BadRequest(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "the body must be sent as it is, or as gzip or deflate",
        ),
        BodyError::Inflate(_) => WixError::BadRequest(StatusCode::BAD_REQUEST, "the body cannot be unpacked"),
        _ => WixError::BadRequest(StatusCode::BAD_REQUEST, "the body was cut off"),
    })
}

/// The pairs of a query or a form.
pub(crate) fn pairs(text: &[u8]) -> Result<Vec<(String, String)>, WixError> {
    let pairs: Option<_> = gatekit_web::form_pairs(text).collect();
    pairs.ok_or(WixError::BadRequest(StatusCode::BAD_REQUEST, "the parameters are not UTF-8"))
}

/// An answer that no cache keeps.
pub(crate) fn answer(value: &Value) -> Response {
    let mut response = Response::new(Body::from(value.to_string()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer without a body.
pub(crate) fn no_content() -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Adds cookies to an answer.
pub(crate) fn with_cookies(mut response: Response, headers: &HeaderMap) -> Response {
    for cookie in headers.get_all(SET_COOKIE) {
        response.headers_mut().append(SET_COOKIE, cookie.clone());
    }
    response
}
