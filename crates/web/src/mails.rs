//! The language and the links of the mails that a request causes.

use axum::extract::{FromRequestParts, NestedPath, OriginalUri};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use axum::http::request::Parts;
use gatekit_core::{Account, Auth, MailOptions};

use crate::mount_prefix::is_sound_prefix;

/// Mails in the language that the client prefers (`Accept-Language`), with the links that the app
/// has configured. For notices, and for routes that no mailed link leads to.
///
/// ```
/// use axum::http::HeaderMap;
/// use gatekit_core::{Auth, MemoryStore};
///
/// let auth = Auth::new(MemoryStore::new());
/// let mut headers = HeaderMap::new();
/// headers.insert("accept-language", "de-AT, en;q=0.5".parse().unwrap());
/// assert_eq!(gatekit_web::mail_options(&auth, &headers).language.as_deref(), Some("de"));
/// ```
#[must_use]
pub fn mail_options<U: Account>(auth: &Auth<U>, headers: &HeaderMap) -> MailOptions {
    let preferred = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mut mails = MailOptions::default();
    mails.language = preferred.map(|preferred| auth.texts().negotiate(preferred).to_owned());
    mails
}

/// As [`mail_options`], with links to the prefix that the route of this request is mounted under.
pub async fn mounted_mail_options<U: Account>(auth: &Auth<U>, parts: &mut Parts) -> MailOptions {
    let mut mails = mail_options(auth, &parts.headers);
    mails.mount = mount_prefix(parts).await;
    mails
}

/// The prefix that the route is nested under. Where it has a parameter, the prefix is the one in
/// the path of this request; `None` if that could lead elsewhere than below this site.
async fn mount_prefix(parts: &mut Parts) -> Option<String> {
    let nested = NestedPath::from_request_parts(parts, &()).await;
    let pattern = nested.as_ref().map_or("", NestedPath::as_str);
    if !pattern.contains('{') {
        return Some(pattern.to_owned());
    }
    let OriginalUri(original) = OriginalUri::from_request_parts(parts, &()).await.ok()?;
    let prefix = original.path().strip_suffix(parts.uri.path())?;
    is_sound_prefix(prefix).then(|| prefix.to_owned())
}
