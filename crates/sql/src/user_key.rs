//! How the id of a user is stored: as text that says which kind it is.
//!
//! A number is its decimal digits (`7`), and a string stands behind a colon (`:7`, `:007`,
//! `:665f1c0e8b3f4a0012345678`). So an id keeps its kind in a column of one type, on every
//! database, and equal text means the same user. In tables of its own an app needs none of this:
//! see [`own`](crate::own).

use gatekit_core::UserId;

/// An id as it is stored.
pub(crate) fn encode(id: &UserId) -> String {
    match id {
        UserId::Int(number) => number.to_string(),
        UserId::Text(string) => format!(":{string}"),
    }
}

/// The id that is stored like this. `None` if nothing is.
pub(crate) fn decode(stored: &str) -> Option<UserId> {
    if let Some(string) = stored.strip_prefix(':') {
        return Some(UserId::Text(string.to_owned()));
    }
    let number: i64 = stored.parse().ok()?;
    // The parser takes `+7` and `007` too, which would be second spellings of one user.
    let digits = stored.strip_prefix('-').unwrap_or(stored);
    let is_canonical = stored == "0" || digits.starts_with(|first: char| ('1'..='9').contains(&first));
    is_canonical.then_some(UserId::Int(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_keeps_its_kind_and_its_spelling() {
        for (id, stored) in [
            (UserId::Int(7), "7"),
            (UserId::Int(0), "0"),
            (UserId::Int(i64::MIN), "-9223372036854775808"),
            (UserId::from("7"), ":7"),
            (UserId::from("007"), ":007"),
            (UserId::from(""), ":"),
            (UserId::from(":a"), "::a"),
            (UserId::from("665f1c0e8b3f4a0012345678"), ":665f1c0e8b3f4a0012345678"),
        ] {
            assert_eq!(encode(&id), stored);
            assert_eq!(decode(stored), Some(id));
        }
    }

    #[test]
    fn what_no_id_is_stored_as_is_none() {
        for stored in ["", "007", "+7", "-0", "-07", "1.5", "7 ", "abc", "9223372036854775808"] {
            assert_eq!(decode(stored), None, "{stored:?}");
        }
    }
}
