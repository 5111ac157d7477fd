//! The part of a user that a client sees.

use axum::response::{IntoResponse, Response};
use gatekit_core::Account;
use serde_json::{Map, Value};

use crate::Answers;
use crate::reply::Json;

/// The members that a loaded user has as `null` where it has no value, in LoopBack's order
/// (`Answers::null_members`).
const MEMBERS: [&str; 4] = ["realm", "username", "email", "emailVerified"];

/// A user that was loaded, as JSON.
pub(crate) fn loaded<U: Account>(answers: &Answers, user: &U) -> Value {
    match serde_json::to_value(user) {
        Ok(Value::Object(user)) if answers.null_members => Value::Object(with_nulls(user)),
        Ok(user) => user,
        // Only an app's own `Serialize` can fail.
        Err(error) => {
            tracing::error!(%error, "a user could not be serialized; see its Serialize implementation");
            Value::Null
        }
    }
}

/// The answer that is a loaded user.
pub(crate) fn loaded_response<U: Account>(answers: &Answers, user: U) -> Response {
    // Nothing to add: it is written as it is, without a detour.
    if answers.null_members { Json(loaded(answers, &user)).into_response() } else { Json(user).into_response() }
}

fn with_nulls(mut user: Map<String, Value>) -> Map<String, Value> {
    let mut all = Map::new();
    for member in MEMBERS {
        all.insert(member.to_owned(), user.shift_remove(member).unwrap_or(Value::Null));
    }
    all.extend(user);
    all
}
