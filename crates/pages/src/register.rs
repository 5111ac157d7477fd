//! `/register`: a new account.

use axum::Router;
use axum::http::StatusCode;
use gatekit_core::{
    Account, FieldError, FieldProblem, Login, LoginError, Password, PasswordError, PasswordOwner, Register,
    RegisterError, SignUp, read_profile,
};
use gatekit_web::{Argument, Route, Shape, TokenUse};
use serde_json::{Map, Value};

use crate::declared::{SHOWN, SUBMITTED};
use crate::failure::{Failure, Outcome};
use crate::form::Form;
use crate::page_context::{PageContext, Shared};
use crate::profile_field::Entered;
use crate::route::{page, visit};
use crate::sign_in::LogInFailure;
use crate::views::RegisterPage;
use crate::visit::Visit;
use crate::{Field, MessagePage, Problem, ProfileField, field, return_to};

pub(crate) const ROUTES: [Route; 2] = [
    Route::get("/register", "Shows the form to sign up.")
        .token(TokenUse::IfAny)
        .arguments(&[Argument::query("return_to", Shape::Url).optional()])
        .responses(&SHOWN),
    Route::post("/register", "Signs a user up, with the fields of the profile too.")
        .token(TokenUse::IfAny)
        .arguments(&[
            Argument::body("email", Shape::Email),
            Argument::body("username", Shape::String).optional(),
            Argument::body("password", Shape::Password),
            Argument::body("return_to", Shape::Url).optional(),
        ])
        .responses(&SUBMITTED),
];

impl RegisterPage {
    /// With what `form` has sent, if that was sent.
    fn new<U: Account>(context: &PageContext<U>, form: &Form, return_to: Option<String>) -> Self {
        let mut page = context.page("register.title");
        page.form_origin = return_to.as_deref().and_then(return_to::origin).map(str::to_owned);
        let policy = context.auth().policy();
        let email = form.trimmed("email");
        let (email, username) = if policy.requires_email() {
            (Field::email(&page, "field.email", "username", email), None)
        } else {
            let mut field = Field::email(&page, "field.email.optional", "email", email);
            field.required = false;
            field.hint = Some(page.text("field.email.optional.hint").to_owned());
            (field, Some(Field::username(&page, "username", "field.username", form.trimmed("username"))))
        };
        let declared = context.pages.profile_fields.iter();
        Self {
            username,
            email,
            password: Field::new_password(&page, "field.password", policy.passwords.min_chars),
            profile: declared.map(|field| field.field(&page, form.trimmed(field.name()))).collect(),
            page,
            others: Vec::new(),
            return_to,
        }
    }

    /// A field of the profile by its name, for a template that does not want them one after the
    /// other.
    #[must_use]
    pub fn profile_field(&self, name: &str) -> Option<&Field> {
        self.profile.iter().find(|field| field.name == name)
    }

    /// The field that a path of an error belongs to: `address` of `address.street`.
    fn field_of(&mut self, path: &str) -> Option<&mut Field> {
        match path {
            "email" => Some(&mut self.email),
            "password" => Some(&mut self.password),
            "username" => self.username.as_mut(),
            _ => {
                let name = path.split(['.', '[']).next().unwrap_or(path);
                self.profile.iter_mut().find(|field| field.name == name)
            }
        }
    }
}

pub(crate) fn routes<U: Account>() -> Router<Shared<U>> {
    page(&ROUTES, [visit(form), visit(register)])
}

async fn form<U: Account>(mut visit: Visit<U>) -> Outcome {
    let return_to = visit.context.return_to();
    if visit.caller().await?.is_some() {
        return Ok(visit.context.redirect_to(&visit.context.after_login(return_to.as_deref())));
    }
    let view = RegisterPage::new(&visit.context, &Form::default(), return_to);
    Ok(answer(&visit.context, StatusCode::OK, &view))
}

