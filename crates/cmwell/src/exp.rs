//! The lifetime of a token in `?exp=`, read strictly or as CM-Well reads it.

use std::fmt;

/// Seconds in a day, an hour and a minute, in the order of [`Unit`].
const SECONDS: [i64; 3] = [24 * 60 * 60, 60 * 60, 60];

/// How `exp` is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Leniency {
    /// Days, hours and minutes, each a whole number directly before its letter. What might be meant
    /// in another way is refused.
    #[default]
    Strict,
    /// As CM-Well does it: of each unit the first number directly before its letter counts, and
    /// everything else is a separator. So `2months` is two minutes, `1.5d` five days and `-3d`
    /// three.
    Lenient,
}

/// The lifetime of a token: whole seconds, at least a minute.
///
/// ```
/// use gatekit_cmwell::{Leniency, TokenLifetime};
///
/// let lifetime = TokenLifetime::parse("3d 5h", Leniency::Strict)?;
/// assert_eq!(lifetime.as_secs(), 77 * 60 * 60);
/// assert!(TokenLifetime::parse("2months", Leniency::Strict).is_err());
/// assert_eq!(TokenLifetime::parse("2months", Leniency::Lenient)?.as_secs(), 120);
/// # Ok::<_, gatekit_cmwell::ExpError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TokenLifetime(i64);

/// Why an `exp` is refused. HTTP status 400. The texts are what clients are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ExpError {
    /// It names no lifetime, or one that cannot be read. CM-Well answers some of these with a token
    /// that has expired already.
    #[error("invalid exp")]
    Invalid,
    /// It is longer than tokens may live. The text is CM-Well's; the limit itself is allowed.
    #[error("Token expiry must be less than {max_days} days")]
    TooLong {
        /// The limit, in days.
        max_days: u32,
    },
}

impl TokenLifetime {
    /// A day: what a login without `exp` gets.
    pub const DAY: Self = Self(24 * 60 * 60);

    /// So many days. `None` for none at all.
    #[must_use]
    pub fn days(days: u32) -> Option<Self> {
        Self::of([i64::from(days), 0, 0])
    }

    /// Reads `exp`, decoded from the query.
    ///
    /// The grammar: numbers directly followed by `d`, `h` or `m`, in any case and any order.
    /// Between two of them may be any characters that are neither letters nor digits. Before the
    /// first and after the last may be blanks, or a pair of quotation marks around the whole. Of a
    /// unit that comes twice the first counts. `3d 5h`, `2h30m`, `5H-3D`, `1d,2h;3m`, `"30d"`.
    ///
    /// A control character that is no blank, such as NUL, is refused in both readings: CM-Well
    /// skips it, and another program may end the text there.
    ///
    /// | text | strict | lenient |
    /// | --- | --- | --- |
    /// | `30d`, `3D-5H`, `"30d"`, `5md` (5 minutes), `1d1d` (a day) | as written | the same |
    /// | `-3d`, `007d`, `3days`, `30min` | refused | 3 days, 7 days, 3 days, 30 minutes |
    /// | `2months`, `1.5d`, `1e3d` | refused | 2 minutes, 5 days, 3 days |
    /// | `1d;`, `+1d`, `1d!` | refused | a day |
    /// | `3 d`, `30`, `2w`, `0d`, nothing, `1d` and NUL | refused | refused |
    ///
    /// # Errors
    ///
    /// [`ExpError::Invalid`]. How long a token may live is not asked here.
    pub fn parse(text: &str, leniency: Leniency) -> Result<Self, ExpError> {
        if text.contains(|c: char| c.is_control() && !c.is_whitespace()) {
            return Err(ExpError::Invalid);
        }
        let amounts = match leniency {
            Leniency::Strict => strict(text),
            Leniency::Lenient => lenient(text),
        };
        amounts.and_then(Self::of).ok_or(ExpError::Invalid)
    }

    /// In seconds.
    #[must_use]
    pub fn as_secs(self) -> i64 {
        self.0
    }

    /// The same, unless it is longer than so many days.
    pub(crate) fn at_most(self, max_days: u32) -> Result<Self, ExpError> {
        let limit = i64::from(max_days).saturating_mul(24 * 60 * 60);
        if self.0 <= limit { Ok(self) } else { Err(ExpError::TooLong { max_days }) }
    }

    fn of(amounts: [i64; 3]) -> Option<Self> {
        // Each is an `i32` times at most 86,400: no sum of them overflows.
        let seconds = amounts.iter().zip(SECONDS).map(|(amount, seconds)| amount * seconds).sum();
        (seconds > 0).then_some(Self(seconds))
    }
}

