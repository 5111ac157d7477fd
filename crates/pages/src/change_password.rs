//! `/change-password`: another password, with the present one.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use gatekit_core::{Account, ChangePassword, ChangePasswordError};
use gatekit_web::{Argument, Route, Shape, TokenUse};

use crate::declared::{SHOWN, SUBMITTED};
use crate::failure::{Failure, Outcome};
use crate::page_context::{PageContext, Shared};
use crate::route::{page, visit};
use crate::views::ChangePasswordPage;
use crate::visit::Visit;
use crate::{Field, Problem, field};

pub(crate) const ROUTES: [Route; 2] = [
    Route::get("/change-password", "Shows the form to change the password.")
        .token(TokenUse::Required)
        .responses(&SHOWN),
    Route::post("/change-password", "Changes the password.")
        .token(TokenUse::Required)
        .arguments(&[Argument::body("current_password", Shape::Password), Argument::body("password", Shape::Password)])
        .responses(&SUBMITTED),
];

impl ChangePasswordPage {
    fn new<U: Account>(context: &PageContext<U>, user: &U) -> Self {
        let page = context.page("change-password.title");
        let min = context.auth().policy().passwords.min_chars;
        Self {
            username: user.email().or(user.username()).map(str::to_owned),
            current_password: Field::password(&page, "current_password", "field.current-password", "current-password"),
            password: Field::new_password(&page, "field.new-password", min),
            page,
        }
    }
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page(&ROUTES, [visit(form), visit(change)])
}

async fn form<U: Account>(mut visit: Visit<U>) -> Outcome {
    let caller = visit.require_caller().await?;
    let view = ChangePasswordPage::new(&visit.context, &caller.user);
    Ok(answer(&visit.context, StatusCode::OK, &view))
}

async fn change<U: Account>(mut visit: Visit<U>) -> Outcome {
    let form = visit.form()?;
    let caller = visit.require_caller().await?;
    let context = &visit.context;
    let mut view = ChangePasswordPage::new(context, &caller.user);
    let (old, new) = (form.password("current_password"), form.password("password"));
    if old.is_none() {
        let message = view.page.text("error.password.missing").to_owned();
        view.current_password.error = Some(view.page.problem("current_password", message));
    }
    if new.is_none() {
        let message = view.page.text("error.password.new.missing").to_owned();
        view.password.error = Some(view.page.problem("password", message));
    }
    let (Some(old), Some(new)) = (old, new) else {
        return Ok(answer(context, StatusCode::UNPROCESSABLE_ENTITY, &view));
    };
    let change = ChangePassword::new(caller.user.id(), old, new).keep(caller.token).mails(context.notices());
    match context.auth().change_password(change).await {
        Ok(()) => return Ok(context.done("/account", "password-changed")),
        Err(ChangePasswordError::Unavailable(error)) => return Err(error.into()),
        // Removed while it was logged in.
        Err(ChangePasswordError::UserNotFound(_)) => return Err(Failure::LogIn),
        Err(ChangePasswordError::WrongPassword) => {
            let message = view.page.text("error.password.wrong").to_owned();
            view.current_password.error = Some(view.page.problem("current_password", message));
        }
        Err(ChangePasswordError::Password(error)) => {
            let message = field::password_message(&view.page, &error);
            view.password.error = Some(view.page.problem("password", message));
        }
        Err(ChangePasswordError::Refused(refusal)) => {
            view.page.problems.push(Problem { message: refusal.message, href: None });
            return Ok(answer(context, StatusCode::FORBIDDEN, &view));
        }
        Err(_) => {
            let message = view.page.text("error.conflict").to_owned();
            view.page.problems.push(Problem { message, href: None });
        }
    }
    Ok(answer(context, StatusCode::UNPROCESSABLE_ENTITY, &view))
}

fn answer<U: Account>(context: &PageContext<U>, status: StatusCode, view: &ChangePasswordPage) -> Response {
    context.show(status, &view.page, context.pages.look.templates.change_password(view))
}