async fn register<U: Account>(mut visit: Visit<U>) -> Outcome {
    let form = visit.form()?;
    let context = &visit.context;
    let return_to = return_to::allowed(context.auth(), form.get("return_to"));
    let mut view = RegisterPage::new(context, &form, return_to);
    let Some(new) = read(context, &mut view, form) else {
        return Ok(answer(context, StatusCode::UNPROCESSABLE_ENTITY, &view));
    };
    let new = new.mails(context.mails("/verify-email")).notices(context.notices());
    let (email, Some(password)) = (new.email.clone(), new.password.clone()) else { return Err(Failure::BadRequest) };
    let (realm, username) = (new.realm.clone(), new.username.clone());
    match context.auth().sign_up(new).await {
        Ok(SignUp::Registered(_)) => {}
        // Whether or not there was an account already (ASVS 6.3.8). Nobody is logged in before the
        // address is verified.
        Ok(_) => return Ok(check_mail(context, email.as_deref())),
        Err(error) => {
            let status = refused(context, &mut view, error)?;
            return Ok(answer(context, status, &view));
        }
    }

    let mut login = Login::password(password);
    (login.email, login.realm, login.username) = (email.clone(), realm, username);
    match visit.log_in(login, &context.after_login(view.return_to.as_deref())).await {
        Ok(response) => Ok(response),
        Err(LogInFailure::Failed(failure)) => Err(failure),
        Err(LogInFailure::Refused(LoginError::Unavailable(error))) => Err(error.into()),
        Err(LogInFailure::Refused(LoginError::EmailNotVerified { .. })) => Ok(check_mail(context, email.as_deref())),
        Err(LogInFailure::Refused(LoginError::Pending)) => {
            let page = context.page("register.pending.title");
            let text = page.text("register.pending").to_owned();
            Ok(context.say(StatusCode::OK, &MessagePage::new(page, text)))
        }
        // The account is there; whoever does not let it in says so at the login.
        Err(LogInFailure::Refused(_)) => Ok(context.redirect("/login")),
    }
}

fn check_mail<U: Account>(context: &PageContext<U>, email: Option<&str>) -> axum::response::Response {
    let page = context.page("check-mail.title");
    let text = page.text_with("check-mail.verify", &[("email", email.unwrap_or_default())]);
    context.say(StatusCode::OK, &MessagePage::new(page, text).hint("check-mail.hint"))
}

/// Reads the form. All that can be told of it without asking the store is told at once, in the
/// order of the fields; then there is nothing to register.
fn read<U: Account>(context: &PageContext<U>, view: &mut RegisterPage, form: Form) -> Option<Register<U::Profile>> {
    let (auth, declared) = (context.auth(), &context.pages.profile_fields);
    let text = |name: &str| form.get(name).filter(|text| !text.is_empty()).map(str::to_owned);
    let (email, password) = (form.trimmed("email"), form.password("password").map(Password::from));
    let (username, realm) = (text("username"), text("realm").filter(|_| auth.policy().clients_set_realm()));

    let names = PasswordOwner::default().email(email.as_deref()).username(username.as_deref());
    // The password is looked at below, with its length.
    let mut wrong = auth.check_sign_up(names, true);
    wrong.sort_by_key(|error| error.field != "username");
    wrong.iter().for_each(|error| refuse(context, view, error));
    match &password {
        None => refuse(context, view, &FieldError::new("password", FieldProblem::Missing, None)),
        Some(password) => {
            if let Err(error) = auth.check_new_password(password, names) {
                refuse_password(view, &error);
            }
        }
    }

    let mut fields = Map::new();
    for field in declared {
        let entered = field.read(&form);
        let message = match &entered {
            entered if field.lacks(entered) => Some(field.missing_message(&view.page)),
            Entered::Wrong => Some(field.invalid_message(&view.page)),
            Entered::Nothing | Entered::Value(_) => None,
        };
        if let Some(message) = message {
            note(view, field.name(), message);
        } else if let Entered::Value(value) = entered {
            fields.insert(field.name().to_owned(), value);
        }
    }
    for (name, value) in others(form, declared) {
        view.others.push((name.clone(), value.clone()));
        if !["username", "realm"].contains(&&*name) {
            fields.insert(name, Value::String(value));
        }
    }
    let profile = match read_profile(fields) {
        Ok(profile) => profile,
        Err(errors) => {
            let told =
                |view: &mut RegisterPage, path: &str| view.field_of(path).is_some_and(|field| field.error.is_some());
            for error in &errors {
                if !told(view, &error.field) {
                    refuse(context, view, error);
                }
            }
            return None;
        }
    };
    if !view.page.problems.is_empty() {
        return None;
    }
    let mut new = Register::with_profile(profile);
    (new.email, new.username, new.realm, new.password) = (email, username, realm, password);
    Some(new)
}

