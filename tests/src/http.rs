//! Requests and answers.

use std::fmt::Write;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use http_body::Frame;
use http_body_util::BodyExt;
use serde_json::Value;
use tokio::sync::Barrier;
use tower::ServiceExt;

/// A request that is sent when it is awaited.
#[derive(Debug)]
#[must_use = "a request is sent when it is awaited"]
pub struct Call {
    router: Router,
    request: Request<Body>,
}

impl Call {
    /// Of this method, to this router.
    ///
    /// # Panics
    ///
    /// If `path` is no path.
    pub fn new(router: &Router, method: &str, path: &str) -> Self {
        let request = Request::builder().method(method).uri(path).header("host", "app.example.com").body(Body::empty());
        Self { router: router.clone(), request: request.expect("method and path are sound") }
    }

    /// With a header, beside any of that name.
    ///
    /// # Panics
    ///
    /// If it cannot be sent.
    pub fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let name: HeaderName = name.parse().expect("a header's name");
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a header's value");
        self.request.headers_mut().append(name, value);
        self
    }

    /// Sent to this host, in place of the site's.
    ///
    /// # Panics
    ///
    /// If it cannot be sent.
    pub fn host(mut self, host: &str) -> Self {
        let host = HeaderValue::from_str(host).expect("a host");
        self.request.headers_mut().insert("host", host);
        self
    }

    /// With a token, as LoopBack's clients send it: bare, in `Authorization`.
    pub fn token(self, token: &str) -> Self {
        self.header(AUTHORIZATION.as_str(), token)
    }

    /// With a cookie that holds a token.
    pub fn cookie(self, token: &str) -> Self {
        self.header("cookie", format!("__Host-access_token={token}"))
    }

    /// With a JSON body, from a [`Value`] or as text.
    pub fn json(self, body: impl ToString) -> Self {
        self.body("application/json", body.to_string())
    }

    /// With a form as body.
    pub fn form(self, body: &str) -> Self {
        self.body("application/x-www-form-urlencoded", body.to_owned())
    }

    /// With a body of some other type.
    pub fn body(mut self, content_type: &str, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self.header(CONTENT_TYPE.as_str(), content_type)
    }

    /// With a body and no word about what it is.
    pub fn bare_body(mut self, body: impl Into<Body>) -> Self {
        *self.request.body_mut() = body.into();
        self
    }
}

impl IntoFuture for Call {
    type Output = Answer;
    type IntoFuture = Pin<Box<dyn Future<Output = Answer> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let asked = format!("{} {}", self.request.method(), self.request.uri());
            let response = match self.router.oneshot(self.request).await {
                Ok(response) => response,
                Err(never) => match never {},
            };
            let (parts, body) = response.into_parts();
            let body = body.collect().await.expect("a body").to_bytes();
            let body = String::from_utf8(body.into()).expect("a body in UTF-8");
            Answer { asked, status: parts.status, headers: parts.headers, body }
        })
    }
}

/// Sends these at the same moment, each on a task of its own: the answers, in their order.
///
/// # Panics
///
/// If one of them does.
pub async fn at_once(calls: impl IntoIterator<Item = Call>) -> Vec<Answer> {
    let calls: Vec<Call> = calls.into_iter().collect();
    let barrier = Arc::new(Barrier::new(calls.len()));
    let send = |call: Call| {
        let barrier = Arc::clone(&barrier);
        tokio::spawn(async move {
            barrier.wait().await;
            call.await
        })
    };
    let tasks: Vec<_> = calls.into_iter().map(send).collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.expect("a request that does not panic"));
    }
    answers
}

/// How many of these have this status.
#[must_use]
pub fn count(answers: &[Answer], status: u16) -> usize {
    answers.iter().filter(|answer| answer.status == status).count()
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    asked: String,
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: String,
}

impl Answer {
    /// Panics unless status and body are these, byte for byte.
    ///
    /// # Panics
    ///
    /// So it does.
    #[track_caller]
    pub fn is(self, status: u16, body: &str) -> Self {
        assert!(self.status == status && self.body == body, "wanted {status} {body}\ngot {}", self.shown());
        self
    }

    /// Panics unless it is an error of this status and code, in the kit's shape.
    ///
    /// # Panics
    ///
    /// So it does.
    #[track_caller]
    pub fn expect(self, status: u16, code: &str) -> Self {
        assert_eq!(self.error_member("code"), code, "wanted {status} {code}, got {}", self.shown());
        self.expect_error(status)
    }

