//! Who visits which page, where it is mounted, and in which language? What every handler begins with.

use std::sync::Arc;

use axum::extract::{FromRequestParts, OriginalUri, Request, State};
use axum::http::Method;
use axum::http::request::Parts;
use axum::response::Response;
use axum::routing::{MethodFilter, MethodRouter, on};
use gatekit_core::{Account, Auth, MailOptions, PublicUrl, TokenRecord, UserId};
use gatekit_layer::{AuthRejection, AuthUser, BrowserTransport, TokenCookie, access_token, refuse_cross_origin_of};

use crate::form::Form;
use crate::language::Language;
use crate::layout::LanguageLink;
use crate::respond::{Failure, Outcome};
use crate::{Feature, MessagePage, Page, Pages, return_to};

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

/// What a page needs to be shown: what a request said, but for who sent it.
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
    form: Option<Result<Form, Failure>>,
}

/// Somebody who is logged in.
pub(crate) struct LoggedIn<U> {
    pub(crate) user: U,
    pub(crate) token: TokenRecord,
}

impl<U: Account> Stage<U> {
    fn new(pages: Shared<U>, parts: &Parts) -> Self {
        let path = parts.uri.path().to_owned();
        let original = parts.extensions.get::<OriginalUri>().map_or(&parts.uri, |OriginalUri(uri)| uri);
        let query = Form::of_query(original.query());
        let cookie = BrowserTransport::of_user::<U>(&parts.extensions).and_then(|browser| browser.cookie().cloned());
        let cookie = cookie.unwrap_or_default();
        let language = Language::of(&query, &parts.headers, &cookie, &pages.languages);
        // What was cut off on the way here. A path that browsers take for a host, or for another path, is nobody's prefix.
        let is_prefix = |prefix: &&str| return_to::is_prefix(prefix) && pages.auth.may_redirect_to(prefix);
        let mount = original.path().strip_suffix(&path).filter(is_prefix);
        let mount = mount.unwrap_or_default().to_owned();
        let prefix = match mount.as_str() {
            "" => pages.auth.public_url().map_or("", PublicUrl::prefix).to_owned(),
            mount => pages.outside(mount),
        };
        let auth = pages.auth.for_client(gatekit_routes::client(&pages.auth, parts));
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
        let mut page = Page {
            title: String::new(),
            site_name: self.pages.site_name.clone(),
            home: self.pages.outside(&self.pages.home),
            language: self.language.tag.clone(),
            languages: Vec::new(),
            notice: None,
            problems: Vec::new(),
            wide: false,
            form_origin: None,
            prefix: self.prefix.clone(),
            features: Arc::clone(&self.pages.features),
            texts: Arc::clone(&self.pages.texts),
        };
        page.title = page.text(title).to_owned();
        let returning = self.return_to().map(|target| format!("&return_to={}", return_to::encode(&target)));
        let here = self.url(self.form_path());
        page.languages =
            self.pages.languages.iter().map(|tag| self.language_link(tag, &here, returning.as_deref())).collect();
        page
    }

    fn language_link(&self, tag: &str, here: &str, returning: Option<&str>) -> LanguageLink {
        LanguageLink {
            tag: tag.to_owned(),
            name: crate::texts::get(&self.pages.texts, tag, "language.name").unwrap_or(tag).to_owned(),
            href: format!("{here}?lang={tag}{}", returning.unwrap_or_default()),
            current: self.language.tag == tag,
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
            (None, None) => self.pages.outside(&self.pages.home),
        }
    }

