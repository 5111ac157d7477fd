//! `/forgot-password`: a mail with a link to choose a new password.

use axum::Router;
use axum::http::StatusCode;
use gatekit_core::{Account, RequestPasswordReset, RequestPasswordResetError};

use crate::failure::Outcome;
use crate::page_context::{PageContext, Shared};
use crate::route::{page_at, show, submit};
use crate::views::ForgotPasswordPage;
use crate::visit::Visit;
use crate::{Field, MessagePage};

impl ForgotPasswordPage {
    fn new<U: Account>(context: &PageContext<U>, email: Option<String>) -> Self {
        let page = context.page("forgot-password.title");
        Self { email: Field::email(&page, "field.email", "username", email), page }
    }
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page_at("/forgot-password", show(form::<U>).merge(submit(send::<U>)))
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
