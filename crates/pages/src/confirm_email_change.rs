//! `/confirm-email-change`: a proof of a new address for who has the mailed link.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use gatekit_core::{Account, ChangeEmail, ChangeEmailError};

use crate::mail_token::MailToken;
use crate::respond::{Outcome, with_cookies};
use crate::visit::{Shared, Stage, Visit, show, submit};
use crate::{Feature, MessagePage, Page};

/// `/confirm-email-change`
#[derive(Clone, Debug, Template)]
#[template(path = "confirm_email_change.html")]
#[non_exhaustive]
pub struct ConfirmEmailChangePage {
    /// What all pages have.
    pub page: Page,
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    Router::new().route("/confirm-email-change", show(form::<U>).merge(submit(change::<U>)))
}

fn mailed<U: Account>(stage: &Stage<U>) -> MailToken {
    MailToken::new("change", &stage.cookie)
}

async fn form<U: Account>(visit: Visit<U>) -> Outcome {
    let stage = &visit.stage;
    let mailed = mailed(stage);
    if let Some(secret) = stage.query.get("token") {
        return Ok(match mailed.keep(secret) {
            Some(cookie) => with_cookies(stage.redirect("/confirm-email-change"), [cookie]),
            None => invalid(stage),
        });
    }
    if mailed.find(&visit.parts.headers).is_none() {
        return Ok(invalid(stage));
    }
    let view = ConfirmEmailChangePage { page: stage.page("confirm-email-change.title") };
    Ok(stage.show(StatusCode::OK, &view.page, stage.pages.templates.confirm_email_change(&view)))
}

async fn change<U: Account>(mut visit: Visit<U>) -> Outcome {
    let caller = visit.caller().await?;
    let stage = &visit.stage;
    let mailed = mailed(stage);
    let Some(secret) = mailed.find(&visit.parts.headers) else { return Ok(invalid(stage)) };
    let mut change = ChangeEmail::new(secret);
    change.mails = stage.notices();
    let caller_id = caller.as_ref().map(|caller| caller.user.id());
    change.keep = caller.map(|caller| caller.token);
    match stage.auth().change_email(change).await {
        Ok(user) if caller_id == Some(user.id()) && stage.has(Feature::Account) => {
            Ok(with_cookies(stage.redirect("/account?notice=email-changed"), mailed.removal()))
        }
        Ok(_) => {
            let page = stage.page("confirm-email-change.done.title");
            let text = page.text("confirm-email-change.done.text").to_owned();
            let view = stage.with_login(MessagePage::new(page, text), "back.login");
            Ok(with_cookies(stage.say(StatusCode::OK, &view), mailed.removal()))
        }
        Err(ChangeEmailError::Unavailable(error)) => Err(error.into()),
        Err(_) => Ok(invalid(stage)),
    }
}

/// The link is too old, or used, or none, or its address was taken meanwhile; its cookie goes.
fn invalid<U: Account>(stage: &Stage<U>) -> Response {
    let page = stage.page("link-invalid.title");
    let text = page.text("link-invalid.text").to_owned();
    let view = MessagePage::new(page, text).link(stage.url("/change-email"), "link-invalid.change");
    with_cookies(stage.say(StatusCode::BAD_REQUEST, &view), mailed(stage).removal())
}
