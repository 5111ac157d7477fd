//! Leaves in every request what finds the caller, for whoever asks.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context as TaskContext, Poll, ready};

use gatekit_core::{Authenticator, InvalidOrigin};
use http::header::{CACHE_CONTROL, HeaderValue, REFERRER_POLICY};
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use crate::TokenSources;
use crate::context::Context;
use crate::cross_origin::CrossOrigin;
use crate::erased::Typed;
use crate::lookup::Lookup;
use crate::response_caller::ResponseCaller;
use crate::settings::Settings;
use crate::source::cut_query_tokens;

/// Lets the extractors find out who is calling: leaves the authenticator and its [`TokenSources`]
/// in the request.
///
/// It looks nothing up, touches no store and refuses nothing: that happens when a handler asks.
///
/// 1. A token in the query is cut out of the URI, so that inner services and their log lines do not
///    see it. The response gets `Cache-Control: no-store` and `Referrer-Policy: no-referrer`.
/// 2. When an extractor asks, the [`TokenSources`] are tried in order, and the authenticator is
///    asked about the token, once.
/// 3. If the token came in a cookie or a session, and the method is unsafe or the request asks for
///    a WebSocket (ASVS 4.4.2), the request must come from a page of the app's own origin or of a
///    trusted one, by `Sec-Fetch-Site` or else by `Origin`. For a WebSocket `Origin` comes first.
///    If it does not, the extractors answer 403. The app's own origin is that of
///    `Builder::public_url`, or what the `Host` header says.
/// 4. The response holds a [`ResponseCaller`] in its extensions if somebody asked and a caller was
///    found, so that an access log further out can name the user.
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

impl AuthLayer {
    /// With [`TokenSources::default`].
    #[must_use]
    pub fn new(authenticator: impl Authenticator) -> Self {
        let cross_origin = CrossOrigin::of(authenticator.public_url());
        let authenticator = Arc::new(Typed(Box::new(authenticator)));
        Self(Arc::new(Settings { authenticator, sources: TokenSources::default(), cross_origin }))
    }

    /// Looks in these places instead.
    #[must_use]
    pub fn sources(mut self, sources: TokenSources) -> Self {
        Arc::make_mut(&mut self.0).sources = sources;
        self
    }

    /// Accepts cookies on unsafe methods and WebSocket upgrades from this origin too:
    /// `https://admin.example.com`. It is brought into the form that browsers send, in lower case
    /// and without the default port.
    ///
    /// # Errors
    ///
    /// [`InvalidOrigin`] if no browser could send it, such as a path, a wildcard, or a host that is
    /// not ASCII. The message names the way out.
    pub fn trusted_origin(mut self, origin: &str) -> Result<Self, InvalidOrigin> {
        let settings = Arc::make_mut(&mut self.0);
        settings.cross_origin = settings.cross_origin.clone().trust(origin)?;
        Ok(self)
    }

    /// Does what the layer does to a request. What is returned is for the response.
    pub(crate) fn prepare<B>(&self, request: &mut Request<B>) -> Prepared {
        let query = cut_query_tokens(request.uri_mut(), &self.0.sources);
        let from_query = !query.is_empty();
        #[cfg(feature = "axum")]
        if from_query {
            cut_original_uri(request, &self.0.sources);
        }
        let lookup = Context::insert(request.extensions_mut(), Arc::clone(&self.0), query);
        Prepared { from_query, lookup }
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
        let prepared = self.layer.prepare(&mut request);
        AuthFuture { inner: self.inner.call(request), prepared }
    }
}

pin_project! {
    /// The future of [`AuthService`].
    pub struct AuthFuture<F> {
        #[pin]
        inner: F,
        prepared: Prepared,
    }
}

/// What a layer has learned from a request that matters to the response.
#[derive(Clone)]
pub(crate) struct Prepared {
    /// Whether the query had a token.
    from_query: bool,
    lookup: Arc<OnceLock<Lookup>>,
}

impl Prepared {
    /// Does what the layer does to a response.
    pub(crate) fn finish<B>(&self, response: &mut Response<B>) {
        if self.from_query {
            protect(response);
        }
        if let Some(caller) = self.lookup.get().and_then(Lookup::caller) {
            ResponseCaller::leave(response.extensions_mut(), caller);
        }
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
        this.prepared.finish(&mut response);
        Poll::Ready(Ok(response))
    }
}

/// What every answer to a request with its token in the query gets, whatever the handler said (RFC
/// 6750 §5.3).
fn protect<B>(response: &mut Response<B>) {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
}