impl fmt::Display for TokenLifetime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} s", self.0)
    }
}

/// Which of the three units a letter is.
fn unit(letter: u8) -> Option<usize> {
    b"dhm".iter().position(|unit| *unit == letter.to_ascii_lowercase())
}

/// A number as CM-Well's 32 bits hold it.
fn amount(digits: &str) -> Option<i64> {
    digits.parse::<i32>().ok().map(i64::from)
}

/// A run of digits: what stands before it, itself, what comes after it.
struct Run<'t> {
    before: &'t str,
    digits: &'t str,
    after: &'t str,
}

/// The runs of ASCII digits of a text.
fn runs(text: &str) -> impl Iterator<Item = Run<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let begin = from + text.get(from..)?.find(|c: char| c.is_ascii_digit())?;
        let rest = text.get(begin..)?;
        let length = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        from = begin + length;
        Some(Run { before: text.get(..begin)?, digits: rest.get(..length)?, after: text.get(from..)? })
    })
}

fn lenient(text: &str) -> Option<[i64; 3]> {
    let mut amounts = [None; 3];
    for run in runs(text) {
        let Some(slot) = run.after.bytes().next().and_then(unit).and_then(|unit| amounts.get_mut(unit)) else {
            continue;
        };
        if slot.is_none() {
            *slot = Some(amount(run.digits)?);
        }
    }
    Some(amounts.map(Option::unwrap_or_default))
}

fn strict(text: &str) -> Option<[i64; 3]> {
    let text = unquoted(text.trim())?;
    let mut amounts = [None; 3];
    // Where the last number and the letters behind it end; what lies between there and the next
    // number is a separator.
    let mut read = 0;
    for run in runs(text) {
        let separator = text.get(read..run.before.len())?;
        // In front of the first number there is nothing but a sign or garbage.
        let is_first = read == 0 && !separator.is_empty();
        if is_first || separator.contains(char::is_alphanumeric) || is_signed(separator) {
            return None;
        }
        // `007d` is nobody's way to write seven.
        if run.digits.len() > 1 && run.digits.starts_with('0') {
            return None;
        }
        let slot = run.after.bytes().next().and_then(unit).and_then(|unit| amounts.get_mut(unit))?;
        if slot.is_none() {
            *slot = Some(amount(run.digits)?);
        }
        let letters = run.after.bytes().take_while(|letter| unit(*letter).is_some()).count();
        read = run.before.len() + run.digits.len() + letters;
    }
    // What follows the last unit may be the rest of something that was cut off.
    if read < text.len() {
        return None;
    }
    Some(amounts.map(Option::unwrap_or_default))
}

/// Without the quotation marks around it. `None` if there is only one of them.
fn unquoted(text: &str) -> Option<&str> {
    match text.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').map(str::trim),
        None => Some(text),
    }
}

