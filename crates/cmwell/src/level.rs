//! The level that a request needs, read or write, and the path it is for.

use axum::extract::{NestedPath, OriginalUri};
use axum::http::Method;
use axum::http::request::Parts;
use gatekit_core::{Account, Auth, PathDecision, PathLevel, PermissionSet, UserId};

/// The methods that read are named, and everything else writes. (CM-Well takes `PATCH` and unknown
/// methods for reading.)
pub(crate) fn level_of(method: &Method) -> PathLevel {
    if is_safe(method) { PathLevel::Read } else { PathLevel::Write }
}

pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// The path as the client sent it, whatever the routers around have cut off.
fn path_of(parts: &Parts) -> &str {
    match parts.extensions.get::<OriginalUri>() {
        Some(OriginalUri(uri)) => uri.path(),
        None => parts.uri.path(),
    }
}

/// Whether it is this very path that is asked for and answered.
pub(crate) fn is_at(parts: &Parts, path: &str) -> bool {
    path_of(parts) == path && parts.uri.path() == path
}

/// Whether something may be done at the path of a request. Both forms of the path are judged: the
/// one that the client has asked for, and the one that the inner service answers.
///
/// 1. The path that was asked for must be allowed.
/// 2. If a layer has made another path of it, that path must be allowed as well.
/// 3. If it is `nest` that has cut off its beginning, the rest needs no entry that lets in: entries
///    are for whole paths. An entry that keeps out counts for the rest all the same. A service that
///    keeps users at `/meta/auth` keeps them there wherever it is nested.
pub(crate) fn decide(permissions: &PermissionSet, parts: &Parts, level: PathLevel) -> PathDecision {
    let (asked, here) = (path_of(parts), parts.uri.path());
    let decision = permissions.decide(asked, level);
    if !decision.allowed || asked == here {
        return decision;
    }
    let inner = permissions.decide(here, level);
    let is_kept_out = !inner.allowed && inner.by.is_some();
    if is_nested(parts, asked, here) && !is_kept_out { decision } else { inner }
}

/// Whether `here` is what the routers around leave of `asked`. They say under which path they are
/// nested; each segment of it, whether a name or a parameter, has cut off one segment.
fn is_nested(parts: &Parts, asked: &str, here: &str) -> bool {
    let Some(prefix) = parts.extensions.get::<NestedPath>() else { return false };
    let segments = |path: &str| path.trim_matches('/').split('/').filter(|segment| !segment.is_empty()).count();
    let mut rest = asked;
    for _ in 0..segments(prefix.as_str()) {
        let Some(cut) = rest.strip_prefix('/') else { return false };
        rest = cut.find('/').map_or("", |end| cut.get(end..).unwrap_or_default());
    }
    rest == here || (matches!(rest, "" | "/") && here == "/")
}

/// Reports a path that is refused (ASVS 16.3.2): an event for a caller that is known, a line of the
/// log for an anonymous one.
pub(crate) fn report_denied<U: Account>(
    auth: &Auth<U>,
    caller: Option<&UserId>,
    level: PathLevel,
    by: &PathDecision,
    parts: &Parts,
) {
    tracing::debug!(?level, by = ?by.by, "a path is refused");
    let required = match level {
        PathLevel::Read => "path read",
        _ => "path write",
    };
    match caller {
        Some(caller) => {
            let auth = auth.for_client(gatekit_web::client(auth, parts));
            auth.report_denied(caller, required, Some(path_of(parts)));
        }
        None => tracing::info!(required, path = path_of(parts), "an access is denied to an anonymous caller"),
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::extract::Request;
    use axum::routing::any;
    use tower_service::Service;

    use super::*;

    /// Whether what a router has cut off is known as such, at the path and in the router.
    async fn nested(prefix: &str, path: &str) -> bool {
        let seen = any(|request: Request| async move {
            let (parts, _) = request.into_parts();
            is_nested(&parts, path_of(&parts), parts.uri.path()).to_string()
        });
        let inner: Router = Router::new().route("/", seen.clone()).route("/{*rest}", seen);
        let mut app: Router = Router::new().nest(prefix, inner);
        let request = Request::get(path).body(axum::body::Body::empty()).unwrap();
        let response = app.call(request).await.unwrap();
        let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
        body == "true"
    }

    #[tokio::test]
    async fn what_nest_cuts_off_is_known() {
        for (prefix, path) in [
            ("/a", "/a/b"),
            ("/a", "/a"),
            ("/a/b", "/a/b/c/d"),
            ("/{tenant}", "/x/c"),
            ("/{tenant}/y", "/x/y/c/"),
            ("/a/", "/a/b"),
        ] {
            assert!(nested(prefix, path).await, "{prefix} {path}");
        }
    }

    #[test]
    fn what_a_layer_cuts_off_is_not() {
        let (mut parts, ()) = axum::http::Request::get("/c").body(()).unwrap().into_parts();
        for (asked, here) in [("/a/c", "/c"), ("/a", "/"), ("/a/b/c", "/c")] {
            parts.uri = here.parse().unwrap();
            assert!(!is_nested(&parts, asked, here), "{asked} {here}");
        }
    }
}
