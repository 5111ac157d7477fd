//! The site's pages: one where members log in, and those where the links in mails lead.

use axum::Router;
use axum::http::{HeaderName, header};
use axum::routing::get;

/// Scripts and styles are the site's own, and nobody shows the pages in a frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

pub(crate) fn routes() -> Router {
    let html = "text/html; charset=utf-8";
    let script = "text/javascript; charset=utf-8";
    Router::new()
        .route("/", get(async move || file(html, include_str!("../pages/index.html"))))
        .route("/members.js", get(async move || file(script, include_str!("../pages/members.js"))))
        .route("/choose-password", get(async move || file(html, include_str!("../pages/choose-password.html"))))
        .route("/choose-password.js", get(async move || file(script, include_str!("../pages/choose-password.js"))))
        .route("/approve", get(async move || file(html, include_str!("../pages/approve.html"))))
        .route("/approve.js", get(async move || file(script, include_str!("../pages/approve.js"))))
        .route("/style.css", get(async move || file("text/css; charset=utf-8", include_str!("../pages/style.css"))))
}

fn file(kind: &'static str, text: &'static str) -> ([(HeaderName, &'static str); 4], &'static str) {
    let headers = [
        (header::CONTENT_TYPE, kind),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, text)
}
