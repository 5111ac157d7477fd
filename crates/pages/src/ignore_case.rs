//! Paths as people type them: in any case.

use std::sync::Arc;

use axum::Router;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use gatekit_web::{Verb, rewrite_paths};

use crate::table::route_table;

/// Makes the paths of the pages match in any case: `/Login`, as a keyboard of a phone writes it.
/// `prefix` is the path the pages are nested at, or `""`.
///
/// It goes around the whole app, because axum has chosen a route before any layer of a router is
/// asked. Paths of the app's own stay as they are. A slash too many at the end needs no such layer:
/// the pages answer it with 308.
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_layer::AuthLayer;
/// use gatekit_pages::{self as pages, Pages};
///
/// let auth = Auth::new(MemoryStore::new());
/// let app = Router::new().merge(Pages::new(auth.clone()).router()).layer(AuthLayer::new(auth));
/// let app: Router = pages::ignore_case("", app);
/// ```
pub fn ignore_case(prefix: &str, app: Router) -> Router {
    let prefix: Arc<str> = prefix.trim_end_matches('/').into();
    let pages: Arc<[&str]> = pages().into();
    rewrite_paths(app, move |uri| canonical(uri, &prefix, &pages))
}

/// The pages that a person opens by their path.
fn pages() -> Vec<&'static str> {
    let features = route_table().into_iter().filter(|(feature, _)| feature.is_some());
    features.flat_map(|(_, routes)| routes).filter(|route| route.verb == Verb::Get).map(|route| route.path).collect()
}

/// The URI of the page that is meant, if it is one and written differently.
fn canonical(uri: &Uri, prefix: &str, pages: &[&str]) -> Option<Uri> {
    let path = uri.path();
    let (head, below) = path.split_at_checked(prefix.len())?;
    let trimmed = below.strip_suffix('/').unwrap_or(below);
    let page =
        pages.iter().find(|page| page.eq_ignore_ascii_case(trimmed)).filter(|_| head.eq_ignore_ascii_case(prefix))?;
    let slash = below.get(trimmed.len()..).unwrap_or_default();
    let canonical = format!("{prefix}{page}{slash}");
    if canonical == path {
        return None;
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(format!("{canonical}{query}")).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_are_found_in_any_case_and_nothing_else_is_changed() {
        for (prefix, path, wanted) in [
            ("", "/Login", Some("/login")),
            ("", "/LOGIN/?a=B", Some("/login/?a=B")),
            ("", "/.Well-Known/Change-Password", Some("/.well-known/change-password")),
            ("", "/login", None),
            ("", "/login/", None),
            ("", "/Login//", None),
            ("", "/Blog/Login", None),
            ("", "/", None),
            ("/auth", "/Auth/Account", Some("/auth/account")),
            ("/auth", "/Account", None),
            ("/auth", "/a", None),
        ] {
            let found = canonical(&path.parse().unwrap(), prefix, &pages());
            assert_eq!(found.map(|uri| uri.to_string()).as_deref(), wanted, "{path}");
        }
    }
}
