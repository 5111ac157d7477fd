//! Lets nobody through who has no valid token: for whole routers, and for tower services without
//! axum.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use gatekit_core::Authenticator;
use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::context::Context;
use crate::guard::{Guard, GuardFuture};
use crate::layer::Prepared;
use crate::{AuthLayer, GuardBody, GuardRefusal, TokenSources};

/// Answers 401 to every request without a valid token, and 503 if that cannot be found out. The
/// rest goes through, with the caller known: [`principal`](crate::principal) and the extractors
/// cost nothing more.
///
/// It does all that [`AuthLayer`] does and needs none beside it.
///
/// ```
/// use axum::{Router, routing::get};
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_layer::RequireAuthLayer;
///
/// let auth = Auth::new(MemoryStore::new());
/// let members: Router = Router::new().route("/news", get(|| async { "For members" })).layer(RequireAuthLayer::new(auth));
/// ```
#[derive(Clone, Debug)]
pub struct RequireAuthLayer(AuthLayer);

impl RequireAuthLayer {
    /// With [`TokenSources::default`].
    #[must_use]
    pub fn new(authenticator: impl Authenticator) -> Self {
        Self(AuthLayer::new(authenticator))
    }

    /// Looks in these places instead.
    #[must_use]
    pub fn sources(self, sources: TokenSources) -> Self {
        Self(self.0.sources(sources))
    }
}

/// With the same authenticator, sources and trusted origins.
impl From<AuthLayer> for RequireAuthLayer {
    fn from(layer: AuthLayer) -> Self {
        Self(layer)
    }
}

impl<S> Layer<S> for RequireAuthLayer {
    type Service = RequireAuthService<S>;

    fn layer(&self, inner: S) -> RequireAuthService<S> {
        RequireAuthService { inner, layer: self.0.clone() }
    }
}

/// The service of [`RequireAuthLayer`].
#[derive(Clone, Debug)]
pub struct RequireAuthService<S> {
    inner: S,
    layer: AuthLayer,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for RequireAuthService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    ReqBody: Send + 'static,
{
    type Response = Response<GuardBody<ResBody>>;
    type Error = S::Error;
    type Future = RequireAuthFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let prepared = self.layer.prepare(&mut request);
        let inner = GuardFuture::new(&mut self.inner, Somebody, request);
        RequireAuthFuture { inner, prepared }
    }
}

/// Asks only whether somebody is there.
#[derive(Clone)]
struct Somebody;

impl Guard for Somebody {
    async fn admit(&self, parts: &mut Parts) -> Result<(), GuardRefusal> {
        Context::innermost(parts).await?.admitted()?;
        Ok(())
    }
}

pin_project! {
    /// The future of [`RequireAuthService`].
    pub struct RequireAuthFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        inner: GuardFuture<S, B>,
        prepared: Prepared,
    }
}

impl<S, B, ResBody> Future for RequireAuthFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
{
    type Output = Result<Response<GuardBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx))?;
        this.prepared.finish(&mut response);
        Poll::Ready(Ok(response))
    }
}
