//! What follows when a guard refuses a request for a page of the app's own: a person is led to what
//! helps, and a program is told why.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::BoxError;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::response::Response;
use gatekit_core::{Account, Texts};
use gatekit_layer::{AuthRejection, ErrorResponse};
use tower_layer::Layer;
use tower_service::Service;

use crate::look::Look;
use crate::refused::Refused;
use crate::{Feature, Pages};

/// Goes around an app's own pages. Where a guard ([`AuthUser`](gatekit_layer::AuthUser),
/// [`Fresh`](gatekit_layer::Fresh), [`HasRole`](gatekit_layer::HasRole),
/// [`RequireAuthLayer`](gatekit_layer::RequireAuthLayer) and so on) refuses a request, the response
/// depends on who reads it:
///
/// | | a person | htmx | another program |
/// | --- | --- | --- | --- |
/// | nobody is logged in | 303 to `/login` | 401 with `HX-Redirect` to `/login` | 401 |
/// | the password was verified too long ago (`STEP_UP_REQUIRED`) | 303 to `/confirm-password` | 401 with `HX-Redirect` to it | 401 |
/// | the same, of another method than GET and HEAD | a page that says so, 401 | as above | 401 |
/// | the caller has not the role, the scope or the right | a page that says so, 403 (404 for `NotFound`) | 401, 403 or 404 | 401, 403 or 404 |
/// | another origin sent it; the store fails | a page, 403 or 503 | 403 or 503 | 403 or 503 |
///
/// From `/login` and `/confirm-password` a person comes back to the page, query included; htmx to
/// the page that it is in (`HX-Current-URL`). What a form has sent would be lost on the way, so a
/// page says that nothing was saved. What a program gets is the JSON of [`ErrorResponse`].
///
/// A person is who opens a page or sends a form: `Sec-Fetch-Mode: navigate`, or, where a browser
/// sends no such header, an `Accept` that names `text/html`, or none. fetch, `XMLHttpRequest`,
/// `EventSource`, WebSockets and clients that accept `*/*` are programs. htmx is known by
/// `HX-Request`.
///
/// On the response to a person the token's cookie is taken back if its token has ended. Not on
/// those to programs: a page may send requests while its token is being replaced, and they would
/// take the new cookie away.
///
/// A 401 or 403 of the app's own is left alone, and so is the 500 that says that a layer is
/// missing.
///
/// ```
/// use axum::Router;
/// use axum::routing::get;
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_layer::{AuthLayer, AuthUser};
/// use gatekit_pages::{AskToLogInLayer, Pages};
///
/// async fn private(AuthUser(user): AuthUser) -> String {
///     format!("Only for you, {}", user.id)
/// }
///
/// let auth = Auth::new(MemoryStore::new());
/// let pages = Pages::new(auth.clone()).site_name("Acme");
/// let app: Router = Router::new()
///     .route("/private", get(private))
///     .layer(AskToLogInLayer::of(&pages))
///     .merge(pages.router())
///     .layer(AuthLayer::new(auth));
/// ```
#[derive(Clone)]
pub struct AskToLogInLayer {
    prefix: Arc<str>,
    look: Arc<Look>,
}

impl Default for AskToLogInLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for AskToLogInLayer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AskToLogInLayer").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

impl AskToLogInLayer {
    /// For pages at the root of the site. What it says itself, such as that somebody has not the
    /// role, is in the built-in frame, in English and German; [`of`](Self::of) has those of your
    /// pages.
    #[must_use]
    pub fn new() -> Self {
        let look = Look::new(None, &Texts::default(), [Feature::Login]);
        Self { prefix: "".into(), look: Arc::new(look) }
    }

    /// For pages nested under this prefix: `/auth`.
    #[must_use]
    pub fn pages_at(prefix: impl AsRef<str>) -> Self {
        Self::new().nested_at(prefix)
    }

    /// For these pages: with their name, their languages, their texts and their templates. Handlers
    /// inside get their languages by [`Language`](crate::Language). Call it when the pages are set
    /// up, before [`Pages::router`].
    #[must_use]
    pub fn of<U: Account>(pages: &Pages<U>) -> Self {
        Self { prefix: "".into(), look: Arc::new(pages.look.clone()) }
    }

    /// With the pages nested under this prefix: `/auth`.
    #[must_use]
    pub fn nested_at(mut self, prefix: impl AsRef<str>) -> Self {
        self.prefix = prefix.as_ref().trim_end_matches('/').into();
        self
    }
}

impl<S> Layer<S> for AskToLogInLayer {
    type Service = AskToLogInService<S>;

    fn layer(&self, inner: S) -> AskToLogInService<S> {
        AskToLogInService { inner, layer: self.clone() }
    }
}

/// The service of [`AskToLogInLayer`].
#[derive(Clone, Debug)]
pub struct AskToLogInService<S> {
    inner: S,
    layer: AskToLogInLayer,
}

impl<S, ResBody> Service<Request> for AskToLogInService<S>
where
    S: Service<Request, Response = Response<ResBody>>,
    S::Future: Send + 'static,
    S::Error: 'static,
    ResBody: HttpBody<Data = Bytes> + Send + 'static,
    ResBody::Error: Into<BoxError>,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request) -> Self::Future {
        let AskToLogInLayer { prefix, look } = self.layer.clone();
        request.extensions_mut().insert(look.languages.clone());
        let asked = Refused::prepare(&request, prefix, look);
        let answering = self.inner.call(request);
        Box::pin(async move {
            let response = answering.await?.map(Body::new);
            Ok(match refusal(&response) {
                Some(rejection) => asked.answer(&rejection, response),
                None => response,
            })
        })
    }
}

/// Why a guard of the kit has refused a request, if this is what it has answered: other layers may
/// have made something else of it.
fn refusal(response: &Response) -> Option<AuthRejection> {
    response.extensions().get::<ErrorResponse>()?;
    response.extensions().get::<AuthRejection>().cloned()
}
