//! In which language are notices written?

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use gatekit_core::{Account, Auth, MailOptions};

/// In the one that the client prefers.
pub(crate) fn mail_options<U: Account>(auth: &Auth<U>, headers: &HeaderMap) -> MailOptions {
    let preferred = headers.get(ACCEPT_LANGUAGE).and_then(|value| value.to_str().ok());
    let mails = MailOptions::default();
    match preferred {
        Some(preferred) => mails.language(auth.texts().negotiate(preferred)),
        None => mails,
    }
}
