//! First the question whether a request may go on, then the inner service's answer: what all layers that refuse have in common.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::AuthRejection;
use crate::context::BoxFuture;

/// The very service that was ready, which is the one to be called; a clone of it stays for the next request.
pub(crate) fn take_ready<S: Clone>(inner: &mut S) -> S {
    let clone = inner.clone();
    std::mem::replace(inner, clone)
}

pin_project! {
    /// The future of [`RequireRoleService`](crate::RequireRoleService) and [`RequireScopeService`](crate::RequireScopeService).
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

impl<S: Service<Request<B>>, B> GuardFuture<S, B> {
    /// Calls `service`, which must be ready, with the request that `asking` lets through.
    pub(crate) fn new(
        service: S,
        asking: impl Future<Output = Result<Request<B>, AuthRejection>> + Send + 'static,
    ) -> Self {
        Self { state: State::Asking { asking: Box::pin(asking), service: Some(service) } }
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
