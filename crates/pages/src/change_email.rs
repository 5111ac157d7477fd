//! `/change-email`: another address, which gets a mail to prove it.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use gatekit_core::{Account, ChangeEmailError, RequestEmailChange};

use crate::respond::{Failure, Outcome};
use crate::visit::{Shared, Stage, Visit, page_at, show, submit};
use crate::{Feature, Field, MessagePage, Page};

/// `/change-email`
#[derive(Clone, Debug, Template)]
#[template(path = "change_email.html")]
#[non_exhaustive]
pub struct ChangeEmailPage {
    /// What all pages have.
    pub page: Page,
    /// The present address.
    pub current: Option<String>,
    /// `email`, the new one
    pub email: Field,
}

impl ChangeEmailPage {
    fn new<U: Account>(stage: &Stage<U>, user: &U, entered: Option<String>) -> Self {
        let page = stage.page("change-email.title");
        let current = user.email().map(str::to_owned);
        Self { current, email: Field::email(&page, "field.new-email", "email", entered), page }
    }
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page_at("/change-email", show(form::<U>).merge(submit(send::<U>)))
}

async fn form<U: Account>(mut visit: Visit<U>) -> Outcome {
    let caller = visit.require_fresh().await?;
    let view = ChangeEmailPage::new(&visit.stage, &caller.user, None);
    Ok(answer(&visit.stage, StatusCode::OK, &view))
}

async fn send<U: Account>(mut visit: Visit<U>) -> Outcome {
    let form = visit.form()?;
    let caller = visit.require_fresh().await?;
    let stage = &visit.stage;
    let entered = form.trimmed("email");
    let mut view = ChangeEmailPage::new(stage, &caller.user, entered.clone());
    let Some(address) = entered.filter(|address| stage.auth().accepts_email(address)) else {
        view.email.refuse_address(&mut view.page);
        return Ok(answer(stage, StatusCode::UNPROCESSABLE_ENTITY, &view));
    };
    let request = RequestEmailChange::new(caller.user.id(), caller.token, &address);
    match stage.auth().request_email_change(request.mails(stage.mails("/confirm-email-change"))).await {
        // The same whether or not somebody else has the address (ASVS 6.3.8).
        Ok(()) => {
            let page = stage.page("check-mail.title");
            let text = page.text_with("check-mail.change", &[("email", &address)]);
            let view = MessagePage::new(page, text).hint("check-mail.hint");
            Ok(stage.say(StatusCode::OK, &stage.with_way_back(view)))
        }
        Err(ChangeEmailError::Unavailable(error)) => Err(error.into()),
        Err(ChangeEmailError::StepUpRequired | ChangeEmailError::WrongPassword) => Err(Failure::ConfirmPassword),
        // Removed while it was logged in.
        Err(ChangeEmailError::UserNotFound(_)) => Err(Failure::LogIn),
        Err(_) => {
            view.email.refuse_address(&mut view.page);
            Ok(answer(stage, StatusCode::UNPROCESSABLE_ENTITY, &view))
        }
    }
}

fn answer<U: Account>(stage: &Stage<U>, status: StatusCode, view: &ChangeEmailPage) -> Response {
    stage.show(status, &view.page, stage.pages.look.templates.change_email(view))
}
