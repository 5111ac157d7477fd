//! Guards around services whose response bodies are not axum's: compression, files, gRPC, bodies of
//! the app's own.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use gatekit_core::TokenRecord;
use gatekit_layer::{
    AuthLayer, Guard, GuardRefusal, GuardService, RequireAuthLayer, RequireFreshLayer, RequireRoleLayer,
    RequireScopeLayer,
};
use http::request::Parts;
use http::{HeaderMap, Request, Response, StatusCode};
use http_body::{Body as HttpBody, Frame};
use http_body_util::BodyExt;
use tower::layer::layer_fn;
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_http::compression::CompressionLayer;
use tower_http::services::ServeFile;

use crate::{Members, anonymous, ask, denied, ok};

/// Sends two pieces and a trailer, as a gRPC service does. It is made from nothing but itself.
struct Pieces(Vec<Frame<Bytes>>);

impl Pieces {
    fn new() -> Self {
        let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
        Self(vec![
            Frame::trailers(trailers),
            Frame::data(Bytes::from_static(b"two")),
            Frame::data(Bytes::from_static(b"one ")),
        ])
    }
}

impl HttpBody for Pieces {
    type Data = Bytes;
    type Error = std::io::Error;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, std::io::Error>>> {
        Poll::Ready(self.0.pop().map(Ok))
    }
}

/// Accepts nobody, in words of its own.
#[derive(Clone)]
struct Closed;

impl Guard for Closed {
    async fn admit(&self, _: &mut Parts) -> Result<(), GuardRefusal> {
        let mut response = Response::new(Bytes::from_static(b"we are closed"));
        *response.status_mut() = StatusCode::IM_A_TEAPOT;
        Err(response.into())
    }
}

/// A router in which every guard stands directly around each of these services, in one stack of
/// layers.
macro_rules! guarded {
    ($service:expr) => {{
        let auth = || AuthLayer::new(Members::default());
        let required = ServiceBuilder::new().layer(RequireAuthLayer::new(Members::default())).service($service);
        let role = ServiceBuilder::new().layer(auth()).layer(RequireRoleLayer::new("admin")).service($service);
        let scope = ServiceBuilder::new().layer(auth()).layer(RequireScopeLayer::new("read")).service($service);
        let fresh = ServiceBuilder::new().layer(auth()).layer(RequireFreshLayer::new(60)).service($service);
        let two = ServiceBuilder::new()
            .layer(RequireAuthLayer::new(Members::default()))
            .layer(RequireRoleLayer::new("admin"))
            .layer(RequireScopeLayer::any(["read", TokenRecord::DEFAULT_SCOPE]))
            .service($service);
        let own = ServiceBuilder::new().layer(layer_fn(|inner| GuardService::new(inner, Closed))).service($service);
        Router::new()
            .route_service("/required", required)
            .route_service("/role", role)
            .route_service("/scope", scope)
            .route_service("/fresh", fresh)
            .route_service("/two", two)
            .route_service("/own", own)
    }};
}

/// Who is let through gets the inner response, the others get the refusal.
async fn check(router: &Router, inner: &str) {
    assert_eq!(ask(router, "/required", "eve").await, ok(inner));
    assert_eq!(ask(router, "/required", "").await, anonymous());
    assert_eq!(ask(router, "/role", "ada").await, ok(inner));
    assert_eq!(ask(router, "/role", "bob").await, denied());
    assert_eq!(ask(router, "/scope", "bob:read").await, ok(inner));
    assert_eq!(ask(router, "/scope", "bob:write").await, anonymous());
    let (status, body) = ask(router, "/fresh", "ada").await;
    assert_eq!(status, 401);
    assert!(body.contains("STEP_UP_REQUIRED"), "{body}");
    assert_eq!(ask(router, "/two", "ada").await, ok(inner));
    assert_eq!(ask(router, "/two", "bob").await, denied());
    assert_eq!(ask(router, "/two", "").await, anonymous());
    assert_eq!(ask(router, "/own", "ada").await, (418, "we are closed".to_owned()));
}

