//! How does a client get its token: in the body, or in a cookie or session of the browser?

use std::task::{Context, Poll};

use axum::http::header::{HeaderMap, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{Request, StatusCode};
use axum::response::{IntoResponse, Response};
use gatekit_core::{Account, Auth, IssuedToken, TokenDigest};
use gatekit_layer::{AuthRejection, BrowserTransport, ErrorResponse, refuse_cross_origin_of};
use serde_json::{Map, Value};
use tower::{Layer, Service};

use crate::browser::{self, SignInError, end_tokens};
use crate::call::Call;
use crate::errors::IntoError;

/// How a login answers. Where the [`AuthLayer`](gatekit_layer::AuthLayer) looks for tokens in a
/// session of tower-sessions, "cookie" means that session.
///
/// A request can choose otherwise: `?cookie=true`, `?cookie=both`, `?cookie=false`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenTransport {
    /// The token is in the body, as in LoopBack. For programs, apps on devices, and pages that keep
    /// the token themselves.
    #[default]
    Body,
    /// The token is in a cookie that scripts cannot read, and the body has no `id`. For browsers.
    Cookie,
    /// Both.
    Both,
}

impl TokenTransport {
    fn is_for_browsers(self) -> bool {
        self != Self::Body
    }

    /// What the query asks for.
    fn asked(query: &Map<String, Value>) -> Result<Option<Self>, ErrorResponse> {
        match query.get("cookie") {
            None => Ok(None),
            Some(Value::String(text)) if text.is_empty() => Ok(None),
            Some(Value::String(text)) if text == "true" => Ok(Some(Self::Cookie)),
            Some(Value::String(text)) if text == "both" => Ok(Some(Self::Both)),
            Some(Value::String(text)) if text == "false" => Ok(Some(Self::Body)),
            Some(_) => Err(ErrorResponse::new(StatusCode::BAD_REQUEST, "cookie must be true, both or false")
                .code("INVALID_COOKIE")),
        }
    }
}

/// Says how logins below it answer. Of several the innermost counts.
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_layer::AuthLayer;
/// use gatekit_routes::{self as routes, TokenTransport, TokenTransportLayer};
///
/// let auth = Auth::new(MemoryStore::new());
/// let app: Router = Router::new()
///     // Pages of the app sign in here ...
///     .nest("/users", routes::all(&auth).layer(TokenTransportLayer::new(TokenTransport::Cookie)))
///     // ... and programs there.
///     .nest("/api/users", routes::all(&auth))
///     .layer(AuthLayer::new(auth));
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenTransportLayer(TokenTransport);

impl TokenTransportLayer {
    /// In this way.
    #[must_use]
    pub fn new(transport: TokenTransport) -> Self {
        Self(transport)
    }
}

impl<S> Layer<S> for TokenTransportLayer {
    type Service = TokenTransportService<S>;

    fn layer(&self, inner: S) -> TokenTransportService<S> {
        TokenTransportService { inner, transport: self.0 }
    }
}

/// The service of [`TokenTransportLayer`].
#[derive(Clone, Debug)]
pub struct TokenTransportService<S> {
    inner: S,
    transport: TokenTransport,
}

impl<S: Service<Request<B>>, B> Service<Request<B>> for TokenTransportService<S> {
    type Response = S::Response;
    type Error = S::Error;
    type Future = S::Future;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, mut request: Request<B>) -> S::Future {
        request.extensions_mut().insert(self.transport);
        self.inner.call(request)
    }
}

/// How one token is handed over.
pub(crate) struct Handover {
    transport: TokenTransport,
    /// There, if it is needed.
    browser: Option<BrowserTransport>,
}

impl Handover {
    /// What query and mount ask for. Refuses a request of another origin's page, which could sign
    /// its visitors in as somebody else (login CSRF): always where the browser is signed in, and
    /// else unless the body is JSON, which a page of another origin sends only if the app has
    /// allowed it (CORS).
    pub(crate) fn of<U: Account>(call: &Call<U>) -> Result<Self, ErrorResponse> {
        let mount = call.parts().extensions.get().copied().unwrap_or_default();
        Self::unless_asked(call, mount)
    }

    /// For a token that replaces another: a browser that has the old one gets the new one.
    pub(crate) async fn in_place_of<U: Account>(call: &Call<U>, old: &TokenDigest) -> Result<Self, ErrorResponse> {
        let parts = call.parts();
        if let Some(browser) = BrowserTransport::of_user::<U>(&parts.extensions)
            && browser.presented(&parts.headers).await.map_err(|rejection| rejection.to_error())?.contains(old)
        {
            return Self::unless_asked(call, TokenTransport::Cookie);
        }
        Self::of(call)
    }

