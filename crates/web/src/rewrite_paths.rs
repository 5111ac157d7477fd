//! Changes the path of a request before the app chooses a route.

use axum::Router;
use axum::extract::{OriginalUri, Request};
use axum::http::Uri;
use axum::http::uri::PathAndQuery;
use tower::Layer;
use tower::util::MapRequestLayer;

/// Replaces the URI of a request before the app chooses a route. `rewrite` gets the URI as it came
/// and returns the URI to answer, or `None` to keep it. It goes around the whole app.
///
/// axum's `OriginalUri` changes with it, so that layers and handlers that decide by the path see
/// the path that is answered.
pub fn rewrite_paths(app: Router, rewrite: impl Fn(&Uri) -> Option<Uri> + Clone + Send + Sync + 'static) -> Router {
    let rewriting = MapRequestLayer::new(move |mut request: Request| {
        if let Some(uri) = rewrite(request.uri()) {
            let old = std::mem::replace(request.uri_mut(), uri);
            rename_original(&mut request, &old);
        }
        request
    });
    Router::new().fallback_service(rewriting.layer(app))
}

/// Writes the new path into axum's `OriginalUri`, which a router further out has set to the path
/// as it came. Code inside that decides by the path must see the one that is answered.
fn rename_original(request: &mut Request, old: &Uri) {
    let path = request.uri().path().to_owned();
    let Some(OriginalUri(original)) = request.extensions_mut().get_mut() else { return };
    // Routers further out have cut off the part before it.
    let Some(before) = original.path().strip_suffix(old.path()) else { return };
    let query = original.query().map_or_else(String::new, |query| format!("?{query}"));
    if let Some(renamed) = with_path(original, format!("{before}{path}{query}")) {
        *original = renamed;
    }
}

/// The same URI with another path and query. `None` if that is no valid URI.
#[must_use]
pub fn with_path(uri: &Uri, path_and_query: String) -> Option<Uri> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path_and_query).ok()?);
    Uri::from_parts(parts).ok()
}
