//! Where in a request a token may be, and who it belongs to: tower layers and axum extractors.
//!
//! An app depends on the `gatekit` crate, which re-exports this one.
//!
//! # The way of a request
//!
//! 1. [`AuthLayer`] looks at its [`TokenSources`] in order, and puts what it found into the request's extensions, together
//!    with the authenticator. It asks nobody: a route that does not want to know the caller costs a header lookup.
//! 2. The first extractor that asks ([`AuthUser`], [`AccessToken`]) has the authenticator look the token up, once. The
//!    answer stays in the request: ten extractors cost what one costs.
//! 3. [`RequireAuthLayer`] does both at once, for whole routers and for tower services without axum.
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
//! | `jwt` | [`JwtVerifier`]: JSON Web Tokens made elsewhere |
//! | `jwks-url` | their keys from a URL |
//! | `axum` | a token in the query is cut out of axum's `OriginalUri` too; `gatekit` turns it on |

mod context;
mod error_response;
mod extract;
mod layer;
mod rejection;
mod require;
mod source;

#[cfg(feature = "jwks-url")]
mod jwks_url;
#[cfg(feature = "jwt")]
pub mod jwt;

#[cfg(feature = "jwt")]
pub use jwt::JwtVerifier;
pub use {
    error_response::ErrorResponse,
    extract::{AccessToken, AuthUser, PresentedToken, principal},
    layer::{AuthFuture, AuthLayer, AuthService, InvalidOrigin},
    rejection::AuthRejection,
    require::{RequireAuthFuture, RequireAuthLayer, RequireAuthService},
    source::{TokenSource, TokenSources},
};
