//! Is a request about to read or to write, and at which path?

use axum::extract::OriginalUri;
use axum::http::Method;
use axum::http::request::Parts;
use gatekit_core::PathLevel;

/// The methods that read are named, and everything else writes. (CM-Well takes `PATCH` and unknown methods for reading.)
pub(crate) fn level_of(method: &Method) -> PathLevel {
    if is_safe(method) { PathLevel::Read } else { PathLevel::Write }
}

pub(crate) fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS | Method::TRACE)
}

/// The path as the client sent it, whatever the routers around have cut off.
pub(crate) fn path_of(parts: &Parts) -> &str {
    match parts.extensions.get::<OriginalUri>() {
        Some(OriginalUri(uri)) => uri.path(),
        None => parts.uri.path(),
    }
}
