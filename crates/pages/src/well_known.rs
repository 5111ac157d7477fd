//! `/.well-known/change-password`: where password managers look for the page to change a password
//! (<https://w3c.github.io/webappsec-change-password-url/>).

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use gatekit_core::Account;
use gatekit_layer::public_url;
use gatekit_web::{Route, RouteResponse, Shape, TokenUse};

use crate::failure::Outcome;
use crate::page_context::Shared;
use crate::return_to::location;
use crate::route::{page, visit};
use crate::visit::Visit;

pub(crate) const ROUTES: [Route; 1] = [ROUTE];

const ROUTE: Route =
    Route::get("/.well-known/change-password", "Sends a password manager to the page to change the password.")
        .token(TokenUse::Unused)
        .responses(&[RouteResponse::new(302, Shape::Redirect)]);

/// `GET /.well-known/change-password`: 302 to the page at `path`. It must be mounted at the root of
/// the site, and pages that are mounted there bring it along: this is for those below a prefix.
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_pages::{Pages, change_password_redirect};
///
/// let pages = Pages::new(Auth::new(MemoryStore::new()));
/// let app: Router =
///     Router::new().nest("/auth", pages.router()).merge(change_password_redirect("/auth/change-password"));
/// ```
pub fn change_password_redirect<S: Clone + Send + Sync + 'static>(path: impl Into<String>) -> Router<S> {
    let path = path.into();
    Router::new().route(
        ROUTE.path,
        get(async move |request: Request| match public_url(request.extensions()) {
            Some(url) => found(&url.outside(&path)),
            None => found(&path),
        }),
    )
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page(&ROUTES, [visit(redirect)])
}

async fn redirect<U: Account>(visit: Visit<U>) -> Outcome {
    Ok(found(&visit.context.url("/change-password")))
}

fn found(path: &str) -> Response {
    (StatusCode::FOUND, [(LOCATION, location(path))]).into_response()
}
