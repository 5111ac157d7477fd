//! What a client sent: JSON or a form, as LoopBack's body parser reads it.
//!
//! 1. `application/json` is any JSON value; an empty body is `{}`; a byte order mark is skipped; of
//!    equal keys the last wins.
//! 2. `application/x-www-form-urlencoded` is an object of texts; `a[b]=1` nests, and what comes
//!    twice is an array.
//! 3. A body of another type, or without a content type, is 415. Where
//!    `Answers::unread_body_counts_as_empty` is set, it is `{}`, whatever it holds, as in
//!    LoopBack. An empty body is `{}` whatever its type.
//! 4. gzip and deflate are unpacked. Another content encoding is 415, and so is a charset other
//!    than UTF-8. More than 100 KiB is 413, as sent or as unpacked. A body that is not complete
//!    within `policy.limits.body_timeout` is 408.
//! 5. A form that is not UTF-8, as bytes or percent-encoded, is 400: LoopBack puts the same
//!    character in place of every byte that it cannot read, which makes different passwords one. So
//!    is a form that nests deeper than [`qs::MAX_NESTING`] levels.

use axum::body::Body;
use axum::http::header::{CONTENT_ENCODING, HeaderMap};
use axum::http::{HeaderValue, StatusCode};
use gatekit_core::{Password, Policy};
use gatekit_layer::ErrorResponse;
use gatekit_web::{BodyError, foreign_charset, is_form_utf8, media_type, read_body};
use serde_json::{Map, Value};

use crate::Answers;
use crate::qs;
use crate::validation_error::shorten;

/// Bytes of a body; the limit of every generated LoopBack project.
const MAX_BYTES: usize = 100 * 1024;

/// The body of a request.
pub(crate) struct Args {
    value: Value,
    is_json: bool,
}

impl Default for Args {
    /// What a request without a body has.
    fn default() -> Self {
        Self { value: Value::Object(Map::new()), is_json: false }
    }
}

/// A body that is an object, or `null`, which counts as left out.
pub(crate) struct Credentials(Option<Map<String, Value>>);

impl Credentials {
    /// The object, or the answer for a caller that left it out. That is asked after authorization,
    /// that it is an object before.
    pub(crate) fn required(self, name: &str) -> Result<Map<String, Value>, ErrorResponse> {
        self.0.ok_or_else(|| required(name))
    }

    /// The text of this member, if the body is an object that has no other.
    pub(crate) fn only_text(&self, name: &str) -> Option<&str> {
        let object = self.0.as_ref().filter(|object| object.len() == 1)?;
        object.get(name)?.as_str()
    }
}

impl Args {
    /// A member of the body, if it is an object and has it.
    pub(crate) fn member(&self, name: &str) -> Option<&Value> {
        self.value.get(name)
    }

    /// Whether it was sent as JSON, which has types: in a form all is text.
    pub(crate) fn is_json(&self) -> bool {
        self.is_json
    }

    /// Takes the body, if it is an array.
    pub(crate) fn take_array(&mut self) -> Option<Vec<Value>> {
        match &mut self.value {
            Value::Array(items) => Some(std::mem::take(items)),
            _ => None,
        }
    }

    /// The body as an object that is required later.
    pub(crate) fn into_credentials(self) -> Result<Credentials, ErrorResponse> {
        match self.value {
            Value::Object(object) => Ok(Credentials(Some(object))),
            Value::Null => Ok(Credentials(None)),
            _ => Err(bad_request("Value is not an object.")),
        }
    }

    /// The body as an object. `name` is what LoopBack calls the argument that the body is.
    pub(crate) fn into_object(self, name: &str) -> Result<Map<String, Value>, ErrorResponse> {
        match self.value {
            Value::Object(object) => Ok(object),
            Value::Null => Err(required(name)),
            _ => Err(bad_request("Value is not an object.")),
        }
    }

    /// The body as an object; `null` is an empty one.
    pub(crate) fn into_object_or_empty(self) -> Result<Map<String, Value>, ErrorResponse> {
        match self.value {
            Value::Null => Ok(Map::new()),
            _ => self.into_object(""),
        }
    }

    /// A text among the arguments. That it is one is checked before authorization, that it is there
    /// only after: see [`Argument::required`].
    pub(crate) fn text(&self, name: &'static str) -> Result<Argument, ErrorResponse> {
        let text = match self.member(name) {
            None => None,
            Some(Value::String(text)) => Some(text.clone()),
            Some(_) => return Err(bad_request("Value is not a string.")),
        };
        Ok(Argument { name, text: text.filter(|text| !text.is_empty()) })
    }
}

/// A text among the arguments, if it is there.
pub(crate) struct Argument {
    name: &'static str,
    text: Option<String>,
}

