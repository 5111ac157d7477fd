//! Paths as people type them: in any case.

use std::sync::Arc;

use axum::Router;
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use gatekit_web::rewrite_paths;

/// The pages that a person opens by their path.
const PAGES: [&str; 14] = [
    "/register",
    "/login",
    "/logout",
    "/confirm-password",
    "/forgot-password",
    "/reset-password",
    "/verify-email",
    "/resend-verification",
    "/change-password",
    "/.well-known/change-password",
    "/change-email",
    "/confirm-email-change",
    "/account",
    "/delete-account",
];

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
    rewrite_paths(app, move |uri| canonical(uri, &prefix))
}

/// The URI of the page that is meant, if it is one and written differently.
fn canonical(uri: &Uri, prefix: &str) -> Option<Uri> {
    let path = uri.path();
    let (head, below) = path.split_at_checked(prefix.len())?;
    let trimmed = below.strip_suffix('/').unwrap_or(below);
    let page =
        PAGES.iter().find(|page| page.eq_ignore_ascii_case(trimmed)).filter(|_| head.eq_ignore_ascii_case(prefix))?;
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
            let found = canonical(&path.parse().unwrap(), prefix);
            assert_eq!(found.map(|uri| uri.to_string()).as_deref(), wanted, "{path}");
        }
    }

    /// Whoever adds a page adds it here.
    #[test]
    fn every_page_is_listed() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
        let files =
            std::fs::read_dir(folder).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
        let sources: Vec<String> = files.collect();
        let declared = sources.iter().flat_map(|source| source.split("page_at(\"").skip(1));
        for path in
            declared.filter_map(|rest| rest.split('"').next()).filter(|path| path.starts_with('/') && path.len() > 1)
        {
            assert!(PAGES.contains(&path) || path == "/logout", "{path}");
        }
    }
}