    fn unless_asked<U: Account>(call: &Call<U>, otherwise: TokenTransport) -> Result<Self, ErrorResponse> {
        let parts = call.parts();
        let transport = TokenTransport::asked(&call.query()?)?.unwrap_or(otherwise);
        let browser = match transport.is_for_browsers() {
            true => Some(BrowserTransport::of_user::<U>(&parts.extensions).ok_or_else(not_enabled)?),
            false => None,
        };
        if browser.is_some() || !call.body_is_json() {
            refuse_cross_origin_of::<U>(parts).map_err(|rejection| rejection.to_error())?;
        }
        let policy = call.auth.policy();
        let lasting = |browser: BrowserTransport| match policy.tokens.renew_after {
            Some(_) => browser.lasting(policy.tokens.max_ttl),
            None => browser,
        };
        Ok(Self { transport, browser: browser.map(lasting) })
    }

    /// Whether a browser keeps the token.
    pub(crate) fn is_for_browsers(&self) -> bool {
        self.browser.is_some()
    }

    /// Whether the token's secret is in the body.
    pub(crate) fn shows_secret(&self) -> bool {
        self.transport != TokenTransport::Cookie
    }

    /// Signs the browser in, if there is one, and ends the tokens it had before (ASVS 7.2.4). If it
    /// cannot, the new token ends.
    pub(crate) async fn sign_in<U: Account>(
        &self,
        auth: &Auth<U>,
        parts: &Parts,
        token: &IssuedToken,
    ) -> Result<HeaderMap, ErrorResponse> {
        let Some(browser) = &self.browser else { return Ok(HeaderMap::new()) };
        browser::sign_in(auth, browser, &parts.headers, token).await.map_err(|error| match error {
            SignInError::Rejected(rejection) => rejection.to_error(),
            SignInError::Unavailable(error) => error.into_error(U::model_name()),
        })
    }
}

/// A browser to be signed out.
pub(crate) struct Leaving {
    browser: BrowserTransport,
    tokens: Vec<TokenDigest>,
}

impl Leaving {
    /// The browser that sent this, if it is signed in and the request is of the app's own pages:
    /// those of others cannot sign anybody out.
    pub(crate) async fn of<U: Account>(parts: &Parts) -> Result<Option<Self>, ErrorResponse> {
        let Some(browser) = BrowserTransport::of_user::<U>(&parts.extensions) else { return Ok(None) };
        if refuse_cross_origin_of::<U>(parts).is_err() {
            return Ok(None);
        }
        let refused = |rejection: AuthRejection| rejection.to_error();
        if !browser.is_signed_in(&parts.headers).await.map_err(refused)? {
            return Ok(None);
        }
        let tokens = browser.presented(&parts.headers).await.map_err(refused)?;
        Ok(Some(Self { browser, tokens }))
    }

    /// Signs it out after what it asked for was done, or if it turned out that it was not signed
    /// in. A failure leaves it as it is.
    pub(crate) async fn with<U: Account>(
        this: Option<Self>,
        auth: &Auth<U>,
        outcome: Result<impl IntoResponse, ErrorResponse>,
    ) -> Result<Response, ErrorResponse> {
        let Some(leaving) = this else { return outcome.map(IntoResponse::into_response) };
        match outcome {
            Ok(done) => {
                end_tokens(auth, &leaving.tokens).await.map_err(|error| error.into_error(U::model_name()))?;
                let headers = leaving.sign_out().await?;
                let mut response = done.into_response();
                append(&mut response, headers);
                Ok(response)
            }
            Err(error) if error.status() == StatusCode::UNAUTHORIZED => {
                let headers = leaving.sign_out().await?;
                let cookies = headers.get_all(SET_COOKIE).iter();
                Err(cookies.fold(error, |error, cookie| error.header(SET_COOKIE, cookie.clone())))
            }
            Err(error) => Err(error),
        }
    }

    async fn sign_out(&self) -> Result<HeaderMap, ErrorResponse> {
        self.browser.sign_out().await.map_err(|rejection| rejection.to_error())
    }
}

/// Adds headers beside those that are there.
pub(crate) fn append(response: &mut Response, headers: HeaderMap) {
    for (name, value) in &headers {
        response.headers_mut().append(name, value.clone());
    }
}

fn not_enabled() -> ErrorResponse {
    let message = "this app signs nobody in by a cookie: its AuthLayer has no token cookie among its sources";
    ErrorResponse::new(StatusCode::BAD_REQUEST, message).code("COOKIES_NOT_ENABLED")
}