/// The fields that only a template of the app's has: what a client may not say of itself is no part
/// of a profile either, as at `POST /users`.
fn others(form: Form, declared: &[ProfileField]) -> Vec<(String, String)> {
    const OURS: [&str; 7] = ["email", "password", "return_to", "__proto__", "id", "emailVerified", "verificationToken"];
    let is_other = |name: &str| !OURS.contains(&name) && declared.iter().all(|field| field.name() != name);
    form.into_fields().filter(|(name, _)| is_other(name)).collect()
}

fn refused<U: Account>(
    context: &PageContext<U>,
    view: &mut RegisterPage,
    error: RegisterError,
) -> Result<StatusCode, Failure> {
    match error {
        RegisterError::Password(error) => refuse_password(view, &error),
        RegisterError::Invalid(errors) => errors.iter().for_each(|error| refuse(context, view, error)),
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

/// Says what is wrong with a field, in the language of the page.
fn refuse<U: Account>(context: &PageContext<U>, view: &mut RegisterPage, error: &FieldError) {
    let page = &view.page;
    let name = error.field.split(['.', '[']).next().unwrap_or_default();
    let declared = context.pages.profile_fields.iter().find(|field| field.name() == name);
    let message = match (error.field.as_str(), &error.problem, declared) {
        ("email", FieldProblem::Missing, _) => page.text("error.email.missing").to_owned(),
        ("email", FieldProblem::Taken, _) => page.text("error.email.taken").to_owned(),
        ("email", ..) => page.text("error.email.invalid").to_owned(),
        ("password", FieldProblem::Missing, _) => page.text("error.password.new.missing").to_owned(),
        ("username", FieldProblem::Missing, _) => page.text("error.username.missing").to_owned(),
        ("username", FieldProblem::Taken, _) => page.text("error.username.taken").to_owned(),
        ("username", ..) => page.text("error.username.invalid").to_owned(),
        (path, FieldProblem::Missing, Some(field)) if path == name => field.missing_message(page),
        (.., Some(field)) => field.invalid_message(page),
        (field, problem, None) => {
            let message = page.text(problem_text(problem));
            page.text_with("error.field", &[("field", field), ("message", message)])
        }
    };
    note(view, &error.field, message);
}

/// The text for what is wrong with a field that only the app's own template has.
fn problem_text(problem: &FieldProblem) -> &'static str {
    match problem {
        FieldProblem::Missing => "error.problem.missing",
        FieldProblem::Taken => "error.problem.taken",
        FieldProblem::Unknown | FieldProblem::NotSettable => "error.problem.unknown",
        FieldProblem::TooLarge(_) | FieldProblem::TooDeep(_) => "error.problem.large",
        _ => "error.problem.invalid",
    }
}

/// Notes what is wrong, above the form and beside the field if the form has it.
fn note(view: &mut RegisterPage, path: &str, message: String) {
    match view.field_of(path).map(|field| field.name.clone()) {
        Some(name) => {
            let message = view.page.problem(&name, message);
            if let Some(field) = view.field_of(path) {
                field.error = Some(message);
            }
        }
        None => {
            view.page.problem(path, message);
        }
    }
}

fn refuse_password(view: &mut RegisterPage, error: &PasswordError) {
    let message = field::password_message(&view.page, error);
    note(view, "password", message);
}

fn answer<U: Account>(context: &PageContext<U>, status: StatusCode, view: &RegisterPage) -> axum::response::Response {
    context.show(status, &view.page, context.pages.look.templates.register(view))
}
