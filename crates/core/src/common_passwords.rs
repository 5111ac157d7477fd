//! Which passwords are too common to be taken.
//!
//! ASVS 5.0 6.2.4 asks for a check against at least the 3000 most common passwords that fit the
//! policy, NIST SP 800-63B-4 3.1.1.2 for one against "commonly used, expected, or compromised"
//! ones; both compare the whole password and look for no parts of it. Long ones are rare in
//! published lists, so beside the list there are rules that stand for more of it than a file can
//! hold. Capital and small ASCII letters count as the same. A password is refused when it is
//!
//! 1. on the bundled list: 25 000 entries of 8 characters or more, 4000 of them of 15 or more, and
//!    3000 shorter ones as material for rules 3 and 5 (`data/README.md` has the sources);
//! 2. up to four bytes over and over: `aaaaaaaa`, `123123123123123`;
//! 3. an entry of the list two or more times in a row: `dragondragondragon`;
//! 4. at most six runs of three characters or more, where a run is one character repeated, or a way
//!    along the alphabet, the digits, or a row or column of a keyboard, in either direction:
//!    `1234567890qwerty`, `zaq12wsxcde34rfv`;
//! 5. an entry of the list with a year from 1900 to 2099 behind it, or with the digits from 1 on
//!    (`1`, `12`, up to `1234567890`), or with neither, and at the very end at most one exclamation
//!    mark: `Manchester2024!`.
//!
//! Everything else is taken, in any script: there are no rules on composition (ASVS 6.2.5). Nothing
//! is built at start-up and nothing is allocated; a check takes some microseconds.

/// Sorted by bytes, lower case, one entry a line.
const LIST: &str = include_str!("../data/common-passwords.txt");
/// Bytes of the longest entry.
const LONGEST_ENTRY: usize = 39;
/// Bytes of the shortest entry.
const SHORTEST_ENTRY: usize = 4;
/// Rule 2.
const LONGEST_UNIT: usize = 4;
/// Rule 4.
const MOST_RUNS: usize = 6;
/// Rule 4.
const SHORTEST_RUN: usize = 3;
/// Rule 4: what fingers and minds walk along. The rows and columns are those of English, German and
/// French keyboards, then of the number pad, and last two rows played in turn.
const LINES: [&str; 30] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "!@#$%^&*()",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiop",
    "yxcvbnm",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn",
    "1qaz",
    "2wsx",
    "3edc",
    "4rfv",
    "5tgb",
    "6yhn",
    "7ujm",
    "8ik,",
    "9ol.",
    "0p;/",
    "147",
    "258",
    "369",
    "159",
    "357",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "a1s2d3f4g5h6j7k8l9",
    "qawsedrftgyhujikolp",
];

/// Tells whether `password` is one of the common passwords: the whole of it, by the rules at the
/// top of this module.
///
/// The length is not looked at; `Policy` does that.
#[must_use]
pub(crate) fn is_common(password: &str) -> bool {
    let password = password.as_bytes();
    is_entry(password)
        || is_short_unit_repeated(password)
        || is_entry_repeated(password)
        || is_chain_of_runs(password)
        || is_entry_with_tail(password)
}

/// Rule 1: a binary search that finds the line around the middle of what is left.
fn is_entry(password: &[u8]) -> bool {
    let mut rest = LIST;
    while let Some((before, after)) = rest.as_bytes().split_at_checked(rest.len() / 2)
        && !rest.is_empty()
    {
        let start = before.iter().rposition(|&b| b == b'\n').map_or(0, |at| at + 1);
        let end = after.iter().position(|&b| b == b'\n').map_or(rest.len(), |at| before.len() + at);
        let line = rest.get(start..end).unwrap_or_default();
        rest = match line.bytes().cmp(password.iter().map(u8::to_ascii_lowercase)) {
            std::cmp::Ordering::Equal => return true,
            std::cmp::Ordering::Less => rest.get(end + 1..),
            std::cmp::Ordering::Greater => rest.get(..start),
        }
        .unwrap_or_default();
    }
    false
}

/// Rule 2. The last time the unit may be cut short.
fn is_short_unit_repeated(password: &[u8]) -> bool {
    (1..=LONGEST_UNIT.min(password.len() / 2)).any(|unit| {
        let shifted = password.iter().skip(unit);
        password.iter().zip(shifted).all(|(a, b)| a.eq_ignore_ascii_case(b))
    })
}

/// Rule 3.
fn is_entry_repeated(password: &[u8]) -> bool {
    (SHORTEST_ENTRY..=LONGEST_ENTRY.min(password.len() / 2)).filter(|unit| password.len().is_multiple_of(*unit)).any(
        |unit| {
            let mut chunks = password.chunks(unit);
            chunks.next().is_some_and(|first| chunks.all(|chunk| chunk.eq_ignore_ascii_case(first)) && is_entry(first))
        },
    )
}

/// Rule 4. Each run is taken as long as it goes.
fn is_chain_of_runs(password: &[u8]) -> bool {
    let mut rest = password;
    for _ in 0..MOST_RUNS {
        let run = longest_run(rest);
        if run < SHORTEST_RUN {
            return false;
        }
        rest = rest.get(run..).unwrap_or_default();
        if rest.is_empty() {
            return true;
        }
    }
    false
}

/// How many bytes at the start of `text` are a run.
fn longest_run(text: &[u8]) -> usize {
    let Some(first) = text.first() else {
        return 0;
    };
    let repeated = along(text, std::iter::repeat(first));
    let walked = LINES.iter().flat_map(|line| {
        let line = line.as_bytes();
        (0..=line.len()).filter_map(|at| line.split_at_checked(at))
    });
    walked
        .map(|(before, after)| along(text, after.iter()).max(along(text, before.iter().rev())))
        .fold(repeated, usize::max)
}

