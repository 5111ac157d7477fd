//! `/register`: a new account.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use gatekit_core::{
    Account, FieldError, Login, LoginError, Password, PasswordError, PasswordOwner, Register, RegisterError, SignUp,
};
use serde_json::{Map, Value};

use crate::form::Form;
use crate::respond::{Failure, Outcome};
use crate::sign_in::LogInFailure;
use crate::visit::{Shared, Stage, Visit, show, submit};
use crate::{Feature, Field, MessagePage, Page, Problem, field, return_to};

/// `/register`
#[derive(Clone, Debug, Template)]
#[template(path = "register.html")]
#[non_exhaustive]
pub struct RegisterPage {
    /// What all pages have.
    pub page: Page,
    /// `email`
    pub email: Field,
    /// `password`
    pub password: Field,
    /// What was entered into fields that a template of the app's adds: name and value. They become the user's
    /// [`Profile`](gatekit_core::Account::Profile), all of them as texts.
    pub others: Vec<(String, String)>,
    /// Where to go afterwards, for a hidden field `return_to`.
    pub return_to: Option<String>,
}

impl RegisterPage {
    fn new<U: Account>(stage: &Stage<U>, email: Option<String>, return_to: Option<String>) -> Self {
        let mut page = stage.page("register.title");
        page.form_origin = return_to.as_deref().and_then(return_to::origin).map(str::to_owned);
        Self {
            email: Field::email(&page, "field.email", "username", email),
            password: Field::new_password(&page, "field.password", stage.auth().policy().password_min_chars),
            page,
            others: Vec::new(),
            return_to,
        }
    }
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    Router::new().route("/register", show(form::<U>).merge(submit(register::<U>)))
}

async fn form<U: Account>(mut visit: Visit<U>) -> Outcome {
    let return_to = visit.stage.return_to();
    if visit.caller().await?.is_some() {
        return Ok(visit.stage.redirect_to(&visit.stage.after_login(return_to.as_deref())));
    }
    let view = RegisterPage::new(&visit.stage, None, return_to);
    Ok(answer(&visit.stage, StatusCode::OK, &view))
}

async fn register<U: Account>(mut visit: Visit<U>) -> Outcome {
    let form = visit.form()?;
    let stage = &visit.stage;
    let (email, password) = (form.trimmed("email"), form.password("password").map(Password::from));
    let return_to = return_to::allowed(stage.auth(), form.get("return_to"));
    let mut view = RegisterPage::new(stage, email.clone(), return_to);
    let others = others(form);
    view.others =
        others.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
    match email.as_deref() {
        None => refuse(&mut view, &FieldError::new("email", "presence", "", None)),
        Some(address) if !stage.auth().accepts_email(address) => {
            refuse(&mut view, &FieldError::new("email", "custom.email", "", None));
        }
        Some(_) => {}
    }
    match &password {
        None => refuse(&mut view, &FieldError::new("password", "presence", "", None)),
        Some(password) => {
            if let Err(error) =
                stage.auth().check_new_password(password, PasswordOwner::default().email(email.as_deref()))
            {
                refuse_password(&mut view, &error);
            }
        }
    }
    // All that can be told of a form is told at once.
    let (true, Some(email), Some(password)) = (view.page.problems.is_empty(), email, password) else {
        return Ok(answer(stage, StatusCode::UNPROCESSABLE_ENTITY, &view));
    };
    let reads_realm = stage.auth().policy().clients_set_realm();
    let new = match read::<U>(others, &email, &password, reads_realm) {
        Ok(new) => new.mails(stage.mails("/verify-email")).notices(stage.notices()),
        Err(error) => {
            refuse(&mut view, &error);
            return Ok(answer(stage, StatusCode::UNPROCESSABLE_ENTITY, &view));
        }
    };
    let (realm, username) = (new.realm.clone(), new.username.clone());
    match stage.auth().sign_up(new).await {
        Ok(SignUp::Registered(_)) => {}
        // Whether or not there was an account already (ASVS 6.3.8). Nobody is logged in before the address is verified.
        Ok(_) => return Ok(check_mail(stage, &email)),
        Err(error) => {
            let status = refused(&mut view, error)?;
            return Ok(answer(stage, status, &view));
        }
    }

    let mut login = Login::email(email.clone(), password);
    (login.realm, login.username) = (realm, username);
    match visit.log_in(login, &stage.after_login(view.return_to.as_deref())).await {
        Ok(response) => Ok(response),
        Err(LogInFailure::Failed(failure)) => Err(failure),
        Err(LogInFailure::Refused(LoginError::Unavailable(error))) => Err(error.into()),
        Err(LogInFailure::Refused(LoginError::EmailNotVerified { .. })) => Ok(check_mail(stage, &email)),
        Err(LogInFailure::Refused(LoginError::Pending)) => {
            let page = stage.page("register.pending.title");
            let text = page.text("register.pending").to_owned();
            Ok(stage.say(StatusCode::OK, &MessagePage::new(page, text)))
        }
        // The account is there; whoever does not let it in says so at the login.
        Err(LogInFailure::Refused(_)) => Ok(stage.redirect("/login")),
    }
}

