//! First the question whether a request may go on, then the inner service's answer: what all layers that refuse have in common.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::AuthRejection;
use crate::context::BoxFuture;

/// What a layer asks before it lets a request through.
pub trait Guard: Clone + Send + Sync + 'static {
    /// Whether this request may go on.
    fn admit(&self, parts: &mut Parts) -> impl Future<Output = Result<(), AuthRejection>> + Send;
}

/// The service of a layer that lets only some requests through.
#[derive(Clone, Debug)]
pub struct GuardService<S, G> {
    inner: S,
    guard: G,
}

impl<S, G: Guard> GuardService<S, G> {
    pub(crate) fn new(inner: S, guard: &G) -> Self {
        Self { inner, guard: guard.clone() }
    }
}

impl<S, G, ReqBody, ResBody> Service<Request<ReqBody>> for GuardService<S, G>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    G: Guard,
    ReqBody: Send + 'static,
    ResBody: From<Bytes>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = GuardFuture<S, ReqBody>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<ReqBody>) -> Self::Future {
        GuardFuture::new(&mut self.inner, self.guard.clone(), request)
    }
}

pin_project! {
    /// The future of the services of layers that let only some requests through, such as
    /// [`RequireRoleService`](crate::RequireRoleService).
    pub struct GuardFuture<S, B>
    where
        S: Service<Request<B>>,
    {
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = StateProj]
    enum State<S, B>
    where
        S: Service<Request<B>>,
    {
        Asking { asking: BoxFuture<'static, Result<Request<B>, AuthRejection>>, service: Option<S> },
        Answering { #[pin] answering: S::Future },
    }
}

impl<S: Service<Request<B>> + Clone, B: Send + 'static> GuardFuture<S, B> {
    /// Calls `inner`, which must be ready, with the request if `guard` lets it through.
    pub(crate) fn new(inner: &mut S, guard: impl Guard, request: Request<B>) -> Self {
        // The very service that was ready is the one to be called; a clone of it stays for the next request.
        let clone = inner.clone();
        let ready = std::mem::replace(inner, clone);
        let asking = async move {
            let (mut parts, body) = request.into_parts();
            guard.admit(&mut parts).await?;
            Ok(Request::from_parts(parts, body))
        };
        Self { state: State::Asking { asking: Box::pin(asking), service: Some(ready) } }
    }
}

impl<S, B, ResBody> Future for GuardFuture<S, B>
where
    S: Service<Request<B>, Response = Response<ResBody>>,
    ResBody: From<Bytes>,
{
    type Output = Result<Response<ResBody>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Asking { asking, service } => match (ready!(asking.as_mut().poll(cx)), service.take()) {
                    (Ok(request), Some(mut service)) => {
                        let answering = service.call(request);
                        this.state.set(State::Answering { answering });
                    }
                    (Err(rejection), _) => return Poll::Ready(Ok(rejection.into_http())),
                    // Polled after it was done, which no caller may do.
                    (Ok(_), None) => return Poll::Pending,
                },
                StateProj::Answering { answering } => return answering.poll(cx),
            }
        }
    }
}
