//! The layers for roles and scopes in plain tower: no axum, other bodies, under services that wait
//! for their turn.

use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use gatekit_layer::{
    AuthLayer, AuthRejection, AuthService, GuardBody, RequireRoleLayer, RequireRoleService, RequireScopeLayer,
    RequireScopeService, principal,
};
use http::{Request, Response};
use tower::buffer::Buffer;
use tower::limit::ConcurrencyLimit;
use tower::{Layer, Service, ServiceExt};

use crate::{Member, Members};

/// A body of an app's own: nothing of http-body's.
#[derive(Debug, PartialEq)]
struct Text(String);

#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the app's own error: {0}")]
struct AppError(&'static str);

/// Answers with who calls. It panics if it is called without having been ready: a clone of it is
/// not.
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
        let who = principal::<Member>(request.extensions()).map_or("nobody", |member| member.0);
        ready(Ok(Response::new(Text(format!("{who} {}", request.body())))))
    }
}

fn request(uri: &str, token: &str) -> Request<u32> {
    Request::post(uri).header("authorization", token).body(7).unwrap()
}

async fn call<S: Service<Request<u32>>>(service: &mut S, uri: &str, token: &str) -> Result<S::Response, S::Error> {
    service.ready().await?.call(request(uri, token)).await
}

/// The body of the inner service, which has let the request through.
fn text(response: Response<GuardBody<Text>>) -> Text {
    response.into_body().into_inner().expect("the request was let through")
}

fn for_role<S>(inner: S) -> AuthService<RequireRoleService<S>> {
    AuthLayer::new(Members::default()).layer(RequireRoleLayer::new("admin").layer(inner))
}

fn for_scope<S>(inner: S) -> AuthService<RequireScopeService<S>> {
    AuthLayer::new(Members::default()).layer(RequireScopeLayer::any(["DEFAULT", "read"]).layer(inner))
}

#[tokio::test]
async fn the_service_that_was_ready_is_the_one_that_is_called() {
    let (mut role, mut scope) = (for_role(Greeter::default()), for_scope(Greeter::default()));
    for _ in 0..3 {
        assert_eq!(text(call(&mut role, "/", "ada").await.unwrap()), Text("ada 7".into()));
        assert_eq!(call(&mut role, "/", "bob").await.unwrap().status(), 403);
        assert_eq!(text(call(&mut scope, "/", "bob:read").await.unwrap()), Text("bob 7".into()));
        assert_eq!(call(&mut scope, "/", "bob:write").await.unwrap().status(), 401);
    }
}

/// 8.2.1
#[tokio::test]
async fn who_is_refused_does_not_get_to_the_inner_service() {
    let greeter = Greeter::default();
    let (mut role, mut scope) = (for_role(greeter.clone()), for_scope(greeter.clone()));
    for (token, of_role, of_scope) in
        [("", 401, 401), ("other", 401, 401), ("old", 401, 401), ("down", 503, 503), ("ada:write", 401, 401)]
    {
        for (answer, status) in [
            (call(&mut role, "/", token).await.unwrap(), of_role),
            (call(&mut scope, "/", token).await.unwrap(), of_scope),
        ] {
            assert_eq!(answer.status(), status, "{token}");
            let why = answer.extensions().get::<AuthRejection>().expect("an outer layer can tell why");
            assert_eq!(why.is_anonymous(), status == 401, "{why:?}");
        }
    }
    assert_eq!(call(&mut role, "/", "eve").await.unwrap().status(), 403);
    let mut bare = RequireRoleLayer::new("admin").layer(greeter.clone());
    assert_eq!(call(&mut bare, "/", "ada").await.unwrap().status(), 500);
    assert_eq!(greeter.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn errors_of_the_inner_service_pass_through() {
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
    assert_eq!(call(&mut for_role(Closed), "/", "ada").await.unwrap_err(), AppError("not ready"));
    assert_eq!(call(&mut for_scope(Closed), "/", "ada").await.unwrap_err(), AppError("not ready"));
    assert_eq!(call(&mut for_role(Greeter::default()), "/error", "ada").await.unwrap_err(), AppError("from the call"));
    assert_eq!(call(&mut for_scope(Greeter::default()), "/error", "ada").await.unwrap_err(), AppError("from the call"));
}

/// Who is refused gives the place back; so does who is answered, and who goes away while the
/// authenticator is asked.
#[tokio::test]
async fn a_concurrency_limit_inside_loses_no_permit() {
    let mut role = for_role(ConcurrencyLimit::new(Greeter::default(), 1));
    let mut scope = for_scope(ConcurrencyLimit::new(Greeter::default(), 1));
    for token in ["other", "ada", "", "down", "bob", "ada", "ada:write"] {
        let _ = call(&mut role, "/", token).await.unwrap();
        let _ = call(&mut scope, "/", token).await.unwrap();
        let mut gone = Box::pin(role.ready().await.unwrap().call(request("/", "ada")));
        assert!(poll_once(gone.as_mut()).is_pending(), "the authenticator is being asked about the token");
        assert!(poll_once(gone.as_mut()).is_pending(), "and now about the role");
        drop(gone);
    }
}

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(std::task::Waker::noop()))
}

#[tokio::test]
async fn a_concurrency_limit_outside_lets_everyone_through_in_turn() {
    let service = ConcurrencyLimit::new(for_role(Greeter::default()), 2);
    let tasks: Vec<_> = (0..20)
        .map(|number| {
            let mut service = service.clone();
            let token = if number % 2 == 0 { "ada" } else { "bob" };
            tokio::spawn(async move { call(&mut service, "/", token).await.unwrap().status() })
        })
        .collect();
    for (number, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.unwrap(), if number % 2 == 0 { 200 } else { 403 });
    }
}

#[tokio::test]
async fn a_buffer_may_be_on_either_side() {
    let mut inside = for_role(Buffer::new(Greeter::default(), 4));
    let mut outside = Buffer::new(for_role(Greeter::default()), 4);
    let mut scope = for_scope(Buffer::new(Greeter::default(), 4));
    for _ in 0..6 {
        assert_eq!(text(call(&mut inside, "/", "ada").await.unwrap()), Text("ada 7".into()));
        assert_eq!(text(call(&mut outside, "/", "ada").await.unwrap()), Text("ada 7".into()));
        assert_eq!(text(call(&mut scope, "/", "ada:read").await.unwrap()), Text("ada 7".into()));
        assert_eq!(call(&mut inside, "/", "bob").await.unwrap().status(), 403);
        assert_eq!(call(&mut outside, "/", "bob").await.unwrap().status(), 403);
        assert_eq!(call(&mut scope, "/", "ada:write").await.unwrap().status(), 401);
    }
    let error = call(&mut inside, "/error", "ada").await.unwrap_err();
    assert_eq!(error.downcast_ref(), Some(&AppError("from the call")));
}
