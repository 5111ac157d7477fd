//! How large a profile may be: what is written must be readable again, and must not grow without
//! end.

use std::cell::Cell;
use std::io;

use serde::Serialize;
use serde_json::ser::{CompactFormatter, Formatter};

use crate::{FieldError, FieldProblem, Policy, Profile};

/// Why a profile was not written as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The JSON has more bytes than this.
    #[error("is too large: the maximum is {0} bytes of JSON")]
    TooLarge(usize),
    /// Objects and arrays are nested deeper than so many levels.
    #[error("is nested too deep: the maximum is {0} levels")]
    TooDeep(usize),
    /// The profile's own `Serialize` failed.
    #[error("cannot be written as JSON")]
    Unwritable,
}

/// A profile as compact JSON, if it has at most `max_bytes` bytes and at most `max_depth` levels of
/// objects and arrays. The writing stops where a limit is passed, so neither a large nor a deep
/// profile costs more than the limits.
///
/// For a store: a row that was written deeper than its reader reads is lost.
///
/// ```
/// use gatekit_core::{ProfileError, profile_to_json};
/// use serde_json::json;
///
/// assert_eq!(profile_to_json(&json!({ "a": [1] }), 9, 2).unwrap(), r#"{"a":[1]}"#);
/// assert_eq!(profile_to_json(&json!({ "a": [1] }), 8, 2), Err(ProfileError::TooLarge(8)));
/// assert_eq!(profile_to_json(&json!({ "a": [1] }), 9, 1), Err(ProfileError::TooDeep(1)));
/// ```
///
/// # Errors
///
/// [`ProfileError`].
pub fn profile_to_json<P: Serialize>(profile: &P, max_bytes: usize, max_depth: usize) -> Result<String, ProfileError> {
    let passed = Cell::new(None);
    let mut bytes = Vec::new();
    let writer = Bounded { bytes: &mut bytes, max: max_bytes, passed: &passed };
    let formatter = Shallow { depth: 0, max: max_depth, passed: &passed };
    let written = profile.serialize(&mut serde_json::Serializer::with_formatter(writer, formatter));
    match passed.get() {
        Some(error) => Err(error),
        None => {
            written.map_err(|_| ProfileError::Unwritable)?;
            String::from_utf8(bytes).map_err(|_| ProfileError::Unwritable)
        }
    }
}

/// Whether a profile may be stored under a policy.
pub(crate) fn check<P: Profile>(policy: &Policy, profile: &P) -> Result<(), Box<FieldError>> {
    let problem = match profile_to_json(profile, policy.limits.profile_max_bytes, policy.limits.profile_max_depth) {
        // One that cannot be written is the app's mistake, and the store's to tell.
        Ok(_) | Err(ProfileError::Unwritable) => return Ok(()),
        Err(ProfileError::TooLarge(max)) => FieldProblem::TooLarge(max),
        Err(ProfileError::TooDeep(max)) => FieldProblem::TooDeep(max),
    };
    Err(Box::new(FieldError::new("profile", problem, None)))
}

struct Bounded<'a> {
    bytes: &'a mut Vec<u8>,
    max: usize,
    passed: &'a Cell<Option<ProfileError>>,
}

impl io::Write for Bounded<'_> {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        if part.len() > self.max - self.bytes.len() {
            self.passed.set(Some(ProfileError::TooLarge(self.max)));
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Counts levels. What is passed here ends the writing before it goes on to the next level, so deep
/// values cost no stack.
struct Shallow<'a> {
    depth: usize,
    max: usize,
    passed: &'a Cell<Option<ProfileError>>,
}

impl Shallow<'_> {
    fn enter(&mut self) -> io::Result<()> {
        self.depth += 1;
        if self.depth > self.max {
            self.passed.set(Some(ProfileError::TooDeep(self.max)));
            return Err(io::ErrorKind::InvalidData.into());
        }
        Ok(())
    }
}

impl Formatter for Shallow<'_> {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.enter()?;
        CompactFormatter.begin_array(writer)
    }

    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        CompactFormatter.end_array(writer)
    }

    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.enter()?;
        CompactFormatter.begin_object(writer)
    }

    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.depth = self.depth.saturating_sub(1);
        CompactFormatter.end_object(writer)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn what_is_within_the_limits_is_written_as_serde_json_writes_it() {
        for value in [json!({}), json!({ "a": [[], {}, null, "é\"\n", 1.5, -1] }), json!([{ "a": {} }, { "b": [] }])] {
            assert_eq!(profile_to_json(&value, 1000, 3), Ok(value.to_string()));
        }
    }

    #[test]
    fn a_profile_deeper_than_any_stack_is_refused_in_a_few_steps() {
        let mut deep = Value::Null;
        for n in 0..100_000 {
            deep = if n % 2 == 0 {
                Value::Array(vec![deep])
            } else {
                json!({ "a": null }).as_object_mut().map_or(Value::Null, |map| {
                    map.insert("a".into(), std::mem::take(&mut deep));
                    Value::Object(std::mem::take(map))
                })
            };
        }
        assert_eq!(profile_to_json(&deep, usize::MAX, 64), Err(ProfileError::TooDeep(64)));
        // To drop it level by level needs no stack either.
        while !deep.is_null() {
            deep = match &mut deep {
                Value::Array(items) => items.pop().unwrap_or_default(),
                Value::Object(map) => map.get_mut("a").map(Value::take).unwrap_or_default(),
                _ => Value::Null,
            };
        }
    }

    #[test]
    fn levels_are_counted_and_not_objects() {
        let wide = Value::Array(vec![json!({ "a": [] }); 1000]);
        assert!(profile_to_json(&wide, usize::MAX, 3).is_ok());
        assert_eq!(profile_to_json(&wide, usize::MAX, 2), Err(ProfileError::TooDeep(2)));
    }
}
