//! Who visits which page, where it is mounted, and in which language? What every handler begins
//! with.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri};
use axum::http::request::Parts;
use axum::response::Response;
use gatekit_core::{Account, Auth, MailOptions, PublicUrl, TokenRecord, UserId};
use gatekit_layer::{AuthRejection, AuthUser, BrowserTransport, TokenCookie, access_token};

use crate::form::Form;
use crate::layout::LanguageLink;
use crate::respond::Failure;
pub(crate) use crate::route::{page_at, show, submit};
use crate::{Feature, Language, MessagePage, Page, Pages, return_to};

/// What routes have as their state.
pub(crate) type Shared<U> = Arc<Pages<U>>;

/// What happens to have happened, by the word in `?notice=`.
const NOTICES: [(&str, &str); 6] = [
    ("logged-out", "notice.logged-out"),
    ("password-changed", "notice.password-changed"),
    ("email-changed", "notice.email-changed"),
    ("session-ended", "notice.session-ended"),
    ("sessions-ended", "notice.sessions-ended"),
    ("account-deleted", "notice.account-deleted"),
];

/// What a page needs to be shown: what a request said, but not who sent it.
#[derive(Clone)]
pub(crate) struct Stage<U: Account> {
    pub(crate) pages: Shared<U>,
    /// The accounts, for the client that sent the request.
    auth: Auth<U>,
    pub(crate) query: Form,
    pub(crate) language: Language,
    /// How cookies are set: as safe as the token's.
    pub(crate) cookie: TokenCookie,
    /// Where the pages are for browsers: what a proxy has cut off, and where they are mounted.
    prefix: String,
    /// Where they are mounted in the app.
    mount: String,
    path: String,
}

/// A request to a page.
pub(crate) struct Visit<U: Account> {
    pub(crate) stage: Stage<U>,
    pub(crate) parts: Parts,
    pub(crate) browser: BrowserTransport,
    /// The form that was sent, or why it was not read; until it is taken, and only of a POST.
    pub(crate) form: Option<Result<Form, Failure>>,
}

/// Somebody who is logged in.
pub(crate) struct LoggedIn<U> {
    pub(crate) user: U,
    pub(crate) token: TokenRecord,
}

impl<U: Account> Stage<U> {
    pub(crate) fn new(pages: Shared<U>, parts: &Parts) -> Self {
        let path = parts.uri.path().to_owned();
        let original = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
        let query = Form::of_query(original.query());
        let cookie = BrowserTransport::of_user::<U>(&parts.extensions).and_then(|browser| browser.cookie().cloned());
        let cookie = cookie.unwrap_or_default();
        let language = Language::choose(&query, &parts.headers, &cookie, &pages.look.languages);
        // What was cut off on the way here. A path that browsers take for a host, or for another
        // path, is nobody's prefix.
        let is_prefix = |prefix: &&str| return_to::is_prefix(prefix) && pages.auth.may_redirect_to(prefix);
        let mount = original.path().strip_suffix(&path).filter(is_prefix);
        let mount = mount.unwrap_or_default().to_owned();
        let prefix = match mount.as_str() {
            "" => pages.auth.public_url().map_or("", PublicUrl::prefix).to_owned(),
            mount => pages.outside(mount),
        };
        let auth = pages.auth.for_client(gatekit_web::client(&pages.auth, parts));
        Self { auth, query, language, cookie, prefix, mount, path, pages }
    }

    pub(crate) fn auth(&self) -> &Auth<U> {
        &self.auth
    }

