//! The `Content-Type` of a request: its media type and its charset.

use axum::http::header::{CONTENT_TYPE, HeaderMap};

/// The media type of a body, without parameters: `application/json`. Empty if the request names
/// none. Compare it without regard to case.
///
/// ```
/// use axum::http::HeaderMap;
///
/// let mut headers = HeaderMap::new();
/// headers.insert("content-type", "application/json; charset=latin1".parse().unwrap());
/// assert_eq!(gatekit_web::media_type(&headers), "application/json");
/// assert_eq!(gatekit_web::foreign_charset(&headers), Some("latin1"));
/// ```
#[must_use]
pub fn media_type(headers: &HeaderMap) -> &str {
    content_type(headers).split(';').next().unwrap_or_default().trim()
}

/// The charset of a body, if the request names one that is not UTF-8.
#[must_use]
pub fn foreign_charset(headers: &HeaderMap) -> Option<&str> {
    let parameters = content_type(headers).split(';').skip(1).map(str::trim);
    let mut charsets = parameters.filter_map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        name.trim().eq_ignore_ascii_case("charset").then(|| value.trim().trim_matches('"'))
    });
    charsets.find(|charset| !charset.eq_ignore_ascii_case("utf-8"))
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default()
}
