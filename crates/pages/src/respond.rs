//! Shows a page, redirects, and makes a page of each [`Failure`].

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use gatekit_core::{Account, Unavailable};
use gatekit_layer::AuthRejection;

use crate::failure::Failure;
use crate::page_context::PageContext;
use crate::redirect::redirect;
use crate::{Feature, MessagePage, Page, Rendered, return_to};

impl<U: Account> PageContext<U> {
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

    /// To a page that says what was done.
    pub(crate) fn done(&self, path: &str, notice: &str) -> Response {
        match self.has(Feature::Account) {
            true => self.redirect(&format!("{path}?notice={notice}")),
            false => self.redirect_to(&self.after_login(None)),
        }
    }

    /// To a place that was found allowed.
    pub(crate) fn redirect_to(&self, target: &str) -> Response {
        redirect(StatusCode::SEE_OTHER, target)
    }

    /// The response to a failure.
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
