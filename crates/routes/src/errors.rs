//! What the flows' errors look like to a client: status, code and text, most of them LoopBack's.

use axum::http::StatusCode;
use gatekit_core::{
    ChangeEmailError, ChangePasswordError, ConfirmEmailError, DeleteAccountError, FieldError, FilterError,
    IssueTokenError, LoginError, LogoutError, PasswordError, Refusal, RegisterError, RequestEmailVerificationError,
    RequestPasswordResetError, ResetPasswordError, StepUpError, StoreError, Unavailable, UpdateUserError,
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
            Self::EmailNotVerified { ref user_id } => {
                let details = json!({ "userId": user_id });
                return ErrorResponse::new(StatusCode::UNAUTHORIZED, self.to_string())
                    .code(self.code().to_owned())
                    .details(details);
            }
            Self::InvalidCredentials => StatusCode::UNAUTHORIZED,
            Self::Blocked | Self::Pending | Self::PasswordReset => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        };
        ErrorResponse::new(status, self.to_string()).code(self.code().to_owned())
    }
}

impl IntoError for UpdateUserError {
    fn into_error(self, model: &str) -> ErrorResponse {
        let (status, code) = match self {
            Self::Unavailable(error) => return error.into_error(model),
            Self::Password(error) => return error.into_error(model),
            Self::Invalid(errors) => return validation_error(model, &errors),
            Self::NotFound(_) => (StatusCode::NOT_FOUND, "MODEL_NOT_FOUND"),
            Self::PasswordChangeNotAllowed => (StatusCode::UNAUTHORIZED, "PASSWORD_CHANGE_NOT_ALLOWED"),
            Self::EmailChangeNotAllowed => (StatusCode::FORBIDDEN, "EMAIL_CHANGE_NOT_ALLOWED"),
            Self::Conflict => (StatusCode::CONFLICT, "CONFLICT"),
            _ => return ErrorResponse::new(StatusCode::BAD_REQUEST, self.to_string()),
        };
        ErrorResponse::new(status, self.to_string()).code(code)
    }
}

impl IntoError for ChangeEmailError {
    fn into_error(self, model: &str) -> ErrorResponse {
        let status = match self {
            Self::Refused(refusal) => return refusal.into_error(model),
            Self::Unavailable(error) => return error.into_error(model),
            Self::Invalid(error) => return validation_error(model, &[*error]),
            Self::UserNotFound(_) | Self::StepUpRequired => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        ErrorResponse::new(status, self.to_string()).code(self.code().to_owned())
    }
}

impl IntoError for DeleteAccountError {
    fn into_error(self, model: &str) -> ErrorResponse {
        let status = match self {
            Self::Refused(refusal) => return refusal.into_error(model),
            Self::Unavailable(error) => return error.into_error(model),
            Self::UserNotFound(_) | Self::StepUpRequired => StatusCode::UNAUTHORIZED,
            _ => StatusCode::BAD_REQUEST,
        };
        ErrorResponse::new(status, self.to_string()).code(self.code().to_owned())
    }
}

impl IntoError for StepUpError {
    fn into_error(self, model: &str) -> ErrorResponse {
        match self {
            Self::Unavailable(error) => error.into_error(model),
            Self::Refused(refusal) => refusal.into_error(model),
            Self::WrongPassword => {
                ErrorResponse::new(StatusCode::BAD_REQUEST, self.to_string()).code(self.code().to_owned())
            }
            _ => AuthRejection::Invalid.to_error(),
        }
    }
}

impl IntoError for RequestEmailVerificationError {
    fn into_error(self, model: &str) -> ErrorResponse {
        match self {
            Self::Unavailable(error) => error.into_error(model),
            error => ErrorResponse::new(StatusCode::NOT_FOUND, error.to_string()).code("MODEL_NOT_FOUND"),
        }
    }
}

impl IntoError for ConfirmEmailError {
    fn into_error(self, model: &str) -> ErrorResponse {
        let status = match self {
            Self::Unavailable(error) => return error.into_error(model),
            Self::UserNotFound(_) => StatusCode::NOT_FOUND,
            _ => StatusCode::BAD_REQUEST,
        };
        ErrorResponse::new(status, self.to_string()).code(self.code())
    }
}

impl IntoError for IssueTokenError {
    fn into_error(self, model: &str) -> ErrorResponse {
        match self {
            Self::Unavailable(error) => error.into_error(model),
            Self::UserNotFound => ErrorResponse::new(StatusCode::NOT_FOUND, self.to_string()).code("MODEL_NOT_FOUND"),
            Self::NotActive => ErrorResponse::new(StatusCode::FORBIDDEN, self.to_string()).code("ACCOUNT_NOT_ACTIVE"),
            _ => ErrorResponse::new(StatusCode::BAD_REQUEST, self.to_string()).code("INVALID_TTL"),
        }
    }
}

impl IntoError for FilterError {
    fn into_error(self, _: &str) -> ErrorResponse {
        let error = ErrorResponse::new(StatusCode::BAD_REQUEST, self.to_string());
        match self.code() {
            Some(code) => error.code(code),
            None => error,
        }
    }
}

impl IntoError for StoreError {
    fn into_error(self, model: &str) -> ErrorResponse {
        Unavailable::from(self).into_error(model)
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
            Self::Refused(refusal) => return refusal.into_error(model),
            Self::Unavailable(error) => return error.into_error(model),
            Self::Password(error) => return error.into_error(model),
            Self::UserNotFound(_) => StatusCode::UNAUTHORIZED,
            Self::Conflict => StatusCode::CONFLICT,
            _ => StatusCode::BAD_REQUEST,
        };
        ErrorResponse::new(status, self.to_string()).code(self.code().to_owned())
    }
}

