//! `/change-email`: another address, which gets a mail to prove it.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use gatekit_core::{Account, ChangeEmailError, RequestEmailChange};
use gatekit_web::{Argument, Route, Shape, TokenUse};

use crate::declared::{SHOWN, SUBMITTED};
use crate::failure::{Failure, Outcome};
use crate::feature::Feature;
use crate::page_context::{PageContext, Shared};
use crate::route::{page, visit};
use crate::views::ChangeEmailPage;
use crate::visit::Visit;
use crate::{Field, MessagePage};

pub(crate) const ROUTES: [Route; 2] = [
    Route::get("/change-email", "Shows the form to change the address.")
        .token(TokenUse::Required)
        .responses(&SHOWN)
        .needs(Feature::ChangeEmail.needs()),
    Route::post("/change-email", "Mails a secret to the new address.")
        .token(TokenUse::Required)
        .arguments(&[Argument::body("email", Shape::Email)])
        .responses(&SUBMITTED)
        .needs(Feature::ChangeEmail.needs()),
];

impl ChangeEmailPage {
    fn new<U: Account>(context: &PageContext<U>, user: &U, entered: Option<String>) -> Self {
        let page = context.page("change-email.title");
        let current = user.email().map(str::to_owned);
        Self { current, email: Field::email(&page, "field.new-email", "email", entered), page }
    }
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page(&ROUTES, [visit(form), visit(send)])
}

async fn form<U: Account>(mut visit: Visit<U>) -> Outcome {
    let caller = visit.require_fresh().await?;
    let view = ChangeEmailPage::new(&visit.context, &caller.user, None);
    Ok(answer(&visit.context, StatusCode::OK, &view))
}

async fn send<U: Account>(mut visit: Visit<U>) -> Outcome {
    let form = visit.form()?;
    let caller = visit.require_fresh().await?;
    let context = &visit.context;
    let entered = form.trimmed("email");
    let mut view = ChangeEmailPage::new(context, &caller.user, entered.clone());
    let Some(address) = entered.filter(|address| context.auth().accepts_email(address)) else {
        view.email.refuse_address(&mut view.page);
        return Ok(answer(context, StatusCode::UNPROCESSABLE_ENTITY, &view));
    };
    let request = RequestEmailChange::new(caller.user.id(), caller.token, &address);
    match context.auth().request_email_change(request.mails(context.mails("/confirm-email-change"))).await {
        // The same whether or not somebody else has the address (ASVS 6.3.8).
        Ok(()) => {
            let page = context.page("check-mail.title");
            let text = page.text_with("check-mail.change", &[("email", &address)]);
            let view = MessagePage::new(page, text).hint("check-mail.hint");
            Ok(context.say(StatusCode::OK, &context.with_way_back(view)))
        }
        Err(ChangeEmailError::Unavailable(error)) => Err(error.into()),
        Err(ChangeEmailError::StepUpRequired | ChangeEmailError::WrongPassword) => Err(Failure::ConfirmPassword),
        // Removed while it was logged in.
        Err(ChangeEmailError::UserNotFound(_)) => Err(Failure::LogIn),
        Err(_) => {
            view.email.refuse_address(&mut view.page);
            Ok(answer(context, StatusCode::UNPROCESSABLE_ENTITY, &view))
        }
    }
}

fn answer<U: Account>(context: &PageContext<U>, status: StatusCode, view: &ChangeEmailPage) -> Response {
    context.show(status, &view.page, context.pages.look.templates.change_email(view))
}
