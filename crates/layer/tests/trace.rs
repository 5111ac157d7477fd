//! What tower-http's `TraceLayer` logs of a request with secrets in its URI.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use gatekit_core::{Auth, MemoryStore};
use gatekit_layer::{AuthLayer, AuthUser, request_span};
use gatekit_testkit::LogCapture;
use http::Request;
use tower::ServiceExt;
use tower_http::trace::TraceLayer;

const TOKEN: &str = "GOkZRwgZ61q0XXVxvxlB8TS1D6lrG7Vb9V8YwRDfy3YGAN7TM7EnxWHqdbIZfheZ";

fn app() -> Router {
    let auth = Auth::new(MemoryStore::new());
    Router::new().route("/me", get(|_: AuthUser| async {})).layer(AuthLayer::new(auth))
}

async fn logs_of(app: Router) -> LogCapture {
    let logs = LogCapture::new();
    let _guard = logs.start();
    for uri in [format!("/me?access_token={TOKEN}"), format!("/me?token={TOKEN}"), format!("/{TOKEN}")] {
        let _ = app.clone().oneshot(Request::get(uri).body(Body::empty()).unwrap()).await.unwrap();
    }
    logs
}

/// 14.2.1, LEAK-6: the guide says that this span keeps secrets out of a layer further out.
#[tokio::test]
async fn outside_of_the_layer_the_span_of_the_kit_holds_no_secret() {
    let logs = logs_of(app().layer(TraceLayer::new_for_http().make_span_with(request_span))).await;
    logs.assert_free_of(&[TOKEN]);
    logs.assert_contains("method=GET uri=/me?access_token=[redacted]");
}

/// What the guide warns of. Should tower-http ever redact by itself, the guide can say less.
#[tokio::test]
async fn outside_of_the_layer_the_span_of_tower_http_holds_the_token() {
    let logs = logs_of(app().layer(TraceLayer::new_for_http())).await;
    logs.assert_contains(&format!("access_token={TOKEN}"));
}

/// 14.2.1, LEAK-6
#[tokio::test]
async fn inside_of_the_layer_no_span_holds_the_token_of_the_query() {
    let auth = Auth::new(MemoryStore::new());
    let inner: Router = Router::new().route("/me", get(|_: AuthUser| async {})).layer(TraceLayer::new_for_http());
    let logs = LogCapture::new();
    let _guard = logs.start();
    let request = Request::get(format!("/me?access_token={TOKEN}")).body(Body::empty()).unwrap();
    let _ = inner.layer(AuthLayer::new(auth)).oneshot(request).await.unwrap();
    logs.assert_free_of(&[TOKEN]);
    logs.assert_contains("uri=/me");
}