    /// Whether these pages are mounted.
    pub(crate) fn has(&self, feature: Feature) -> bool {
        self.pages.features.contains(&feature)
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

    /// Says that somebody else is logged in here than the user a link was mailed to, so that nobody takes the one account for the other.
    /// The login would send the browser on to the account of whoever is logged in.
    pub(crate) fn with_other(&self, mut view: MessagePage, other: String) -> MessagePage {
        view.hint = Some(other);
        if self.has(Feature::Login) { view.link(self.url("/logout"), "other-account.log-out") } else { view }
    }

    /// With a link back to the account, if there is such a page.
    pub(crate) fn with_way_back(&self, view: MessagePage) -> MessagePage {
        if self.has(Feature::Account) { view.link(self.url("/account"), "back.account") } else { view }
    }

    /// How a mail is written that leads to one of these pages, if that is mounted. Otherwise the mail has the link that the app has configured for its kind, or
    /// none.
    pub(crate) fn mails(&self, page: &str) -> MailOptions {
        let options = MailOptions::default().language(self.language.tag.clone());
        let is_mounted = Feature::ALL.iter().any(|feature| feature.mailed_page() == Some(page) && self.has(*feature));
        if is_mounted { options.page(format!("{}{page}?token={{token}}", self.mount)) } else { options }
    }

    /// How a mail is written that tells of something: it leads to a new password, for who did not do it.
    pub(crate) fn notices(&self) -> MailOptions {
        let options = MailOptions::default().language(self.language.tag.clone());
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
        match auth.is_fresh(&caller.token, auth.policy().step_up_ttl) {
            true => Ok(caller),
            false => Err(Failure::ConfirmPassword),
        }
    }
}

/// A handler for GET (and HEAD), which changes nothing.
pub(crate) fn show<U, F, Fut>(handler: F) -> MethodRouter<Shared<U>>
where
    U: Account,
    F: Fn(Visit<U>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    on(MethodFilter::GET, async move |State(pages): State<Shared<U>>, request: Request| {
        run(pages, request, handler).await
    })
}

/// A handler for POST, of requests from our own pages alone.
pub(crate) fn submit<U, F, Fut>(handler: F) -> MethodRouter<Shared<U>>
where
    U: Account,
    F: Fn(Visit<U>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    on(MethodFilter::POST, async move |State(pages): State<Shared<U>>, request: Request| {
        run(pages, request, handler).await
    })
}

async fn run<U, F, Fut>(pages: Shared<U>, request: Request, handler: F) -> Response
where
    U: Account,
    F: Fn(Visit<U>) -> Fut,
    Fut: Future<Output = Outcome> + Send + 'static,
{
    let (parts, body) = request.into_parts();
    let stage = Stage::new(pages, &parts);
    let outcome = match admit::<U>(&parts) {
        Ok(browser) => {
            // A token that is renewed when it is used outlives its first lifetime, and so does its cookie.
            let policy = stage.auth().policy();
            let browser = if policy.renew_after.is_some() { browser.lasting(policy.max_token_ttl) } else { browser };
            let form = match parts.method {
                Method::POST => Some(Form::read(policy, &parts.headers, body).await),
                _ => None,
            };
            let changes = form.is_some();
            let answer = handler(Visit { stage: stage.clone(), parts, browser, form });
            // What a form does in several steps (the account, the session, the cookie) is done whole, whether or not the client waits for it.
            if changes { stage.auth().change(|_| answer).await } else { answer.await }
        }
        Err(rejection) => Err(rejection.into()),
    };
    outcome.unwrap_or_else(|failure| stage.fail(failure))
}

/// Whether the layer around the pages can carry them, and the request comes from one of them.
fn admit<U: Account>(parts: &Parts) -> Result<BrowserTransport, AuthRejection> {
    if parts.method == Method::POST {
        refuse_cross_origin_of::<U>(parts)?;
    }
    BrowserTransport::of_user::<U>(&parts.extensions).ok_or_else(|| {
        misconfigured(
            "the pages need an AuthLayer with their Auth around them whose sources have a token cookie or a session. Mount \
             `.layer(AuthLayer::new(auth))`, and leave its sources as they are or give them a cookie with \
             `TokenSources::with_cookie`",
        )
    })
}

fn misconfigured(message: &str) -> AuthRejection {
    AuthRejection::Misconfigured(message.to_owned())
}
