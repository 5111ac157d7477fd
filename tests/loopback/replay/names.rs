//! What takes the place of recorded values: tokens, secrets in mails, entity tags.

use std::collections::HashMap;

/// Recorded values and what they are in this run.
#[derive(Debug, Default)]
pub(super) struct Names {
    live: HashMap<String, String>,
}

impl Names {
    /// From now on `recorded` means `live`.
    pub(super) fn learn(&mut self, recorded: &str, live: &str) {
        self.live.insert(recorded.to_owned(), live.to_owned());
    }

    pub(super) fn knows(&self, recorded: &str) -> bool {
        self.live.contains_key(recorded)
    }

    /// What a recorded value is in this run, if that is known.
    pub(super) fn live(&self, recorded: &str) -> Option<&str> {
        self.live.get(recorded).map(String::as_str)
    }

    /// A recorded text with what it means in this run. Only whole words of it are replaced.
    pub(super) fn put_into(&self, text: &str) -> String {
        if let Some(live) = self.live(text) {
            return live.to_owned();
        }
        words(text).map(|word| self.live(word).unwrap_or(word)).collect()
    }
}

/// Whether it looks as tokens of both do: 64 letters and digits.
pub(super) fn is_token(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether it looks as a time in JSON does.
pub(super) fn is_time(text: &str) -> bool {
    let pattern = "dddd-dd-ddTdd:dd:dd.dddZ";
    text.len() == pattern.len()
        && text.bytes().zip(pattern.bytes()).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            wanted => byte == wanted,
        })
}

/// The tokens in a text.
pub(super) fn tokens_in(text: &str) -> impl Iterator<Item = &str> {
    words(text).filter(|word| is_token(word))
}

/// The text in pieces, in order: runs of letters and digits, and what is between them.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let kind = |c: char| c.is_ascii_alphanumeric();
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let end = rest.find(|c| kind(c) != kind(first)).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        rest = behind;
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_words_are_replaced_wherever_they_stand() {
        let mut names = Names::default();
        names.learn("mine", "0123");
        names.learn("W/\"1\"", "W/\"2\"");
        assert_eq!(names.put_into("/api/mine?x=mine&mined=mine1"), "/api/0123?x=0123&mined=mine1");
        assert_eq!(names.put_into("W/\"1\""), "W/\"2\"");
        assert!(names.knows("mine") && !names.knows("min"));
    }

    #[test]
    fn tokens_and_times_are_told_by_their_looks() {
        let token = "a1".repeat(32);
        let text = format!("/x?access_token={token}&y={token}0");
        assert_eq!(tokens_in(&text).collect::<Vec<_>>(), [token.as_str()]);
        assert!(is_time("2026-11-21T21:49:30.583Z"));
        assert!(!is_time("2026-11-21T21:49:30Z"));
    }
}
