//! The caller of the request that a response answers, for layers further out.

use std::borrow::Cow;
use std::fmt;

use gatekit_core::UserId;
use http::Extensions;

use crate::erased::ErasedAuthenticated;

/// The caller of the request that a response answers. The [`AuthLayer`](crate::AuthLayer) puts it
/// into the extensions of the response, so that an access log further out can name the user.
///
/// It is there if a handler or a guard has asked for the caller and one was found, whatever was
/// answered afterwards. A route that asks for no caller has none, because no one has looked the
/// token up.
///
/// Its `Display` is the user's id, or the `sub` of a JWT. It holds neither the token nor anything
/// else of the user.
///
/// With the `TraceLayer` of tower-http, which goes around the `AuthLayer`:
///
/// ```
/// use std::time::Duration;
///
/// use axum::{Router, body::Body, routing::get};
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_layer::{AuthLayer, AuthUser, ResponseCaller, request_span};
/// use http::Response;
/// use tower_http::trace::TraceLayer;
/// use tracing::Span;
///
/// let auth = Auth::new(MemoryStore::new());
/// let log = TraceLayer::new_for_http().make_span_with(request_span).on_response(
///     |response: &Response<Body>, latency: Duration, _: &Span| {
///         let user = response.extensions().get::<ResponseCaller>().map(tracing::field::display);
///         tracing::info!(status = response.status().as_u16(), user, ?latency, "answered");
///     },
/// );
/// let app: Router =
///     Router::new().route("/me", get(|_: AuthUser| async { "hello" })).layer(AuthLayer::new(auth)).layer(log);
/// ```
///
/// With a middleware of your own:
///
/// ```
/// use axum::{extract::Request, middleware::Next, response::Response};
/// use gatekit_layer::ResponseCaller;
///
/// async fn access_log(request: Request, next: Next) -> Response {
///     let (method, path) = (request.method().clone(), request.uri().path().to_owned());
///     let response = next.run(request).await;
///     let user = response.extensions().get::<ResponseCaller>().map_or("-".into(), ToString::to_string);
///     println!("{user} {method} {path} {}", response.status().as_u16());
///     response
/// }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseCaller(Named);

/// The id is written out when somebody asks for it: most responses are not logged with it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    User(UserId),
    /// The `sub` of a JWT, or what the authenticator has called the caller.
    Subject(String),
}

impl ResponseCaller {
    /// The id of the user whose stored token it was. `None` if the token is not stored, as a JWT is
    /// not.
    #[must_use]
    pub fn user_id(&self) -> Option<&UserId> {
        match &self.0 {
            Named::User(id) => Some(id),
            Named::Subject(_) => None,
        }
    }

    /// What the user is called in a log: the id as text, or the `sub` of a JWT.
    #[must_use]
    pub fn subject(&self) -> Cow<'_, str> {
        match &self.0 {
            Named::User(UserId::Text(id)) => Cow::Owned(one_line(id)),
            Named::User(id) => Cow::Owned(id.to_string()),
            Named::Subject(subject) => Cow::Borrowed(subject),
        }
    }

    /// Leaves it in a response, unless a layer further in has left one: where layers are stacked,
    /// that one was asked by the handler.
    pub(crate) fn leave(extensions: &mut Extensions, caller: &dyn ErasedAuthenticated) {
        if extensions.get::<Self>().is_some() {
            return;
        }
        let named = match caller.token() {
            Some(token) => Some(Named::User(token.user_id.clone())),
            None => caller.subject().map(|subject| Named::Subject(one_line(&subject))),
        };
        if let Some(named) = named {
            extensions.insert(Self(named));
        }
    }
}

/// The `sub` of a JWT is any text. In a log it must not begin a line of its own (CWE-117), nor fill
/// the disk.
fn one_line(subject: &str) -> String {
    const MAX_CHARS: usize = 256;
    subject
        .chars()
        .take(MAX_CHARS)
        .map(|char| if char.is_control() { char::REPLACEMENT_CHARACTER } else { char })
        .collect()
}

impl fmt::Display for ResponseCaller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject())
    }
}
