//! The settings of the pages.

use std::sync::Arc;

use gatekit_core::{Account, Auth, User};

use crate::look::Look;
use crate::{Feature, Languages, ProfileField, Templates};

/// The pages, with their settings. [`router`](Self::router) makes routes of them.
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_pages::{Feature, Pages};
///
/// let auth = Auth::new(MemoryStore::new());
/// let pages = Pages::new(auth).after_login("/private").without([Feature::DeleteAccount]);
///
/// // At the root of the site, or below a prefix:
/// let root: Router = Router::new().merge(pages.clone().router());
/// let nested: Router = Router::new().nest("/auth", pages.router());
/// ```
///
/// Another text, here the heading of `/login`. The keys are in
/// [`texts/en.json`](https://github.com/gatekit/gatekit/blob/main/crates/pages/texts/en.json).
///
/// ```
/// use axum::Router;
/// use gatekit_core::{Auth, MemoryStore, Texts};
/// use gatekit_pages::Pages;
///
/// let store = MemoryStore::new();
/// let texts = Texts::default().set("en", "page.login.title", "Welcome back");
/// let auth: Auth = Auth::builder(store).texts(texts).build()?;
/// let pages: Router = Pages::new(auth).router();
/// # Ok::<_, gatekit_core::ConfigError>(())
/// ```
#[derive(Clone)]
#[must_use = "there are no pages until they are mounted as a router"]
pub struct Pages<U: Account = User> {
    pub(crate) auth: Auth<U>,
    pub(crate) look: Look,
    pub(crate) after_login: Option<String>,
    pub(crate) profile_fields: Vec<ProfileField>,
}

impl<U: Account> std::fmt::Debug for Pages<U> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pages").field("features", &self.look.features).finish_non_exhaustive()
    }
}

impl<U: Account> Pages<U> {
    /// All that the store of the users can carry
    /// ([`UserStore::supports`](gatekit_core::UserStore::supports)).
    pub fn new(auth: Auth<U>) -> Self {
        let features = Feature::ALL.into_iter().filter(|feature| auth.missing(feature.needs()).is_none());
        Self {
            look: Look::new(auth.site_name(), auth.texts(), features),
            after_login: None,
            profile_fields: Vec::new(),
            auth,
        }
    }

    /// What these pages call the site, in the header and in the title of each, if that is not the
    /// name that [`Builder::site_name`](gatekit_core::Builder::site_name) has for mails too. Only
    /// that one is also refused as a password (ASVS 6.2.11).
    pub fn site_name(mut self, name: impl Into<String>) -> Self {
        self.look.site_name = name.into();
        self
    }

    /// Where the site's name leads, from the root of the app: `/` unless set. The path of
    /// [`public_url`](gatekit_core::Builder::public_url) comes before it.
    pub fn home(mut self, path: impl Into<String>) -> Self {
        self.look.home = path.into();
        self
    }

    /// Where somebody goes who has logged in and came from nowhere, from the root of the app:
    /// `/private`. `/account` unless set, or [`home`](Self::home) where that is left out. The path
    /// of [`public_url`](gatekit_core::Builder::public_url) comes before it.
    pub fn after_login(mut self, path: impl Into<String>) -> Self {
        self.after_login = Some(path.into());
        self
    }

    /// The languages the pages are offered in, as tags of RFC 5646; the first is for visitors who
    /// want none of them. English and German unless set. Texts in others are added with
    /// [`Builder::texts`](gatekit_core::Builder::texts).
    pub fn languages<L: Into<String>>(mut self, tags: impl IntoIterator<Item = L>) -> Self {
        self.look.languages = Languages::new(tags);
        self
    }

    /// The languages the pages are offered in, for pages of the app's own: see
    /// [`Language`](crate::Language).
    #[must_use]
    pub fn offered_languages(&self) -> Languages {
        self.look.languages.clone()
    }

    /// A field of the users' profile, for the form to sign up: see [`ProfileField`]. The form has
    /// the fields in the order in which they are declared.
    ///
    /// Every field that a profile cannot be read without must be declared, or nobody could sign up.
    pub fn profile_field(mut self, field: ProfileField) -> Self {
        let texts = std::mem::take(Arc::make_mut(&mut self.look.texts));
        let texts = field.texts().fold(texts, |texts, (language, key, text)| {
            texts.define(language.to_owned(), format!("page.{key}"), text.to_owned())
        });
        self.look.texts = Arc::new(texts);
        self.profile_fields.push(field);
        self
    }

    /// What the pages are made with.
    pub fn templates(mut self, templates: impl Templates) -> Self {
        self.look.templates = Arc::new(templates);
        self
    }

    /// Mounts these pages and no others. A user that has to log in is sent to `/login` below the
    /// same prefix, also where that is a page of the app's own.
    pub fn only(mut self, features: impl IntoIterator<Item = Feature>) -> Self {
        self.look.features = features.into_iter().collect();
        self
    }

    /// A path of the app as browsers see it.
    pub(crate) fn outside(&self, path: &str) -> String {
        self.auth.public_url().map_or_else(|| path.to_owned(), |url| url.outside(path))
    }

    /// All pages but these.
    pub fn without(mut self, features: impl IntoIterator<Item = Feature>) -> Self {
        let without: Vec<Feature> = features.into_iter().collect();
        self.look.features = self.look.features.iter().copied().filter(|feature| !without.contains(feature)).collect();
        self
    }
}
