//! `/verify-email`: a proof of an address for who has the mailed link.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use gatekit_core::{Account, ConfirmEmail, ConfirmEmailError};

use crate::mail_token::MailToken;
use crate::respond::{Outcome, with_cookies};
use crate::visit::{Shared, Stage, Visit, show, submit};
use crate::{MessagePage, Page};

/// `/verify-email`
#[derive(Clone, Debug, Template)]
#[template(path = "verify_email.html")]
#[non_exhaustive]
pub struct VerifyEmailPage {
    /// What all pages have.
    pub page: Page,
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    Router::new().route("/verify-email", show(form::<U>).merge(submit(verify::<U>)))
}

fn mailed<U: Account>(stage: &Stage<U>) -> MailToken {
    MailToken::new("verify", &stage.cookie)
}

async fn form<U: Account>(visit: Visit<U>) -> Outcome {
    let stage = &visit.stage;
    let mailed = mailed(stage);
    if let Some(secret) = stage.query.get("token") {
        return Ok(match mailed.keep(secret) {
            Some(cookie) => with_cookies(stage.redirect("/verify-email"), [cookie]),
            None => invalid(stage),
        });
    }
    if mailed.find(&visit.parts.headers).is_none() {
        return Ok(invalid(stage));
    }
    let view = VerifyEmailPage { page: stage.page("verify-email.title") };
    Ok(stage.show(StatusCode::OK, &view.page, stage.pages.templates.verify_email(&view)))
}

async fn verify<U: Account>(visit: Visit<U>) -> Outcome {
    let stage = &visit.stage;
    let mailed = mailed(stage);
    let Some(secret) = mailed.find(&visit.parts.headers) else { return Ok(invalid(stage)) };
    match stage.auth().confirm_email(ConfirmEmail::token(secret)).await {
        Ok(_) => {
            let page = stage.page("verify-email.done.title");
            let text = page.text("verify-email.done.text").to_owned();
            let view = stage.with_login(MessagePage::new(page, text), "verify-email.done.continue");
            Ok(with_cookies(stage.say(StatusCode::OK, &view), mailed.removal()))
        }
        Err(ConfirmEmailError::Unavailable(error)) => Err(error.into()),
        Err(_) => Ok(invalid(stage)),
    }
}

/// The link is too old, or used, or none; its cookie goes.
fn invalid<U: Account>(stage: &Stage<U>) -> Response {
    let page = stage.page("link-invalid.title");
    let text = page.text("link-invalid.text").to_owned();
    let view = MessagePage::new(page, text).link(stage.url("/resend-verification"), "link-invalid.verify");
    with_cookies(stage.say(StatusCode::BAD_REQUEST, &view), mailed(stage).removal())
}
