//! `/verify-email`: verifies an address, given the mailed link.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use gatekit_core::{Account, ConfirmEmail, ConfirmEmailError, EmailLink, UserId};
use gatekit_web::{Argument, Route, Shape, TokenUse};

use crate::MessagePage;
use crate::declared::{SHOWN, SUBMITTED};
use crate::failure::Outcome;
use crate::feature::Feature;
use crate::mail_token::{MailToken, with_cookie};
use crate::page_context::{PageContext, Shared};
use crate::route::{page, visit};
use crate::views::VerifyEmailPage;
use crate::visit::Visit;

pub(crate) const ROUTES: [Route; 2] = [
    Route::get("/verify-email", "Takes the secret out of the URL, and shows a button.")
        .token(TokenUse::IfAny)
        .arguments(&[Argument::query("token", Shape::Secret).optional()])
        .responses(&SHOWN)
        .needs(Feature::VerifyEmail.needs()),
    Route::post("/verify-email", "Verifies the address.")
        .token(TokenUse::IfAny)
        .responses(&SUBMITTED)
        .needs(Feature::VerifyEmail.needs()),
];

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page(&ROUTES, [visit(form), visit(verify)])
}

fn mailed<U: Account>(context: &PageContext<U>) -> MailToken {
    MailToken::new("verify", &context.cookie)
}

async fn form<U: Account>(mut visit: Visit<U>) -> Outcome {
    let mailed = mailed(&visit.context);
    if let Some(secret) = visit.context.query.get("token") {
        return Ok(match mailed.keep(secret) {
            Some(cookie) => with_cookie(visit.context.redirect("/verify-email"), Some(cookie)),
            None => invalid(&visit.context),
        });
    }
    let Some(secret) = mailed.find(&visit.parts.headers) else { return Ok(invalid(&visit.context)) };
    match visit.context.auth().check_email_link(&ConfirmEmail::token(secret)).await? {
        EmailLink::Good { user_id, email } => {
            let note = visit.other_than(&user_id).await?;
            let context = &visit.context;
            let view = VerifyEmailPage { page: context.page("verify-email.title"), email, note };
            Ok(context.show(StatusCode::OK, &view.page, context.pages.look.templates.verify_email(&view)))
        }
        EmailLink::Used { user_id, email } => verified(&mut visit, true, &user_id, &email).await,
        _ => Ok(invalid(&visit.context)),
    }
}

async fn verify<U: Account>(mut visit: Visit<U>) -> Outcome {
    let Some(secret) = mailed(&visit.context).find(&visit.parts.headers) else { return Ok(invalid(&visit.context)) };
    match visit.context.auth().confirm_email(ConfirmEmail::token(secret)).await {
        Ok(confirmed) => {
            let (id, email) = (confirmed.user.id(), confirmed.user.email().unwrap_or_default().to_owned());
            verified(&mut visit, confirmed.already, &id, &email).await
        }
        Err(ConfirmEmailError::Unavailable(error)) => Err(error.into()),
        Err(_) => Ok(invalid(&visit.context)),
    }
}

/// Which address is verified, and whether somebody else is logged in here. The cookie stays until
/// it ends by itself: the same page may be loaded or the button pressed again.
async fn verified<U: Account>(visit: &mut Visit<U>, already: bool, owner: &UserId, email: &str) -> Outcome {
    let other = visit.other_than(owner).await?;
    let context = &visit.context;
    let (title, text) = match already {
        true => ("verify-email.already.title", "verify-email.already.text"),
        false => ("verify-email.done.title", "verify-email.done.text"),
    };
    let page = context.page(title);
    let text = page.text_with(text, &[("email", email)]);
    let view = MessagePage::new(page, text);
    let view = match other {
        Some(other) => context.with_other(view, other),
        None => context.with_login(view, "verify-email.done.continue"),
    };
    Ok(context.say(StatusCode::OK, &view))
}

/// The link is too old or not complete, or the user has another address; its cookie goes.
fn invalid<U: Account>(context: &PageContext<U>) -> Response {
    let page = context.page("link-invalid.title");
    let text = page.text("link-invalid.text").to_owned();
    let view = MessagePage::new(page, text).link(context.url("/resend-verification"), "link-invalid.verify");
    with_cookie(context.say(StatusCode::BAD_REQUEST, &view), mailed(context).removal())
}
