//! LoopBack's `ValidationError`: the words for each field that is wrong, and the values as LoopBack
//! shows them.

use std::borrow::Cow;

use axum::http::StatusCode;
use gatekit_core::{FieldError, FieldProblem};
use gatekit_layer::ErrorResponse;
use serde_json::{Map, Value, json};

/// LoopBack's `ValidationError`, 422: every field that is wrong, for people and for programs.
pub(crate) fn validation_error(model: &str, errors: &[FieldError]) -> ErrorResponse {
    let texts: Vec<String> = errors
        .iter()
        .map(|error| format!("`{}` {} (value: {})", error.field, words(error).1, inspect(error.value.as_ref())))
        .collect();
    let mut codes = Map::new();
    let mut messages = Map::new();
    for error in errors {
        let (code, message) = words(error);
        push(&mut codes, error, code);
        push(&mut messages, error, &message);
    }
    let message = format!("The `{model}` instance is not valid. Details: {}.", texts.join("; "));
    ErrorResponse::new(StatusCode::UNPROCESSABLE_ENTITY, message)
        .name("ValidationError")
        .details(json!({ "context": model, "codes": codes, "messages": messages }))
}

/// The code and the text that LoopBack has for what is wrong with a field, and Gatekit's own in the
/// same form for what LoopBack does not check.
fn words(error: &FieldError) -> (&'static str, Cow<'static, str>) {
    match &error.problem {
        FieldProblem::Missing => ("presence", "can't be blank".into()),
        FieldProblem::NotSettable => ("absence", "can't be set".into()),
        FieldProblem::Taken if error.field == "email" => ("uniqueness", "Email already exists".into()),
        FieldProblem::Taken => ("uniqueness", "User already exists".into()),
        FieldProblem::InvalidEmail => ("custom.email", "is invalid".into()),
        FieldProblem::InvalidString => ("custom.string", "is invalid".into()),
        FieldProblem::WrongType(message) => ("custom.type", message.clone().into()),
        FieldProblem::Unknown => ("custom.unknown", "is not a field".into()),
        FieldProblem::TooLarge(_) => ("custom.size", error.problem.to_string().into()),
        FieldProblem::TooDeep(_) => ("custom.depth", error.problem.to_string().into()),
        other => ("custom", other.to_string().into()),
    }
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
