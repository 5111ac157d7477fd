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
//! | | `GET /{id}/exists`, `HEAD /{id}` | nobody |
//! | [`update_user`] | `PATCH /{id}`, `PUT /{id}`, `POST /{id}/replace` | the user with that id |
//! | [`delete_user`] | `DELETE /{id}` | the user with that id |
//! | [`change_password`] | `POST /change-password` | who has a token |
//! | [`reset_password`] | `POST /reset`, `POST /reset-password`, and the page `GET`, `POST /reset-password/form` | everyone; who has the mailed secret |
//! | [`verify_email`] | `POST /{id}/verify`, `GET`, `POST /confirm`, `GET /confirm-email`, `POST /resend-verification` | everyone |
//! | [`find_users`] | `GET /`, `GET /findOne`, `GET /count`, and a 404 for `GET`, `POST /change-stream` | nobody |
//! | [`upsert_users`] | `PATCH /`, `PUT /`, `POST /replaceOrCreate`, `POST /upsertWithWhere`, `POST /update` | nobody |
//! | [`access_tokens`] | `GET`, `POST`, `DELETE /{id}/accessTokens`, `GET /{id}/accessTokens/count`, `GET`, `PUT`, `DELETE /{id}/accessTokens/{fk}` | nobody |
//! | [`sessions`] | `GET /sessions`, `DELETE /sessions/{session}`, `POST /logout-everywhere` | who has a token |
//! | [`change_email`] | `POST /change-email`, `POST /confirm-email-change`, and the page `GET`, `POST /confirm-email-change/form` | who has a token; who has the mailed secret |
//! | [`delete_account`] | `POST /delete-account` | who has a token |
//! | [`step_up`] | `POST /step-up` | who has a token |
//! | [`loopback`] | LoopBack's of these | |
//! | [`all`] | all of these | |
//!
//! [`loopback`] and [`all`] leave out what the store of the users cannot carry
//! ([`UserStore::supports`](gatekit_core::UserStore::supports)); a router that is mounted by itself
//! panics then, naming the method.
//!
//! Who may is said by the access control list ([`Builder::acl`](gatekit_core::Builder::acl)); the
//! table has the default, LoopBack's for its built-in User. "Nobody" are routes that an app opens
//! with a row of its own. The list has no methods for what LoopBack does not have:
//!
//! - [`sessions`] ask it about `logout`; [`change_email`], [`delete_account`] and [`step_up`] about
//!   `changePassword`. A request with the mailed secret of a new address needs no row.
//! - `POST /resend-verification` is for whom `resetPassword` is for.
//! - `POST /reset-password` with a mailed secret asks for no row either; with a login token, where
//!   the policy takes one, for `setPassword`.
//!
//! The [`AuthLayer`](gatekit_layer::AuthLayer) must be mounted around them: it finds the token.
//!
//! # The order of checks
//!
//! As in LoopBack:
//!
//! 1. The caller's token: 401 if it has expired, 503 if the store fails. A method that is open to
//!    everybody looks at no token, unless `Answers::expired_token_fails_open_routes` is set.
//! 2. The body: 400, 408, 413, 415.
//! 3. The types of arguments: 400.
//! 4. Authorization: 401, or what `Answers::acl_error_status` says.
//! 5. Whether there is the user whose id is in the path (404), and required arguments (400).
//! 6. What the flow says.
//!
//! So a malformed body beats a missing token, and a missing token beats a missing argument.

mod access_tokens;
mod answers;
mod arguments;
mod body;
mod call;
mod change_email;
mod change_password;
mod complete;
mod confirm_email;
mod declared;
mod delete_account;
mod delete_user;
mod delivery;
mod errors;
mod feature;
mod find_user;
mod find_users;
mod format;
mod ignore_case;
mod login;
mod logout;
mod mailed_page;
mod not_found;
mod qs;
mod register;
mod reply;
mod reset_password;
mod sessions;
mod shape;
mod step_up;
mod table;
mod ttl;
mod update_user;
mod upsert_users;
mod url_not_found;
mod user_api;
mod user_list;
mod validation_error;
mod verify_email;

use axum::Router;
use gatekit_core::Account;

use crate::feature::Feature;

pub use access_tokens::access_tokens;
pub use answers::Answers;
pub use change_email::change_email;
pub use change_password::change_password;
pub use delete_account::delete_account;
pub use delete_user::delete_user;
pub use find_user::find_user;
pub use find_users::find_users;
pub use format::{ErrorType, ResponseFormat, ResponseFormatLayer};
pub use gatekit_web::{TokenTransport, TokenTransportLayer, TokenTransportService};
pub use ignore_case::ignore_case;
pub use login::login;
pub use logout::logout;
pub use register::register;
pub use reset_password::reset_password;
pub use sessions::sessions;
pub use step_up::step_up;
pub use table::{COMMON_RESPONSES, RouteGroup, route_table};
pub use update_user::update_user;
pub use upsert_users::upsert_users;
pub use url_not_found::{rest_url_not_found, url_not_found, user_url_not_found};
pub use user_api::UserApi;
pub use verify_email::verify_email;

/// Every route of this crate that the store of the users can carry
/// ([`UserStore::supports`](gatekit_core::UserStore::supports)).
///
/// The router has no fallback, so it can be merged into any app. A path below the mount that is
/// none of these routes gets the app's own 404, or LoopBack's with [`user_url_not_found`].
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore};
///
/// let auth = Auth::new(MemoryStore::new());
/// let app: Router = Router::new().nest("/api/users", gatekit_routes::all(&auth));
/// ```
pub fn all<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    mounted(&api.into(), |_| true)
}

/// LoopBack's routes and no others, as far as the store of the users can carry them. See [`all`].
///
/// LoopBack's 404 for the rest is a fallback, which stands where the routes are nested:
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore, User};
/// use gatekit_routes as routes;
///
/// let auth: Auth = Auth::new(MemoryStore::new());
/// let users = routes::loopback(&auth).fallback(routes::user_url_not_found::<User>);
/// let app: Router = Router::new().nest("/api/users", users);
/// ```
pub fn loopback<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    mounted(&api.into(), |feature| feature.is_loopback)
}

/// The features that are wanted and that the stores can carry. A path of ours with another verb is
/// answered too, but only where routes are there: a fallback of the whole router would keep an app
/// that has one from merging it.
fn mounted<U: Account, S>(api: &UserApi<U>, is_wanted: fn(&Feature<U>) -> bool) -> Router<S> {
    let features = features(api.auth.policy().email.confirm_by_get).into_iter();
    let carried = features.filter(|feature| is_wanted(feature) && feature.missing(&api.auth).is_none());
    let router = carried.map(|feature| feature.router(api)).fold(Router::new(), Router::merge);
    router.method_not_allowed_fallback(not_found::other_method::<U>).with_state(api.clone())
}

/// All features.
fn features<U: Account>(confirm_email_by_get: bool) -> [Feature<U>; 18] {
    [
        register::feature(),
        login::feature(),
        logout::feature(),
        change_password::feature(),
        reset_password::feature(),
        find_user::feature(),
        access_tokens::feature(),
        update_user::feature(),
        delete_user::feature(),
        find_users::feature(),
        upsert_users::feature(),
        verify_email::feature(),
        confirm_email::feature(confirm_email_by_get),
        verify_email::resend_feature(),
        sessions::feature(),
        step_up::feature(),
        change_email::feature(),
        delete_account::feature(),
    ]
}
