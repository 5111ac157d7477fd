//! The guard: it decides whether a request may go on, and answers in place of the inner service if
//! not.
//!
//! Every layer of the kit that refuses requests is a [`Guard`] in a [`GuardService`], so that they
//! all treat a refused request alike: the inner service does not see it, its readiness is kept, and
//! its response body may be of any type.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context as TaskContext, Poll, ready};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use crate::erased::BoxFuture;
use crate::{AuthRejection, ErrorResponse, GuardBody};

/// Decides whether a request may go on.
///
/// The layers of this crate are guards: [`RequireAuthLayer`](crate::RequireAuthLayer),
/// [`RequireRoleLayer`](crate::RequireRoleLayer) and so on. An app writes one of its own where a
/// refused request gets a response of the app's own.
///
/// ```
/// use bytes::Bytes;
/// use gatekit_core::{Auth, MemoryStore, User};
/// use gatekit_layer::{AuthLayer, Guard, GuardService, GuardRefusal, principal};
/// use http::request::Parts;
/// use http::{Request, Response, StatusCode};
/// use tower::{Layer, ServiceBuilder, layer::layer_fn, service_fn};
///
/// /// Accepts requests in working hours only.
/// #[derive(Clone)]
/// struct WorkingHours;
///
/// impl Guard for WorkingHours {
///     async fn admit(&self, parts: &mut Parts) -> Result<(), GuardRefusal> {
///         # let is_open = true;
///         if is_open {
///             return Ok(());
///         }
///         let mut closed = Response::new(Bytes::from("We are closed"));
///         *closed.status_mut() = StatusCode::FORBIDDEN;
///         Err(closed.into())
///     }
/// }
///
/// let inner = service_fn(async |_: Request<String>| Ok::<_, std::io::Error>(Response::new("Welcome".to_owned())));
/// let service = ServiceBuilder::new().layer(layer_fn(|inner| GuardService::new(inner, WorkingHours))).service(inner);
/// ```
pub trait Guard: Clone + Send + Sync + 'static {
    /// Whether this request may go on. The refusal is the response that the client gets otherwise.
    ///
    /// It may leave something in the request's extensions for the services inside.
    fn admit(&self, parts: &mut Parts) -> impl Future<Output = Result<(), GuardRefusal>> + Send;
}

/// The whole response that a [`Guard`] gives in place of the inner service.
///
/// Made from an [`AuthRejection`], an [`ErrorResponse`] or a response of the app's own.
// In a box, because a result with it should not cost an admitted request 150 bytes.
pub struct GuardRefusal(Box<Response<Bytes>>);

impl GuardRefusal {
    /// The response.
    #[must_use]
    pub fn into_response(self) -> Response<Bytes> {
        *self.0
    }
}

impl fmt::Debug for GuardRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GuardRefusal").field(&self.0.status()).finish()
    }
}

impl From<Response<Bytes>> for GuardRefusal {
    fn from(response: Response<Bytes>) -> Self {
        Self(Box::new(response))
    }
}

impl From<AuthRejection> for GuardRefusal {
    fn from(rejection: AuthRejection) -> Self {
        rejection.into_http().into()
    }
}

impl From<ErrorResponse> for GuardRefusal {
    fn from(error: ErrorResponse) -> Self {
        error.into_http().into()
    }
}

/// The service of a layer that lets only some requests through.
///
/// Its response body is a [`GuardBody`] around that of the inner service, which may be of any type.
#[derive(Clone, Debug)]
pub struct GuardService<S, G> {
    inner: S,
    guard: G,
}

impl<S, G: Guard> GuardService<S, G> {
    /// Puts `guard` in front of `inner`.
    pub fn new(inner: S, guard: G) -> Self {
        Self { inner, guard }
    }
}

impl<S, G, ReqBody, ResBody> Service<Request<ReqBody>> for GuardService<S, G>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>> + Clone,
    G: Guard,
    ReqBody: Send + 'static,
{
    type Response = Response<GuardBody<ResBody>>;
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
    /// The future of [`GuardService`].
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
        Asking { asking: BoxFuture<'static, Result<Request<B>, GuardRefusal>>, service: Option<S> },
        Answering { #[pin] answering: S::Future },
    }
}

impl<S: Service<Request<B>> + Clone, B: Send + 'static> GuardFuture<S, B> {
    /// Calls `inner`, which must be ready, with the request if `guard` lets it through.
    pub(crate) fn new(inner: &mut S, guard: impl Guard, request: Request<B>) -> Self {
        // The very service that was ready is the one to be called; a clone of it stays for the next
        // request.
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
{
    type Output = Result<Response<GuardBody<ResBody>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        loop {
            match this.state.as_mut().project() {
                StateProj::Asking { asking, service } => match (ready!(asking.as_mut().poll(cx)), service.take()) {
                    (Ok(request), Some(mut service)) => {
                        let answering = service.call(request);
                        this.state.set(State::Answering { answering });
                    }
                    (Err(refusal), _) => return Poll::Ready(Ok(refusal.into_response().map(GuardBody::refusal))),
                    // Polled after it was done, which no caller may do.
                    (Ok(_), None) => return Poll::Pending,
                },
                StateProj::Answering { answering } => {
                    return answering.poll(cx).map_ok(|response| response.map(GuardBody::inner));
                }
            }
        }
    }
}
