//! The layers in plain tower: no axum, other bodies, under services that wait for their turn.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use gatekit_core::{AuthenticateError, Authenticated, Authenticator, StoreError, async_trait};
use gatekit_layer::{AuthLayer, AuthRejection, GuardBody, RequireAuthLayer, TokenSource, TokenSources, principal};
use http::{Request, Response, StatusCode};
use tower::buffer::Buffer;
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceExt};

/// Knows one key, and counts how often it is asked.
#[derive(Clone, Default)]
struct Keys(Arc<AtomicUsize>);

#[derive(Clone, Debug, PartialEq)]
struct Robot(&'static str);

#[async_trait]
impl Authenticator for Keys {
    type Principal = Robot;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<Robot>, AuthenticateError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        // Not at once, as with any store.
        tokio::task::yield_now().await;
        match token {
            "key" => Ok(Authenticated::new(Robot("WALL·E"))),
            "old" => Err(AuthenticateError::Expired),
            "down" => Err(AuthenticateError::Unavailable(StoreError::failed("down"))),
            _ => Err(AuthenticateError::Invalid),
        }
    }
}

/// A body of an app's own: nothing of http-body's.
#[derive(Debug, PartialEq)]
struct Text(String);

/// The inner service's body, or the refusal.
fn text(body: GuardBody<Text>) -> Text {
    body.into_inner().unwrap_or_else(|refusal| Text(String::from_utf8(refusal.into()).unwrap()))
}

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the app's own error: {0}")]
struct AppError(&'static str);

/// Answers with who calls and what it sees of the URI. It panics if it is called without having
/// been ready: a clone of it is not.
#[derive(Default)]
struct Greeter {
    ready: bool,
    calls: Arc<AtomicUsize>,
}

impl Clone for Greeter {
    fn clone(&self) -> Self {
        Self { ready: false, calls: Arc::clone(&self.calls) }
    }
}

impl Service<Request<u32>> for Greeter {
    type Response = Response<Text>;
    type Error = AppError;
    type Future = Ready<Result<Response<Text>, AppError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), AppError>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<u32>) -> Self::Future {
        assert!(std::mem::take(&mut self.ready), "called without having been ready");
        self.calls.fetch_add(1, Ordering::SeqCst);
        if request.uri().path() == "/error" {
            return ready(Err(AppError("from the call")));
        }
        let who = principal::<Robot>(request.extensions()).map_or("nobody", |robot| robot.0);
        ready(Ok(Response::new(Text(format!("{who} {} {}", request.uri(), request.body())))))
    }
}

fn request(uri: &str, token: &str) -> Request<u32> {
    Request::post(uri).header("authorization", token).body(7).unwrap()
}

async fn call<S: Service<Request<u32>>>(service: &mut S, uri: &str, token: &str) -> Result<S::Response, S::Error> {
    service.ready().await?.call(request(uri, token)).await
}

#[tokio::test]
async fn the_service_that_was_ready_is_the_one_that_is_called() {
    let mut open = AuthLayer::new(Keys::default()).layer(Greeter::default());
    let mut required = RequireAuthLayer::new(Keys::default()).layer(Greeter::default());
    for _ in 0..3 {
        assert_eq!(call(&mut open, "/x", "key").await.unwrap().into_body(), Text("nobody /x 7".into()), "nobody asked");
        assert_eq!(text(call(&mut required, "/x", "key").await.unwrap().into_body()), Text("WALL·E /x 7".into()));
        assert_eq!(call(&mut required, "/x", "other").await.unwrap().status(), 401);
    }
}

