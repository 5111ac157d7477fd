//! `/reset-password`: a new password for who has the mailed link.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use gatekit_core::{Account, PasswordReset, ResetPasswordError};

use crate::mail_token::MailToken;
use crate::respond::{Failure, Outcome, with_cookies};
use crate::visit::{Shared, Stage, Visit, show, submit};
use crate::{Field, MessagePage, Page, field};

/// `/reset-password`
#[derive(Clone, Debug, Template)]
#[template(path = "reset_password.html")]
#[non_exhaustive]
pub struct ResetPasswordPage {
    /// What all pages have.
    pub page: Page,
    /// `password`
    pub password: Field,
}

impl ResetPasswordPage {
    fn new<U: Account>(stage: &Stage<U>) -> Self {
        let page = stage.page("reset-password.title");
        let min = stage.auth().policy().password_min_chars;
        Self { password: Field::new_password(&page, "field.new-password", min), page }
    }
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    Router::new().route("/reset-password", show(form::<U>).merge(submit(reset::<U>)))
}

fn mailed<U: Account>(stage: &Stage<U>) -> MailToken {
    MailToken::new("reset", &stage.cookie)
}

async fn form<U: Account>(visit: Visit<U>) -> Outcome {
    let stage = &visit.stage;
    let mailed = mailed(stage);
    if let Some(secret) = stage.query.get("token") {
        return Ok(match mailed.keep(secret) {
            Some(cookie) => with_cookies(stage.redirect("/reset-password"), [cookie]),
            None => invalid(stage),
        });
    }
    let Some(secret) = mailed.find(&visit.parts.headers) else { return Ok(invalid(stage)) };
    // Told now, and not when somebody has thought of a password. It is spent by nothing but the form.
    if !stage.auth().is_reset_token(secret.expose()).await? {
        return Ok(invalid(stage));
    }
    Ok(answer(stage, StatusCode::OK, &ResetPasswordPage::new(stage)))
}

async fn reset<U: Account>(mut visit: Visit<U>) -> Outcome {
    let form = visit.form()?;
    let stage = &visit.stage;
    let mailed = mailed(stage);
    let Some(secret) = mailed.find(&visit.parts.headers) else { return Ok(invalid(stage)) };
    let mut view = ResetPasswordPage::new(stage);
    let Some(password) = form.password("password") else {
        let message = view.page.text("error.password.new.missing").to_owned();
        view.password.error = Some(view.page.problem("password", message));
        return Ok(answer(stage, StatusCode::UNPROCESSABLE_ENTITY, &view));
    };
    let reset = PasswordReset::new(secret, password).mails(stage.notices());
    match stage.auth().reset_password(reset).await {
        Ok(()) => Ok(with_cookies(stage.redirect("/login?notice=password-changed"), mailed.removal())),
        Err(ResetPasswordError::Password(error)) => {
            let message = field::password_message(&view.page, &error);
            view.password.error = Some(view.page.problem("password", message));
            Ok(answer(stage, StatusCode::UNPROCESSABLE_ENTITY, &view))
        }
        Err(ResetPasswordError::Unavailable(error)) => Err(Failure::from(error)),
        Err(_) => Ok(invalid(stage)),
    }
}

/// The link is too old, or used, or none; its cookie goes.
fn invalid<U: Account>(stage: &Stage<U>) -> axum::response::Response {
    let page = stage.page("link-invalid.title");
    let text = page.text("link-invalid.text").to_owned();
    let view = MessagePage::new(page, text).link(stage.url("/forgot-password"), "link-invalid.reset");
    with_cookies(stage.say(StatusCode::BAD_REQUEST, &view), mailed(stage).removal())
}

fn answer<U: Account>(stage: &Stage<U>, status: StatusCode, view: &ResetPasswordPage) -> axum::response::Response {
    stage.show(status, &view.page, stage.pages.templates.reset_password(view))
}
