//! `/logout`: a button, because a link could be followed by anybody's page.

use axum::Router;
use axum::http::StatusCode;
use gatekit_core::Account;

use crate::failure::Outcome;
use crate::page_context::Shared;
use crate::route::{page_at, show, submit};
use crate::views::LogoutPage;
use crate::visit::Visit;

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page_at("/logout", show(form::<U>).merge(submit(log_out::<U>)))
}

async fn form<U: Account>(visit: Visit<U>) -> Outcome {
    let context = &visit.context;
    let view = LogoutPage { page: context.page("logout.title") };
    Ok(context.show(StatusCode::OK, &view.page, context.pages.look.templates.logout(&view)))
}

async fn log_out<U: Account>(mut visit: Visit<U>) -> Outcome {
    visit.sign_out("/login?notice=logged-out").await
}