/// 8.2.1, REL-1
#[tokio::test]
async fn who_is_refused_does_not_get_to_the_inner_service() {
    let (keys, greeter) = (Keys::default(), Greeter::default());
    let mut service = RequireAuthLayer::new(keys.clone()).layer(greeter.clone());
    let refused = r#"{"error":{"statusCode":401,"name":"Error","message":"Authorization Required","code":"AUTHORIZATION_REQUIRED"}}"#;
    let expired =
        r#"{"error":{"statusCode":401,"name":"Error","message":"Invalid Access Token","code":"INVALID_TOKEN"}}"#;
    let down =
        r#"{"error":{"statusCode":503,"name":"Error","message":"Service Unavailable","code":"SERVICE_UNAVAILABLE"}}"#;
    for (token, status, body) in
        [("", 401, refused), ("other", 401, refused), ("old", 401, expired), ("down", 503, down)]
    {
        let answer = call(&mut service, "/x", token).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{token}");
        let why = answer.extensions().get::<AuthRejection>().expect("an outer layer can tell why");
        assert_eq!(why.is_anonymous(), status == 401, "{why:?}");
        assert_eq!(text(answer.into_body()), Text(body.into()), "{token}");
    }
    assert_eq!(greeter.calls.load(Ordering::SeqCst), 0);
    assert_eq!(keys.0.load(Ordering::SeqCst), 3, "nobody is asked about no token");
}

#[tokio::test]
async fn an_error_of_the_inner_service_passes_through() {
    let mut open = AuthLayer::new(Keys::default()).layer(Greeter::default());
    let mut required = RequireAuthLayer::new(Keys::default()).layer(Greeter::default());
    assert_eq!(call(&mut open, "/error", "").await.unwrap_err(), AppError("from the call"));
    assert_eq!(call(&mut open, "/error?access_token=key", "").await.unwrap_err(), AppError("from the call"));
    assert_eq!(call(&mut required, "/error", "key").await.unwrap_err(), AppError("from the call"));
}

#[tokio::test]
async fn an_inner_service_that_cannot_be_ready_says_so_itself() {
    #[derive(Clone)]
    struct Closed;
    impl Service<Request<u32>> for Closed {
        type Response = Response<Text>;
        type Error = AppError;
        type Future = Ready<Result<Response<Text>, AppError>>;
        fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), AppError>> {
            Poll::Ready(Err(AppError("not ready")))
        }
        fn call(&mut self, _: Request<u32>) -> Self::Future {
            panic!("called without having been ready")
        }
    }
    let mut open = AuthLayer::new(Keys::default()).layer(Closed);
    let mut required = RequireAuthLayer::new(Keys::default()).layer(Closed);
    assert_eq!(call(&mut open, "/", "key").await.unwrap_err(), AppError("not ready"));
    assert_eq!(call(&mut required, "/", "key").await.unwrap_err(), AppError("not ready"));
}

/// Who is refused gives the place back; so does who is answered, and who goes away while the
/// authenticator is asked.
#[tokio::test]
async fn a_concurrency_limit_inside_loses_no_permit() {
    let mut open = AuthLayer::new(Keys::default()).layer(ConcurrencyLimit::new(Greeter::default(), 1));
    let mut required = RequireAuthLayer::new(Keys::default()).layer(ConcurrencyLimit::new(Greeter::default(), 1));
    for token in ["other", "key", "", "down", "key", "key"] {
        let _ = call(&mut open, "/x", token).await.unwrap();
        let _ = call(&mut required, "/x", token).await.unwrap();
        let mut gone = Box::pin(required.ready().await.unwrap().call(request("/x", "key")));
        assert!(poll_once(gone.as_mut()).is_pending(), "the authenticator is being asked");
        drop(gone);
    }
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(std::task::Waker::noop()))
}

#[tokio::test]
async fn a_concurrency_limit_outside_lets_everyone_through_in_turn() {
    let service = ConcurrencyLimit::new(RequireAuthLayer::new(Keys::default()).layer(Greeter::default()), 2);
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let mut service = service.clone();
            let token = if number % 2 == 0 { "key" } else { "other" };
            tokio::spawn(async move { call(&mut service, "/x", token).await.unwrap().status() })
        })
        .collect();
    for (number, task) in tasks.into_iter().enumerate() {
        let wanted = if number % 2 == 0 { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
        assert_eq!(task.await.unwrap(), wanted);
    }
}

