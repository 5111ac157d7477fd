//! `POST /`: sign up.

use axum::Router;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use gatekit_core::{
    Account, Auth, FieldError, FieldErrors, FieldProblem, Method, Password, PasswordOwner, Register, SignUp,
    read_profile,
};
use gatekit_layer::{ErrorResponse, refuse_cross_origin_of};
use gatekit_web::{Argument, Field, Route, RouteResponse, Schema, Shape};
use serde_json::{Map, Value};

use crate::UserApi;
use crate::call::Call;
use crate::declared::{DENIED, FROM_ANOTHER_ORIGIN, INVALID_USER, VETOED};
use crate::errors::IntoError;
use crate::feature::{Feature, call};
use crate::reply::Json;

const ROUTES: [Route; 1] = [Route::post("/", "Signs a user up, or several users at once.")
    .method(Method::CREATE)
    .arguments(&[Argument::whole_body("data", Shape::OneOf(&[NEW_USER, Shape::Array(&NEW_USER)]))])
    .responses(&[
        RouteResponse::new(200, Shape::OneOf(&[Shape::User, Shape::Array(&Shape::User)])),
        RouteResponse::error(400, &["TOO_MANY_USERS"], "the array has more users than one request may make"),
        DENIED,
        FROM_ANOTHER_ORIGIN,
        VETOED,
        INVALID_USER,
        RouteResponse::error(
            422,
            &[
                "INVALID_PASSWORD",
                "PASSWORD_TOO_LONG",
                "PASSWORD_TOO_SHORT",
                "PASSWORD_TOO_COMMON",
                "PASSWORD_TOO_GUESSABLE",
            ],
            "the policy refuses the password",
        ),
    ])];

const NEW_USER: Shape = Shape::Object(&Schema::open(
    "NewUser",
    &[
        Field::new("email", Shape::Email),
        Field::new("password", Shape::Password),
        Field::optional("username", Shape::String),
        Field::optional("realm", Shape::String),
    ],
));

/// `POST /` with `{"email", "password", "username"?, "realm"?}` and the fields of the user type's
/// [`Profile`](gatekit_core::Account::Profile): 200 and the new user, never its password.
///
/// What a user must not choose is not read: `emailVerified` is stored as `false` if it is sent,
/// `verificationToken` is ignored, `id` is refused. `realm` is ignored unless
/// [`Policy::clients_set_realm`](gatekit_core::Policy::clients_set_realm).
///
/// Where an address must be verified and `policy.reveal.taken_email` is off, the response has only
/// `realm`, `username` and `email`, and is the same for an address that has an account (ASVS
/// 6.3.8): its owner gets a mail. See [`Auth::sign_up`].
///
/// Where a sign-up is mailed a link, the link leads to a page of
/// [`verify_email`](crate::verify_email), or to the app's own (`VerifyOptions::verify_href`). If
/// there is neither, the mail holds the bare secret.
///
/// An array of these, up to `Answers::max_batch`, makes them all: 200 and an array of users.
/// If some are refused the rest is made, and the answer is 422 with `details` an array of errors,
/// `null` for each user that was made. By default it is for everyone (`create`).
///
/// | answer | when |
/// | --- | --- |
/// | 400 `TOO_MANY_USERS` | the array is longer |
/// | 403 `CROSS_ORIGIN_REQUEST` | a page of another origin asks with a body that is not JSON |
/// | 401 `AUTHORIZATION_REQUIRED` | the access control list says no |
/// | 422 `ValidationError`, with `details` | fields are missing, malformed or taken |
/// | 422 `INVALID_PASSWORD`, `PASSWORD_TOO_LONG`, `PASSWORD_TOO_SHORT`, `PASSWORD_TOO_COMMON`, `PASSWORD_TOO_GUESSABLE` | the policy refuses the password |
/// | 403 | a hook refuses |
/// | 503 `SERVICE_UNAVAILABLE` | the store fails, or too many passwords wait to be hashed |
pub fn register<U: Account, S: Clone + Send + Sync + 'static>(api: impl Into<UserApi<U>>) -> Router<S> {
    feature().alone(api)
}

pub(crate) fn feature<U: Account>() -> Feature<U> {
    Feature::new("register", &ROUTES, [call(handler)])
}

async fn handler<U: Account>(mut call: Call<U>) -> Result<Response, ErrorResponse> {
    // A page of another origin can send a form unasked, and JSON only if the app has allowed it.
    if !call.body_is_json() {
        refuse_cross_origin_of::<U>(call.parts()).map_err(|rejection| rejection.to_error())?;
    }
    if let Some(users) = call.body.take_array() {
        return create_many(&mut call, users).await;
    }
    let fields = call.take_body().into_object_or_empty()?;
    call.authorize(None).await?;
    Ok(Json(sign_up(&mut call, fields).await?).into_response())
}

/// Signs up one user: what the client is shown.
async fn sign_up<U: Account>(call: &mut Call<U>, fields: Map<String, Value>) -> Result<Value, ErrorResponse> {
    let register = request(call, fields).await?;
    let outcome = call.auth.sign_up(register).await.map_err(|error| error.into_error(U::model_name()))?;
    let shown = match outcome {
        SignUp::Registered(user) => serde_json::to_value(user),
        SignUp::CheckMail(sent) => serde_json::to_value(sent),
        _ => Ok(Value::Null),
    };
    shown.map_err(|error| {
        // Only an app's own `Serialize` can fail.
        tracing::error!(%error, "a user could not be serialized; see its Serialize implementation");
        ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error")
    })
}