#[tokio::test]
async fn a_guard_stands_around_any_body() {
    let pieces = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Pieces::new())));
    check(&guarded!(pieces), "one two").await;
}

#[tokio::test]
async fn a_guard_stands_around_a_service_of_files() {
    let folder = std::env::temp_dir().join(format!("gatekit-guards-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("report.txt");
    std::fs::write(&file, "the report").unwrap();
    let router = guarded!(ServeFile::new(&file));
    check(&router, "the report").await;
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_guard_stands_around_a_grpc_service() {
    let grpc =
        service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(tonic::body::Body::new(Pieces::new()))));
    check(&guarded!(grpc), "one two").await;
}

/// A gRPC service says in the trailers how the call went.
#[tokio::test]
async fn trailers_pass_a_guard() {
    let pieces = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Pieces::new())));
    let service = RequireAuthLayer::new(Members::default()).layer(pieces);
    let request = |token| Request::get("/").header("authorization", token).body(Body::empty()).unwrap();
    let answered = service.clone().oneshot(request("ada")).await.unwrap().into_body().collect().await.unwrap();
    assert_eq!(answered.trailers().unwrap()["grpc-status"], "0");
    let refused = service.oneshot(request("other")).await.unwrap().into_body().collect().await.unwrap();
    assert!(refused.trailers().is_none());
}

/// The guard tells the length of a refusal, and knows where it ends, so that a server need not send
/// it in chunks.
#[tokio::test]
async fn a_refusal_has_a_length_and_an_inner_body_keeps_its_own() {
    let inner = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::from("twelve bytes"))));
    let mut service = RequireAuthLayer::new(Members::default()).layer(inner);
    for (token, length) in [("ada", 12), ("other", 110)] {
        let request = Request::get("/").header("authorization", token).body(Body::empty()).unwrap();
        let mut body = service.ready().await.unwrap().call(request).await.unwrap().into_body();
        assert_eq!(body.size_hint().exact(), Some(length), "{token}");
        assert!(!body.is_end_stream(), "{token}");
        body.frame().await.unwrap().unwrap();
        assert!(body.is_end_stream(), "{token}");
        assert_eq!(body.size_hint().exact(), Some(0), "{token}");
        assert!(body.frame().await.is_none(), "{token}");
    }
}

/// Compression inside of the guard, in one stack of layers on a router, on a method and around a
/// service.
#[tokio::test]
async fn compression_may_be_inside_of_a_guard() {
    let long = "all the same ".repeat(100);
    let text = long.clone();
    let handler = get(move || async move { text });
    let stack = || (RequireAuthLayer::new(Members::default()), CompressionLayer::new());
    let of_router = Router::new().route("/router", handler.clone()).layer(stack());
    let of_method = Router::new().route("/method", handler.clone().layer(stack()));
    let of_service = Router::new().route_service("/service", ServiceBuilder::new().layer(stack()).service(handler));
    let router = of_router.merge(of_method).merge(of_service);
    for path in ["/router", "/method", "/service"] {
        assert_eq!(ask(&router, path, "ada").await, ok(&long), "{path}");
        assert_eq!(ask(&router, path, "").await, anonymous(), "{path}");
        let packed = Request::get(path).header("authorization", "ada").header("accept-encoding", "gzip");
        let packed = router.clone().oneshot(packed.body(Body::empty()).unwrap()).await.unwrap();
        assert_eq!(packed.headers()["content-encoding"], "gzip", "{path}");
        let bytes = packed.into_body().collect().await.unwrap().to_bytes();
        assert!(bytes.len() < long.len() / 2, "{path}");
    }
}

/// A service behind a guard goes where axum takes a service.
#[tokio::test]
async fn a_guarded_service_is_nested_and_is_a_fallback() {
    let service = || {
        let pieces = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Pieces::new())));
        RequireAuthLayer::new(Members::default()).layer(pieces)
    };
    let router = Router::new().nest_service("/files", service()).fallback_service(service());
    for path in ["/files/a", "/elsewhere"] {
        assert_eq!(ask(&router, path, "ada").await, ok("one two"), "{path}");
        assert_eq!(ask(&router, path, "").await, anonymous(), "{path}");
    }
}
