//! Arguments that have no place of their own in a request: `filter`, `where`, and those of links in
//! mails.
//!
//! LoopBack takes one from the body's member of that name, or else from the query, or else from the
//! header of that name, which is where the Angular SDK puts `filter` and `where`. Which of them has
//! it first decides, also if it is empty there.
//!
//! A member of a JSON body must have the right type. From anywhere else all comes as text, and is
//! read as what is wanted.

use axum::http::{HeaderMap, StatusCode};
use gatekit_layer::ErrorResponse;
use serde_json::{Map, Value};

use crate::body::Args;
use crate::qs::{self, TooDeep};

/// All that a request could carry arguments in.
pub(crate) struct Arguments<'a> {
    body: &'a Args,
    query: Result<Map<String, Value>, TooDeep>,
    headers: &'a HeaderMap,
}

impl<'a> Arguments<'a> {
    pub(crate) fn new(body: &'a Args, query: Option<&str>, headers: &'a HeaderMap) -> Self {
        Self { body, query: qs::parse(query.unwrap_or_default()), headers }
    }

    /// An object, from JSON or from `name[member]=…`. `null` and nothing at all are the same.
    ///
    /// # Errors
    ///
    /// 400, to be given before it is asked who wants to know.
    pub(crate) fn object(&self, name: &str) -> Result<Option<Map<String, Value>>, ErrorResponse> {
        match self.find(name)? {
            None | Some(Found::Typed(Value::Null)) => Ok(None),
            Some(Found::Typed(Value::Object(object)) | Found::Read(Value::Object(object))) => Ok(Some(object.clone())),
            Some(Found::Typed(_)) => Err(not_an_object()),
            Some(Found::Read(Value::String(text))) => object_from_text(text),
            Some(Found::Header(text)) => object_from_text(&text),
            Some(Found::Read(_)) => Err(not_an_object()),
        }
    }

    /// A text. An empty one counts as left out; of several there is one, with commas in between.
    ///
    /// # Errors
    ///
    /// 400, to be given before it is asked who wants to know.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, ErrorResponse> {
        let text = match self.find(name)? {
            None => return Ok(None),
            Some(Found::Typed(Value::String(text))) => text.clone(),
            Some(Found::Typed(_)) => return Err(bad_request("Value is not a string.")),
            Some(Found::Read(value)) => written(value),
            Some(Found::Header(text)) => text,
        };
        Ok(Some(text).filter(|text| !text.is_empty()))
    }

    fn find(&self, name: &str) -> Result<Option<Found<'_>>, ErrorResponse> {
        if let Some(value) = self.body.member(name) {
            return Ok(Some(if self.body.is_json() { Found::Typed(value) } else { Found::Read(value) }));
        }
        let query = self.query.as_ref().map_err(|error| too_deep(*error))?;
        if let Some(value) = query.get(name) {
            return Ok(Some(Found::Read(value)));
        }
        let values: Vec<String> =
            self.headers.get_all(name).iter().map(|value| header_text(value.as_bytes())).collect();
        Ok((!values.is_empty()).then(|| Found::Header(values.join(", "))))
    }
}

enum Found<'a> {
    /// In a JSON body.
    Typed(&'a Value),
    /// In a form or a query.
    Read(&'a Value),
    Header(String),
}

/// The answer to a query that nests too deep.
pub(crate) fn too_deep(error: TooDeep) -> ErrorResponse {
    ErrorResponse::new(StatusCode::BAD_REQUEST, error.to_string())
}

/// A browser writes what is beyond ASCII as Latin-1, others as UTF-8.
fn header_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

fn object_from_text(text: &str) -> Result<Option<Map<String, Value>>, ErrorResponse> {
    match text {
        "" | "null" => Ok(None),
        _ if text.starts_with('{') && text.ends_with('}') => match serde_json::from_str(text) {
            Ok(object) => Ok(Some(object)),
            Err(_) => Err(bad_request("Cannot parse JSON-encoded object value.")),
        },
        _ => Err(not_an_object()),
    }
}

/// A value as JavaScript writes it into a text.
pub(crate) fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(written).collect::<Vec<_>>().join(","),
        Value::Object(_) => "[object Object]".to_owned(),
        other => other.to_string(),
    }
}

fn not_an_object() -> ErrorResponse {
    bad_request("Value is not an object.")
}

