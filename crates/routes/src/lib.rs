//! Accounts over HTTP: LoopBack 3's User REST API, one router a feature, to nest into an axum app.
//!
//! An app depends on the `gatekit` crate, which re-exports this one as `gatekit::routes`.
//!
//! ```
//! use axum::Router;
//! use gatekit_core::{Auth, MemoryStore};
//! use gatekit_layer::AuthLayer;
//! use gatekit_routes as routes;
//!
//! let auth = Auth::new(MemoryStore::new());
//!
//! // Everything:
//! let app: Router = Router::new().nest("/api/users", routes::all(&auth)).layer(AuthLayer::new(auth.clone()));
//!
//! // Or what you choose. What is not mounted does not exist:
//! let app: Router = Router::new()
//!     .nest("/api/users", routes::login(&auth).merge(routes::logout(&auth)))
//!     .layer(AuthLayer::new(auth));
//! ```
//!
//! # Routes
//!
//! | builder | routes | who |
//! | --- | --- | --- |
//! | [`register`] | `POST /` | everyone |
//! | [`login`] | `POST /login` | everyone |
//! | [`logout`] | `POST /logout` | who has a token |
//! | [`find_user`] | `GET /{id}` | the user with that id |
//! | [`change_password`] | `POST /change-password` | who has a token |
//! | [`reset_password`] | `POST /reset`, `POST /reset-password` | everyone; who has the mailed secret |
//! | [`all`] | all of these, and LoopBack's 404 for the rest | |
//!
//! The [`AuthLayer`](gatekit_layer::AuthLayer) must be mounted around them: it finds the token.
//!
//! # The order of checks
//!
//! As in LoopBack: the caller's token (an expired one may fail the request: 401), the body (400, 413, 415), the types of arguments
//! (400), authorization (401), required arguments (400), and then what the flow says. So a malformed body beats a
//! missing token, and a missing token beats a missing argument.

mod body;
mod caller;
mod change_password;
mod errors;
mod find_user;
mod ignore_case;
mod login;
mod logout;
mod not_found;
mod register;
mod reply;
mod reset_password;

use axum::Router;
use gatekit_core::{Account, Auth};

pub use change_password::change_password;
pub use find_user::find_user;
pub use ignore_case::ignore_case;
pub use login::login;
pub use logout::logout;
pub use register::register;
pub use reset_password::reset_password;

/// Every route of this crate. What is below the mount and is none of them gets LoopBack's 404.
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore};
///
/// let auth = Auth::new(MemoryStore::new());
/// let app: Router = Router::new().nest("/api/users", gatekit_routes::all(&auth));
/// ```
pub fn all<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    Router::new()
        .merge(register(auth))
        .merge(login(auth))
        .merge(logout(auth))
        .merge(change_password(auth))
        .merge(reset_password(auth))
        .merge(find_user(auth))
        .fallback(not_found::not_found::<U>)
        .method_not_allowed_fallback(not_found::other_method::<U>)
}
