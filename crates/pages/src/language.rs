//! Which language does a visitor get? The one it has chosen, or else the one its browser asks for.

use axum::http::HeaderMap;
use axum::http::header::ACCEPT_LANGUAGE;
use gatekit_core::Texts;
use gatekit_layer::TokenCookie;

use crate::form::Form;

const COOKIE: &str = "gatekit_lang";
/// A year, in seconds.
const MAX_AGE: i64 = 31_536_000;

/// A language, and whether the visitor has just chosen it.
#[derive(Clone, Debug)]
pub(crate) struct Language {
    pub(crate) tag: String,
    pub(crate) chosen: bool,
}

impl Language {
    /// `?lang=de`, the cookie of an earlier choice, `Accept-Language`, or the first one offered.
    pub(crate) fn of(query: &Form, headers: &HeaderMap, like: &TokenCookie, offered: &[String]) -> Self {
        let known = |asked: &str| offered.iter().find(|tag| tag.eq_ignore_ascii_case(asked)).cloned();
        if let Some(tag) = query.get("lang").and_then(known) {
            return Self { tag, chosen: true };
        }
        let accepted = || {
            let header = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
            Texts::choose(header, offered.iter().map(String::as_str)).map(str::to_owned)
        };
        let remembered = like.clone().name(COOKIE).ok().and_then(|cookie| known(&cookie.find(headers)?));
        let tag = remembered.or_else(accepted);
        Self { tag: tag.or_else(|| offered.first().cloned()).unwrap_or_else(|| "en".into()), chosen: false }
    }

    /// What remembers the choice.
    pub(crate) fn cookie(&self, like: &TokenCookie) -> Option<axum::http::HeaderValue> {
        like.clone().name(COOKIE).ok()?.with_value(&self.tag, Some(MAX_AGE)).ok()
    }
}
