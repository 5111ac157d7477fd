//! Whether a client has this answer already (RFC 9110 §8.8.3 and §13.1.2).

use std::fmt::Write;

use axum::http::Method;
use axum::http::header::{CACHE_CONTROL, HeaderMap, HeaderValue, IF_NONE_MATCH};
use sha2::{Digest, Sha256};

/// Bytes of the digest that are in a tag: no two bodies of one URL will ever have them in common.
const DIGEST_BYTES: usize = 16;

/// The weak entity tag of a body. It has the shape of Express' (`W/"<length>-<digest>"`), whose
/// digest is SHA-1.
pub(super) fn entity_tag(body: &[u8]) -> HeaderValue {
    let mut tag = format!("W/\"{:x}-", body.len());
    for byte in Sha256::digest(body).iter().take(DIGEST_BYTES) {
        // Writing into a text does not fail.
        let _ = write!(tag, "{byte:02x}");
    }
    tag.push('"');
    // Hex digits, a slash and quotes.
    HeaderValue::from_str(&tag).unwrap_or_else(|_| HeaderValue::from_static("W/\"\""))
}

/// What a request says the client has.
pub(super) struct IfNoneMatch(Vec<HeaderValue>);

impl IfNoneMatch {
    /// Nothing, if the method is another than GET or HEAD, or if the client wants a fresh answer
    /// (`Cache-Control: no-cache`, as Express has it).
    pub(super) fn of(method: &Method, headers: &HeaderMap) -> Self {
        let wants_fresh = || {
            let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
            values.flat_map(|value| value.split(',')).any(|directive| directive.trim().eq_ignore_ascii_case("no-cache"))
        };
        if !matches!(*method, Method::GET | Method::HEAD) || !headers.contains_key(IF_NONE_MATCH) || wants_fresh() {
            return Self(Vec::new());
        }
        Self(headers.get_all(IF_NONE_MATCH).iter().cloned().collect())
    }

    /// Whether this tag is among them, by weak comparison: `W/` makes no difference. `*` is any.
    pub(super) fn names(&self, tag: &HeaderValue) -> bool {
        let Some(opaque) = tag.to_str().ok().and_then(|tag| opaque_tags(tag).next()) else { return false };
        let mut values = self.0.iter().filter_map(|value| value.to_str().ok());
        values.any(|value| value.trim() == "*" || opaque_tags(value).any(|other| other == opaque))
    }
}

/// What is between the quotes of each tag in a list. Commas may be there too, quotes may not.
fn opaque_tags(list: &str) -> impl Iterator<Item = &str> {
    list.split('"').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(method: Method, headers: &[(&'static str, &str)], tag: &str) -> bool {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        IfNoneMatch::of(&method, &map).names(&tag.parse().unwrap())
    }

    #[test]
    fn a_tag_tells_bodies_apart_and_shows_their_length() {
        let tag = entity_tag(b"{}");
        assert_eq!(tag, "W/\"2-44136fa355b3678a1146ad16f7e8649e\"");
        assert_eq!(entity_tag(b"{}"), tag);
        assert_ne!(entity_tag(b"[]"), tag);
    }

    #[test]
    fn a_client_may_name_a_tag_in_every_form_of_the_rfc() {
        let tag = "W/\"2f-a,b\"";
        for (value, known) in [
            ("W/\"2f-a,b\"", true),
            ("\"2f-a,b\"", true),
            ("*", true),
            (" * ", true),
            ("\"x\", W/\"2f-a,b\" ,W/\"y\"", true),
            ("\"x\",\"2f-a,b\"", true),
            ("\"x\"", false),
            ("\"x*\"", false),
            ("\"*\"", false),
            ("2f-a,b", false),
            ("\"2f-a\", \"b\"", false),
            ("\"2F-A,B\"", false),
            ("", false),
            ("\"", false),
        ] {
            assert_eq!(names(Method::GET, &[("if-none-match", value)], tag), known, "{value}");
            assert_eq!(names(Method::HEAD, &[("if-none-match", value)], tag), known, "{value}");
            assert!(!names(Method::POST, &[("if-none-match", value)], tag), "{value}");
        }
        assert!(names(Method::GET, &[("if-none-match", "\"x\""), ("if-none-match", tag)], tag));
        assert!(!names(Method::GET, &[], tag));
    }

    #[test]
    fn who_wants_a_fresh_answer_gets_it() {
        let with = |value: &str| names(Method::GET, &[("if-none-match", "*"), ("cache-control", value)], "\"x\"");
        assert!(with("max-age=0") && with("no-cachex"));
        assert!(!with("no-cache") && !with("max-age=0, No-Cache"));
    }
}
