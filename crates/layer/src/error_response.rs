//! The one shape of all error bodies, which is LoopBack's.

use std::borrow::Cow;

use axum_core::body::Body;
use axum_core::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, StatusCode};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Value};

/// An error as clients see it:
/// `{"error":{"statusCode":401,"name":"Error","message":"…","code":"…"}}`.
///
/// Members come in this order, and `code` and `details` only if there are any (LoopBack's
/// production form). Clients may rely on `statusCode` and `code`; the message is for people. Every
/// 401 carries `WWW-Authenticate` (RFC 9110 §15.5.2).
///
/// The answer it becomes holds it in its extensions, so that a layer further out can show it in
/// another form: see [`members`](Self::members).
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
    details: Option<Value>,
    /// What only the debug form shows.
    properties: Vec<(Cow<'static, str>, Value)>,
    exposed: bool,
    /// The errors of a batch, if this stands for them.
    several: Option<Vec<Option<ErrorResponse>>>,
    headers: HeaderMap,
}

impl ErrorResponse {
    /// With a status and a text for people.
    #[must_use]
    pub fn new(status: StatusCode, message: impl Into<Cow<'static, str>>) -> Self {
        let mut headers = HeaderMap::new();
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        Self(Box::new(Contents {
            status,
            name: "Error".into(),
            message: message.into(),
            code: None,
            details: None,
            properties: Vec::new(),
            exposed: false,
            several: None,
            headers,
        }))
    }

    /// LoopBack's answer to a batch of which some items failed: in `details` each item's error, or
    /// `null` where there is none. LoopBack's status is 500, whatever was wrong.
    ///
    /// ```
    /// use gatekit_layer::ErrorResponse;
    /// use http::StatusCode;
    ///
    /// let second = ErrorResponse::new(StatusCode::UNPROCESSABLE_ENTITY, "This name is taken").name("ValidationError");
    /// let error = ErrorResponse::several(StatusCode::UNPROCESSABLE_ENTITY, [None, Some(second)]);
    /// assert!(error.body().contains(r#""details":[null,{"statusCode":422,"name":"ValidationError","#));
    /// ```
    #[must_use]
    pub fn several(status: StatusCode, errors: impl IntoIterator<Item = Option<Self>>) -> Self {
        let message = "Failed with multiple errors, see `details` for more information.";
        let mut error = Self::new(status, message);
        error.0.several = Some(errors.into_iter().collect());
        error
    }

    /// 503, which the client may try again after this many seconds.
    #[must_use]
    pub fn unavailable(retry_after: u64) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "Service Unavailable")
            .code("SERVICE_UNAVAILABLE")
            .header(RETRY_AFTER, HeaderValue::from(retry_after))
            .exposed()
    }

    /// With a stable code.
    #[must_use]
    pub fn code(mut self, code: impl Into<Cow<'static, str>>) -> Self {
        self.0.code = Some(code.into());
        self
    }

    /// With another name than `Error`: LoopBack has `ValidationError`, `SyntaxError` and a few
    /// more.
    #[must_use]
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.0.name = name.into();
        self
    }

    /// With details, as JSON.
    #[must_use]
    pub fn details(mut self, details: Value) -> Self {
        self.0.details = Some(details);
        self
    }

    /// With a member that only the debug form shows, between `message` and `code`: LoopBack's
    /// `status`, for one.
    #[must_use]
    pub fn property(mut self, name: impl Into<Cow<'static, str>>, value: impl Into<Value>) -> Self {
        self.0.properties.push((name.into(), value.into()));
        self
    }

    /// Shows a 5xx in the production form as it is. Its message must be one that everybody may
    /// read.
    #[must_use]
    pub fn exposed(mut self) -> Self {
        self.0.exposed = true;
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
        // Strings and JSON values always serialize.
        serde_json::to_string(&Wrapper(self)).unwrap_or_default()
    }

    /// What is inside of `error` in a body of this form, in order.
    ///
    /// ```
    /// use gatekit_layer::{ErrorForm, ErrorResponse};
    /// use http::StatusCode;
    ///
    /// let error = ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, "disk sda1 is full");
    /// let shown = error.members(&ErrorForm::production());
    /// assert_eq!(serde_json::Value::from(shown).to_string(), r#"{"statusCode":500,"message":"Internal Server Error"}"#);
    /// let shown = error.members(&ErrorForm::debug());
    /// assert_eq!(
    ///     serde_json::Value::from(shown).to_string(),
    ///     r#"{"statusCode":500,"name":"Error","message":"disk sda1 is full","stack":"Error: disk sda1 is full"}"#
    /// );
    /// ```
    #[must_use]
    pub fn members(&self, form: &ErrorForm) -> Map<String, Value> {
        match serde_json::to_value(View { error: self, form }) {
            Ok(Value::Object(members)) => members,
            // A view is an object.
            _ => Map::new(),
        }
    }

    /// The whole answer, with a body of any type that can be made from bytes.
    pub fn into_http<B: From<bytes::Bytes>>(self) -> http::Response<B> {
        let mut response = http::Response::new(B::from(self.body().into()));
        *response.status_mut() = self.0.status;
        response.headers_mut().clone_from(&self.0.headers);
        response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
        response.extensions_mut().insert(self);
        response
    }

    /// What this is called in a log, as the first line of a stack.
    fn stack(&self) -> String {
        format!("{}: {}", self.0.name, self.0.message)
    }

    /// A member by its name, for the safe fields.
    fn member(&self, name: &str) -> Option<Value> {
        let Contents { status, message, code, details, properties, .. } = &*self.0;
        match name {
            "statusCode" => Some(status.as_u16().into()),
            "name" => Some(Value::from(&*self.0.name)),
            "message" => Some(Value::from(&**message)),
            "code" => code.as_deref().map(Value::from),
            "details" => details.clone(),
            "stack" => Some(self.stack().into()),
            _ => properties.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone()),
        }
    }
}

