//! How does the secret of a mailed link get out of the URL? Into a short-lived cookie, before the
//! form is shown: from there no history, no log and no `Referer` has it, and a mail scanner that
//! follows the link spends nothing.

use axum::http::{HeaderMap, HeaderValue};
use gatekit_core::TokenSecret;
use gatekit_layer::TokenCookie;

/// Half an hour, in seconds: time to think of a password.
const MAX_AGE: i64 = 1800;
/// Longer texts are nobody's secret.
const MAX_BYTES: usize = 512;

/// The cookie, which is as safe as the one that holds the token.
pub(crate) struct MailToken {
    cookie: TokenCookie,
    /// What the secret is for, so that one of another link is not taken for it.
    purpose: &'static str,
}

impl MailToken {
    pub(crate) fn new(purpose: &'static str, like: &TokenCookie) -> Self {
        // The name is sound, so that there is one. It is `SameSite=Lax`, whatever the token's is:
        // whoever follows a link from a webmail comes from another site.
        Self { cookie: like.companion("gatekit_mail").unwrap_or_default(), purpose }
    }

    /// Keeps the secret of a link; `None` for what is none.
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

    /// Forgets it.
    pub(crate) fn removal(&self) -> Option<HeaderValue> {
        self.cookie.removal().ok()
    }
}
