//! `/confirm-password`: the password once more, before what cannot be undone (step-up, ASVS 7.5.1).

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use gatekit_core::{Account, StepUp, StepUpError};
use gatekit_web::{Argument, Route, Shape, TokenUse};

use crate::declared::{SHOWN, SUBMITTED};
use crate::failure::{Failure, Outcome};
use crate::page_context::{PageContext, Shared};
use crate::route::{page, visit};
use crate::views::ConfirmPasswordPage;
use crate::visit::Visit;
use crate::{Field, Problem, return_to};

pub(crate) const ROUTES: [Route; 2] = [
    Route::get("/confirm-password", "Asks for the password once more.")
        .token(TokenUse::Required)
        .arguments(&[Argument::query("return_to", Shape::Url).optional()])
        .responses(&SHOWN),
    Route::post("/confirm-password", "Verifies the password of the user who is logged in.")
        .token(TokenUse::Required)
        .arguments(&[Argument::body("password", Shape::Password), Argument::body("return_to", Shape::Url).optional()])
        .responses(&SUBMITTED),
];

impl ConfirmPasswordPage {
    fn new<U: Account>(context: &PageContext<U>, user: &U, return_to: Option<String>) -> Self {
        let mut page = context.page("confirm-password.title");
        page.form_origin = return_to.as_deref().and_then(return_to::origin).map(str::to_owned);
        Self {
            username: user.email().or(user.username()).map(str::to_owned),
            password: Field::password(&page, "password", "field.password", "current-password"),
            page,
            return_to,
        }
    }
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page(&ROUTES, [visit(form), visit(confirm)])
}

async fn form<U: Account>(mut visit: Visit<U>) -> Outcome {
    let return_to = visit.context.return_to();
    let Some(caller) = visit.caller().await? else { return Ok(log_in(&visit.context, return_to.as_deref())) };
    let view = ConfirmPasswordPage::new(&visit.context, &caller.user, return_to);
    Ok(answer(&visit.context, StatusCode::OK, &view))
}

async fn confirm<U: Account>(mut visit: Visit<U>) -> Outcome {
    let form = visit.form()?;
    let return_to = return_to::allowed(visit.context.auth(), form.get("return_to"));
    let Some(caller) = visit.caller().await? else { return Ok(log_in(&visit.context, return_to.as_deref())) };
    let context = &visit.context;
    let mut view = ConfirmPasswordPage::new(context, &caller.user, return_to);
    let Some(password) = form.password("password") else {
        let message = view.page.text("error.password.missing").to_owned();
        view.password.error = Some(view.page.problem("password", message));
        return Ok(answer(context, StatusCode::UNPROCESSABLE_ENTITY, &view));
    };
    match context.auth().step_up(StepUp::new(caller.token, password)).await {
        Ok(token) => {
            let target = context.after_login(view.return_to.as_deref());
            visit.sign_in(&token, &target).await
        }
        Err(StepUpError::WrongPassword) => {
            let message = view.page.text("error.password.wrong").to_owned();
            view.password.error = Some(view.page.problem("password", message));
            Ok(answer(context, StatusCode::UNPROCESSABLE_ENTITY, &view))
        }
        Err(StepUpError::Refused(refusal)) => {
            view.page.problems.push(Problem { message: refusal.message, href: None });
            Ok(answer(context, StatusCode::FORBIDDEN, &view))
        }
        Err(StepUpError::Unavailable(error)) => Err(Failure::from(error)),
        // Ended meanwhile.
        Err(_) => Ok(log_in(context, view.return_to.as_deref())),
    }
}

/// A login verifies the password too, so the browser goes on to the page it asked for.
fn log_in<U: Account>(context: &PageContext<U>, return_to: Option<&str>) -> Response {
    match return_to {
        Some(target) => context.redirect(&format!("/login?return_to={}", return_to::encode(target))),
        None => context.redirect("/login"),
    }
}

fn answer<U: Account>(context: &PageContext<U>, status: StatusCode, view: &ConfirmPasswordPage) -> Response {
    context.show(status, &view.page, context.pages.look.templates.confirm_password(view))
}
