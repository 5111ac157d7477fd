//! `/login`: an address and a password.

use axum::Router;
use axum::http::StatusCode;
use gatekit_core::{Account, Login, LoginError, Policy};
use gatekit_web::{Argument, Route, Shape, TokenUse};

use crate::declared::{SHOWN, SUBMITTED};
use crate::failure::{Failure, Outcome};
use crate::page_context::{PageContext, Shared};
use crate::route::{page, visit};
use crate::sign_in::LogInFailure;
use crate::views::LoginPage;
use crate::visit::Visit;
use crate::{Feature, Field, Problem, return_to};

pub(crate) const ROUTES: [Route; 2] = [
    Route::get("/login", "Shows the form to log in.")
        .token(TokenUse::IfAny)
        .arguments(&[Argument::query("return_to", Shape::Url).optional()])
        .responses(&SHOWN),
    Route::post("/login", "Logs the browser in.")
        .token(TokenUse::IfAny)
        .arguments(&[
            Argument::body("email", Shape::Email),
            Argument::body("password", Shape::Password),
            Argument::body("realm", Shape::String).optional(),
            Argument::body("return_to", Shape::Url).optional(),
        ])
        .responses(&SUBMITTED),
];

impl LoginPage {
    fn new<U: Account>(context: &PageContext<U>, email: Option<String>, return_to: Option<String>) -> Self {
        let mut page = context.page("login.title");
        page.form_origin = return_to.as_deref().and_then(return_to::origin).map(str::to_owned);
        Self {
            email: match context.auth().policy().requires_email() {
                true => Field::email(&page, "field.email", "username", email),
                false => Field::username(&page, "email", "field.email-or-name", email),
            },
            password: Field::password(&page, "password", "field.password", "current-password"),
            page,
            return_to,
        }
    }
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page(&ROUTES, [visit(form), visit(log_in)])
}

async fn form<U: Account>(mut visit: Visit<U>) -> Outcome {
    let return_to = visit.context.return_to();
    if visit.caller().await?.is_some() {
        return Ok(visit.context.redirect_to(&visit.context.after_login(return_to.as_deref())));
    }
    let mut view = LoginPage::new(&visit.context, None, return_to);
    view.page.notice = visit.context.notice(&view.page);
    Ok(answer(&visit.context, StatusCode::OK, &view))
}

async fn log_in<U: Account>(mut visit: Visit<U>) -> Outcome {
    let form = visit.form()?;
    let context = &visit.context;
    let return_to = return_to::allowed(context.auth(), form.get("return_to"));
    let (mut email, mut username) = (form.trimmed("email"), form.trimmed("username"));
    let mut view = LoginPage::new(context, email.clone(), return_to);
    let requires_email = context.auth().policy().requires_email();
    if email.is_none() && username.is_none() {
        let key = if requires_email { "error.email.missing" } else { "error.name.missing" };
        let message = view.page.text(key).to_owned();
        view.email.refuse(&mut view.page, message);
    }
    // The field is for either, and no name has the sign.
    if !requires_email && email.as_ref().is_some_and(|entered| !entered.contains(['@', '\u{ff20}'])) {
        (username, email) = (email, None);
    }
    let password = form.password("password");
    if password.is_none() {
        let message = view.page.text("error.password.missing").to_owned();
        view.password.error = Some(view.page.problem("password", message));
    }
    let (true, Some(password)) = (view.page.problems.is_empty(), password) else {
        return Ok(answer(context, StatusCode::UNPROCESSABLE_ENTITY, &view));
    };
    let mut login = Login::password(password);
    login.email = email;
    login.username = username;
    login.realm = form.trimmed("realm");
    match visit.log_in(login, &context.after_login(view.return_to.as_deref())).await {
        Ok(response) => Ok(response),
        Err(LogInFailure::Failed(failure)) => Err(failure),
        Err(LogInFailure::Refused(error)) => {
            let status = refused(&mut view, error, context.auth().policy())?;
            Ok(answer(context, status, &view))
        }
    }
}

/// Says what was wrong, of an unknown address the same as of a wrong password (ASVS 6.3.8).
fn refused(view: &mut LoginPage, error: LoginError, policy: &Policy) -> Result<StatusCode, Failure> {
    let page = &mut view.page;
    match error {
        LoginError::Unavailable(error) => return Err(error.into()),
        LoginError::EmailNotVerified { .. } => {
            let (message, again) = (page.text("login.unverified"), page.text("login.unverified.resend"));
            let (message, again) = (message.to_owned(), again.to_owned());
            let href = page.has(Feature::VerifyEmail).then(|| page.url("/resend-verification"));
            page.problems.push(Problem { message, href: None });
            page.problems.extend(href.map(|href| Problem { message: again, href: Some(href) }));
        }
        LoginError::Blocked | LoginError::Pending | LoginError::PasswordReset => {
            let key = match error {
                LoginError::Blocked => "login.blocked",
                LoginError::Pending => "login.pending",
                _ => "login.password_reset",
            };
            let message = page.text(key).to_owned();
            page.problems.push(Problem { message, href: None });
            return Ok(StatusCode::FORBIDDEN);
        }
        LoginError::Refused(refusal) => {
            page.problems.push(Problem { message: refusal.message, href: None });
            return Ok(StatusCode::FORBIDDEN);
        }
        // An unverified address looks like a wrong password, so the way out is shown for both.
        _ if policy.hides_taken_email() => {
            let (message, again) = (page.text("login.failed.unverified"), page.text("login.unverified.resend"));
            let (message, again) = (message.to_owned(), again.to_owned());
            page.problem("email", message);
            let href = page.has(Feature::VerifyEmail).then(|| page.url("/resend-verification"));
            page.problems.extend(href.map(|href| Problem { message: again, href: Some(href) }));
        }
        _ => {
            let key = if policy.requires_email() { "login.failed" } else { "login.failed.name" };
            let message = page.text(key).to_owned();
            page.problem("email", message);
        }
    }
    Ok(StatusCode::UNAUTHORIZED)
}

fn answer<U: Account>(context: &PageContext<U>, status: StatusCode, view: &LoginPage) -> axum::response::Response {
    context.show(status, &view.page, context.pages.look.templates.login(view))
}
