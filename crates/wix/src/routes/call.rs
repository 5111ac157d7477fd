//! Reads a request: a JSON object, from a page of this origin.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Request};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use gatekit_core::{MailOptions, Password, Policy};
use gatekit_layer::refuse_cross_origin_of;
use gatekit_web::{BodyError, client, foreign_charset, form_pairs, mail_options, media_type, private, read_body};
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
        Ok(Self(members.for_client(client(members.auth(), parts))))
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

    /// The options of the mails that this request causes. No mailed link leads to these routes,
    /// which have no pages.
    pub(crate) fn mails(&self, members: &WixMembers) -> MailOptions {
        mail_options(members.auth(), &self.parts.headers)
    }
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

/// Refuses a body of another type, or in another charset than UTF-8.
pub(crate) fn check_type(headers: &HeaderMap, wanted: &str) -> Result<(), WixError> {
    let unsupported = |what| Err(WixError::BadRequest(StatusCode::UNSUPPORTED_MEDIA_TYPE, what));
    if !media_type(headers).eq_ignore_ascii_case(wanted) {
        return unsupported("the body must be application/json");
    }
    match foreign_charset(headers) {
        Some(_) => unsupported("the body must be in UTF-8"),
        None => Ok(()),
    }
}

/// The bytes of a body, unpacked, if they are not too many and arrive in time.
pub(crate) async fn bytes(policy: &Policy, headers: &HeaderMap, body: Body) -> Result<Bytes, WixError> {
    read_body(policy, headers, body, MAX_BYTES).await.map_err(|error| {
        let text = match error {
            BodyError::TooLarge => "the body is too large",
            BodyError::TooSlow => "the body did not arrive in time",
            BodyError::UnsupportedEncoding => "the body must be sent as it is, or as gzip or deflate",
            BodyError::Inflate(_) => "the body cannot be unpacked",
            _ => "the body was cut off",
        };
        WixError::BadRequest(error.status(), text)
    })
}

/// The pairs of a query or a form.
pub(crate) fn pairs(text: &[u8]) -> Result<Vec<(String, String)>, WixError> {
    let pairs: Option<_> = form_pairs(text).collect();
    pairs.ok_or(WixError::BadRequest(StatusCode::BAD_REQUEST, "the parameters are not UTF-8"))
}

/// A JSON response that no cache keeps.
pub(crate) fn answer(value: &Value) -> Response {
    let json = HeaderValue::from_static("application/json; charset=utf-8");
    private(([(CONTENT_TYPE, json)], value.to_string()).into_response())
}

/// A response without a body.
pub(crate) fn no_content() -> Response {
    private(StatusCode::NO_CONTENT.into_response())
}