impl IntoResponse for ErrorResponse {
    fn into_response(self) -> Response {
        self.into_http::<Body>()
    }
}

/// How much of an error a client is shown.
///
/// By default as much as an [`ErrorResponse`] says by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ErrorForm {
    audience: Audience,
    safe_fields: Vec<Cow<'static, str>>,
    show_undefined: bool,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Audience {
    #[default]
    AsWritten,
    Production,
    Debug,
}

impl ErrorForm {
    /// LoopBack's `debug: false`: of a 5xx only the status and its standard name, unless it is
    /// [`exposed`](ErrorResponse::exposed); of a 4xx `name`, `message`, `code` and `details`.
    #[must_use]
    pub fn production() -> Self {
        Self { audience: Audience::Production, ..Self::default() }
    }

    /// LoopBack's `debug: true`: every member, and `stack` last, which is the line `Name: message`.
    #[must_use]
    pub fn debug() -> Self {
        Self { audience: Audience::Debug, ..Self::default() }
    }

    /// In production also these members, if there are any (LoopBack's `safeFields`).
    #[must_use]
    pub fn safe_fields(mut self, names: impl IntoIterator<Item = impl Into<Cow<'static, str>>>) -> Self {
        self.safe_fields = names.into_iter().map(Into::into).collect();
        self
    }

    /// With the text `undefined` for a `code` and `details` that are not there, as in LoopBack's
    /// XML.
    #[must_use]
    pub fn show_undefined(mut self, show: bool) -> Self {
        self.show_undefined = show;
        self
    }
}

struct Wrapper<'a>(&'a ErrorResponse);

impl Serialize for Wrapper<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut wrapper = serializer.serialize_map(Some(1))?;
        wrapper.serialize_entry("error", &View { error: self.0, form: &ErrorForm::default() })?;
        wrapper.end()
    }
}

/// An error in one form.
struct View<'a> {
    error: &'a ErrorResponse,
    form: &'a ErrorForm,
}

