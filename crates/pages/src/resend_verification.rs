//! `/resend-verification`: the mail that proves an address, once more.

use axum::Router;
use axum::http::StatusCode;
use gatekit_core::{Account, RequestEmailVerification, RequestEmailVerificationError, VerificationOf};
use gatekit_web::{Argument, Route, Shape, TokenUse};

use crate::declared::{SHOWN, SUBMITTED};
use crate::failure::Outcome;
use crate::feature::Feature;
use crate::page_context::{PageContext, Shared};
use crate::route::{page, visit};
use crate::views::ResendVerificationPage;
use crate::visit::Visit;
use crate::{Field, MessagePage};

pub(crate) const ROUTES: [Route; 2] = [
    Route::get("/resend-verification", "Shows the form to ask for that link again.")
        .token(TokenUse::IfAny)
        .responses(&SHOWN)
        .needs(Feature::VerifyEmail.needs()),
    Route::post("/resend-verification", "Mails the link again.")
        .token(TokenUse::IfAny)
        .arguments(&[Argument::body("email", Shape::Email), Argument::body("realm", Shape::String).optional()])
        .responses(&SUBMITTED)
        .needs(Feature::VerifyEmail.needs()),
];

impl ResendVerificationPage {
    fn new<U: Account>(context: &PageContext<U>, email: Option<String>) -> Self {
        let page = context.page("resend-verification.title");
        Self { email: Field::email(&page, "field.email", "username", email), page }
    }
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page(&ROUTES, [visit(form), visit(send)])
}

async fn form<U: Account>(mut visit: Visit<U>) -> Outcome {
    let address = visit.caller().await?.and_then(|caller| caller.user.email().map(str::to_owned));
    let view = ResendVerificationPage::new(&visit.context, address);
    Ok(answer(&visit.context, StatusCode::OK, &view))
}

/// Answers the same whether or not there is such an account, and whether or not its address is
/// verified (ASVS 6.3.8).
async fn send<U: Account>(mut visit: Visit<U>) -> Outcome {
    let form = visit.form()?;
    let context = &visit.context;
    let entered = form.trimmed("email");
    let mut view = ResendVerificationPage::new(context, entered.clone());
    let Some(address) = entered.filter(|address| context.auth().policy().accepts_email(address)) else {
        view.email.refuse_address(&mut view.page);
        return Ok(answer(context, StatusCode::UNPROCESSABLE_ENTITY, &view));
    };
    let mut request = RequestEmailVerification::email(&address).mails(context.mails("/verify-email"));
    request.of = VerificationOf::Email { email: address.clone(), realm: form.trimmed("realm") };
    if let Err(RequestEmailVerificationError::Unavailable(error)) =
        context.auth().request_email_verification(request).await
    {
        return Err(error.into());
    }
    let page = context.page("check-mail.title");
    let text = page.text_with("check-mail.resend", &[("email", &address)]);
    Ok(context.say(StatusCode::OK, &MessagePage::new(page, text).hint("check-mail.hint")))
}

fn answer<U: Account>(
    context: &PageContext<U>,
    status: StatusCode,
    view: &ResendVerificationPage,
) -> axum::response::Response {
    context.show(status, &view.page, context.pages.look.templates.resend_verification(view))
}
