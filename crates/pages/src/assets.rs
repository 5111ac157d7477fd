//! The stylesheet and the script, which the app itself serves. Their URLs change when they do, so
//! that a browser loads each of them once.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderValue, Uri};
use axum::response::{IntoResponse, Response};
use gatekit_web::{Endpoint, Route, RouteResponse, Shape, TokenUse, mount};

/// A file that is part of the program.
#[derive(Clone, Copy)]
pub(crate) struct Asset {
    path: &'static str,
    content_type: &'static str,
    text: &'static str,
    version: u64,
}

pub(crate) const ROUTES: [Route; 2] = [STYLESHEET_ROUTE, SCRIPT_ROUTE];

const STYLESHEET_ROUTE: Route = Route::get("/gatekit.css", "Returns the stylesheet of the pages.")
    .token(TokenUse::Unused)
    .responses(&[RouteResponse::new(200, Shape::File("text/css"))]);

const SCRIPT_ROUTE: Route = Route::get("/gatekit.js", "Returns the script of the pages.")
    .token(TokenUse::Unused)
    .responses(&[RouteResponse::new(200, Shape::File("text/javascript"))]);

pub(crate) static STYLESHEET: Asset =
    Asset::new(STYLESHEET_ROUTE.path, "text/css; charset=utf-8", include_str!("../assets/gatekit.css"));
pub(crate) static SCRIPT: Asset =
    Asset::new(SCRIPT_ROUTE.path, "text/javascript; charset=utf-8", include_str!("../assets/gatekit.js"));

impl Asset {
    const fn new(path: &'static str, content_type: &'static str, text: &'static str) -> Self {
        Self { path, content_type, text, version: fnv1a(text.as_bytes()) }
    }

    /// Its path, with a version that is another for each text.
    pub(crate) fn url(&self) -> String {
        format!("{}?v={:016x}", self.path, self.version)
    }

    fn serve(&self, uri: &Uri) -> Response {
        // Kept for a year under its own URL, asked for again under any other.
        let is_current = uri.query() == self.url().split_once('?').map(|(_, query)| query);
        let cache = if is_current { "public, max-age=31536000, immutable" } else { "no-cache" };
        let headers = [
            (CONTENT_TYPE, HeaderValue::from_static(self.content_type)),
            (CACHE_CONTROL, HeaderValue::from_static(cache)),
            (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        ];
        (headers, self.text).into_response()
    }
}

/// FNV-1a, 64 bits: it tells versions apart and protects nothing.
#[expect(clippy::indexing_slicing, reason = "below the length, and evaluated by the compiler")]
const fn fnv1a(bytes: &[u8]) -> u64 {
    let (mut hash, mut i) = (0xcbf2_9ce4_8422_2325_u64, 0);
    while i < bytes.len() {
        hash = (hash ^ bytes[i] as u64).wrapping_mul(0x0100_0000_01b3);
        i += 1;
    }
    hash
}

pub(crate) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    mount(
        &ROUTES,
        [Endpoint::new(async |uri: Uri| STYLESHEET.serve(&uri)), Endpoint::new(async |uri: Uri| SCRIPT.serve(&uri))],
    )
}
