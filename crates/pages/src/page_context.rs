//! The parts of a request that a page is shown with: its language, its query, and where the pages
//! are mounted. It does not say who sent the request.

use std::sync::Arc;

use axum::extract::OriginalUri;
use axum::http::request::Parts;
use gatekit_core::{Account, Auth, MailOptions, PublicUrl};
use gatekit_layer::{BrowserTransport, TokenCookie};
use gatekit_web::{client, is_sound_prefix};

use crate::form::Form;
use crate::layout::LanguageLink;
use crate::{Feature, Language, MessagePage, Page, Pages, return_to};

/// The state of the routes.
pub(crate) type Shared<U> = Arc<Pages<U>>;

/// The notices that a redirect can bring along: the word in `?notice=`, and the key of the text.
const NOTICES: [(&str, &str); 6] = [
    ("logged-out", "notice.logged-out"),
    ("password-changed", "notice.password-changed"),
    ("email-changed", "notice.email-changed"),
    ("session-ended", "notice.session-ended"),
    ("sessions-ended", "notice.sessions-ended"),
    ("account-deleted", "notice.account-deleted"),
];

/// The parts of a request that a page is shown with.
#[derive(Clone)]
pub(crate) struct PageContext<U: Account> {
    pub(crate) pages: Shared<U>,
    /// The accounts, for the client that sent the request.
    auth: Auth<U>,
    pub(crate) query: Form,
    pub(crate) language: Language,
    /// The attributes of the cookies that pages set: those of the token's cookie.
    pub(crate) cookie: TokenCookie,
    /// The path of the pages in a browser: the part that a proxy cuts off, and the mount.
    prefix: String,
    /// The path that they are mounted under in the app.
    mount: String,
    path: String,
}

impl<U: Account> PageContext<U> {
    pub(crate) fn new(pages: Shared<U>, parts: &Parts) -> Self {
        let path = parts.uri.path().to_owned();
        let original = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
        let query = Form::of_query(original.query());
        let cookie = BrowserTransport::of_user::<U>(&parts.extensions).and_then(|browser| browser.cookie().cloned());
        let cookie = cookie.unwrap_or_default();
        let language = Language::choose(&query, &parts.headers, &cookie, &pages.look.languages);
        // Routers further out have cut off the mount. A path that browsers take for a host, or for
        // another path, is no mount.
        let is_prefix = |prefix: &&str| is_sound_prefix(prefix) && pages.auth.may_redirect_to(prefix);
        let mount = original.path().strip_suffix(&path).filter(is_prefix);
        let mount = mount.unwrap_or_default().to_owned();
        let prefix = match mount.as_str() {
            "" => pages.auth.public_url().map_or("", PublicUrl::prefix).to_owned(),
            mount => pages.outside(mount),
        };
        let auth = pages.auth.for_client(client(&pages.auth, parts));
        Self { auth, query, language, cookie, prefix, mount, path, pages }
    }

    pub(crate) fn auth(&self) -> &Auth<U> {
        &self.auth
    }

    /// The URL of one of these pages.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The path of the page that this request's form is on.
    pub(crate) fn form_path(&self) -> &str {
        if self.path.starts_with("/account/") { "/account" } else { &self.path }
    }

    /// A page with this heading.
    pub(crate) fn page(&self, title: &str) -> Page {
        let home = self.pages.outside(&self.pages.look.home);
        let mut page = self.pages.look.page(&self.language, &self.prefix, home, title);
        let returning = self.return_to().map(|target| format!("&return_to={}", return_to::encode(&target)));
        let here = self.url(self.form_path());
        page.languages =
            self.pages.look.languages.iter().map(|tag| self.language_link(tag, &here, returning.as_deref())).collect();
        page
    }

    fn language_link(&self, tag: &str, here: &str, returning: Option<&str>) -> LanguageLink {
        LanguageLink {
            tag: tag.to_owned(),
            name: crate::texts::get(&self.pages.look.texts, tag, "language.name").unwrap_or(tag).to_owned(),
            href: format!("{here}?lang={tag}{}", returning.unwrap_or_default()),
            current: self.language.tag() == tag,
        }
    }

    /// The notice that a redirect has brought along.
    pub(crate) fn notice(&self, page: &Page) -> Option<String> {
        let asked = self.query.get("notice")?;
        let (_, key) = NOTICES.iter().find(|(word, _)| *word == asked)?;
        Some(page.text(key).to_owned())
    }

    /// The target in `?return_to=`, if a browser may be sent there.
    pub(crate) fn return_to(&self) -> Option<String> {
        return_to::allowed(self.auth(), self.query.get("return_to"))
    }

    /// The target after a login.
    pub(crate) fn after_login(&self, target: Option<&str>) -> String {
        match (target, &self.pages.after_login) {
            (Some(target), _) => target.to_owned(),
            (None, Some(path)) => self.pages.outside(path),
            (None, None) if self.has(Feature::Account) => self.url("/account"),
            (None, None) => self.pages.outside(&self.pages.look.home),
        }
    }

    /// Whether these pages are mounted.
    pub(crate) fn has(&self, feature: Feature) -> bool {
        self.pages.look.features.contains(&feature)
    }

    /// Adds a link to the login, if that page is mounted. It redirects visitors who are logged in.
    pub(crate) fn with_login(&self, view: MessagePage, key: &str) -> MessagePage {
        if self.has(Feature::Login) { view.link(self.url("/login"), key) } else { view }
    }

    /// Says that another user is logged in here than the one a link was mailed to, so that the two
    /// accounts are not confused. A link to the login would lead to the account of the user who is
    /// logged in, so the link is to the logout.
    pub(crate) fn with_other(&self, mut view: MessagePage, other: String) -> MessagePage {
        view.hint = Some(other);
        if self.has(Feature::Login) { view.link(self.url("/logout"), "other-account.log-out") } else { view }
    }

    /// Adds a link back to the account, if that page is mounted.
    pub(crate) fn with_way_back(&self, view: MessagePage) -> MessagePage {
        if self.has(Feature::Account) { view.link(self.url("/account"), "back.account") } else { view }
    }

    /// The options of a mail that leads to one of these pages, if it is mounted. Otherwise the mail
    /// has the link that the app has configured for its kind, or none.
    pub(crate) fn mails(&self, page: &str) -> MailOptions {
        let options = MailOptions::default().language(self.language.tag());
        let is_mounted = Feature::ALL.iter().any(|feature| feature.mailed_page() == Some(page) && self.has(*feature));
        if is_mounted { options.page(format!("{}{page}?token={{token}}", self.mount)) } else { options }
    }

    /// The options of a notice. It leads to the page for a new password, for a user who did not
    /// make the change.
    pub(crate) fn notices(&self) -> MailOptions {
        let options = MailOptions::default().language(self.language.tag());
        let page = || format!("{}/forgot-password", self.mount);
        if self.has(Feature::ResetPassword) { options.page(page()) } else { options }
    }
}
