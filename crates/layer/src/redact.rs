//! A request's URI as a log line may have it.

use std::fmt::{self, Write};

use gatekit_core::TokenSecret;
use http::{Request, Uri};
use tracing::Span;

/// A URI for log lines: the path and the names of the query's parameters, and `[redacted]` in place
/// of each value. A part of the path that has the form of a token is redacted too.
///
/// The [`AuthLayer`](crate::AuthLayer) cuts tokens out of the URI that inner services see. A layer
/// further out sees the URI that was sent, with `?access_token=` or the secret of a mailed link in
/// it, and logs it unless it is told otherwise.
///
/// ```
/// use gatekit_layer::redacted_uri;
/// use http::Uri;
///
/// let uri = Uri::from_static("/users/1?access_token=GOkZRwgZ61q0&filter=%7B%7D");
/// assert_eq!(redacted_uri(&uri).to_string(), "/users/1?access_token=[redacted]&filter=[redacted]");
/// ```
pub fn redacted_uri(uri: &Uri) -> impl fmt::Display + '_ {
    fmt::from_fn(move |f| write_redacted(uri, f))
}

/// The span of a request with a [redacted URI](redacted_uri), for tower-http's `TraceLayer` outside
/// of the [`AuthLayer`](crate::AuthLayer). Its fields, level and name are those of `TraceLayer`'s
/// own.
///
/// ```text
/// let app = app.layer(AuthLayer::new(auth)).layer(TraceLayer::new_for_http().make_span_with(request_span));
/// ```
#[must_use]
pub fn request_span<B>(request: &Request<B>) -> Span {
    tracing::debug_span!(
        "request",
        method = %request.method(),
        uri = %redacted_uri(request.uri()),
        version = ?request.version(),
    )
}

const REDACTED: &str = "[redacted]";

fn write_redacted(uri: &Uri, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    // Not the authority: it may have a password.
    for (index, segment) in uri.path().split('/').enumerate() {
        if index > 0 {
            f.write_char('/')?;
        }
        f.write_str(if TokenSecret::is_well_formed(segment) { REDACTED } else { segment })?;
    }
    for (index, pair) in uri.query().into_iter().flat_map(|query| query.split('&')).enumerate() {
        f.write_char(if index == 0 { '?' } else { '&' })?;
        match pair.split_once('=') {
            Some((name, "")) => write!(f, "{name}=")?,
            Some((name, _)) => write!(f, "{name}={REDACTED}")?,
            // It may be a value without a name.
            None if pair.is_empty() => {}
            None => f.write_str(REDACTED)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_and_no_token_is_left() {
        let token = "GOkZRwgZ61q0XXVxvxlB8TS1D6lrG7Vb9V8YwRDfy3YGAN7TM7EnxWHqdbIZfheZ";
        for (uri, shown) in [
            ("/".to_owned(), "/"),
            ("/a/b".to_owned(), "/a/b"),
            (format!("/me?access_token={token}"), "/me?access_token=[redacted]"),
            (format!("/me?a=1&access%5Ftoken={token}&b="), "/me?a=[redacted]&access%5Ftoken=[redacted]&b="),
            (format!("/confirm?uid=1&token={token}=="), "/confirm?uid=[redacted]&token=[redacted]"),
            (format!("/reset?{token}"), "/reset?[redacted]"),
            (format!("/users/1/accessTokens/{token}"), "/users/1/accessTokens/[redacted]"),
            (format!("https://ada:{token}@h.example/p?x={token}"), "/p?x=[redacted]"),
            ("/p?&&".to_owned(), "/p?&&"),
        ] {
            let uri: Uri = uri.parse().unwrap();
            assert_eq!(redacted_uri(&uri).to_string(), shown, "{uri}");
        }
    }
}
