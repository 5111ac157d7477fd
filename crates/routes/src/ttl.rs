//! Reads the lifetime of a token in a body.

use gatekit_layer::ErrorResponse;
use serde_json::Value;

use crate::errors::IntoError;

/// The `ttl` of a body, in seconds. `None` for a value that JavaScript takes for false.
pub(crate) fn ttl(value: Option<&Value>) -> Result<Option<i64>, ErrorResponse> {
    let seconds = match value {
        None | Some(Value::Null | Value::Bool(false)) => return Ok(None),
        Some(Value::Bool(true)) => Some(1),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => text.trim().parse::<f64>().ok().and_then(whole),
        Some(Value::Number(number)) => number.as_i64().or_else(|| number.as_f64().and_then(whole)),
        Some(Value::Array(_) | Value::Object(_)) => None,
    };
    seconds.map(Some).ok_or_else(|| gatekit_core::LoginError::InvalidTtl.into_error(""))
}

/// A whole number. A number that is too large for an integer becomes the largest one; the policy
/// limits it further.
fn whole(number: f64) -> Option<i64> {
    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is what is wanted")]
    (number.is_finite() && number.fract() == 0.0).then_some(number as i64)
}
