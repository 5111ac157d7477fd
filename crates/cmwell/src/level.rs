//! Is a request about to read or to write, and at which path?

use axum::extract::OriginalUri;
use axum::http::Method;
use axum::http::request::Parts;
use gatekit_core::{Account, Auth, PathDecision, PathLevel, PermissionSet, UserId};

/// The methods that read are named, and everything else writes. (CM-Well takes `PATCH` and unknown methods for reading.)
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

/// Whether something may be done at the path of a request. What a router cuts off leaves the end of the path, or a mere slash. What something else
/// has made of it must be allowed as well: that is what is answered.
pub(crate) fn decide(permissions: &PermissionSet, parts: &Parts, level: PathLevel) -> PathDecision {
    let (asked, here) = (path_of(parts), parts.uri.path());
    let decision = permissions.decide(asked, level);
    let is_cut = here == "/" || asked.ends_with(here);
    if is_cut || !decision.allowed { decision } else { permissions.decide(here, level) }
}

/// Reports a path that is refused (ASVS 16.3.2): an event for a caller that is known, a line of the log for an anonymous one.
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
            let auth = auth.for_client(gatekit_routes::client(auth, parts));
            auth.report_denied(caller, required, Some(path_of(parts)));
        }
        None => tracing::info!(required, path = path_of(parts), "an access is denied to an anonymous caller"),
    }
}