    /// Where a page of ours is.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.prefix)
    }

    /// The page whose form this is, if it is not that page itself.
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

    /// Where the query says to go afterwards, if that is allowed.
    pub(crate) fn return_to(&self) -> Option<String> {
        return_to::allowed(self.auth(), self.query.get("return_to"))
    }

    /// Where somebody goes who has logged in.
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

    /// On to a page that tells what was done.
    pub(crate) fn done(&self, path: &str, notice: &str) -> Response {
        match self.has(Feature::Account) {
            true => self.redirect(&format!("{path}?notice={notice}")),
            false => self.redirect_to(&self.after_login(None)),
        }
    }

    /// With a link to the login, which sends those on who are logged in, if there is such a page.
    pub(crate) fn with_login(&self, view: MessagePage, key: &str) -> MessagePage {
        if self.has(Feature::Login) { view.link(self.url("/login"), key) } else { view }
    }

    /// Says that somebody else is logged in here than the user a link was mailed to, so that nobody
    /// takes the one account for the other. The login would send the browser on to the account of
    /// whoever is logged in.
    pub(crate) fn with_other(&self, mut view: MessagePage, other: String) -> MessagePage {
        view.hint = Some(other);
        if self.has(Feature::Login) { view.link(self.url("/logout"), "other-account.log-out") } else { view }
    }

    /// With a link back to the account, if there is such a page.
    pub(crate) fn with_way_back(&self, view: MessagePage) -> MessagePage {
        if self.has(Feature::Account) { view.link(self.url("/account"), "back.account") } else { view }
    }

    /// How a mail is written that leads to one of these pages, if that is mounted. Otherwise the
    /// mail has the link that the app has configured for its kind, or none.
    pub(crate) fn mails(&self, page: &str) -> MailOptions {
        let options = MailOptions::default().language(self.language.tag());
        let is_mounted = Feature::ALL.iter().any(|feature| feature.mailed_page() == Some(page) && self.has(*feature));
        if is_mounted { options.page(format!("{}{page}?token={{token}}", self.mount)) } else { options }
    }

    /// How a mail is written that tells of something: it leads to a new password, for a user who
    /// did not do it.
    pub(crate) fn notices(&self) -> MailOptions {
        let options = MailOptions::default().language(self.language.tag());
        let page = || format!("{}/forgot-password", self.mount);
        if self.has(Feature::ResetPassword) { options.page(page()) } else { options }
    }
}

impl<U: Account> Visit<U> {
    /// The form that was sent.
    pub(crate) fn form(&mut self) -> Result<Form, Failure> {
        self.form.take().unwrap_or(Err(Failure::BadRequest))
    }

    /// Who is logged in, if anybody is.
    pub(crate) async fn caller(&mut self) -> Result<Option<LoggedIn<U>>, Failure> {
        let user = <AuthUser<U> as FromRequestParts<()>>::from_request_parts(&mut self.parts, &()).await;
        match user {
            Ok(AuthUser(user)) => {
                let token = access_token::<U>(&self.parts.extensions).cloned();
                let token = token.ok_or_else(|| misconfigured("the AuthLayer around the pages stores no tokens"))?;
                Ok(Some(LoggedIn { user, token }))
            }
            Err(rejection) if rejection.is_anonymous() => Ok(None),
            Err(rejection) => Err(rejection.into()),
        }
    }

    /// What to say if somebody else is logged in than `owner`.
    pub(crate) async fn other_than(&mut self, owner: &UserId) -> Result<Option<String>, Failure> {
        let Some(caller) = self.caller().await?.filter(|caller| caller.user.id() != *owner) else { return Ok(None) };
        let user = &caller.user;
        let name = user.email().or(user.username()).map_or_else(|| user.id().to_string(), str::to_owned);
        let page = self.stage.page("link-invalid.title");
        Ok(Some(page.text_with("other-account.note", &[("other", &name)])))
    }

    /// Who is logged in, or on to the login.
    pub(crate) async fn require_caller(&mut self) -> Result<LoggedIn<U>, Failure> {
        self.caller().await?.ok_or(Failure::LogIn)
    }

    /// Who has proven its password a short time ago, or on to do so (ASVS 7.5.1).
    pub(crate) async fn require_fresh(&mut self) -> Result<LoggedIn<U>, Failure> {
        let caller = self.require_caller().await?;
        let auth = self.stage.auth();
        match auth.is_fresh(&caller.token, auth.policy().tokens.step_up_ttl) {
            true => Ok(caller),
            false => Err(Failure::ConfirmPassword),
        }
    }
}

pub(crate) fn misconfigured(message: &str) -> AuthRejection {
    AuthRejection::Misconfigured(message.to_owned())
}
