//! The challenges of a 401: the `WWW-Authenticate` headers of RFC 7616 §3.3.

use axum::http::HeaderValue;

use super::algorithm::Algorithm;

/// One challenge.
pub(super) struct Challenge<'a> {
    pub(super) realm: &'a str,
    pub(super) algorithm: Algorithm,
    pub(super) nonce: &'a str,
    pub(super) opaque: &'a str,
    pub(super) userhash: bool,
    pub(super) stale: bool,
}

impl Challenge<'_> {
    /// As a header of its own: two in one are mixed up by curl. What must be quoted is, what must
    /// not be is not (RFC 7616 §3.3).
    pub(super) fn header(&self) -> HeaderValue {
        let mut text = format!(
            r#"Digest realm={}, qop="auth", algorithm={}, nonce={}, opaque={}, charset=UTF-8"#,
            quoted(self.realm),
            self.algorithm.name(),
            quoted(self.nonce),
            quoted(self.opaque),
        );
        if self.userhash {
            text.push_str(", userhash=true");
        }
        if self.stale {
            text.push_str(", stale=true");
        }
        // Nothing in it is a control character: the realm was looked at, and `quoted` leaves them
        // out.
        HeaderValue::from_bytes(text.as_bytes()).unwrap_or_else(|_| HeaderValue::from_static("Digest"))
    }
}

/// RFC 9110 §5.6.4. A control character, which has no place there, is left out.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars().filter(|c| !c.is_control()) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge(realm: &str, userhash: bool, stale: bool) -> String {
        let challenge =
            Challenge { realm, algorithm: Algorithm::Sha256, nonce: "bm9uY2U", opaque: "b3BhcXVl", userhash, stale };
        String::from_utf8(challenge.header().as_bytes().into()).unwrap()
    }

    /// DG-3
    #[test]
    fn quotes_are_where_they_must_be_and_nowhere_else() {
        assert_eq!(
            challenge("cmwell", false, false),
            r#"Digest realm="cmwell", qop="auth", algorithm=SHA-256, nonce="bm9uY2U", opaque="b3BhcXVl", charset=UTF-8"#
        );
        assert!(challenge("cmwell", true, true).ends_with(", charset=UTF-8, userhash=true, stale=true"));
        assert!(challenge(r#"a "b" \c"#, false, false).starts_with(r#"Digest realm="a \"b\" \\c", "#));
        assert!(challenge("a\r\nb", false, false).starts_with(r#"Digest realm="ab", "#));
    }
}
