//! The language a visitor gets: the one it has chosen, or else the one its browser asks for.

use std::convert::Infallible;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::header::{ACCEPT_LANGUAGE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponseParts, ResponseParts};
use gatekit_core::Texts;
use gatekit_layer::{BrowserTransport, TokenCookie};

use crate::form::Form;
use crate::texts;

const COOKIE: &str = "gatekit_lang";
/// A year, in seconds.
const MAX_AGE: i64 = 31_536_000;

/// The languages that a site is offered in, as tags of RFC 5646. The first is for visitors who want
/// none of them.
///
/// [`Pages::offered_languages`](crate::Pages::offered_languages) has those of the pages. An app's
/// own pages get the same ones by `.layer(Extension(pages.offered_languages()))`, or by
/// [`AskToLogInLayer::of`](crate::AskToLogInLayer::of); see [`Language`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Languages(Arc<[String]>);

impl Languages {
    /// These.
    #[must_use]
    pub fn new<L: Into<String>>(tags: impl IntoIterator<Item = L>) -> Self {
        Self(tags.into_iter().map(Into::into).collect())
    }
}

impl Default for Languages {
    /// Those of the built-in texts: English and German.
    fn default() -> Self {
        Self::new(texts::LANGUAGES)
    }
}

impl Deref for Languages {
    type Target = [String];

    fn deref(&self) -> &[String] {
        &self.0
    }
}

/// The language of the visitor: an extractor for an app's own pages, so that they are in the
/// language of the kit's.
///
/// It is that of `?lang=`, or else of the cookie that remembers an earlier choice, or else what
/// `Accept-Language` asks for, or else the first one. Only a language is chosen that the site is
/// offered in: [`Languages`] in the extensions of the request, which are English and German unless
/// an app adds its own.
///
/// In a response it sets the cookie that remembers the choice of `?lang=`, which the kit's pages
/// read too. It never fails.
///
/// ```
/// use axum::response::Html;
/// use axum::{Extension, Router, routing::get};
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_layer::AuthLayer;
/// use gatekit_pages::{Language, Pages};
///
/// async fn home(language: Language) -> (Language, Html<String>) {
///     let greeting = match language.tag() {
///         "de" => "Guten Tag",
///         "fr" => "Bonjour",
///         _ => "Hello",
///     };
///     let html = format!(r#"<html lang="{language}"><h1>{greeting}</h1></html>"#);
///     (language, Html(html))
/// }
///
/// let auth = Auth::new(MemoryStore::new());
/// let pages = Pages::new(auth.clone()).languages(["en", "de", "fr"]);
/// let app: Router = Router::new()
///     .route("/", get(home))
///     .layer(Extension(pages.offered_languages()))
///     .merge(pages.router())
///     .layer(AuthLayer::new(auth));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    tag: String,
    /// Whether the visitor has just chosen it.
    chosen: bool,
    /// What remembers the choice, for an app's own page.
    cookie: Option<HeaderValue>,
}

impl Language {
    /// The language of the client that sent this request. The extractor does the same.
    #[must_use]
    pub fn of(parts: &Parts) -> Self {
        let query = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri).query();
        let browser = BrowserTransport::from_extensions(&parts.extensions);
        let like = browser.and_then(|browser| browser.cookie().cloned()).unwrap_or_default();
        let offered = parts.extensions.get::<Languages>().cloned().unwrap_or_default();
        let language = Self::choose(&Form::of_query(query), &parts.headers, &like, &offered);
        Self { cookie: language.cookie(&like), ..language }
    }

    /// Its tag as the site writes it (RFC 5646): `en`.
    #[must_use]
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// `?lang=de`, the cookie of an earlier choice, `Accept-Language`, or the first one offered.
    pub(crate) fn choose(query: &Form, headers: &HeaderMap, like: &TokenCookie, offered: &Languages) -> Self {
        let known = |asked: &str| offered.iter().find(|tag| tag.eq_ignore_ascii_case(asked)).cloned();
        if let Some(tag) = query.get("lang").and_then(known) {
            return Self { tag, chosen: true, cookie: None };
        }
        let accepted = || {
            let header = headers.get(ACCEPT_LANGUAGE)?.to_str().ok()?;
            Texts::choose(header, offered.iter().map(String::as_str)).map(str::to_owned)
        };
        let remembered = like.clone().name(COOKIE).ok().and_then(|cookie| known(&cookie.find(headers)?));
        let tag = remembered.or_else(accepted).or_else(|| offered.first().cloned());
        Self { tag: tag.unwrap_or_else(|| "en".into()), chosen: false, cookie: None }
    }

    /// What remembers the choice, if one was made.
    pub(crate) fn cookie(&self, like: &TokenCookie) -> Option<HeaderValue> {
        let cookie = like.clone().name(COOKIE).ok().filter(|_| self.chosen)?;
        cookie.with_value(&self.tag, Some(MAX_AGE)).ok()
    }
}

/// The tag.
impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.tag)
    }
}

impl<S: Sync> FromRequestParts<S> for Language {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}

/// Remembers the choice of `?lang=` in a cookie.
impl IntoResponseParts for Language {
    type Error = Infallible;

    fn into_response_parts(self, mut response: ResponseParts) -> Result<ResponseParts, Infallible> {
        if let Some(cookie) = self.cookie {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        Ok(response)
    }
}
