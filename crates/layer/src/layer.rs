//! Finds the caller's token and leaves it, unchecked, for whoever asks.

use std::convert::Infallible;
use std::future::{Future, Ready, ready};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll, Waker, ready};

use gatekit_core::Authenticator;
use http::header::{CACHE_CONTROL, HeaderValue, REFERRER_POLICY};
use http::{Method, Request, Response, StatusCode};
use pin_project_lite::pin_project;
use tower_http::csrf::CsrfLayer;
use tower_layer::Layer;
use tower_service::Service;

use crate::TokenSources;
use crate::context::{Context, ErasedAuthenticator};
use crate::source::cut_query_tokens;

/// Finds the token of a request and puts it, with the authenticator, where the extractors find them.
///
/// It touches no store, and refuses nothing: that is up to what the handler asks for.
///
/// 1. A token in the query is cut out of the URI, so that inner services and their log lines do not see it. The response gets
///    `Cache-Control: no-store` and `Referrer-Policy: no-referrer`.
/// 2. The [`TokenSources`] are tried in order.
/// 3. If the token came in a cookie and the method is unsafe, the cross-origin check of [`tower_http::csrf`] is made:
///    `Sec-Fetch-Site`, or else `Origin`, must name the app's own origin or a trusted one. If not, the extractors answer 403.
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_layer::{AuthLayer, TokenSources};
///
/// let auth = Auth::new(MemoryStore::new());
/// let layer = AuthLayer::new(auth).sources(TokenSources::strict()).trusted_origin("https://admin.example.com")?;
/// let app: Router = Router::new().layer(layer);
/// # Ok::<_, gatekit_layer::InvalidOrigin>(())
/// ```
///
/// Two layers with different user types may be stacked; each extractor finds the one for its type.
#[derive(Clone)]
pub struct AuthLayer(Arc<Settings>);

#[derive(Clone)]
pub(crate) struct Settings {
    authenticator: Arc<dyn ErasedAuthenticator>,
    sources: TokenSources,
    csrf: CsrfLayer,
}

impl AuthLayer {
    /// With [`TokenSources::default`].
    #[must_use]
    pub fn new(authenticator: impl Authenticator) -> Self {
        Self(Arc::new(Settings {
            authenticator: Arc::new(authenticator),
            sources: TokenSources::default(),
            csrf: CsrfLayer::new(),
        }))
    }

    /// Looks in these places instead.
    #[must_use]
    pub fn sources(mut self, sources: TokenSources) -> Self {
        Arc::make_mut(&mut self.0).sources = sources;
        self
    }

    /// Accepts cookies on unsafe methods from this origin too, written as browsers send it: `https://admin.example.com`.
    ///
    /// # Errors
    ///
    /// [`InvalidOrigin`] if it has a path, or is no origin at all.
    pub fn trusted_origin(mut self, origin: &str) -> Result<Self, InvalidOrigin> {
        let settings = Arc::make_mut(&mut self.0);
        settings.csrf = settings.csrf.clone().add_trusted_origin(origin).map_err(|_| InvalidOrigin(origin.into()))?;
        Ok(self)
    }

    /// Does what the layer does, and says whether the token came in the query.
    pub(crate) fn prepare<B>(&self, request: &mut Request<B>) -> bool {
        let settings = &*self.0;
        let mut query = cut_query_tokens(request.uri_mut(), &settings.sources);
        let from_query = !query.is_empty();
        #[cfg(feature = "axum")]
        if from_query {
            cut_original_uri(request, &settings.sources);
        }
        let found = settings.sources.find(request.headers(), &mut query);
        let cross_origin = found.as_ref().is_some_and(|found| found.is_cookie()) && settings.is_cross_origin(request);
        let outer = request.extensions_mut().remove::<Context>();
        let context = Context::new(Arc::clone(&settings.authenticator), found, cross_origin, outer);
        request.extensions_mut().insert(context);
        from_query
    }
}

impl std::fmt::Debug for AuthLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthLayer")
            .field("principal", &self.0.authenticator.principal_name())
            .field("sources", &self.0.sources)
            .finish_non_exhaustive()
    }
}

/// An origin that no browser would ever send.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an origin: write scheme, host and port alone, such as https://admin.example.com")]
pub struct InvalidOrigin(String);

impl Settings {
    /// Runs tower-http's check on this request's head alone.
    fn is_cross_origin<B>(&self, request: &Request<B>) -> bool {
        if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
            return false;
        }
        let mut head = Request::new(());
        *head.method_mut() = request.method().clone();
        *head.uri_mut() = request.uri().clone();
        *head.headers_mut() = request.headers().clone();
        let answer = pin!(self.csrf.layer(Passed).call(head));
        // The check itself does not wait for anything; if it ever should, nothing passes.
        match answer.poll(&mut TaskContext::from_waker(Waker::noop())) {
            Poll::Ready(Ok(response)) => response.status() != StatusCode::OK,
            Poll::Pending => true,
        }
    }
}

/// The service behind the check: whoever gets here has passed.
struct Passed;

impl Service<Request<()>> for Passed {
    type Response = Response<()>;
    type Error = Infallible;
    type Future = Ready<Result<Response<()>, Infallible>>;

    fn poll_ready(&mut self, _: &mut TaskContext<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<()>) -> Self::Future {
        ready(Ok(Response::new(())))
    }
}

#[cfg(feature = "axum")]
fn cut_original_uri<B>(request: &mut Request<B>, sources: &TokenSources) {
    if let Some(axum::extract::OriginalUri(uri)) = request.extensions_mut().get_mut() {
        cut_query_tokens(uri, sources);
    }
}

impl<S> Layer<S> for AuthLayer {
    type Service = AuthService<S>;

    fn layer(&self, inner: S) -> AuthService<S> {
        AuthService { inner, layer: self.clone() }
    }
}

/// The service of [`AuthLayer`].
#[derive(Clone, Debug)]
pub struct AuthService<S> {
    inner: S,
    layer: AuthLayer,
}

impl<S, ReqBody, ResBody> Service<Request<ReqBody>> for AuthService<S>
where
    S: Service<Request<ReqBody>, Response = Response<ResBody>>,
{
    type Response = Response<ResBody>;
    type Error = S::Error;
    type Future = AuthFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut TaskContext<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<ReqBody>) -> Self::Future {
        let from_query = self.layer.prepare(&mut request);
        AuthFuture { inner: self.inner.call(request), from_query }
    }
}

pin_project! {
    /// The future of [`AuthService`].
    pub struct AuthFuture<F> {
        #[pin]
        inner: F,
        from_query: bool,
    }
}

impl<F, B, E> Future for AuthFuture<F>
where
    F: Future<Output = Result<Response<B>, E>>,
{
    type Output = Result<Response<B>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut TaskContext<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let mut response = ready!(this.inner.poll(cx))?;
        if *this.from_query {
            protect(&mut response);
        }
        Poll::Ready(Ok(response))
    }
}

/// What every answer to a request with its token in the query gets, whatever the handler said (RFC 6750 §5.3).
pub(crate) fn protect<B>(response: &mut Response<B>) {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}
