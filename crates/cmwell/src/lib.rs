//! CM-Well's login over Gatekit's accounts: `GET /_login` with Basic and Digest, its JSON Web
//! Tokens, its path permissions.
//!
//! An app depends on the `gatekit` crate, which re-exports this one as `gatekit::cmwell`.
//!
//! ```
//! use axum::{Router, routing::get};
//! use gatekit_cmwell::{CmWell, SigningKey};
//! use gatekit_core::{Auth, MemoryStore};
//! use gatekit_layer::{AuthLayer, AuthUser};
//!
//! # fn secret() -> &'static str { "conformance-test-key-0123456789abcdef" }
//! let auth = Auth::new(MemoryStore::new());
//! let cmwell = CmWell::builder(auth, SigningKey::new(secret())?).build()?;
//!
//! let app: Router = Router::new()
//!     .route("/me", get(|AuthUser(user): AuthUser| async move { user.username.unwrap_or_default() }))
//!     .merge(cmwell.router())
//!     .layer(AuthLayer::new(cmwell.authenticator()).sources(cmwell.token_sources()));
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # Map
//!
//! | you look for | it is in |
//! | --- | --- |
//! | the one value an app builds | [`CmWell`] and its [`CmWellBuilder`] |
//! | `GET /_login` | [`CmWell::login_router`] |
//! | `/_auth` | [`CmWell::auth_router`] |
//! | what a token says, and when it is believed | [`CmWellToken`], [`SigningKey`] |
//! | what `?exp=` says | [`TokenLifetime`] |
//! | path permissions for the app's own routes | [`CmWell::permission_layer`] |
//! | path permissions for a whole app, with CM-Well's answers | [`CmWell::filter`] |
//! | Digest | [`CmWellBuilder::digest`], [`CmWell::enable_digest`], [`SealingKey`], [`ForgetDigests`] |
//! | what old clients may need, and what it costs | [`Legacy`] |
//!
//! # What always holds
//!
//! - A token is good if its signature, its time and its `rev` are: `rev` equal to the user's, not
//!   merely as high. Nobody's tokens are immune.
//! - Unknown user and wrong password: same status, same bytes, same number of hashes.
//! - A 401 says what would be accepted. No answer repeats a password, and no cache keeps one.
//! - A store that fails is 503, never "anonymous".

mod auth_operations;
mod authenticator;
mod basic;
mod builder;
mod cmwell;
mod digest;
mod errors;
mod exp;
mod filter;
mod keys;
mod legacy;
mod level;
mod login;
mod mount;
mod names;
mod permission_cache;
mod permission_layer;
mod permissions;
mod table;
mod token;

pub use {
    builder::{CmWellBuilder, CmWellConfigError},
    cmwell::{CmWell, IssueCmWellTokenError},
    digest::{EnableDigestError, ForgetDigests, SealingKey, SealingKeyError},
    exp::{ExpError, Leniency, TokenLifetime},
    filter::{FilterLayer, FilterService},
    keys::{SigningKey, SigningKeyError},
    legacy::Legacy,
    names::LoginNames,
    permission_layer::PathPermissionLayer,
    permissions::SetPermissionsError,
    table::route_table,
    token::{CmWellToken, CmWellTokenError},
};

/// The service of [`PathPermissionLayer`].
pub type PermissionService<S, U> = gatekit_layer::GuardService<S, PathPermissionLayer<U>>;