#[tokio::test]
async fn a_buffer_may_be_on_either_side() {
    let mut inside = RequireAuthLayer::new(Keys::default()).layer(Buffer::new(Greeter::default(), 4));
    let mut outside = Buffer::new(RequireAuthLayer::new(Keys::default()).layer(Greeter::default()), 4);
    let mut open = AuthLayer::new(Keys::default()).layer(Buffer::new(Greeter::default(), 4));
    for _ in 0..6 {
        assert_eq!(text(call(&mut inside, "/x", "key").await.unwrap().into_body()), Text("WALL·E /x 7".into()));
        assert_eq!(text(call(&mut outside, "/x", "key").await.unwrap().into_body()), Text("WALL·E /x 7".into()));
        assert_eq!(call(&mut open, "/x", "key").await.unwrap().into_body(), Text("nobody /x 7".into()));
        assert_eq!(call(&mut inside, "/x", "other").await.unwrap().status(), 401);
        assert_eq!(call(&mut outside, "/x", "other").await.unwrap().status(), 401);
    }
    let error = call(&mut inside, "/error", "key").await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&AppError("from the call")));
}

/// 14.2.1
#[tokio::test]
async fn a_token_in_the_query_is_cut_out_and_its_answer_protected_whatever_it_is() {
    let mut required = RequireAuthLayer::new(Keys::default()).layer(Greeter::default());
    let mut open = AuthLayer::new(Keys::default()).layer(Greeter::default());
    for (token, status) in [("key", 200), ("other", 401), ("down", 503)] {
        let uri = format!("https://app.example.com/x?a=1&access_token={token}");
        let answer = call(&mut required, &uri, "").await.unwrap();
        assert_eq!(answer.status(), status);
        assert_protected(&answer);
        if status == 200 {
            assert_eq!(text(answer.into_body()), Text("WALL·E https://app.example.com/x?a=1 7".into()));
        }
        let answer = call(&mut open, &uri, "").await.unwrap();
        assert_eq!(answer.body(), &Text("nobody https://app.example.com/x?a=1 7".into()));
        assert_protected(&answer);
    }
}

#[track_caller]
fn assert_protected<B>(answer: &Response<B>) {
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert_eq!(answer.headers()["referrer-policy"], "no-referrer");
}

/// 3.5.1
#[tokio::test]
async fn the_eager_layer_made_of_the_other_keeps_its_settings() {
    let layer = AuthLayer::new(Keys::default())
        .sources(TokenSources::new([TokenSource::cookie("sid")]))
        .trusted_origin("https://admin.example.com")
        .unwrap();
    let mut service = RequireAuthLayer::from(layer).layer(Greeter::default());
    for (origin, status) in [
        ("https://admin.example.com", 200),
        ("https://app.example.com", 200),
        ("https://evil.example", 403),
        ("null", 403),
    ] {
        let request =
            Request::post("/x").header("host", "app.example.com").header("origin", origin).header("cookie", "sid=key");
        let answer = service.ready().await.unwrap().call(request.body(7).unwrap()).await.unwrap();
        assert_eq!(answer.status(), status, "{origin}");
    }
    assert_eq!(call(&mut service, "/x", "key").await.unwrap().status(), 401, "a header is no source of it");
}

#[test]
fn an_origin_with_a_path_is_refused_and_shown_how_to_be_written() {
    for origin in ["https://admin.example.com/x", "admin.example.com", "", "https://a.example/x?y"] {
        let error = AuthLayer::new(Keys::default()).trusted_origin(origin).unwrap_err();
        assert!(error.to_string().contains("https://app.example.com"), "{error}");
    }
}

/// 8.2.1: whatever the method, the guard is asked.
#[tokio::test]
async fn no_method_gets_past_the_eager_layer() {
    let mut service = RequireAuthLayer::new(Keys::default()).layer(Greeter::default());
    for method in ["GET", "HEAD", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "FOO"] {
        let request = Request::builder().method(method).uri("/x").body(7).unwrap();
        assert_eq!(service.ready().await.unwrap().call(request).await.unwrap().status(), 401, "{method}");
    }
}
