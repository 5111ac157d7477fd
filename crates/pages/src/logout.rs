//! `/logout`: a button, because a link could be followed by anybody's page.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use gatekit_core::Account;

use crate::Page;
use crate::respond::Outcome;
use crate::visit::{Shared, Visit, page_at, show, submit};

/// `/logout`
#[derive(Clone, Debug, Template)]
#[template(path = "logout.html")]
#[non_exhaustive]
pub struct LogoutPage {
    /// What all pages have.
    pub page: Page,
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page_at("/logout", show(form::<U>).merge(submit(log_out::<U>)))
}

async fn form<U: Account>(visit: Visit<U>) -> Outcome {
    let stage = &visit.stage;
    let view = LogoutPage { page: stage.page("logout.title") };
    Ok(stage.show(StatusCode::OK, &view.page, stage.pages.look.templates.logout(&view)))
}

async fn log_out<U: Account>(mut visit: Visit<U>) -> Outcome {
    visit.sign_out("/login?notice=logged-out").await
}
