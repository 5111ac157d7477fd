//! `/reset-password`: a new password, given the mailed link.

use axum::Router;
use axum::http::StatusCode;
use axum::response::Response;
use gatekit_core::{Account, PasswordReset, ResetLink, ResetPasswordError, TokenSecret};
use gatekit_web::{Argument, Route, Shape, TokenUse};

use crate::declared::{SHOWN, SUBMITTED};
use crate::failure::{Failure, Outcome};
use crate::mail_token::{MailToken, with_cookie};
use crate::page_context::{PageContext, Shared};
use crate::route::{page, visit};
use crate::views::ResetPasswordPage;
use crate::visit::Visit;
use crate::{Field, MessagePage, field};

pub(crate) const ROUTES: [Route; 2] = [
    Route::get("/reset-password", "Takes the secret out of the URL, and shows the form for a new password.")
        .token(TokenUse::IfAny)
        .arguments(&[Argument::query("token", Shape::Secret).optional()])
        .responses(&SHOWN),
    Route::post("/reset-password", "Sets the new password.")
        .token(TokenUse::IfAny)
        .arguments(&[Argument::body("password", Shape::Password)])
        .responses(&SUBMITTED),
];

impl ResetPasswordPage {
    fn new<U: Account>(context: &PageContext<U>, user: &U, note: Option<String>) -> Self {
        let page = context.page("reset-password.title");
        let min = context.auth().policy().passwords.min_chars;
        Self {
            username: user.email().or(user.username()).map(str::to_owned),
            password: Field::new_password(&page, "field.new-password", min),
            page,
            note,
        }
    }
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page(&ROUTES, [visit(form), visit(reset)])
}

fn mailed<U: Account>(context: &PageContext<U>) -> MailToken {
    MailToken::new("reset", &context.cookie)
}

async fn form<U: Account>(mut visit: Visit<U>) -> Outcome {
    let mailed = mailed(&visit.context);
    if let Some(secret) = visit.context.query.get("token") {
        return Ok(match mailed.keep(secret) {
            Some(cookie) => with_cookie(visit.context.redirect("/reset-password"), Some(cookie)),
            None => invalid(&visit.context),
        });
    }
    let Some(secret) = mailed.find(&visit.parts.headers) else { return Ok(invalid(&visit.context)) };
    // Told now, and not when somebody has thought of a password. Only the form uses the link.
    let (user, note) = match owner(&mut visit, &secret).await? {
        Ok(owner) => owner,
        Err(response) => return Ok(response),
    };
    Ok(answer(&visit.context, StatusCode::OK, &ResetPasswordPage::new(&visit.context, &user, note)))
}

async fn reset<U: Account>(mut visit: Visit<U>) -> Outcome {
    let form = visit.form()?;
    let Some(secret) = mailed(&visit.context).find(&visit.parts.headers) else { return Ok(invalid(&visit.context)) };
    let (user, note) = match owner(&mut visit, &secret).await? {
        Ok(owner) => owner,
        Err(response) => return Ok(response),
    };
    let context = &visit.context;
    let mut view = ResetPasswordPage::new(context, &user, note);
    let Some(password) = form.password("password") else {
        let message = view.page.text("error.password.new.missing").to_owned();
        view.password.error = Some(view.page.problem("password", message));
        return Ok(answer(context, StatusCode::UNPROCESSABLE_ENTITY, &view));
    };
    let reset = PasswordReset::new(secret.clone(), password).mails(context.notices());
    match context.auth().reset_password(reset).await {
        // The login would send the browser on to the account of whoever is logged in.
        Ok(()) => Ok(match view.note {
            Some(other) => {
                let page = context.page("reset-password.done.title");
                let email = view.username.as_deref().unwrap_or_default();
                let text = page.text_with("reset-password.done.text", &[("email", email)]);
                context.say(StatusCode::OK, &context.with_other(MessagePage::new(page, text), other))
            }
            None => context.redirect("/login?notice=password-changed"),
        }),
        Err(ResetPasswordError::Password(error)) => {
            let message = field::password_message(&view.page, &error);
            view.password.error = Some(view.page.problem("password", message));
            Ok(answer(context, StatusCode::UNPROCESSABLE_ENTITY, &view))
        }
        Err(ResetPasswordError::Unavailable(error)) => Err(Failure::from(error)),
        // Another request has used it meanwhile, or the account has changed.
        Err(_) => match owner(&mut visit, &secret).await? {
            Err(response) => Ok(response),
            Ok(_) => Ok(invalid(&visit.context)),
        },
    }
}

/// Whose password the link chooses, and that somebody else is logged in here if so; or what is said
/// of a link that chooses none.
async fn owner<U: Account>(
    visit: &mut Visit<U>,
    secret: &TokenSecret,
) -> Result<Result<(U, Option<String>), Response>, Failure> {
    match visit.context.auth().check_reset_link(secret).await? {
        ResetLink::Good(user) => {
            let note = visit.other_than(&user.id()).await?;
            Ok(Ok((*user, note)))
        }
        ResetLink::Used => {
            let context = &visit.context;
            let page = context.page("link-used.title");
            let text = page.text("link-used.text").to_owned();
            Ok(Err(context.say(StatusCode::OK, &context.with_login(MessagePage::new(page, text), "back.login"))))
        }
        _ => Ok(Err(invalid(&visit.context))),
    }
}

/// The link is too old or not complete; its cookie goes.
fn invalid<U: Account>(context: &PageContext<U>) -> Response {
    let page = context.page("link-invalid.title");
    let text = page.text("link-invalid.text").to_owned();
    let view = MessagePage::new(page, text).link(context.url("/forgot-password"), "link-invalid.reset");
    with_cookie(context.say(StatusCode::BAD_REQUEST, &view), mailed(context).removal())
}

fn answer<U: Account>(context: &PageContext<U>, status: StatusCode, view: &ResetPasswordPage) -> Response {
    context.show(status, &view.page, context.pages.look.templates.reset_password(view))
}
