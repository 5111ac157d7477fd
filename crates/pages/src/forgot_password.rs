//! `/forgot-password`: a mail with a link to choose a new password.

use axum::Router;
use axum::http::StatusCode;
use gatekit_core::{Account, RequestPasswordReset, RequestPasswordResetError};
use gatekit_web::{Argument, Route, Shape, TokenUse};

use crate::declared::{SHOWN, SUBMITTED};
use crate::failure::Outcome;
use crate::page_context::{PageContext, Shared};
use crate::route::{page, visit};
use crate::views::ForgotPasswordPage;
use crate::visit::Visit;
use crate::{Field, MessagePage};

pub(crate) const ROUTES: [Route; 2] = [
    Route::get("/forgot-password", "Shows the form to ask for a link.").token(TokenUse::IfAny).responses(&SHOWN),
    Route::post("/forgot-password", "Mails a link that resets a forgotten password.")
        .token(TokenUse::IfAny)
        .arguments(&[Argument::body("email", Shape::Email), Argument::body("realm", Shape::String).optional()])
        .responses(&SUBMITTED),
];

impl ForgotPasswordPage {
    fn new<U: Account>(context: &PageContext<U>, email: Option<String>) -> Self {
        let page = context.page("forgot-password.title");
        Self { email: Field::email(&page, "field.email", "username", email), page }
    }
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page(&ROUTES, [visit(form), visit(send)])
}

async fn form<U: Account>(visit: Visit<U>) -> Outcome {
    let view = ForgotPasswordPage::new(&visit.context, None);
    Ok(answer(&visit.context, StatusCode::OK, &view))
}

/// Answers the same whether or not there is such an account (ASVS 6.3.8), whatever the policy
/// reveals to programs.
async fn send<U: Account>(mut visit: Visit<U>) -> Outcome {
    let form = visit.form()?;
    let context = &visit.context;
    let entered = form.trimmed("email");
    let mut view = ForgotPasswordPage::new(context, entered.clone());
    let Some(address) = entered.filter(|address| context.auth().policy().accepts_email(address)) else {
        view.email.refuse_address(&mut view.page);
        return Ok(answer(context, StatusCode::UNPROCESSABLE_ENTITY, &view));
    };
    let mut request = RequestPasswordReset::email(&address).mails(context.mails("/reset-password"));
    request.realm = form.trimmed("realm");
    if let Err(RequestPasswordResetError::Unavailable(error)) = context.auth().request_password_reset(request).await {
        return Err(error.into());
    }
    let page = context.page("check-mail.title");
    let text = page.text_with("check-mail.reset", &[("email", &address)]);
    Ok(context.say(StatusCode::OK, &MessagePage::new(page, text).hint("check-mail.hint")))
}

fn answer<U: Account>(
    context: &PageContext<U>,
    status: StatusCode,
    view: &ForgotPasswordPage,
) -> axum::response::Response {
    context.show(status, &view.page, context.pages.look.templates.forgot_password(view))
}
