//! The parts that all pages have in common, and the frame around them.

use std::sync::Arc;

use askama::Template;
use gatekit_core::Texts;

use crate::{Feature, assets, return_to, texts};

/// What every page knows: its heading, its language, where the others are. Each view has one in its
/// field `page`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Page {
    /// The heading (`h1`).
    pub title: String,
    /// What the site is called.
    pub site_name: String,
    /// Where the site's name leads.
    pub home: String,
    /// The language the page is in, as a tag of RFC 5646: `en`.
    pub language: String,
    /// The languages there are, with where to get the page in them.
    pub languages: Vec<LanguageLink>,
    /// What has happened before, such as "You are logged out."
    pub notice: Option<String>,
    /// What was wrong with the form.
    pub problems: Vec<Problem>,
    /// Whether the content needs more room than a form.
    pub wide: bool,
    /// Where the form may be redirected to, if that is not this site.
    pub(crate) form_origin: Option<String>,
    pub(crate) prefix: String,
    pub(crate) features: Arc<[Feature]>,
    pub(crate) texts: Arc<Texts>,
}

/// A language the page can be had in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LanguageLink {
    /// Its tag: `de`.
    pub tag: String,
    /// What it calls itself.
    pub name: String,
    /// Where the page is in this language.
    pub href: String,
    /// Whether this is the one.
    pub current: bool,
}

/// Something that was wrong with a form, for the summary above it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Problem {
    /// What.
    pub message: String,
    /// Where it is mended: `#email`, or another page.
    pub href: Option<String>,
}

impl Page {
    /// A text in the page's language, by its key without `page.`: `login.title`. English where
    /// there is none, the key where there is not even that. See [`Texts`].
    #[must_use]
    pub fn text<'a>(&'a self, key: &'a str) -> &'a str {
        texts::get(&self.texts, &self.language, key).unwrap_or(key)
    }

    /// The same; `None` if there is none, not even in English.
    #[must_use]
    pub fn text_if_any(&self, key: &str) -> Option<&str> {
        texts::get(&self.texts, &self.language, key)
    }

    /// The same, with values in place of `{name}`.
    #[must_use]
    pub fn text_with(&self, key: &str, values: &[(&str, &str)]) -> String {
        Texts::fill(self.text(key), values)
    }

    /// Where one of the pages is, below the prefix they are mounted under.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The same, with where to go afterwards.
    #[must_use]
    pub fn url_returning(&self, path: &str, return_to: &Option<String>) -> String {
        let url = self.url(path);
        match return_to {
            Some(target) => format!("{url}?return_to={}", return_to::encode(target)),
            None => url,
        }
    }

    /// Whether these pages are mounted: there are no links to others.
    #[must_use]
    pub fn has(&self, feature: Feature) -> bool {
        self.features.contains(&feature)
    }

    /// What the window is called: the heading and the site's name, after a word of warning if
    /// something was wrong (WCAG 2.4.2).
    #[must_use]
    pub fn document_title(&self) -> String {
        let warning = if self.problems.is_empty() { "" } else { self.text("error.prefix") };
        format!("{warning}{} - {}", self.title, self.site_name)
    }

    /// Where the stylesheet is.
    #[must_use]
    pub fn stylesheet(&self) -> String {
        self.url(&assets::STYLESHEET.url())
    }

    /// Where the script is.
    #[must_use]
    pub fn script(&self) -> String {
        self.url(&assets::SCRIPT.url())
    }

    /// Notes what is wrong with a field. Returns the words, to stand beside it.
    pub(crate) fn problem(&mut self, field: &str, message: impl Into<String>) -> String {
        let message = message.into();
        self.problems.push(Problem { message: message.clone(), href: Some(format!("#{field}")) });
        message
    }
}

/// The frame: everything around the content.
#[derive(Clone, Debug, Template)]
#[template(path = "layout.html")]
#[non_exhaustive]
pub struct Layout<'a> {
    /// The page it is for.
    pub page: &'a Page,
    /// The content as HTML: error summary, notice, heading, and what the page's own template made.
    pub content: &'a str,
}

/// What is above each page's own content.
#[derive(Template)]
#[template(path = "opening.html")]
pub(crate) struct Opening<'a> {
    pub(crate) page: &'a Page,
}

/// A link with its words.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Link {
    /// Where it leads.
    pub href: String,
    /// What it says.
    pub text: String,
}

/// A page that only says something: "check your mail", "address confirmed", and all errors that are
/// not about a field.
#[derive(Clone, Debug, Template)]
#[template(path = "message.html")]
#[non_exhaustive]
pub struct MessagePage {
    /// What all pages have.
    pub page: Page,
    /// What it says.
    pub text: String,
    /// What helps, if there is anything.
    pub hint: Option<String>,
    /// What to do next.
    pub link: Option<Link>,
}

impl MessagePage {
    pub(crate) fn new(page: Page, text: impl Into<String>) -> Self {
        Self { page, text: text.into(), hint: None, link: None }
    }

    pub(crate) fn hint(mut self, key: &str) -> Self {
        self.hint = Some(self.page.text(key).to_owned());
        self
    }

    pub(crate) fn link(mut self, href: impl Into<String>, key: &str) -> Self {
        self.link = Some(Link { href: href.into(), text: self.page.text(key).to_owned() });
        self
    }
}
