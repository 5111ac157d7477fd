//! `/confirm-email-change`: makes a new address the user's, given the mailed link.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use gatekit_core::{Account, ChangeEmail, ChangeEmailError, EmailLink, UserId};
use gatekit_web::{Argument, Route, Shape, TokenUse};

use crate::declared::{SHOWN, SUBMITTED};
use crate::failure::Outcome;
use crate::mail_token::{MailToken, with_cookie};
use crate::page_context::{PageContext, Shared};
use crate::route::{page, visit};
use crate::views::ConfirmEmailChangePage;
use crate::visit::Visit;
use crate::{Feature, MessagePage};

pub(crate) const ROUTES: [Route; 2] = [
    Route::get("/confirm-email-change", "Takes the secret out of the URL, and shows a button.")
        .token(TokenUse::IfAny)
        .arguments(&[Argument::query("token", Shape::Secret).optional()])
        .responses(&SHOWN)
        .needs(Feature::ChangeEmail.needs()),
    Route::post("/confirm-email-change", "Makes the new address the user's.")
        .token(TokenUse::IfAny)
        .responses(&SUBMITTED)
        .needs(Feature::ChangeEmail.needs()),
];

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page(&ROUTES, [visit(form), visit(change)])
}

fn mailed<U: Account>(context: &PageContext<U>) -> MailToken {
    MailToken::new("change", &context.cookie)
}

async fn form<U: Account>(mut visit: Visit<U>) -> Outcome {
    let mailed = mailed(&visit.context);
    if let Some(secret) = visit.context.query.get("token") {
        return Ok(match mailed.keep(secret) {
            Some(cookie) => with_cookie(visit.context.redirect("/confirm-email-change"), Some(cookie)),
            None => invalid(&visit.context),
        });
    }
    let Some(secret) = mailed.find(&visit.parts.headers) else { return Ok(invalid(&visit.context)) };
    match visit.context.auth().check_email_change_link(&secret).await? {
        EmailLink::Good { user_id, email } => {
            let note = visit.other_than(&user_id).await?;
            let context = &visit.context;
            let view = ConfirmEmailChangePage { page: context.page("confirm-email-change.title"), email, note };
            Ok(context.show(StatusCode::OK, &view.page, context.pages.look.templates.confirm_email_change(&view)))
        }
        EmailLink::Used { user_id, email } => changed(&mut visit, &user_id, &email).await,
        _ => Ok(invalid(&visit.context)),
    }
}

async fn change<U: Account>(mut visit: Visit<U>) -> Outcome {
    let caller = visit.caller().await?;
    let Some(secret) = mailed(&visit.context).find(&visit.parts.headers) else { return Ok(invalid(&visit.context)) };
    let mut change = ChangeEmail::new(secret);
    change.mails = visit.context.notices();
    let caller_id = caller.as_ref().map(|caller| caller.user.id());
    change.keep = caller.map(|caller| caller.token);
    match visit.context.auth().change_email(change).await {
        Ok(user) if caller_id == Some(user.id()) && visit.context.has(Feature::Account) => {
            Ok(visit.context.redirect("/account?notice=email-changed"))
        }
        Ok(user) => changed(&mut visit, &user.id(), user.email().unwrap_or_default()).await,
        Err(ChangeEmailError::Unavailable(error)) => Err(error.into()),
        Err(_) => Ok(invalid(&visit.context)),
    }
}

/// Which address the account has now, and whether somebody else is logged in here. The cookie stays
/// until it ends by itself: the same page may be loaded or the button pressed again.
async fn changed<U: Account>(visit: &mut Visit<U>, owner: &UserId, email: &str) -> Outcome {
    let other = visit.other_than(owner).await?;
    let context = &visit.context;
    let page = context.page("confirm-email-change.done.title");
    let text = page.text_with("confirm-email-change.done.text", &[("email", email)]);
    let view = MessagePage::new(page, text);
    let view = match other {
        Some(other) => context.with_other(view, other),
        None => context.with_login(view, "back.login"),
    };
    Ok(context.say(StatusCode::OK, &view))
}

/// The link is too old or not complete, or its address was taken meanwhile; its cookie goes.
fn invalid<U: Account>(context: &PageContext<U>) -> Response {
    let page = context.page("link-invalid.title");
    let text = page.text("link-invalid.text").to_owned();
    let view = MessagePage::new(page, text).link(context.url("/change-email"), "link-invalid.change");
    with_cookie(context.say(StatusCode::BAD_REQUEST, &view), mailed(context).removal())
}