fn bad_request(message: &'static str) -> ErrorResponse {
    ErrorResponse::new(StatusCode::BAD_REQUEST, message)
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::header::CONTENT_TYPE;
    use axum::http::{HeaderValue, Request};
    use gatekit_core::{Filter, Policy};
    use serde_json::json;

    use super::*;
    use crate::Answers;
    use crate::errors::IntoError;

    const JSON: &str = "application/json";
    const FORM: &str = "application/x-www-form-urlencoded";
    const OBJECT: &str = "Value is not an object.";
    const STRING: &str = "Value is not a string.";
    const PARSE: &str = "Cannot parse JSON-encoded object value.";

    /// A request that was read.
    struct Sent {
        body: Args,
        query: String,
        headers: HeaderMap,
    }

    impl Sent {
        fn object(&self, name: &str) -> Result<Option<Map<String, Value>>, ErrorResponse> {
            Arguments::new(&self.body, Some(&self.query), &self.headers).object(name)
        }

        fn text(&self, name: &str) -> Result<Option<String>, ErrorResponse> {
            Arguments::new(&self.body, Some(&self.query), &self.headers).text(name)
        }
    }

    async fn arguments(query: &str, headers: &[(&'static str, &str)], body: Option<(&str, &str)>) -> Sent {
        let mut request = Request::builder().uri(format!("/?{query}"));
        for (name, value) in headers {
            request = request.header(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        let (kind, body) = body.unwrap_or(("", ""));
        let request = request.header(CONTENT_TYPE, kind).body(Body::from(body.to_owned())).unwrap();
        let (parts, body) = request.into_parts();
        let body = Args::read(&Policy::loopback(), &Answers::loopback(), &parts.headers, body).await.unwrap();
        Sent { body, query: parts.uri.query().unwrap_or_default().to_owned(), headers: parts.headers }
    }

    /// What an object is, or the message of the 400.
    fn object(arguments: &Sent) -> Result<Value, String> {
        match arguments.object("filter") {
            Ok(object) => Ok(object.map_or(Value::Null, Value::Object)),
            Err(error) => {
                assert_eq!(error.status(), 400);
                Err(error.body())
            }
        }
    }

    fn message(text: &str) -> String {
        json!({ "error": { "statusCode": 400, "name": "Error", "message": text } }).to_string()
    }

    #[tokio::test]
    async fn an_object_in_the_query_is_json_or_has_brackets() {
        for (query, expected) in [
            ("", Ok(json!(null))),
            ("filter", Ok(json!(null))),
            ("filter=", Ok(json!(null))),
            ("filter=null", Ok(json!(null))),
            ("filter={}", Ok(json!({}))),
            ("filter=%7B%22fields%22%3A%5B%22id%22%5D%7D", Ok(json!({ "fields": ["id"] }))),
            ("filter[fields]=email", Ok(json!({ "fields": "email" }))),
            ("filter%5Bwhere%5D%5Bid%5D=2&filter[limit]=1", Ok(json!({ "where": { "id": "2" }, "limit": "1" }))),
            ("filter=xyz", Err(OBJECT)),
            ("filter=5", Err(OBJECT)),
            ("filter=true", Err(OBJECT)),
            ("filter=[]", Err(OBJECT)),
            ("filter=[1]", Err(OBJECT)),
            ("filter=%22x%22", Err(OBJECT)),
            ("filter=%20{}", Err(OBJECT)),
            ("filter[]=1", Err(OBJECT)),
            ("filter={}&filter={}", Err(OBJECT)),
            ("filter={bad}", Err(PARSE)),
            ("filter={", Err(OBJECT)),
        ] {
            let found = object(&arguments(query, &[], None).await);
            assert_eq!(found, expected.map_err(message), "{query}");
        }
    }

    #[tokio::test]
    async fn an_object_in_a_header_is_json() {
        for (header, expected) in [
            (r#"{"fields":["id"]}"#, Ok(json!({ "fields": ["id"] }))),
            ("", Ok(json!(null))),
            ("null", Ok(json!(null))),
            ("zzz", Err(OBJECT)),
            ("[1]", Err(OBJECT)),
            ("{}, {}", Err(PARSE)),
        ] {
            let found = object(&arguments("", &[("filter", header)], None).await);
            assert_eq!(found, expected.map_err(message), "{header}");
        }
        let twice = arguments("", &[("filter", "{}"), ("filter", "{}")], None).await;
        assert_eq!(object(&twice), Err(message(PARSE)), "of two headers there is one, with a comma in between");
        let other = arguments("", &[("where", "{}")], None).await;
        assert_eq!(object(&other), Ok(json!(null)), "a header of another name is another argument");
    }

    #[tokio::test]
    async fn an_object_in_a_json_body_must_be_one() {
        for (body, expected) in [
            (r#"{"filter":{"limit":1}}"#, Ok(json!({ "limit": 1 }))),
            (r#"{"filter":null}"#, Ok(json!(null))),
            (r#"{"filter":"{}"}"#, Err(OBJECT)),
            (r#"{"filter":""}"#, Err(OBJECT)),
            (r#"{"filter":[]}"#, Err(OBJECT)),
            (r#"{"filter":5}"#, Err(OBJECT)),
            ("{}", Ok(json!(null))),
            ("null", Ok(json!(null))),
            (r#"["filter"]"#, Ok(json!(null))),
            (r#""filter""#, Ok(json!(null))),
        ] {
            let found = object(&arguments("", &[], Some((JSON, body))).await);
            assert_eq!(found, expected.map_err(message), "{body}");
        }
        for (body, expected) in [
            ("filter[limit]=1", Ok(json!({ "limit": "1" }))),
            ("filter={}", Ok(json!({}))),
            ("filter=", Ok(json!(null))),
            ("filter=x", Err(OBJECT)),
        ] {
            let found = object(&arguments("", &[], Some((FORM, body))).await);
            assert_eq!(found, expected.map_err(message), "{body}");
        }
    }

    /// `filter` in the query and in the header: the query wins. Empty in the query: the header is
    /// not asked.
    #[tokio::test]
    async fn who_has_it_first_decides_body_then_query_then_header() {
        let header = [("filter", r#"{"in":"header"}"#)];
        let body = (JSON, r#"{"filter":{"in":"body"}}"#);
        let query = r#"filter={"in":"query"}"#;
        let of = |from: &str| Ok(json!({ "in": from }));
        assert_eq!(object(&arguments("", &header, None).await), of("header"));
        assert_eq!(object(&arguments(&query.replace('"', "%22"), &header, None).await), of("query"));
        assert_eq!(object(&arguments(&query.replace('"', "%22"), &header, Some(body)).await), of("body"));
        for empty in ["filter=", "filter", "filter=null"] {
            assert_eq!(object(&arguments(empty, &header, None).await), Ok(json!(null)), "{empty}");
        }
        let null = (JSON, r#"{"filter":null}"#);
        assert_eq!(object(&arguments("", &header, Some(null)).await), Ok(json!(null)));
        assert_eq!(object(&arguments("", &header, Some(("text/plain", body.1))).await), of("header"));
    }

    #[tokio::test]
    async fn a_text_is_read_from_everywhere() {
        let text = |arguments: &Sent| match arguments.text("uid") {
            Ok(text) => Ok(text.unwrap_or_else(|| "-".to_owned())),
            Err(error) => Err(error.body()),
        };
        for (query, expected) in [
            ("uid=1", "1"),
            ("uid=", "-"),
            ("uid", "-"),
            ("", "-"),
            ("uid=null", "null"),
            ("uid=1&uid=2", "1,2"),
            ("uid[]=x&uid[]=y", "x,y"),
            ("uid[a]=1", "[object Object]"),
            ("UID=1", "-"),
        ] {
            assert_eq!(text(&arguments(query, &[], None).await), Ok(expected.to_owned()), "{query}");
        }
        for (body, expected) in [
            (r#"{"uid":"1"}"#, Ok("1")),
            (r#"{"uid":""}"#, Ok("-")),
            (r#"{"uid":1}"#, Err(STRING)),
            (r#"{"uid":null}"#, Err(STRING)),
            (r#"{"uid":["1"]}"#, Err(STRING)),
            ("[]", Ok("-")),
        ] {
            let found = text(&arguments("", &[], Some((JSON, body))).await);
            assert_eq!(found, expected.map(str::to_owned).map_err(message), "{body}");
        }
        assert_eq!(text(&arguments("", &[], Some((FORM, "uid=1"))).await), Ok("1".to_owned()));
        assert_eq!(text(&arguments("", &[("uid", "1")], None).await), Ok("1".to_owned()));
        assert_eq!(text(&arguments("", &[("Uid", "1"), ("uid", "2")], None).await), Ok("1, 2".to_owned()));
        assert_eq!(text(&arguments("uid=", &[("uid", "1")], None).await), Ok("-".to_owned()), "empty is there");
        assert_eq!(
            text(&arguments("uid=1", &[("uid", "2")], Some((JSON, r#"{"uid":"3"}"#))).await),
            Ok("3".to_owned())
        );
    }

    #[test]
    fn a_header_is_read_as_browsers_and_others_write_it() {
        let mut headers = HeaderMap::new();
        for bytes in [b"Z\xfcrich".as_slice(), "Z\u{fc}rich".as_bytes()] {
            headers.insert("uid", HeaderValue::from_bytes(bytes).unwrap());
            let body = Args::default();
            let arguments = Arguments::new(&body, None, &headers);
            assert_eq!(arguments.text("uid").unwrap().as_deref(), Some("Z\u{fc}rich"));
        }
    }

    #[test]
    fn what_is_wrong_in_a_filter_is_a_400() {
        let body = |filter: Value| {
            let error = Filter::from_json(&filter).unwrap_err().into_error("User");
            assert_eq!(error.status(), 400);
            error.body()
        };
        assert_eq!(body(json!({ "limit": "x" })), message(r#"The limit parameter "x" is not valid"#));
        let operator = body(json!({ "where": { "email": { "regexp": "." } } }));
        assert!(operator.ends_with(r#""code":"OPERATOR_NOT_ALLOWED_IN_QUERY"}}"#), "{operator}");
    }
}