    /// Panics unless it is an error of this status, in the kit's shape: `error` is the one member,
    /// `statusCode`, `name` and `message` come first in it, in this order.
    ///
    /// # Panics
    ///
    /// So it does.
    #[track_caller]
    pub fn expect_error(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.shown());
        assert_eq!(self.header("content-type"), "application/json; charset=utf-8", "{}", self.shown());
        let json = self.value();
        let members: Vec<&String> = match json.get("error") {
            Some(Value::Object(members)) => members.keys().collect(),
            _ => panic!("no error in {}", self.shown()),
        };
        let order = ["statusCode", "name", "message", "code", "details"];
        assert_eq!(members.first().map(|name| name.as_str()), Some("statusCode"), "{}", self.shown());
        assert!(
            members.iter().is_sorted_by_key(|name| order.iter().position(|known| known == name)),
            "{}",
            self.shown()
        );
        assert!(members.iter().all(|name| order.contains(&name.as_str())), "{}", self.shown());
        assert_eq!(json.pointer("/error/statusCode"), Some(&Value::from(status)), "{}", self.shown());
        self
    }

    /// Panics unless the status is this.
    ///
    /// # Panics
    ///
    /// So it does.
    #[track_caller]
    pub fn expect_status(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.shown());
        self
    }

    /// Panics unless it is LoopBack's 204: empty, and with the JSON content type all the same.
    ///
    /// # Panics
    ///
    /// So it does.
    #[track_caller]
    pub fn expect_no_content(self) -> Self {
        assert_eq!(self.header("content-type"), "application/json; charset=utf-8", "{}", self.shown());
        self.is(204, "")
    }

    /// Panics unless it is the answer to a store that fails: 503 in the kit's shape, and when to
    /// try again.
    ///
    /// # Panics
    ///
    /// So it does.
    #[track_caller]
    pub fn expect_unavailable(self) -> Self {
        let seconds: u64 = self.header("retry-after").parse().unwrap_or_default();
        assert!(seconds >= 1, "no Retry-After in {}", self.shown());
        let body = r#"{"error":{"statusCode":503,"name":"Error","message":"Service Unavailable","code":"SERVICE_UNAVAILABLE"}}"#;
        self.is(503, body)
    }

    /// Panics unless the header has this value.
    ///
    /// # Panics
    ///
    /// So it does.
    #[track_caller]
    pub fn expect_header(self, name: &str, value: &str) -> Self {
        assert_eq!(self.header(name), value, "{name} in {}", self.shown());
        self
    }

    /// The header's value; empty if there is none.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The body as JSON.
    ///
    /// # Panics
    ///
    /// If it is none.
    #[must_use]
    #[track_caller]
    pub fn value(&self) -> Value {
        match serde_json::from_str(&self.body) {
            Ok(value) => value,
            Err(error) => panic!("{error} in {}", self.shown()),
        }
    }

    /// The text in a member of the body.
    ///
    /// # Panics
    ///
    /// If there is none.
    #[must_use]
    #[track_caller]
    pub fn text(&self, member: &str) -> String {
        match self.value().get(member) {
            Some(Value::String(text)) => text.clone(),
            _ => panic!("no text {member} in {}", self.shown()),
        }
    }

    /// Status, headers and body, to compare two answers to different requests with.
    #[must_use]
    pub fn as_sent(&self) -> (StatusCode, &HeaderMap, &str) {
        (self.status, &self.headers, &self.body)
    }

    fn error_member(&self, name: &str) -> String {
        match serde_json::from_str::<Value>(&self.body).ok().and_then(|body| body.get("error")?.get(name).cloned()) {
            Some(Value::String(text)) => text,
            _ => String::new(),
        }
    }

    fn shown(&self) -> String {
        let mut text = format!("{} {}\nto {}", self.status, self.body, self.asked);
        for (name, value) in &self.headers {
            let _ = write!(text, "\n  {name}: {}", String::from_utf8_lossy(value.as_bytes()));
        }
        text
    }
}

/// A body of which this is the first half. The second never comes, and the client does not hang up.
pub fn half_a_body(half: &'static str) -> Body {
    Body::new(Half(Some(half)))
}

struct Half(Option<&'static str>);

impl HttpBody for Half {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        self.0.take().map_or(Poll::Pending, |half| Poll::Ready(Some(Ok(Frame::data(half.into())))))
    }
}