impl IntoError for RequestPasswordResetError {
    fn into_error(self, model: &str) -> ErrorResponse {
        match self {
            Self::Unavailable(error) => error.into_error(model),
            Self::EmailNotVerified => {
                ErrorResponse::new(StatusCode::UNAUTHORIZED, self.to_string()).code("RESET_FAILED_EMAIL_NOT_VERIFIED")
            }
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
        if self.is_fault() {
            return ErrorResponse::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
        }
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

/// The longest value that is shown, in characters; LoopBack's limit.
const MAX_SHOWN: usize = 32;

/// A value as LoopBack shows it in a message: a text in double quotes, the rest as Node's
/// `util.inspect` prints it.
fn inspect(value: Option<&Value>) -> String {
    match value {
        None => "undefined".to_owned(),
        Some(Value::String(text)) => Value::String(shorten(text)).to_string(),
        Some(value) => shorten(&inspect_nested(value, if value.is_array() { 1 } else { 0 })),
    }
}

/// Cuts the middle out of a long value. What closes it stays: up to three brackets or blanks, or
/// else its last three characters.
pub(crate) fn shorten(text: &str) -> String {
    let length = text.chars().count();
    if length <= MAX_SHOWN {
        return text.to_owned();
    }
    let closing = text.chars().rev().take_while(|c| matches!(c, ' ' | '\t' | '}' | ')' | ']')).count();
    let kept = if closing == 0 { 3 } else { closing.min(3) };
    let head = text.chars().take(MAX_SHOWN - kept - 4);
    head.chain("...".chars()).chain(text.chars().skip(length - kept)).collect()
}

/// `depth` is how many levels below this one are shown.
fn inspect_nested(value: &Value, depth: usize) -> String {
    let inner = |value: &Value| match value {
        Value::Array(_) if depth == 0 => "[Array]".to_owned(),
        Value::Object(_) if depth == 0 => "[Object]".to_owned(),
        value => inspect_nested(value, depth.saturating_sub(1)),
    };
    match value {
        Value::String(text) => format!("'{text}'"),
        Value::Array(items) if items.is_empty() => "[]".into(),
        Value::Object(members) if members.is_empty() => "{}".into(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().take(MAX_SHOWN).map(inner).collect();
            format!("[ {} ]", items.join(", "))
        }
        Value::Object(members) => {
            let members: Vec<_> =
                members.iter().take(MAX_SHOWN).map(|(key, value)| format!("{key}: {}", inner(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Contract §3.
    #[test]
    fn values_are_shown_as_loopback_shows_them() {
        for (value, shown) in [
            (json!(""), r#""""#),
            (json!("a\"b"), r#""a\"b""#),
            (json!(5), "5"),
            (json!(null), "null"),
            (json!({"a": 1}), "{ a: 1 }"),
            (json!({"a": {"b": 1}}), "{ a: [Object] }"),
            (json!(["b17@x.com"]), "[ 'b17@x.com' ]"),
            (json!([{"a": {"b": 1}}]), "[ { a: [Object] } ]"),
            (json!([]), "[]"),
            (json!("client-6474c4f4-ae79-46ef-b7de-0011@example.com"), r#""client-6474c4f4-ae79-46ef...com""#),
            (json!(["a-very-long-address@of-somebody.example"]), "[ 'a-very-long-address@of-... ]"),
        ] {
            assert_eq!(inspect(Some(&value)), shown);
        }
        assert_eq!(inspect(None), "undefined");
    }
}