impl Serialize for View<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self { error, form } = *self;
        let Contents { status, name, message, code, details, properties, exposed, several, .. } = &*error.0;
        let is_safe = |name: &str| form.safe_fields.iter().any(|safe| safe == name);
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("statusCode", &status.as_u16())?;
        if let Some(errors) = several {
            let views: Vec<_> = errors.iter().map(|error| error.as_ref().map(|error| View { error, form })).collect();
            map.serialize_entry("message", message)?;
            map.serialize_entry("details", &views)?;
            return map.end();
        }

        let mut shown = vec!["statusCode", "message"];
        if form.audience == Audience::Production && status.is_server_error() && !exposed {
            let standard = status.canonical_reason().unwrap_or("Unknown Error");
            map.serialize_entry("message", if is_safe("message") { &**message } else { standard })?;
        } else {
            map.serialize_entry("name", name)?;
            map.serialize_entry("message", message)?;
            if form.audience == Audience::Debug {
                for (name, value) in properties {
                    map.serialize_entry(name, value)?;
                }
            }
            let undefined = form.show_undefined && form.audience != Audience::Debug;
            match code {
                Some(code) => map.serialize_entry("code", code)?,
                None if undefined => map.serialize_entry("code", "undefined")?,
                None => {}
            }
            match details {
                Some(details) => map.serialize_entry("details", details)?,
                None if undefined => map.serialize_entry("details", "undefined")?,
                None => {}
            }
            shown.extend(["name", "code", "details"]);
        }
        match form.audience {
            Audience::AsWritten => {}
            Audience::Debug => map.serialize_entry("stack", &error.stack())?,
            Audience::Production => {
                for safe in form.safe_fields.iter().filter(|safe| !shown.contains(&&***safe)) {
                    if let Some(value) = error.member(safe) {
                        map.serialize_entry(safe, &value)?;
                    }
                }
            }
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(error: &ErrorResponse, form: &ErrorForm) -> String {
        Value::from(error.members(form)).to_string()
    }

    #[test]
    fn production_hides_all_of_a_5xx_but_what_is_exposed_or_safe() {
        let error =
            ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, "secret").code("E_SECRET").property("errno", 5);
        let form = ErrorForm::production();
        assert_eq!(shown(&error, &form), r#"{"statusCode":500,"message":"Internal Server Error"}"#);
        assert_eq!(
            shown(&error, &form.clone().safe_fields(["errno", "code", "details", "nothing"])),
            r#"{"statusCode":500,"message":"Internal Server Error","errno":5,"code":"E_SECRET"}"#
        );
        assert_eq!(shown(&error, &form.clone().safe_fields(["message"])), r#"{"statusCode":500,"message":"secret"}"#);
        assert_eq!(
            shown(&error.exposed(), &form),
            r#"{"statusCode":500,"name":"Error","message":"secret","code":"E_SECRET"}"#
        );
        let unusual = ErrorResponse::new(StatusCode::from_u16(599).unwrap(), "secret");
        assert_eq!(shown(&unusual, &form), r#"{"statusCode":599,"message":"Unknown Error"}"#);
        assert_eq!(
            shown(&ErrorResponse::unavailable(1), &form),
            r#"{"statusCode":503,"name":"Error","message":"Service Unavailable","code":"SERVICE_UNAVAILABLE"}"#
        );
    }

    #[test]
    fn debug_shows_every_member_in_loopbacks_order() {
        let error = ErrorResponse::new(StatusCode::UNAUTHORIZED, "Invalid Access Token")
            .details(serde_json::json!({"a": 1}))
            .code("INVALID_TOKEN")
            .property("status", 401);
        assert_eq!(
            shown(&error, &ErrorForm::debug()),
            r#"{"statusCode":401,"name":"Error","message":"Invalid Access Token","status":401,"code":"INVALID_TOKEN","details":{"a":1},"stack":"Error: Invalid Access Token"}"#
        );
        let by_itself = r#"{"statusCode":401,"name":"Error","message":"Invalid Access Token","code":"INVALID_TOKEN","details":{"a":1}}"#;
        assert_eq!(shown(&error, &ErrorForm::production()), by_itself);
        assert_eq!(error.body(), format!(r#"{{"error":{by_itself}}}"#));
    }

    #[test]
    fn a_batch_shows_each_error_in_the_same_form() {
        let taken = ErrorResponse::new(StatusCode::UNPROCESSABLE_ENTITY, "m").name("ValidationError");
        let failed = ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, "secret");
        let error = ErrorResponse::several(StatusCode::INTERNAL_SERVER_ERROR, [None, Some(taken), Some(failed)]);
        assert_eq!(
            shown(&error, &ErrorForm::production()),
            r#"{"statusCode":500,"message":"Failed with multiple errors, see `details` for more information.","details":[null,{"statusCode":422,"name":"ValidationError","message":"m"},{"statusCode":500,"message":"Internal Server Error"}]}"#
        );
        let debug = shown(&error, &ErrorForm::debug());
        assert!(debug.contains(r#""stack":"ValidationError: m"},{"statusCode":500,"name":"Error","message":"secret""#));
    }

    #[test]
    fn an_answer_remembers_the_error_and_its_headers() {
        let error = ErrorResponse::unavailable(7);
        let answer = error.clone().into_http::<Body>();
        let remembered = answer.extensions().get::<ErrorResponse>().unwrap();
        assert_eq!(remembered.body(), error.body());
        let again = remembered.clone().into_http::<Body>();
        assert_eq!(again.headers(), answer.headers());
        assert_eq!(again.headers()[RETRY_AFTER], "7");
    }
}
