//! Paths as LoopBack's clients write them: in any case, with a slash too many.

use std::sync::Arc;

use axum::Router;
use axum::http::Uri;
use gatekit_web::{Route, rewrite_paths, with_path};

use crate::route_table;

/// Makes the paths below `prefix` match in any case, with or without one trailing slash and with
/// doubled slashes inside, also within the prefix: `/api//Users/1/`. LoopBack's do so: its SDKs ask
/// for `/api/Users`, hand-written clients for `/api/users`, and some put a slash at the end of the
/// root and another one before the path. Ids keep their case.
///
/// It goes around the whole app, because axum has chosen a route before any layer of a router is
/// asked. `prefix` is the path the routes are nested at.
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_layer::AuthLayer;
/// use gatekit_routes as routes;
///
/// let auth = Auth::new(MemoryStore::new());
/// let app = Router::new().nest("/api/users", routes::all(&auth)).layer(AuthLayer::new(auth));
/// let app: Router = routes::ignore_case("/api/users", app);
/// ```
pub fn ignore_case(prefix: &str, app: Router) -> Router {
    let prefix: Arc<str> = prefix.trim_end_matches('/').into();
    let names: Arc<[&str]> = names().into();
    rewrite_paths(app, move |uri| canonical(uri, &prefix, &names))
}

/// The segments of declared paths that are names and not ids.
fn names() -> Vec<&'static str> {
    let mut names: Vec<&str> = route_table().iter().flat_map(|group| group.routes).flat_map(Route::names).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// The canonical form of `uri`, if it is below `prefix` and not canonical already.
fn canonical(uri: &Uri, prefix: &str, names: &[&str]) -> Option<Uri> {
    let path = uri.path();
    let below = below_prefix(path, prefix)?;
    let mut canonical = prefix.to_owned();
    for segment in below.split('/').filter(|segment| !segment.is_empty()) {
        let name = names.iter().find(|name| name.eq_ignore_ascii_case(segment));
        canonical.push('/');
        canonical.push_str(name.unwrap_or(&segment));
    }
    // Two slashes at the end are no path of LoopBack's, and its 404 shows them. Behind the prefix
    // alone they are.
    if below.ends_with("//") && !below.trim_matches('/').is_empty() {
        canonical.push_str("//");
    } else if canonical.is_empty() {
        canonical.push('/');
    }
    if canonical == path {
        return None;
    }
    if let Some(query) = uri.query() {
        canonical.push('?');
        canonical.push_str(query);
    }
    with_path(uri, canonical)
}

/// What follows the prefix in a path, if it has it: segment by segment, in any case, with any
/// number of slashes between two. A path that begins with two slashes is none of the app's.
fn below_prefix<'a>(path: &'a str, prefix: &str) -> Option<&'a str> {
    let mut rest = path;
    for (number, segment) in prefix.split('/').skip(1).enumerate() {
        rest = rest.strip_prefix('/')?;
        if number > 0 {
            rest = rest.trim_start_matches('/');
        }
        let (head, tail) = rest.split_at_checked(segment.len())?;
        if !head.eq_ignore_ascii_case(segment) || !(tail.is_empty() || tail.starts_with('/')) {
            return None;
        }
        rest = tail;
    }
    Some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_below_the_prefix_become_canonical_and_others_stay() {
        for (path, wanted) in [
            ("/api/Users", Some("/api/users")),
            ("/API/USERS/LOGIN", Some("/api/users/login")),
            ("/api/users/", Some("/api/users")),
            ("/api/users/?a=B", Some("/api/users?a=B")),
            ("/api/users//Logout/?x=Y%20", Some("/api/users/logout?x=Y%20")),
            ("/api/Users/AbC", Some("/api/users/AbC")),
            ("/api/users/1//", None),
            ("/api/Users/1//", Some("/api/users/1//")),
            ("/api/users/login", None),
            ("/api//Users", Some("/api/users")),
            ("/api//users/1", Some("/api/users/1")),
            ("/API///USERS//Login/", Some("/api/users/login")),
            ("/api/users//", Some("/api/users")),
            ("/api//users//", Some("/api/users")),
            ("//api/users", None),
            ("/api//usersx", None),
            ("/api//", None),
            ("/api", None),
            ("/api/usersx", None),
            ("/api/user", None),
            ("/elsewhere/Login/", None),
        ] {
            let found = canonical(&path.parse().unwrap(), "/api/users", &names());
            assert_eq!(found.map(|uri| uri.to_string()).as_deref(), wanted, "{path}");
        }
    }
}
