//! What happens to a person who opens a page of the app's own that is for users? It gets the page to log in, and comes back.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::{OriginalUri, Request};
use axum::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};
use gatekit_core::PublicUrl;
use gatekit_layer::{AuthRejection, public_url};
use tower_layer::Layer;
use tower_service::Service;

use crate::return_to;

/// Goes around an app's own pages. Where a guard in a handler's signature ([`AuthUser`](gatekit_layer::AuthUser),
/// [`Fresh`](gatekit_layer::Fresh) and so on) answers a program with 401, a person who opens the page is sent
///
/// 1. to `/confirm-password`, if it is logged in and has proven its password too long ago (`STEP_UP_REQUIRED`);
/// 2. to `/login`, if nobody is logged in,
///
/// and back to the page after that, query included. Other methods than GET are left alone: what they have sent would be lost. So is who is logged in and may not,
/// and a 401 of the app's own.
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
/// let app: Router = Router::new()
///     .route("/private", get(private))
///     .layer(AskToLogInLayer::new())
///     .merge(Pages::new(auth.clone()).router())
///     .layer(AuthLayer::new(auth));
/// ```
#[derive(Clone, Debug)]
pub struct AskToLogInLayer {
    prefix: Arc<str>,
}

impl Default for AskToLogInLayer {
    fn default() -> Self {
        Self::new()
    }
}

impl AskToLogInLayer {
    /// For pages at the root of the site.
    #[must_use]
    pub fn new() -> Self {
        Self { prefix: "".into() }
    }

    /// For pages nested under this prefix: `/auth`.
    #[must_use]
    pub fn pages_at(prefix: impl AsRef<str>) -> Self {
        Self { prefix: prefix.as_ref().trim_end_matches('/').into() }
    }
}

impl<S> Layer<S> for AskToLogInLayer {
    type Service = AskToLogInService<S>;

    fn layer(&self, inner: S) -> AskToLogInService<S> {
        AskToLogInService { inner, prefix: Arc::clone(&self.prefix) }
    }
}

/// The service of [`AskToLogInLayer`].
#[derive(Clone, Debug)]
pub struct AskToLogInService<S> {
    inner: S,
    prefix: Arc<str>,
}

impl<S> Service<Request> for AskToLogInService<S>
where
    S: Service<Request, Response = Response>,
    S::Future: Send + 'static,
    S::Error: 'static,
{
    type Response = Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let opened = (request.method() == Method::GET).then(|| opened(&request));
        let public_url = public_url(request.extensions()).cloned();
        let (prefix, answering) = (Arc::clone(&self.prefix), self.inner.call(request));
        Box::pin(async move {
            let response = answering.await?;
            Ok(match opened {
                Some(page) if response.status() == StatusCode::UNAUTHORIZED => match what_helps(&response) {
                    Some(path) => ask(public_url.as_ref(), &format!("{prefix}{path}"), &page),
                    None => response,
                },
                _ => response,
            })
        })
    }
}

/// The page that was opened, as the browser knows it. A token in the query was cut out of it by the `AuthLayer`.
fn opened(request: &Request) -> String {
    let original = request.extensions().get::<OriginalUri>().map_or(request.uri(), |OriginalUri(uri)| uri);
    original.path_and_query().map_or("/", |target| target.as_str()).to_owned()
}

/// Where somebody goes whom a guard has refused. Who is logged in and may not, or is refused by the app itself, goes nowhere: the login would send
/// it back here, again and again.
fn what_helps(refused: &Response) -> Option<&'static str> {
    match refused.extensions().get::<AuthRejection>()? {
        AuthRejection::Missing | AuthRejection::Invalid | AuthRejection::Expired => Some("/login"),
        AuthRejection::StepUpRequired { .. } => Some("/confirm-password"),
        _ => None,
    }
}

fn ask(public_url: Option<&PublicUrl>, path: &str, page: &str) -> Response {
    // What a proxy has cut off is there again for the browser.
    let outside = |path: &str| public_url.map_or_else(|| path.to_owned(), |url| url.outside(path));
    let target = format!("{}?return_to={}", outside(path), return_to::encode(&outside(page)));
    let mut response = StatusCode::SEE_OTHER.into_response();
    let headers = response.headers_mut();
    headers.insert(LOCATION, return_to::location(&target));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