async fn request<U: Account>(
    call: &mut Call<U>,
    fields: Map<String, Value>,
) -> Result<Register<U::Profile>, ErrorResponse> {
    let register = read(&call.auth, fields);
    let mut register = register.map_err(|errors| FieldErrors::from(errors).into_error(U::model_name()))?;
    register.mails = call.mails().await;
    if !call.auth.has_confirm_route() {
        // A link would lead to a 404. Where the app has a page of its own (`verify_href`), the link
        // leads there all the same.
        register.mails.mount = None;
    }
    register.notices = call.notices();
    Ok(register)
}

/// Makes one user for a caller that may create or change any. What is taken is told.
pub(crate) async fn create<U: Account>(call: &mut Call<U>, fields: Map<String, Value>) -> Result<U, ErrorResponse> {
    let register = request(call, fields).await?;
    call.auth.register(register).await.map_err(|error| error.into_error(U::model_name()))
}

/// Makes users one after the other. Those that are sound stay, whatever is wrong with others, as in
/// LoopBack.
async fn create_many<U: Account>(call: &mut Call<U>, users: Vec<Value>) -> Result<Response, ErrorResponse> {
    let not_an_object = || ErrorResponse::new(StatusCode::BAD_REQUEST, "Value is not an object.");
    let max = call.answers.max_batch;
    if users.len() > max {
        let message = format!("no more than {max} users can be made at once");
        return Err(ErrorResponse::new(StatusCode::BAD_REQUEST, message).code("TOO_MANY_USERS"));
    }
    let users: Option<Vec<Map<String, Value>>> = users
        .into_iter()
        .map(|user| match user {
            Value::Object(fields) => Some(fields),
            _ => None,
        })
        .collect();
    let users = users.ok_or_else(not_an_object)?;
    call.authorize(None).await?;
    let (mut made, mut errors) = (Vec::new(), Vec::new());
    for fields in users {
        match sign_up(call, fields).await {
            Ok(user) => {
                made.push(user);
                errors.push(None);
            }
            // It is nobody's fault and would hit the rest too.
            Err(error) if error.status().is_server_error() => return Err(error),
            Err(error) => errors.push(Some(error)),
        }
    }
    if errors.iter().all(Option::is_none) {
        return Ok(Json(made).into_response());
    }
    // LoopBack answers 500, but it is the request that is wrong.
    Err(ErrorResponse::several(StatusCode::UNPROCESSABLE_ENTITY, errors))
}

/// Everything in the body that is not Gatekit's is the app's profile.
fn read<U: Account>(auth: &Auth<U>, mut body: Map<String, Value>) -> Result<Register<U::Profile>, Vec<FieldError>> {
    let mut problems = Vec::new();
    // To the flow `null` is no address like any other; the answer tells what was sent.
    if auth.policy().requires_email() && body.get("email").is_some_and(Value::is_null) {
        problems.push(FieldError::new("email", FieldProblem::Missing, Some(Value::Null)));
    }
    let email = text(&mut body, "email", &mut problems);
    let username = name(&mut body, "username", &mut problems);
    if !auth.policy().clients_set_realm() {
        body.shift_remove("realm");
    }
    let realm = name(&mut body, "realm", &mut problems);
    let password = match body.shift_remove("password") {
        Some(Value::String(password)) => Some(Password::from(password)),
        _ => None,
    };
    let claims_verified = body.shift_remove("emailVerified").is_some_and(|value| !value.is_null() && value != false);
    body.shift_remove("verificationToken");
    // LoopBack's relation, which is no field of a user.
    body.shift_remove("accessTokens");
    // No field of anybody's: clients in JavaScript that copy a user would change the prototype of
    // all objects by it (CWE-1321).
    body.shift_remove("__proto__");
    if let Some(id) = body.shift_remove("id").filter(Value::is_number) {
        problems.push(FieldError::new("id", FieldProblem::NotSettable, Some(id)));
    }
    match read_profile(body) {
        Ok(profile) => {
            let mut register = Register::with_profile(profile);
            register.email = email;
            register.username = username;
            register.realm = realm;
            register.password = password;
            register.email_verified = claims_verified.then_some(false);
            register.problems = problems;
            Ok(register)
        }
        // The flow cannot begin without a profile, but all that is wrong is told at once.
        Err(errors) => {
            let mut names = PasswordOwner::default().email(email.as_deref()).username(username.as_deref());
            names.realm = realm.as_deref();
            let mut wrong = auth.check_sign_up(names, password.is_some());
            wrong.retain(|error| error.field != "email" || problems.iter().all(|problem| problem.field != "email"));
            wrong.extend(problems);
            wrong.extend(errors);
            Err(wrong)
        }
    }
}

fn text(body: &mut Map<String, Value>, field: &str, problems: &mut Vec<FieldError>) -> Option<String> {
    match body.shift_remove(field) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => {
            problems.push(FieldError::new(field, FieldProblem::InvalidString, Some(other)));
            None
        }
    }
}

/// Like [`text`], but a number becomes a text, as LoopBack has it.
fn name(body: &mut Map<String, Value>, field: &str, problems: &mut Vec<FieldError>) -> Option<String> {
    match body.get(field) {
        Some(Value::Number(number)) => {
            let number = number.to_string();
            body.shift_remove(field);
            Some(number)
        }
        _ => text(body, field, problems),
    }
}