/// How many bytes `text` goes the same way as `line`.
fn along<'a>(text: &[u8], line: impl Iterator<Item = &'a u8>) -> usize {
    text.iter().zip(line).take_while(|(a, b)| a.eq_ignore_ascii_case(b)).count()
}

/// Rule 5.
fn is_entry_with_tail(password: &[u8]) -> bool {
    let bare = password.strip_suffix(b"!").unwrap_or(password);
    let year_behind = match bare.split_last_chunk() {
        Some((entry, [b'1', b'9', y1, y2] | [b'2', b'0', y1, y2])) => {
            y1.is_ascii_digit() && y2.is_ascii_digit() && is_entry(entry)
        }
        _ => false,
    };
    let count_behind =
        || (0..=10).filter_map(|n| b"1234567890".get(..n)).any(|tail| bare.strip_suffix(tail).is_some_and(is_entry));
    year_behind || count_behind()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(min: usize) -> impl Iterator<Item = &'static str> {
        LIST.lines().filter(move |entry| entry.len() >= min)
    }

    #[test]
    fn list_has_3000_entries_that_fit_each_policy() {
        assert!(entries(8).count() >= 25_000, "{}", entries(8).count());
        assert!(entries(15).count() >= 4_000, "{}", entries(15).count());
    }

    /// About 51 000 passwords of 15 characters or more. All would take seconds, so this looks at
    /// every eighth.
    #[test]
    fn rules_refuse_long_variants_of_shorter_entries() {
        let mut refused = 0;
        for entry in LIST.lines().filter(|entry| entry.len() < 15).step_by(8) {
            let repeated = entry.repeat(15_usize.div_ceil(entry.len()));
            let dated = format!("{entry}2024!");
            let counted = format!("{entry}1234567890");
            for password in [repeated, dated, counted] {
                assert!(is_common(&password), "{password}");
                refused += usize::from(password.len() >= 15);
            }
        }
        assert!(refused > 6_000, "{refused}");
    }

    #[test]
    fn list_is_sorted_and_lower_case_without_doubles() {
        assert!(LIST.lines().is_sorted_by(|a, b| a < b));
        assert!(LIST.bytes().all(|b| b == b'\n' || (b.is_ascii_graphic() && !b.is_ascii_uppercase())));
        assert!(LIST.ends_with('\n'));
        assert!(LIST.len() < 400 * 1024);
        assert_eq!(LIST.lines().map(str::len).max(), Some(LONGEST_ENTRY));
        assert_eq!(LIST.lines().map(str::len).min(), Some(SHORTEST_ENTRY));
    }

    #[test]
    fn every_entry_is_found_in_either_case() {
        for entry in LIST.lines() {
            assert!(is_entry(entry.as_bytes()), "{entry}");
            assert!(is_entry(entry.to_ascii_uppercase().as_bytes()), "{entry}");
            assert!(!is_entry(format!("{entry}\n").as_bytes()), "{entry}");
            assert!(!is_entry(format!("{entry}\u{0}").as_bytes()), "{entry}");
        }
    }

    #[test]
    fn common_passwords_are_refused() {
        for password in [
            // On the list.
            "password",
            "PassWord",
            "iloveyou",
            "trustno1",
            "manchesterunited",
            "1qaz2wsx3edc4rfv",
            // A short unit repeated.
            "aaaaaaaaaaaaaaaaaaaa",
            "123123123123123",
            "QwerqWerqwErqwe",
            "éééééééé",
            "😀😀😀😀😀😀😀😀",
            // An entry repeated.
            "passwordPASSWORD",
            "dragondragondragon",
            "letmeinletmeinletmein",
            // Runs.
            "abcdefghijklmno",
            "zyxwvutsrqponml",
            "123456789012345",
            "987654321098765",
            "qwertyuiopasdfghjkl",
            "QWERTZUIOPasdfgh",
            "azertyuiopqsdfg",
            "111222333444555",
            "1234qwerasdfzxcv",
            "zaq12wsxcde34rfv",
            "147258369147258369",
            "!@#$%^&*()qwerty",
            // An entry and what people put behind it.
            "Manchester2024!",
            "sunshine1999",
            "Password123!",
            "superman1234567890",
        ] {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn other_passwords_are_taken() {
        for password in [
            "",
            "correct horse battery staple",
            "correct horse battery",
            "orbital-marzipan-74",
            "Tr0ub4dor&3x",
            "my password is a bee",
            "xpassword",
            "password password",
            "Manchester2124!",
            "Manchester2024!!",
            "ich wohne am Rand",
            "пролетарская весна",
            "床前明月光疑是地上霜",
            "🦀 ate my 🍕 again",
            // Seven runs.
            "abc123xyz789qwe456rty",
            // A run too short.
            "abcdefgh98",
            // A unit too long that is no entry.
            "vq9#tvq9#t",
        ] {
            assert!(!is_common(password), "{password}");
        }
    }

    #[test]
    fn any_text_of_any_length_gets_an_answer() {
        for c in (0..=0x10_ffff).step_by(613).filter_map(char::from_u32) {
            let _ = is_common(&c.to_string());
            let _ = is_common(&format!("{c}a{c}\n{c}2024"));
            assert!(is_common(&c.to_string().repeat(8)));
        }
        let long = "correct horse battery staple ".repeat(10_000);
        assert!(!is_common(&long));
        assert!(is_common(&"a".repeat(300_000)));
    }
}
