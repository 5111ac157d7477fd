//! What the flows' errors look like to a client: status, code and text, most of them LoopBack's.

use axum::http::StatusCode;
use gatekit_core::{
    ChangePasswordError, FieldError, LoginError, LogoutError, PasswordError, Refusal, RegisterError,
    RequestPasswordResetError, ResetPasswordError, Unavailable,
};
use gatekit_layer::{AuthRejection, ErrorResponse};
use serde_json::{Map, Value, json};

/// Turns a flow's error into an answer. `model` is what validation messages call a user.
pub(crate) trait IntoError {
    fn into_error(self, model: &str) -> ErrorResponse;
}

impl IntoError for LoginError {
    fn into_error(self, model: &str) -> ErrorResponse {
        let status = match self {
            Self::Unavailable(error) => return error.into_error(model),
            Self::Refused(refusal) => return refusal.into_error(model),
            Self::InvalidCredentials => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        ErrorResponse::new(status, self.to_string()).code(self.code().to_owned())
    }
}

impl IntoError for LogoutError {
    fn into_error(self, model: &str) -> ErrorResponse {
        match self {
            Self::Unavailable(error) => error.into_error(model),
            error => ErrorResponse::new(StatusCode::UNAUTHORIZED, error.to_string()),
        }
    }
}

impl IntoError for RegisterError {
    fn into_error(self, model: &str) -> ErrorResponse {
        match self {
            Self::Password(error) => error.into_error(model),
            Self::Invalid(errors) => validation_error(model, &errors),
            Self::Refused(refusal) => refusal.into_error(model),
            Self::Unavailable(error) => error.into_error(model),
            error => ErrorResponse::new(StatusCode::UNPROCESSABLE_ENTITY, error.to_string()),
        }
    }
}

impl IntoError for ChangePasswordError {
    fn into_error(self, model: &str) -> ErrorResponse {
        let status = match self {
            Self::Unavailable(error) => return error.into_error(model),
            Self::Password(error) => return error.into_error(model),
            Self::UserNotFound(_) => StatusCode::UNAUTHORIZED,
            Self::Conflict => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        };
        ErrorResponse::new(status, self.to_string()).code(self.code())
    }
}

impl IntoError for RequestPasswordResetError {
    fn into_error(self, model: &str) -> ErrorResponse {
        match self {
            Self::Unavailable(error) => error.into_error(model),
            error => ErrorResponse::new(StatusCode::NOT_FOUND, error.to_string()).code("EMAIL_NOT_FOUND"),
        }
    }
}

impl IntoError for ResetPasswordError {
    fn into_error(self, model: &str) -> ErrorResponse {
        match self {
            Self::Unavailable(error) => error.into_error(model),
            Self::Password(error) => error.into_error(model),
            Self::UserNotFound(_) => {
                ErrorResponse::new(StatusCode::UNAUTHORIZED, self.to_string()).code("USER_NOT_FOUND")
            }
            _ => AuthRejection::Invalid.to_error(),
        }
    }
}

impl IntoError for PasswordError {
    fn into_error(self, _: &str) -> ErrorResponse {
        ErrorResponse::new(StatusCode::UNPROCESSABLE_ENTITY, self.to_string()).code(self.code())
    }
}

impl IntoError for Refusal {
    fn into_error(self, _: &str) -> ErrorResponse {
        ErrorResponse::new(StatusCode::FORBIDDEN, self.message).code(self.code)
    }
}

impl IntoError for Unavailable {
    fn into_error(self, _: &str) -> ErrorResponse {
        tracing::error!(error = %self, "a request failed");
        ErrorResponse::unavailable(self.retry_after())
    }
}

/// LoopBack's `ValidationError`, 422: every field that is wrong, for people and for programs.
fn validation_error(model: &str, errors: &[FieldError]) -> ErrorResponse {
    let texts: Vec<String> = errors
        .iter()
        .map(|error| format!("`{}` {} (value: {})", error.field, error.message, inspect(error.value.as_ref())))
        .collect();
    let mut codes = Map::new();
    let mut messages = Map::new();
    for error in errors {
        push(&mut codes, error, &error.code);
        push(&mut messages, error, &error.message);
    }
    let message = format!("The `{model}` instance is not valid. Details: {}.", texts.join("; "));
    ErrorResponse::new(StatusCode::UNPROCESSABLE_ENTITY, message)
        .name("ValidationError")
        .details(json!({ "context": model, "codes": codes, "messages": messages }))
}

fn push(object: &mut Map<String, Value>, error: &FieldError, text: &str) {
    if let Value::Array(texts) = object.entry(error.field.clone()).or_insert_with(|| json!([])) {
        texts.push(text.into());
    }
}

/// The longest value that is shown, in characters.
const MAX_SHOWN: usize = 200;

/// A value as Node's `util.inspect` prints it, one with double quotes at the top as LoopBack has them.
fn inspect(value: Option<&Value>) -> String {
    let text = match value {
        None => "undefined".to_owned(),
        Some(Value::String(text)) => format!("{:?}", text.chars().take(MAX_SHOWN).collect::<String>()),
        Some(value) => inspect_nested(value, 0),
    };
    text.chars().take(2 * MAX_SHOWN).collect()
}

fn inspect_nested(value: &Value, depth: usize) -> String {
    match value {
        Value::String(text) => format!("'{}'", text.chars().take(MAX_SHOWN).collect::<String>()),
        Value::Array(_) if depth > 2 => "[Array]".into(),
        Value::Object(_) if depth > 2 => "[Object]".into(),
        Value::Array(items) if items.is_empty() => "[]".into(),
        Value::Object(members) if members.is_empty() => "{}".into(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().take(10).map(|item| inspect_nested(item, depth + 1)).collect();
            format!("[ {} ]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<_> = members
                .iter()
                .take(10)
                .map(|(key, value)| format!("{key}: {}", inspect_nested(value, depth + 1)))
                .collect();
            format!("{{ {} }}", members.join(", "))
        }
        value => value.to_string(),
    }
}