fn check_mail<U: Account>(stage: &Stage<U>, email: &str) -> axum::response::Response {
    let page = stage.page("check-mail.title");
    let text = page.text_with("check-mail.verify", &[("email", email)]);
    stage.say(StatusCode::OK, &MessagePage::new(page, text).hint("check-mail.hint"))
}

/// The fields that are not ours: what a client may not say of itself is no part of a profile either, as at `POST /users`.
fn others(form: Form) -> Map<String, Value> {
    const OURS: [&str; 7] = ["email", "password", "return_to", "__proto__", "id", "emailVerified", "verificationToken"];
    let fields = form.into_fields().filter(|(name, _)| !OURS.contains(&name.as_str()));
    fields.map(|(name, value)| (name, Value::String(value))).collect()
}

fn read<U: Account>(
    mut fields: Map<String, Value>,
    email: &str,
    password: &Password,
    reads_realm: bool,
) -> Result<Register<U::Profile>, Box<FieldError>> {
    let mut text = |name: &str| match fields.shift_remove(name) {
        Some(Value::String(text)) => Some(text).filter(|text| !text.is_empty()),
        _ => None,
    };
    let (username, realm) = (text("username"), text("realm").filter(|_| reads_realm));
    let profile =
        serde_json::from_value(Value::Object(fields)).map_err(|error| Box::new(FieldError::of_profile(&error)))?;
    let mut new = Register::with_profile(profile);
    new.email = Some(email.to_owned());
    new.password = Some(password.clone());
    (new.username, new.realm) = (username, realm);
    Ok(new)
}

fn refused(view: &mut RegisterPage, error: RegisterError) -> Result<StatusCode, Failure> {
    match error {
        RegisterError::Password(error) => refuse_password(view, &error),
        RegisterError::Invalid(errors) => errors.iter().for_each(|error| refuse(view, error)),
        RegisterError::Refused(refusal) => {
            view.page.problems.push(Problem { message: refusal.message, href: None });
            return Ok(StatusCode::FORBIDDEN);
        }
        RegisterError::Unavailable(error) => return Err(error.into()),
        // The enum may grow.
        error => {
            view.page.problems.push(Problem { message: error.to_string(), href: None });
        }
    }
    Ok(StatusCode::UNPROCESSABLE_ENTITY)
}

fn refuse(view: &mut RegisterPage, error: &FieldError) {
    let page = &mut view.page;
    let message = match (error.field.as_str(), error.code.as_str()) {
        ("email", "presence") => page.text("error.email.missing").to_owned(),
        ("email", "uniqueness") => page.text("error.email.taken").to_owned(),
        ("email", _) => page.text("error.email.invalid").to_owned(),
        ("password", "presence") => page.text("error.password.new.missing").to_owned(),
        ("username", "uniqueness") => page.text("error.username.taken").to_owned(),
        (field, _) => page.text_with("error.field", &[("field", field), ("message", &error.message)]),
    };
    let message = page.problem(&error.field, message);
    match error.field.as_str() {
        "email" => view.email.error = Some(message),
        "password" => view.password.error = Some(message),
        _ => {}
    }
}

fn refuse_password(view: &mut RegisterPage, error: &PasswordError) {
    let message = field::password_message(&view.page, error);
    view.password.error = Some(view.page.problem("password", message));
}

fn answer<U: Account>(stage: &Stage<U>, status: StatusCode, view: &RegisterPage) -> axum::response::Response {
    stage.show(status, &view.page, stage.pages.templates.register(view))
}