/// Whether a separator makes the number behind it negative or a fraction. `3D-5H` has a mere
/// separator, `3d -5h` has a sign.
fn is_signed(separator: &str) -> bool {
    separator.ends_with(['-', '.', '\u{2212}']) && separator.chars().count() > 1
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60;
    const HOUR: i64 = 60 * MINUTE;
    const DAY: i64 = 24 * HOUR;

    /// What is read strictly and what leniently; 0 for what is refused.
    #[track_caller]
    fn reads(text: &str, strict: i64, lenient: i64) {
        let read = |leniency| TokenLifetime::parse(text, leniency).map_or(0, TokenLifetime::as_secs);
        assert_eq!((read(Leniency::Strict), read(Leniency::Lenient)), (strict, lenient), "{text:?}");
    }

    #[test]
    fn what_is_meant_in_one_way_is_read_strictly() {
        for (text, seconds) in [
            ("30d", 30 * DAY),
            ("3d 5h", 3 * DAY + 5 * HOUR),
            ("2h30m", 2 * HOUR + 30 * MINUTE),
            ("2H30M", 2 * HOUR + 30 * MINUTE),
            ("3D-5H", 3 * DAY + 5 * HOUR),
            ("5h3d", 3 * DAY + 5 * HOUR),
            ("1d,2h;3m", DAY + 2 * HOUR + 3 * MINUTE),
            ("\"30d\"", 30 * DAY),
            ("1d1d", DAY),
            ("1d2d3h", DAY + 3 * HOUR),
            ("5md", 5 * MINUTE),
            ("12hd", 12 * HOUR),
            ("1dh", DAY),
            ("60d", 60 * DAY),
            ("86400m", 60 * DAY),
            ("1440h", 60 * DAY),
            ("0d5h", 5 * HOUR),
            (" 3d\u{a0}5h ", 3 * DAY + 5 * HOUR),
            ("3d+5h", 3 * DAY + 5 * HOUR),
            ("3d - 5h", 3 * DAY + 5 * HOUR),
            ("1m", MINUTE),
        ] {
            reads(text, seconds, seconds);
        }
    }

    #[test]
    fn what_may_be_meant_in_another_way_is_read_leniently_only() {
        for (text, seconds) in [
            ("-3d", 3 * DAY),
            ("3d -5h", 3 * DAY + 5 * HOUR),
            ("007d", 7 * DAY),
            ("3days", 3 * DAY),
            ("5hours", 5 * HOUR),
            ("30min", 30 * MINUTE),
            ("2months", 2 * MINUTE),
            ("1.5d", 5 * DAY),
            (".5d", 5 * DAY),
            ("1e3d", 3 * DAY),
            ("d3h", 3 * HOUR),
            ("3d and 5h", 3 * DAY + 5 * HOUR),
            ("3d 5", 3 * DAY),
            ("3dé", 3 * DAY),
            ("٣3d", 3 * DAY),
            // Dates, versions, Unix times with a letter at the end.
            ("2026-11-22d", 22 * DAY),
        ] {
            reads(text, 0, seconds);
        }
    }

    #[test]
    fn what_stands_around_it_is_blank_or_a_pair_of_quotation_marks() {
        for text in ["\" 30d \"", "  \"30d\"\t", "\n30d\r\n"] {
            reads(text, 30 * DAY, 30 * DAY);
        }
        for text in [
            "30d;",
            ";30d",
            "30d!",
            "+30d",
            "30d-",
            "30d\"",
            "\"30d",
            "\"\"30d\"\"",
            "'30d'",
            "(30d)",
            "30d\u{200b}",
            "30d#x=y",
        ] {
            reads(text, 0, 30 * DAY);
        }
    }

    /// CWE-158
    #[test]
    fn a_control_character_is_refused_in_both_ways() {
        for text in ["1d\0", "\x001d", "1d\x002h", "1d\x7f", "1d\u{9f}", "1d\x1b[0m", "1d\x08"] {
            reads(text, 0, 0);
        }
    }

    #[test]
    fn what_names_no_lifetime_is_refused_in_both_ways() {
        for text in ["", "3 d", "30", "foo", "2w", "1y", "d", "٣d", "0d", "0d0h0m", "dhm", " ", "-", "\0", "3\u{301}d"]
        {
            reads(text, 0, 0);
        }
    }

    #[test]
    fn numbers_are_those_of_32_bits_and_more_is_refused() {
        reads("2147483647d", 2_147_483_647 * DAY, 2_147_483_647 * DAY);
        reads("2147483647d2147483647h2147483647m", 2_147_483_647 * (DAY + HOUR + MINUTE), {
            2_147_483_647 * (DAY + HOUR + MINUTE)
        });
        for text in ["2147483648d", "99999999999d", "99999999999999999999999999h", "1d99999999999m"] {
            reads(text, 0, 0);
        }
        // Of a unit that comes twice the first counts, and the second is not looked at.
        reads("1d99999999999d", DAY, DAY);
    }

    #[test]
    fn the_limit_itself_is_allowed_and_nothing_is_cut_to_it() {
        let of = |text| TokenLifetime::parse(text, Leniency::Strict).unwrap().at_most(60);
        for text in ["60d", "86400m", "1440h", "59d24h"] {
            assert_eq!(of(text).map(TokenLifetime::as_secs), Ok(60 * DAY));
        }
        for text in ["60d1m", "61d", "86401m", "2147483647d"] {
            assert_eq!(of(text), Err(ExpError::TooLong { max_days: 60 }));
        }
        assert_eq!(of("61d").unwrap_err().to_string(), "Token expiry must be less than 60 days");
        assert_eq!(TokenLifetime::days(0), None);
        assert_eq!(TokenLifetime::days(u32::MAX).unwrap().as_secs(), i64::from(u32::MAX) * DAY);
    }

    /// LOAD-4: a long one costs what its length does, and never more.
    #[test]
    fn a_long_text_is_read_in_one_go() {
        let text = "1d ".repeat(20_000);
        reads(&text, DAY, DAY);
        let text = "1".repeat(60_000) + "d";
        reads(&text, 0, 0);
        let text = "1x".repeat(30_000);
        reads(&text, 0, 0);
    }
}
