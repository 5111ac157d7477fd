//! `POST /`: sign up.

use axum::Router;
use axum::extract::State;
use axum::response::IntoResponse;
use axum::routing::post;
use gatekit_core::{Account, Auth, FieldError, Password, Profile, Register};
use gatekit_layer::ErrorResponse;
use serde_json::{Map, Value};

use crate::body::Args;
use crate::caller::Anyone;
use crate::errors::IntoError;
use crate::reply::Json;

/// `POST /` with `{"email", "password", "username"?, "realm"?}` and the fields of the user type's
/// [`Profile`](gatekit_core::Account::Profile): 200 and the new user, never its password.
///
/// What a user must not choose is not read: `emailVerified` is stored as `false` if it is sent, `verificationToken` is ignored,
/// `id` is refused.
///
/// | answer | when |
/// | --- | --- |
/// | 422 `ValidationError`, with `details` | fields are missing, malformed or taken |
/// | 422 `INVALID_PASSWORD`, `PASSWORD_TOO_LONG`, `PASSWORD_TOO_SHORT`, `PASSWORD_TOO_COMMON` | the policy refuses the password |
/// | 403 | a hook refuses |
/// | 503 `SERVICE_UNAVAILABLE` | the store fails, or too many passwords wait to be hashed |
pub fn register<U: Account, S: Clone + Send + Sync + 'static>(auth: &Auth<U>) -> Router<S> {
    Router::new().route("/", post(handler::<U>)).with_state(auth.clone())
}

async fn handler<U: Account>(
    _: Anyone,
    State(auth): State<Auth<U>>,
    args: Args,
) -> Result<impl IntoResponse, ErrorResponse> {
    let register = read::<U::Profile>(args.into_object_or_empty()?);
    let register =
        register.map_err(|errors| gatekit_core::RegisterError::Invalid(errors).into_error(U::model_name()))?;
    let user = auth.register(register).await.map_err(|error| error.into_error(U::model_name()))?;
    Ok(Json(user))
}

/// Everything in the body that is not Gatekit's is the app's profile.
fn read<P: Profile>(mut body: Map<String, Value>) -> Result<Register<P>, Vec<FieldError>> {
    let mut problems = Vec::new();
    // To the flow `null` is no address like any other; the answer tells what was sent.
    if body.get("email").is_some_and(Value::is_null) {
        problems.push(FieldError::new("email", "presence", "can't be blank", Some(Value::Null)));
    }
    let email = text(&mut body, "email", &mut problems);
    let username = name(&mut body, "username", &mut problems);
    let realm = name(&mut body, "realm", &mut problems);
    let password = match body.remove("password") {
        Some(Value::String(password)) => Some(Password::from(password)),
        _ => None,
    };
    let claims_verified = body.remove("emailVerified").is_some_and(|value| !value.is_null() && value != false);
    body.remove("verificationToken");
    if let Some(id) = body.remove("id").filter(Value::is_number) {
        problems.push(FieldError::new("id", "absence", "can't be set", Some(id)));
    }
    match serde_json::from_value(Value::Object(body)) {
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
        Err(error) => {
            problems.push(profile_problem(&error.to_string()));
            Err(problems)
        }
    }
}

fn text(body: &mut Map<String, Value>, field: &str, problems: &mut Vec<FieldError>) -> Option<String> {
    match body.remove(field) {
        None | Some(Value::Null) => None,
        Some(Value::String(text)) => Some(text),
        Some(other) => {
            problems.push(FieldError::new(field, "custom.string", "is invalid", Some(other)));
            None
        }
    }
}

/// Like [`text`], but a number becomes a text, as LoopBack has it.
fn name(body: &mut Map<String, Value>, field: &str, problems: &mut Vec<FieldError>) -> Option<String> {
    match body.get(field) {
        Some(Value::Number(number)) => {
            let number = number.to_string();
            body.remove(field);
            Some(number)
        }
        _ => text(body, field, problems),
    }
}

/// What serde says of a profile, as a validation error: a missing field is named, anything else is told as it is.
fn profile_problem(message: &str) -> FieldError {
    let missing = message.strip_prefix("missing field `").and_then(|rest| rest.strip_suffix('`'));
    match missing {
        Some(field) => FieldError::new(field, "presence", "can't be blank", None),
        None => FieldError::new("profile", "custom.type", message, None),
    }
}
