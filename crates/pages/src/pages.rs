//! What an app says about its pages.

use std::sync::Arc;

use axum::Router;
use gatekit_core::{Account, Auth, User, UserOperation, required_profile_fields};

use crate::look::Look;
use crate::{
    Languages, ProfileField, Templates, account, assets, change_email, change_password, confirm_email_change,
    confirm_password, delete_account, forgot_password, login, logout, register, resend_verification, reset_password,
    verify_email, well_known,
};

/// Pages that belong together: what is not mounted does not exist, and no page links to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// `/register`
    Register,
    /// `/login`, `/logout`, `/confirm-password`
    Login,
    /// `/forgot-password`, `/reset-password`
    ResetPassword,
    /// `/verify-email`, `/resend-verification`. Needs [`UserOperation::Update`].
    VerifyEmail,
    /// `/change-password`, `/.well-known/change-password`
    ChangePassword,
    /// `/change-email`, `/confirm-email-change`. Needs [`UserOperation::Update`].
    ChangeEmail,
    /// `/account`, with the user's sessions
    Account,
    /// `/delete-account`. Needs [`UserOperation::Delete`].
    DeleteAccount,
}

impl Feature {
    pub(crate) const ALL: [Self; 8] = [
        Self::Register,
        Self::Login,
        Self::ResetPassword,
        Self::VerifyEmail,
        Self::ChangePassword,
        Self::ChangeEmail,
        Self::Account,
        Self::DeleteAccount,
    ];

    /// The page that its mails lead to.
    pub(crate) fn mailed_page(self) -> Option<&'static str> {
        match self {
            Self::ResetPassword => Some("/reset-password"),
            Self::VerifyEmail => Some("/verify-email"),
            Self::ChangeEmail => Some("/confirm-email-change"),
            _ => None,
        }
    }

    /// What the store of the users must do for it.
    fn needs(self) -> Option<UserOperation> {
        match self {
            Self::VerifyEmail | Self::ChangeEmail => Some(UserOperation::Update),
            Self::DeleteAccount => Some(UserOperation::Delete),
            _ => None,
        }
    }
}

/// The pages, and what the app says about them. [`router`](Self::router) makes routes of it.
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
/// let auth: Auth = Auth::builder(store.clone()).tokens(store).texts(texts).build()?;
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
        let features = Feature::ALL.into_iter().filter(|feature| feature.needs().is_none_or(|op| auth.supports(op)));
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

    /// These pages and no others. Who has to log in is sent to `/login` below the same prefix, also
    /// where that is a page of the app's own.
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

    /// The routes, to merge into an app's router or to nest into it.
    ///
    /// # Panics
    ///
    /// If [`only`](Self::only) names a feature that the store of the users cannot carry,
    /// [`after_login`](Self::after_login) or [`home`](Self::home) is a place nobody may be sent to,
    /// or the form to sign up cannot work: a field that the profile needs is not declared by
    /// [`profile_field`](Self::profile_field), or a declared one has no label or a name that it
    /// cannot have.
    #[expect(clippy::panic, reason = "the app's author meets it at the first start, and never again")]
    pub fn router<S: Clone + Send + Sync + 'static>(mut self) -> Router<S> {
        for feature in &*self.look.features {
            if let Some(operation) = feature.needs().filter(|operation| !self.auth.supports(*operation)) {
                panic!(
                    "the pages of {feature:?} need a store of users that implements {}. Implement it and say so in \
                     `UserStore::supports`, or leave them out with `Pages::without`",
                    operation.as_str()
                );
            }
        }
        for target in self.after_login.iter().chain([&self.look.home]) {
            if !self.auth.may_redirect_to(target) {
                panic!("{target:?} is neither a path of the site nor below an origin of `Builder::redirect_origin`");
            }
        }
        if self.look.features.contains(&Feature::Register)
            && let Err(mistake) = self.check_profile_fields()
        {
            panic!("{mistake}");
        }
        let routes = |feature: &Feature| match feature {
            Feature::Register => register::routes(),
            Feature::Login => login::routes().merge(logout::routes()).merge(confirm_password::routes()),
            Feature::ResetPassword => forgot_password::routes().merge(reset_password::routes()),
            Feature::VerifyEmail => verify_email::routes().merge(resend_verification::routes()),
            Feature::ChangePassword => change_password::routes().merge(well_known::routes()),
            Feature::ChangeEmail => change_email::routes().merge(confirm_email_change::routes()),
            Feature::Account => account::routes(),
            Feature::DeleteAccount => delete_account::routes(),
        };
        let router = self.look.features.iter().map(routes).fold(assets::routes(), Router::merge);
        router.with_state(Arc::new(self))
    }

    /// Whether everybody who fills in the form to sign up gets a profile. A field that the profile
    /// cannot be read without is required from here on.
    fn check_profile_fields(&mut self) -> Result<(), String> {
        let needed = required_profile_fields::<U::Profile>();
        for needed in &needed {
            if !self.profile_fields.iter().any(|field| field.name() == needed) {
                return Err(format!(
                    "the profile of {} cannot be read without the field {needed:?}, which the form of /register has not: nobody could sign up. Declare it: \
                     `Pages::profile_field(ProfileField::text({needed:?}).label(\"en\", \"...\"))`. Or give it a default with `#[serde(default)]`, or leave \
                     the page out with `Pages::without([Feature::Register])`",
                    U::model_name(),
                ));
            }
        }
        let mut names = Vec::new();
        for field in &mut self.profile_fields {
            if let Some(mistake) = field.mistake() {
                return Err(mistake);
            }
            if names.contains(&field.name().to_owned()) {
                return Err(format!("the profile field {:?} is declared twice", field.name()));
            }
            names.push(field.name().to_owned());
            for tag in self.look.languages.iter() {
                if !field.has_label(&self.look.texts, tag) {
                    return Err(format!(
                        "the profile field {:?} has no label in {tag:?}, nor in English. Add `.label({tag:?}, \"...\")`",
                        field.name()
                    ));
                }
            }
            if needed.iter().any(|needed| needed == field.name()) {
                field.require();
            }
        }
        Ok(())
    }
}
