//! `/logout`: a button, because a link could be followed by anybody's page.

use axum::Router;
use axum::http::StatusCode;
use gatekit_core::Account;
use gatekit_web::{Route, TokenUse};

use crate::declared::{SHOWN, SUBMITTED};
use crate::failure::Outcome;
use crate::page_context::Shared;
use crate::route::{page, visit};
use crate::views::LogoutPage;
use crate::visit::Visit;

pub(crate) const ROUTES: [Route; 2] = [
    Route::get("/logout", "Shows the button that logs out.").token(TokenUse::IfAny).responses(&SHOWN),
    Route::post("/logout", "Logs the browser out.").token(TokenUse::IfAny).responses(&SUBMITTED),
];

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page(&ROUTES, [visit(form), visit(log_out)])
}

async fn form<U: Account>(visit: Visit<U>) -> Outcome {
    let context = &visit.context;
    let view = LogoutPage { page: context.page("logout.title") };
    Ok(context.show(StatusCode::OK, &view.page, context.pages.look.templates.logout(&view)))
}

async fn log_out<U: Account>(mut visit: Visit<U>) -> Outcome {
    visit.sign_out("/login?notice=logged-out").await
}