impl Argument {
    /// The text, or the answer for a caller that left it out. An empty one counts as left out.
    pub(crate) fn required(self) -> Result<Password, ErrorResponse> {
        self.text.map(Password::from).ok_or_else(|| required(self.name))
    }
}

fn required(name: &str) -> ErrorResponse {
    bad_request(format!("{name} is a required argument"))
}

fn bad_request(message: impl Into<std::borrow::Cow<'static, str>>) -> ErrorResponse {
    ErrorResponse::new(StatusCode::BAD_REQUEST, message)
}

impl Args {
    /// Reads the body of a request with these headers.
    pub(crate) async fn read(
        policy: &Policy,
        answers: &Answers,
        headers: &HeaderMap,
        body: Body,
    ) -> Result<Self, ErrorResponse> {
        let kind = Kind::of(headers)?;
        if kind == Kind::Other {
            return unread(policy, answers, headers, body).await;
        }
        let bytes = read_body(policy, headers, body, MAX_BYTES).await.map_err(|error| failure(error, headers))?;
        match kind {
            Kind::Form => Ok(Self { value: Value::Object(parse_form(&bytes)?), is_json: false }),
            _ => Ok(Self { value: parse_json(&bytes)?, is_json: true }),
        }
    }
}

/// A body of a type that is not read. It is taken off the connection, packed or not.
async fn unread(policy: &Policy, answers: &Answers, headers: &HeaderMap, body: Body) -> Result<Args, ErrorResponse> {
    let bytes = match read_body(policy, &HeaderMap::new(), body, MAX_BYTES).await {
        Err(BodyError::TooLarge) if !answers.unread_body_counts_as_empty => {
            return Err(unsupported_type(headers));
        }
        read => read.map_err(|error| failure(error, headers))?,
    };
    if bytes.is_empty() || answers.unread_body_counts_as_empty {
        return Ok(Args::default());
    }
    Err(unsupported_type(headers))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Form,
    Other,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Result<Self, ErrorResponse> {
        let media_type = media_type(headers);
        let kind = if media_type.eq_ignore_ascii_case("application/json") {
            Self::Json
        } else if media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Self::Form
        } else {
            return Ok(Self::Other);
        };
        if let Some(charset) = foreign_charset(headers) {
            return Err(unsupported(format!("unsupported charset \"{}\"", charset.to_ascii_uppercase())));
        }
        Ok(kind)
    }
}

fn unsupported_type(headers: &HeaderMap) -> ErrorResponse {
    let found = match media_type(headers) {
        "" => "a body without a content type is not read".to_owned(),
        other => format!("unsupported content type \"{}\"", shorten(other)),
    };
    unsupported(format!("{found}: send application/json or application/x-www-form-urlencoded"))
}

fn unsupported(message: String) -> ErrorResponse {
    ErrorResponse::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).name("UnsupportedMediaTypeError")
}

/// The words of LoopBack's body parser.
fn failure(error: BodyError, headers: &HeaderMap) -> ErrorResponse {
    match error {
        BodyError::TooLarge => {
            ErrorResponse::new(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large").name("PayloadTooLargeError")
        }
        // LoopBack waits for ever.
        BodyError::TooSlow => {
            ErrorResponse::new(StatusCode::REQUEST_TIMEOUT, "request timed out").name("RequestTimeoutError")
        }
        BodyError::UnsupportedEncoding => {
            let names: Vec<_> = headers.get_all(CONTENT_ENCODING).iter().map(HeaderValue::as_bytes).collect();
            let name = String::from_utf8_lossy(&names.join(&b", "[..])).to_ascii_lowercase();
            unsupported(format!("unsupported content encoding \"{}\"", shorten(&name)))
        }
        BodyError::Inflate(error) => bad_request(error.to_string()).code(error.code()),
        _ => bad_request("request aborted").name("BadRequestError"),
    }
}

fn parse_form(bytes: &[u8]) -> Result<Map<String, Value>, ErrorResponse> {
    let not_utf8 = || bad_request("the form is not UTF-8").name("BadRequestError");
    let text = std::str::from_utf8(bytes).map_err(|_| not_utf8())?;
    if !is_form_utf8(text) {
        return Err(not_utf8());
    }
    qs::parse(text).map_err(|error| bad_request(error.to_string()).name("BadRequestError"))
}

/// The messages are V8's where they hold nothing of the body; V8 would quote it, and there may be a
/// password in it.
fn parse_json(bytes: &[u8]) -> Result<Value, ErrorResponse> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let text = bytes.trim_ascii();
    if text.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    serde_json::from_slice(text).map_err(|error| {
        let message = if text == b"{" {
            "Expected property name or '}' in JSON at position 1".to_owned()
        } else if error.is_eof() {
            "Unexpected end of JSON input".to_owned()
        } else {
            format!("Unexpected token in JSON at line {} column {}", error.line(), error.column())
        };
        bad_request(message).name("SyntaxError")
    })
}
