//! What a client sent: JSON or a form, as LoopBack's body parser reads it.
//!
//! 1. `application/json` is any JSON value; an empty body is `{}`; a byte order mark is skipped; of equal keys the last wins.
//! 2. `application/x-www-form-urlencoded` is an object of texts; `a[b]=1` nests.
//! 3. Anything else, or no content type, is `{}`, whatever the body holds.
//! 4. A charset other than UTF-8, or a content encoding, is 415. More than 100 KiB is 413.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderMap};
use axum::http::{HeaderValue, StatusCode};
use gatekit_core::Password;
use gatekit_layer::ErrorResponse;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde_json::{Map, Value};

/// Bytes of a body; the limit of every generated LoopBack project.
const MAX_BYTES: usize = 100 * 1024;

/// The body of a request.
pub(crate) struct Args(Value);

impl Args {
    /// The body as an object. `name` is what LoopBack calls the argument that the body is.
    pub(crate) fn into_object(self, name: &str) -> Result<Map<String, Value>, ErrorResponse> {
        match self.0 {
            Value::Object(object) => Ok(object),
            Value::Null => Err(required(name)),
            _ => Err(bad_request("Value is not an object.")),
        }
    }

    /// The body as an object; `null` is an empty one.
    pub(crate) fn into_object_or_empty(self) -> Result<Map<String, Value>, ErrorResponse> {
        match self.0 {
            Value::Null => Ok(Map::new()),
            _ => self.into_object(""),
        }
    }

    /// A text among the arguments. That it is one is checked before authorization, that it is there only after: see
    /// [`Argument::required`].
    pub(crate) fn text(&self, name: &'static str) -> Result<Argument, ErrorResponse> {
        let text = match self.0.get(name) {
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
    /// The text, or the answer for who left it out. An empty one counts as left out.
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

impl<S: Sync> FromRequest<S> for Args {
    type Rejection = ErrorResponse;

    async fn from_request(request: Request, _: &S) -> Result<Self, ErrorResponse> {
        let (parts, body) = request.into_parts();
        let kind = Kind::of(&parts.headers)?;
        let bytes = read(body).await?;
        match kind {
            Kind::Json => parse_json(&bytes).map(Self),
            Kind::Form => Ok(Self(Value::Object(parse_form(&bytes)))),
            Kind::Other => Ok(Self(Value::Object(Map::new()))),
        }
    }
}

enum Kind {
    Json,
    Form,
    Other,
}

impl Kind {
    fn of(headers: &HeaderMap) -> Result<Self, ErrorResponse> {
        let content_type = headers.get(CONTENT_TYPE).map(HeaderValue::to_str).and_then(Result::ok).unwrap_or_default();
        let mut parts = content_type.split(';').map(str::trim);
        let essence = parts.next().unwrap_or_default();
        let kind = if essence.eq_ignore_ascii_case("application/json") {
            Self::Json
        } else if essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            Self::Form
        } else {
            return Ok(Self::Other);
        };
        for parameter in parts {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            let charset = value.trim().trim_matches('"');
            if name.trim().eq_ignore_ascii_case("charset") && !charset.eq_ignore_ascii_case("utf-8") {
                return Err(unsupported(format!("unsupported charset \"{}\"", charset.to_ascii_uppercase())));
            }
        }
        match headers.get(CONTENT_ENCODING).map(HeaderValue::as_bytes) {
            None | Some(b"" | b"identity") => Ok(kind),
            Some(other) => {
                let name = String::from_utf8_lossy(other).to_ascii_lowercase();
                Err(unsupported(format!("unsupported content encoding \"{name}\"")))
            }
        }
    }
}

fn unsupported(message: String) -> ErrorResponse {
    ErrorResponse::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message).name("UnsupportedMediaTypeError")
}

async fn read(body: Body) -> Result<Vec<u8>, ErrorResponse> {
    match Limited::new(body, MAX_BYTES).collect().await {
        Ok(collected) => Ok(collected.to_bytes().into()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(ErrorResponse::new(StatusCode::PAYLOAD_TOO_LARGE, "request entity too large")
                .name("PayloadTooLargeError"))
        }
        Err(_) => Err(bad_request("request aborted").name("BadRequestError")),
    }
}

/// The messages are V8's where they hold nothing of the body; V8 would quote it, and there may be a password in it.
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

/// How deep `a[b][c]` may nest; the rest of a key is taken as it is. As the `qs` package does it.
const MAX_DEPTH: usize = 5;

fn parse_form(bytes: &[u8]) -> Map<String, Value> {
    let mut form = Map::new();
    for (key, value) in form_urlencoded::parse(bytes) {
        insert(&mut form, &path(&key), value.into_owned());
    }
    form
}

/// `a[b][c]` as `a`, `b`, `c`.
fn path(key: &str) -> Vec<String> {
    let Some((first, mut rest)) = key.split_once('[').filter(|(first, _)| !first.is_empty()) else {
        return vec![key.to_owned()];
    };
    let mut path = vec![first.to_owned()];
    while let Some((segment, behind)) = rest.split_once(']') {
        path.push(segment.to_owned());
        match behind.strip_prefix('[') {
            Some(next) if path.len() <= MAX_DEPTH => rest = next,
            _ => return path,
        }
    }
    path
}

fn insert(object: &mut Map<String, Value>, path: &[String], text: String) {
    match path {
        [] => {}
        [last] => {
            object.insert(last.clone(), Value::String(text));
        }
        [first, rest @ ..] => {
            let inner = object.entry(first.clone()).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(inner) = inner {
                insert(inner, rest, text);
            } else {
                *inner = Value::Object(Map::new());
                if let Value::Object(inner) = inner {
                    insert(inner, rest, text);
                }
            }
        }
    }
}
