//! Where in a request a token may be, and who it belongs to: tower layers and axum extractors.
//!
//! An app depends on the `gatekit` crate, which re-exports this one.
//!
//! # The way of a request
//!
//! 1. [`AuthLayer`] leaves its authenticator and its [`TokenSources`] in the request's extensions,
//!    and cuts a token out of the query. It looks nothing up: a route that does not want to know
//!    the caller pays for two small allocations.
//! 2. The first extractor that asks ([`AuthUser`], [`AccessToken`]) tries the sources in order and
//!    has the authenticator look the token up, once. The answer stays in the request: ten
//!    extractors cost what one costs.
//! 3. [`RequireAuthLayer`] does both at once, for whole routers and for tower services without
//!    axum.
//! 4. Who the caller is may not be enough: [`HasRole`] and [`RequireRoleLayer`] ask the
//!    authenticator about a role, [`Scoped`] and [`RequireScopeLayer`] look at the token's scopes,
//!    [`Fresh`] and [`RequireFreshLayer`] at which factors were verified for it, and when,
//!    [`require_owner`] at a record of the app's.
//!
//! ```
//! use axum::{Router, routing::get};
//! use gatekit_core::{Auth, MemoryStore};
//! use gatekit_layer::{AuthLayer, AuthUser};
//!
//! async fn me(AuthUser(user): AuthUser) -> String {
//!     format!("You are {}", user.id)
//! }
//!
//! async fn hello(user: Option<AuthUser>) -> &'static str {
//!     if user.is_some() { "Welcome back" } else { "Hello, stranger" }
//! }
//!
//! let auth = Auth::new(MemoryStore::new());
//! let app: Router = Router::new().route("/me", get(me)).route("/", get(hello)).layer(AuthLayer::new(auth));
//! ```
//!
//! # Features
//!
//! | feature | adds |
//! | --- | --- |
//! | `jwt` | `JwtVerifier`: JSON Web Tokens made elsewhere |
//! | `jwks-url` | their keys from a URL |
//! | `signed-cookies` | `TokenSource::signed_cookie`: tokens in cookies that Express' cookie-parser could have signed |
//! | `tower-sessions` | `TokenSource::session`: tokens in server-side sessions of tower-sessions 0.15 |
//! | `connect-info` | [`ClientIp`] knows axum's `ConnectInfo` |
//! | `axum` | a token in the query is cut out of axum's `OriginalUri` too; `gatekit` turns it on |

mod again;
mod browser_transport;
mod client_ip;
mod context;
mod cross_origin;
mod denial;
mod erased;
mod error_response;
mod extract;
mod fresh;
mod guard;
mod guard_body;
mod layer;
mod lookup;
mod owner;
mod redact;
mod refuse_cross_origin;
mod rejection;
mod request_cookies;
mod request_head;
mod require;
mod response_caller;
mod role;
mod scope;
#[cfg(feature = "tower-sessions")]
mod session;
mod settings;
mod source;
mod token_cookie;

#[cfg(feature = "jwt")]
pub mod jwt;

#[cfg(feature = "signed-cookies")]
mod signed;

#[cfg(feature = "jwt")]
pub use jwt::JwtVerifier;
#[cfg(feature = "signed-cookies")]
pub use signed::{CookieSecretError, CookieSecrets};
pub use {
    browser_transport::{BrowserTransport, SignedIn},
    client_ip::ClientIp,
    context::{AnyUser, public_url},
    error_response::{ErrorForm, ErrorResponse},
    extract::{AccessToken, AuthUser, Caller, PresentedToken, access_token, ended, principal},
    fresh::{
        Fresh, OneFactor, PhishingResistant, RequireFreshLayer, RequireFreshService, RequiredStrength, TwoFactors,
    },
    gatekit_core::InvalidOrigin,
    guard::{Guard, GuardFuture, GuardRefusal, GuardService},
    guard_body::GuardBody,
    layer::{AuthFuture, AuthLayer, AuthService},
    owner::{Owned, require_owner},
    redact::{redacted_uri, request_span},
    refuse_cross_origin::{refuse_cross_origin, refuse_cross_origin_of},
    rejection::{AuthRejection, StepUpRequired},
    require::{RequireAuthFuture, RequireAuthLayer, RequireAuthService},
    response_caller::ResponseCaller,
    role::{HasRole, RequireRoleLayer, RequireRoleService, Role},
    scope::{RequireScopeLayer, RequireScopeService, Scope, Scoped},
    source::{TokenSource, TokenSources},
    token_cookie::{InvalidTokenCookie, SameSite, TokenCookie},
};
