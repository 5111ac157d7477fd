//! `/delete-account`: the end of an account.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use gatekit_core::{Account, DeleteAccount, DeleteAccountError};
use gatekit_web::{Argument, Route, Shape, TokenUse};

use crate::declared::{SHOWN, SUBMITTED};
use crate::failure::{Failure, Outcome};
use crate::feature::Feature;
use crate::page_context::{PageContext, Shared};
use crate::route::{page, visit};
use crate::views::DeleteAccountPage;
use crate::visit::Visit;

pub(crate) const ROUTES: [Route; 2] = [
    Route::get("/delete-account", "Shows the form to delete the account.")
        .token(TokenUse::Required)
        .responses(&SHOWN)
        .needs(Feature::DeleteAccount.needs()),
    Route::post("/delete-account", "Deletes the account.")
        .token(TokenUse::Required)
        .arguments(&[Argument::body("confirm", Shape::Boolean)])
        .responses(&SUBMITTED)
        .needs(Feature::DeleteAccount.needs()),
];

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page(&ROUTES, [visit(form), visit(delete)])
}

async fn form<U: Account>(mut visit: Visit<U>) -> Outcome {
    visit.require_fresh().await?;
    let view = DeleteAccountPage { page: visit.context.page("delete-account.title"), error: None };
    Ok(answer(&visit.context, StatusCode::OK, &view))
}

async fn delete<U: Account>(mut visit: Visit<U>) -> Outcome {
    let form = visit.form()?;
    let caller = visit.require_fresh().await?;
    if form.get("confirm") != Some("on") {
        let mut view = DeleteAccountPage { page: visit.context.page("delete-account.title"), error: None };
        let message = view.page.text("delete-account.confirm.missing").to_owned();
        view.error = Some(view.page.problem("confirm", message));
        return Ok(answer(&visit.context, StatusCode::UNPROCESSABLE_ENTITY, &view));
    }
    match visit.context.auth().delete_account(DeleteAccount::new(caller.user.id(), caller.token)).await {
        Ok(()) => visit.forget("/login?notice=account-deleted").await,
        Err(DeleteAccountError::Unavailable(error)) => Err(error.into()),
        Err(DeleteAccountError::UserNotFound(_)) => Err(Failure::LogIn),
        Err(_) => Err(Failure::ConfirmPassword),
    }
}

fn answer<U: Account>(context: &PageContext<U>, status: StatusCode, view: &DeleteAccountPage) -> Response {
    context.show(status, &view.page, context.pages.look.templates.delete_account(view))
}
