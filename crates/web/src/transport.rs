//! Chooses how a login answers: with the token in the body, in a cookie or session, or in both.

use std::task::{Context, Poll};

use axum::http::Request;
use tower::{Layer, Service};

/// How a login answers. Where the [`AuthLayer`](gatekit_layer::AuthLayer) looks for tokens in a
/// session of tower-sessions, "cookie" means that session.
///
/// A request to the routes can choose otherwise: `?cookie=true`, `?cookie=both`, `?cookie=false`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TokenTransport {
    /// The token is in the body, as in LoopBack. It is for programs, apps on devices, and pages
    /// that keep the token themselves.
    #[default]
    Body,
    /// The token is in a cookie that scripts cannot read, and the body has no `id`. It is for
    /// browsers.
    Cookie,
    /// Both.
    Both,
}

/// Sets how the logins below it answer. Of several layers the innermost counts.
///
/// ```
/// use axum::Router;
/// use gatekit_web::{TokenTransport, TokenTransportLayer};
///
/// # fn routes() -> Router { Router::new() }
/// let app: Router = Router::new()
///     // Pages of the app log in here ...
///     .nest("/users", routes().layer(TokenTransportLayer::new(TokenTransport::Cookie)))
///     // ... and programs there.
///     .nest("/api/users", routes());
/// ```
#[derive(Clone, Copy, Debug, Default)]
pub struct TokenTransportLayer(TokenTransport);

impl TokenTransportLayer {
    /// A layer for this way.
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
