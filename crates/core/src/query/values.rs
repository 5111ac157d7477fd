//! When a value is equal to another, or less: the one place where types are mixed.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::{Number, Value};

/// How a member compares with a value of a condition; `None` if neither is less and they are not
/// equal.
///
/// The value is taken as the type that the member has, as LoopBack does by the type that a property
/// was declared with.
pub(super) fn compare(member: Option<&Value>, value: &Value) -> Option<Ordering> {
    match (member.unwrap_or(&Value::Null), value) {
        (Value::Null, Value::Null) => Some(Ordering::Equal),
        (Value::Null, _) | (_, Value::Null) => None,
        (Value::Bool(member), value) => truth(value).map(|value| member.cmp(&value)),
        (Value::Number(member), value) => number(value).map(|value| Exact::from_json(member).cmp(value)),
        (Value::String(member), value) => text(value).map(|value| member.as_str().cmp(&value)),
        (member @ (Value::Array(_) | Value::Object(_)), value) => (member == value).then_some(Ordering::Equal),
    }
}

/// Which of two members comes first. A total order: types that do not compare come one after the
/// other.
pub(super) fn order(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    let (a, b) = (a.unwrap_or(&Value::Null), b.unwrap_or(&Value::Null));
    match (a, b) {
        (Value::Bool(a), Value::Bool(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => Exact::from_json(a).cmp(Exact::from_json(b)),
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (a, b) => rank(a).cmp(&rank(b)),
    }
}

fn rank(value: &Value) -> u8 {
    match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) | Value::Object(_) => 4,
    }
}

/// A value as one of `true` and `false`: the texts of a query string as LoopBack reads them,
/// anything else as JavaScript does.
fn truth(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => Some(!matches!(text.as_str(), "" | "false" | "0")),
        Value::Number(number) => Some(number.as_f64() != Some(0.0)),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn number(value: &Value) -> Option<Exact> {
    match value {
        Value::Bool(value) => Some(Exact::Int(i128::from(*value))),
        Value::Number(number) => Some(Exact::from_json(number)),
        Value::String(text) => Exact::from_text(text),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A value as text, as JavaScript writes it.
pub(super) fn text(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(text.into()),
        Value::Bool(value) => Some(if *value { "true" } else { "false" }.into()),
        Value::Number(number) => Some(Exact::from_json(number).to_text().into()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A number that is not rounded on the way: ids beyond 2^53 stay what they are.
#[derive(Clone, Copy, Debug)]
pub(super) enum Exact {
    Int(i128),
    Float(f64),
}

impl Exact {
    pub(super) fn from_json(number: &Number) -> Self {
        match (number.as_i64(), number.as_u64()) {
            (Some(int), _) => Self::Int(int.into()),
            (None, Some(int)) => Self::Int(int.into()),
            (None, None) => Self::Float(number.as_f64().unwrap_or(f64::NAN)),
        }
    }

    /// As JavaScript's `Number` reads it; `None` for what is no number. The empty text is 0.
    pub(super) fn from_text(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() {
            return Some(Self::Int(0));
        }
        for (prefix, radix) in [("0x", 16), ("0X", 16), ("0o", 8), ("0O", 8), ("0b", 2), ("0B", 2)] {
            if let Some(digits) = text.strip_prefix(prefix) {
                let is_signed = digits.starts_with(['+', '-']);
                return i128::from_str_radix(digits, radix).ok().filter(|_| !is_signed).map(Self::Int);
            }
        }
        if let Ok(int) = text.parse() {
            return Some(Self::Int(int));
        }
        match text {
            "Infinity" | "+Infinity" => Some(Self::Float(f64::INFINITY)),
            "-Infinity" => Some(Self::Float(f64::NEG_INFINITY)),
            // Rust has more names for what is no finite number.
            _ if text.contains(|c: char| c.is_ascii_alphabetic() && !c.eq_ignore_ascii_case(&'e')) => None,
            _ => text.parse().ok().map(Self::Float),
        }
    }

    /// By size. Floats first, which every number has; what is equal there is told apart by its
    /// whole part, which is exact. So it is a total order (JSON has no NaN).
    pub(super) fn cmp(self, other: Self) -> Ordering {
        let by_float = self.float().partial_cmp(&other.float()).unwrap_or(Ordering::Equal);
        by_float.then_with(|| self.whole().cmp(&other.whole()))
    }

    #[expect(clippy::cast_precision_loss, reason = "what is lost is compared afterwards")]
    pub(super) fn float(self) -> f64 {
        match self {
            Self::Int(int) => int as f64,
            Self::Float(float) => float,
        }
    }

    #[expect(clippy::cast_possible_truncation, reason = "`as` saturates, which is what is wanted")]
    pub(super) fn whole(self) -> i128 {
        match self {
            Self::Int(int) => int,
            Self::Float(float) => float as i128,
        }
    }

    fn to_text(self) -> String {
        match self {
            // Up to here JavaScript writes a whole number without an exponent.
            Self::Float(float) if float.fract() == 0.0 && float.abs() < 1e21 => self.whole().to_string(),
            Self::Float(float) => float.to_string(),
            Self::Int(int) => int.to_string(),
        }
    }
}

/// What JavaScript takes for false.
pub(super) fn falsy(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        _ => false,
    }
}

/// The value at a path; `None` if there is none or it is `null`.
pub(super) fn member<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(object, child).filter(|value| !value.is_null())
}

pub(super) fn child<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    match value {
        Value::Array(elements) => name.parse().ok().and_then(|index: usize| elements.get(index)),
        value => value.get(name),
    }
}
