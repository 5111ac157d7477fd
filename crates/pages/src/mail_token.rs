//! Moves the secret of a mailed link out of the URL, into a short-lived cookie, before the form is
//! shown. The history, logs and `Referer` do not get it from there, and a mail scanner that follows
//! the link spends nothing.

use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use gatekit_core::TokenSecret;
use gatekit_layer::TokenCookie;

/// Half an hour, in seconds: time to think of a password.
const MAX_AGE: i64 = 1800;
/// The longest secret, in bytes.
const MAX_BYTES: usize = 512;

/// The cookie, with the attributes of the token's cookie.
pub(crate) struct MailToken {
    cookie: TokenCookie,
    /// The purpose of the secret, so that the secret of another link is not accepted.
    purpose: &'static str,
}

impl MailToken {
    pub(crate) fn new(purpose: &'static str, like: &TokenCookie) -> Self {
        // The name is sound, so that there is one. It is `SameSite=Lax`, whatever the token's is:
        // whoever follows a link from a webmail comes from another site.
        Self { cookie: like.companion("gatekit_mail").unwrap_or_default(), purpose }
    }

    /// The cookie that keeps the secret of a link. `None` for text that is no secret.
    pub(crate) fn keep(&self, secret: &str) -> Option<HeaderValue> {
        let sound = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
        if secret.is_empty() || secret.len() > MAX_BYTES || !secret.bytes().all(sound) {
            return None;
        }
        self.cookie.with_value(&format!("{}.{secret}", self.purpose), Some(MAX_AGE)).ok()
    }

    /// The secret that was kept.
    pub(crate) fn find(&self, headers: &HeaderMap) -> Option<TokenSecret> {
        let value = self.cookie.find(headers)?;
        let secret = value.strip_prefix(self.purpose)?.strip_prefix('.')?;
        (!secret.is_empty() && secret.len() <= MAX_BYTES).then(|| TokenSecret::from(secret))
    }

    /// The cookie that removes the secret.
    pub(crate) fn removal(&self) -> Option<HeaderValue> {
        self.cookie.removal().ok()
    }
}

/// Adds a cookie to a response, if there is one.
pub(crate) fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Response {
    response.headers_mut().extend(cookie.map(|cookie| (SET_COOKIE, cookie)));
    response
}
