//! The page for everything that goes wrong, and the redirects.

use axum::http::header::{CACHE_CONTROL, LOCATION, REFERRER_POLICY, RETRY_AFTER, SET_COOKIE};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use gatekit_core::{Account, Unavailable};
use gatekit_layer::AuthRejection;
use gatekit_web::BrowserError;

use crate::visit::Stage;
use crate::{MessagePage, Page, Rendered, return_to};

/// Why there is another answer than the one that was asked for.
#[derive(Debug)]
pub(crate) enum Failure {
    /// No form of ours sends such a thing.
    BadRequest,
    /// The form did not arrive in time.
    TooSlow,
    /// Nobody is logged in: log in, and come back here.
    LogIn,
    /// The password was proven too long ago: prove it, and come back here.
    ConfirmPassword,
    /// It cannot be done now; seconds until it may be tried again.
    Unavailable(u64),
    /// A mistake in the app or the kit.
    Fault,
    /// The layer says no.
    Rejected(AuthRejection),
}

/// What a handler answers.
pub(crate) type Outcome = Result<Response, Failure>;

impl From<AuthRejection> for Failure {
    fn from(rejection: AuthRejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<BrowserError> for Failure {
    fn from(error: BrowserError) -> Self {
        match error {
            BrowserError::Unavailable(error) => error.into(),
            BrowserError::Rejected(rejection) => rejection.into(),
        }
    }
}

impl From<Unavailable> for Failure {
    fn from(error: Unavailable) -> Self {
        tracing::error!(%error, "a page could not be shown");
        if error.is_fault() { Self::Fault } else { Self::Unavailable(error.retry_after()) }
    }
}

impl<U: Account> Stage<U> {
    /// A page.
    pub(crate) fn show(&self, status: StatusCode, page: &Page, content: Rendered) -> Response {
        self.pages.look.show(status, page, content, self.language.cookie(&self.cookie))
    }

    /// A page that only says something.
    pub(crate) fn say(&self, status: StatusCode, view: &MessagePage) -> Response {
        self.show(status, &view.page, self.pages.look.templates.message(view))
    }

    /// To another page of ours, below the prefix.
    pub(crate) fn redirect(&self, path: &str) -> Response {
        self.redirect_to(&self.url(path))
    }

    /// To a place that was found allowed.
    pub(crate) fn redirect_to(&self, target: &str) -> Response {
        let mut response = StatusCode::SEE_OTHER.into_response();
        let headers = response.headers_mut();
        headers.insert(LOCATION, return_to::location(target));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        // Where somebody comes from may be a link with a secret in it.
        headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        response
    }

    /// The answer to what went wrong.
    pub(crate) fn fail(&self, failure: Failure) -> Response {
        let back = || return_to::encode(&self.url(self.form_path()));
        let message = |title, text: &str| {
            let page = self.page(title);
            let text = page.text(text).to_owned();
            MessagePage::new(page, text)
        };
        match failure {
            Failure::LogIn => self.redirect(&format!("/login?return_to={}", back())),
            Failure::ConfirmPassword => self.redirect(&format!("/confirm-password?return_to={}", back())),
            Failure::BadRequest => self.say(StatusCode::BAD_REQUEST, &message("bad-request.title", "bad-request.text")),
            Failure::TooSlow => {
                self.say(StatusCode::REQUEST_TIMEOUT, &message("bad-request.title", "bad-request.text"))
            }
            Failure::Rejected(AuthRejection::CrossOrigin) => {
                let view = message("cross-origin.title", "cross-origin.text");
                self.say(StatusCode::FORBIDDEN, &view.link(self.url(self.form_path()), "cross-origin.continue"))
            }
            Failure::Rejected(AuthRejection::Unavailable(error)) => self.fail(Unavailable::from(error).into()),
            Failure::Unavailable(seconds) => {
                let view = message("unavailable.title", "unavailable.text");
                let view = view.link(self.url(self.form_path()), "unavailable.retry");
                let mut response = self.say(StatusCode::SERVICE_UNAVAILABLE, &view);
                response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
                response
            }
            Failure::Fault => {
                self.say(StatusCode::INTERNAL_SERVER_ERROR, &message("unavailable.title", "unavailable.text"))
            }
            Failure::Rejected(rejection) => rejection.into_response(),
        }
    }
}

/// Adds cookies to an answer.
pub(crate) fn with_cookies(mut response: Response, cookies: impl IntoIterator<Item = HeaderValue>) -> Response {
    for cookie in cookies {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    response
}

/// Adds what a [`BrowserTransport`](gatekit_layer::BrowserTransport) wants to be added.
pub(crate) fn with_headers(response: Response, headers: &HeaderMap) -> Response {
    with_cookies(response, headers.get_all(SET_COOKIE).iter().cloned())
}
