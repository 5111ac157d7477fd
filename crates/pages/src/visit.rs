//! A request to a page: the browser that sent it, its form, and who is logged in.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use gatekit_core::{Account, TokenRecord, UserId};
use gatekit_layer::{AuthUser, BrowserTransport, access_token};

use crate::failure::{Failure, misconfigured};
use crate::form::Form;
use crate::page_context::PageContext;

/// A request to a page.
pub(crate) struct Visit<U: Account> {
    pub(crate) context: PageContext<U>,
    pub(crate) parts: Parts,
    pub(crate) browser: BrowserTransport,
    /// The form, or why it was not read. It is there for a POST only, until a handler takes it.
    pub(crate) form: Option<Result<Form, Failure>>,
}

/// The user who is logged in.
pub(crate) struct LoggedIn<U> {
    pub(crate) user: U,
    pub(crate) token: TokenRecord,
}

impl<U: Account> Visit<U> {
    /// The form that was sent.
    pub(crate) fn form(&mut self) -> Result<Form, Failure> {
        self.form.take().unwrap_or(Err(Failure::BadRequest))
    }

    /// The user who is logged in, and its token.
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

    /// The note for a browser in which another user than `owner` is logged in.
    pub(crate) async fn other_than(&mut self, owner: &UserId) -> Result<Option<String>, Failure> {
        let Some(caller) = self.caller().await?.filter(|caller| caller.user.id() != *owner) else { return Ok(None) };
        let user = &caller.user;
        let name = user.email().or(user.username()).map_or_else(|| user.id().to_string(), str::to_owned);
        let page = self.context.page("link-invalid.title");
        Ok(Some(page.text_with("other-account.note", &[("other", &name)])))
    }

    /// The user who is logged in, or else the login.
    pub(crate) async fn require_caller(&mut self) -> Result<LoggedIn<U>, Failure> {
        self.caller().await?.ok_or(Failure::LogIn)
    }

    /// The user who is logged in and has entered the password a short time ago, or else the page
    /// that asks for it (ASVS 7.5.1).
    pub(crate) async fn require_fresh(&mut self) -> Result<LoggedIn<U>, Failure> {
        let caller = self.require_caller().await?;
        let auth = self.context.auth();
        match auth.is_fresh(&caller.token, auth.policy().tokens.step_up_ttl) {
            true => Ok(caller),
            false => Err(Failure::ConfirmPassword),
        }
    }
}
