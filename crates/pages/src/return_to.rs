//! The target of a browser after a page: the place it came from, if that is a path of the site or
//! below an origin that the app has listed (CWE-601).

use axum::http::HeaderValue;
use gatekit_core::{Account, Auth};
use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

/// Longer ones are nobody's, and would not fit into a URL together with what else is in it.
const MAX_BYTES: usize = 2048;

/// What RFC 3986 leaves alone.
const IN_QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// What no URL has in it as it is. `%` may stand: what came encoded stays so.
const IN_LOCATION: &AsciiSet =
    &CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>').add(b'\\').add(b'^').add(b'`').add(b'{').add(b'|').add(b'}');

/// The target, if a browser may be sent there.
pub(crate) fn allowed<U: Account>(auth: &Auth<U>, target: Option<&str>) -> Option<String> {
    target.filter(|target| target.len() <= MAX_BYTES && auth.may_redirect_to(target)).map(str::to_owned)
}

/// The target as a value in a query.
pub(crate) fn encode(target: &str) -> String {
    utf8_percent_encode(target, IN_QUERY).to_string()
}

/// The target as a `Location`. It holds no character that could end the header.
pub(crate) fn location(target: &str) -> HeaderValue {
    let encoded = utf8_percent_encode(target, IN_LOCATION).to_string();
    // All that is left is visible ASCII.
    HeaderValue::try_from(encoded).unwrap_or(HeaderValue::from_static("/"))
}

/// The origin of a target that is not a path, for the page's `form-action`: browsers stop a form
/// from being redirected elsewhere.
pub(crate) fn origin(target: &str) -> Option<&str> {
    let scheme = target.find("://")?;
    let host = target.get(scheme + 3..)?;
    let end = host.find(['/', '?', '#']).unwrap_or(host.len());
    let origin = target.get(..scheme + 3 + end)?;
    // Nothing that could begin another directive.
    origin.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":/.-_[]".contains(&byte)).then_some(origin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_cannot_end_its_header() {
        assert_eq!(location("/a\r\nSet-Cookie: b=c"), "/a%0D%0ASet-Cookie:%20b=c");
        assert_eq!(location("/über?q=\"<x>\""), "/%C3%BCber?q=%22%3Cx%3E%22");
        assert_eq!(location("/a%20b#c"), "/a%20b#c");
    }

    #[test]
    fn a_value_in_a_query_stays_one() {
        assert_eq!(encode("/a?b=c&d#e+f"), "/a%3Fb%3Dc%26d%23e%2Bf");
    }

    #[test]
    fn an_origin_adds_no_directive() {
        assert_eq!(origin("https://a.example:8443/b?c"), Some("https://a.example:8443"));
        assert_eq!(origin("https://a.example"), Some("https://a.example"));
        assert_eq!(origin("/path?to=https://b.example"), None);
        for target in ["https://a;script-src/", "https://a 'unsafe-inline'/", "https://a,b/"] {
            assert_eq!(origin(target), None, "{target}");
        }
    }
}
