//! First the question whether a request may go on, then the inner service's answer: what both layers have in common.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{Request, Response};
use tower_service::Service;

/// What a layer asks before it lets a request through.
pub(crate) trait Gate: Clone + Send + Sync + 'static {
    /// Whether this request may go on, or else the answer.
    fn admit(&self, parts: &mut Parts) -> impl Future<Output = Result<(), Response<Body>>> + Send;
}

/// The service of a layer that lets only some requests through.
#[derive(Clone, Debug)]
pub struct GateService<S, G> {
    inner: S,
    gate: G,
}

impl<S, G> GateService<S, G> {
    pub(crate) fn new(inner: S, gate: G) -> Self {
        Self { inner, gate }
    }
}

impl<S, G> Service<Request<Body>> for GateService<S, G>
where
    S: Service<Request<Body>, Response = Response<Body>> + Clone + Send + 'static,
    S::Future: Send,
    G: Gate,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The very service that was ready is the one to be called; a clone of it stays for the next request.
        let clone = self.inner.clone();
        let mut ready = std::mem::replace(&mut self.inner, clone);
        let gate = self.gate.clone();
        Box::pin(async move {
            let (mut parts, body) = request.into_parts();
            match gate.admit(&mut parts).await {
                Ok(()) => ready.call(Request::from_parts(parts, body)).await,
                Err(refusal) => Ok(refusal),
            }
        })
    }
}
