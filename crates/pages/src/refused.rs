//! The response to a refused request, in the form that its reader understands.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{OriginalUri, Request};
use axum::http::header::{HOST, HeaderName, REFERER, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use gatekit_core::{PublicUrl, Strength};
use gatekit_layer::{AuthRejection, BrowserTransport, public_url};
use gatekit_web::private;

use crate::asker::Asker;
use crate::form::Form;
use crate::look::Look;
use crate::redirect::redirect;
use crate::route::forget_ended;
use crate::{Feature, Language, MessagePage, return_to};

const HX_REDIRECT: HeaderName = HeaderName::from_static("hx-redirect");
const HX_CURRENT_URL: HeaderName = HeaderName::from_static("hx-current-url");
/// Longer addresses are left out: the URL of the login would not be taken.
const MAX_BYTES: usize = 2048;

/// What must be known of a request if it is refused, taken before it is handled.
pub(crate) struct Refused {
    asker: Asker,
    method: Method,
    /// The page that was opened, as the app knows it. A token in the query was cut out of it by the
    /// `AuthLayer`.
    opened: String,
    /// Of a program there are none: it gets what the guard has answered.
    headers: HeaderMap,
    /// The host that the request was sent to: `Host`, or `:authority` in HTTP/2.
    host: Option<String>,
    public_url: Option<PublicUrl>,
    browser: Option<BrowserTransport>,
    prefix: Arc<str>,
    look: Arc<Look>,
}

/// Where a person can change that it was refused.
#[derive(Clone, Copy)]
enum Help {
    LogIn,
    ConfirmPassword,
}

impl Help {
    /// Of somebody who is known and has not the right there is none: the login would send it back,
    /// again and again.
    fn for_rejection(rejection: &AuthRejection) -> Option<Self> {
        match rejection {
            AuthRejection::Missing | AuthRejection::Invalid | AuthRejection::Expired => Some(Self::LogIn),
            // The page verifies a password, which is one factor.
            AuthRejection::StepUpRequired(missing) if missing.strength() == Strength::OneFactor => {
                Some(Self::ConfirmPassword)
            }
            _ => None,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Self::LogIn => "/login",
            Self::ConfirmPassword => "/confirm-password",
        }
    }
}

impl Refused {
    pub(crate) fn prepare(request: &Request, prefix: Arc<str>, look: Arc<Look>) -> Self {
        let asker = Asker::of(request.headers());
        let is_program = asker == Asker::Program;
        let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
        let host = host.or_else(|| request.uri().authority().map(|authority| authority.as_str()));
        let original = request.extensions().get::<OriginalUri>().map_or(request.uri(), |OriginalUri(uri)| uri);
        Self {
            asker,
            method: request.method().clone(),
            opened: original.path_and_query().map_or("/", |target| target.as_str()).to_owned(),
            headers: if is_program { HeaderMap::new() } else { request.headers().clone() },
            host: host.filter(|_| !is_program).map(str::to_owned),
            public_url: public_url(request.extensions()).cloned(),
            browser: BrowserTransport::from_extensions(request.extensions()).filter(|_| !is_program),
            prefix,
            look,
        }
    }

    /// The answer in place of what the guard has answered.
    pub(crate) fn answer(&self, rejection: &AuthRejection, refusal: Response) -> Response {
        let help = Help::for_rejection(rejection);
        match self.asker {
            Asker::Program => refusal,
            Asker::Htmx => self.answer_htmx(help, refusal),
            Asker::Person => {
                let mut response = self.answer_person(rejection, help, refusal);
                if let Some(browser) = &self.browser {
                    forget_ended(browser, &mut response);
                }
                response.extensions_mut().insert(rejection.clone());
                if self.method == Method::HEAD {
                    *response.body_mut() = Body::empty();
                }
                response
            }
        }
    }

    /// htmx goes where `HX-Redirect` says, whatever the status, and shows nothing of the body. The
    /// person comes back to the page and not to the part of it that was asked for.
    fn answer_htmx(&self, help: Option<Help>, mut refusal: Response) -> Response {
        if let Some(help) = help {
            let page = self.path_of(&HX_CURRENT_URL);
            refusal.headers_mut().insert(HX_REDIRECT, return_to::location(&self.way(help, page.as_deref())));
            return private(refusal);
        }
        refusal
    }

    fn answer_person(&self, rejection: &AuthRejection, help: Option<Help>, refusal: Response) -> Response {
        let is_opening = matches!(self.method, Method::GET | Method::HEAD);
        let page = match (help, rejection) {
            (Some(help), _) if is_opening => return self.redirect(help),
            (Some(help), _) => self.nothing_saved(help),
            (None, AuthRejection::Forbidden | AuthRejection::Unauthorized | AuthRejection::InsufficientScope) => {
                let view = self.message("denied.title", "denied.text");
                let log_out = self.look.features.contains(&Feature::Login).then(|| self.page_at("/logout"));
                match log_out {
                    Some(log_out) => view.link(log_out, "denied.log-out"),
                    None => view,
                }
            }
            (None, AuthRejection::NotFound) => self.message("not-found.title", "not-found.text"),
            (None, AuthRejection::CrossOrigin) => self.message("cross-origin.title", "cross-origin.text"),
            (None, AuthRejection::Unavailable(_)) => self.message("unavailable.title", "unavailable.text"),
            // It says to the app's author how to mend the app.
            (None, _) => return refusal,
        };
        // Who is known and has not the right need not authenticate (RFC 9110 §15.5.4), whatever
        // programs are told.
        let status = match refusal.status() {
            StatusCode::UNAUTHORIZED if help.is_none() => StatusCode::FORBIDDEN,
            status => status,
        };
        let language = self.language();
        let cookie = self.browser.as_ref().and_then(BrowserTransport::cookie).cloned().unwrap_or_default();
        let content = self.look.templates.message(&page);
        let mut response = self.look.show(status, &page.page, content, language.cookie(&cookie));
        keep(&[SET_COOKIE, RETRY_AFTER], &refusal, &mut response);
        if status == StatusCode::UNAUTHORIZED {
            keep(&[WWW_AUTHENTICATE], &refusal, &mut response);
        }
        response
    }

    fn redirect(&self, help: Help) -> Response {
        let target = self.way(help, Some(&self.outside(&self.opened)));
        redirect(StatusCode::SEE_OTHER, &target)
    }

    /// A form was sent that nobody may send now. A redirect would lose what was entered; from a
    /// page it can be had again by going back.
    fn nothing_saved(&self, help: Help) -> MessagePage {
        let way = self.way(help, self.path_of(&REFERER).as_deref());
        match help {
            Help::LogIn => self.message("logged-out.title", "logged-out.text").link(way, "login.title"),
            Help::ConfirmPassword => {
                self.message("confirm-password.title", "logged-out.confirm").link(way, "confirm-password.title")
            }
        }
    }

    fn message(&self, title: &str, text: &str) -> MessagePage {
        let home = self.outside(&self.look.home);
        let page = self.look.page(&self.language(), &self.page_at(""), home, title);
        let text = page.text(text).to_owned();
        MessagePage::new(page, text)
    }

    fn language(&self) -> Language {
        let query = Form::of_query(self.opened.split_once('?').map(|(_, query)| query));
        let cookie = self.browser.as_ref().and_then(BrowserTransport::cookie).cloned().unwrap_or_default();
        Language::choose(&query, &self.headers, &cookie, &self.look.languages)
    }

    /// What a proxy has cut off is there again for the browser.
    fn outside(&self, path: &str) -> String {
        self.public_url.as_ref().map_or_else(|| path.to_owned(), |url| url.outside(path))
    }

    /// Where one of the pages is.
    fn page_at(&self, path: &str) -> String {
        let page = format!("{}{path}", self.prefix);
        match &self.public_url {
            Some(url) if page.is_empty() => url.prefix().to_owned(),
            _ if page.is_empty() => page,
            _ => self.outside(&page),
        }
    }

    /// The page that helps, and from there back to this one.
    fn way(&self, help: Help, back: Option<&str>) -> String {
        let page = self.page_at(help.path());
        match back.filter(|back| back.len() <= MAX_BYTES) {
            Some(back) => format!("{page}?return_to={}", return_to::encode(back)),
            None => page,
        }
    }

    /// The path and query of a URL in a header, if it is one of this site. Whatever it says, it
    /// leads to this site; the login looks at it again.
    fn path_of(&self, header: &HeaderName) -> Option<String> {
        let url = self.headers.get(header)?.to_str().ok()?;
        let (_, rest) = url.split_once("://")?;
        let (host, path) = rest.split_at(rest.find('/')?);
        let own = self.public_url.as_ref().and_then(|url| url.origin().as_str().split_once("://"));
        let is_own = own.is_some_and(|(_, own)| own.eq_ignore_ascii_case(host))
            || self.host.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(host));
        let path = path.split('#').next().unwrap_or_default();
        (is_own && !path.starts_with("//") && !path.contains('\\')).then(|| path.to_owned())
    }
}

fn keep(names: &[HeaderName], from: &Response, to: &mut Response) {
    for name in names {
        for value in from.headers().get_all(name) {
            to.headers_mut().append(name.clone(), value.clone());
        }
    }
}
