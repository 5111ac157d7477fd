//! Whether a pattern of `like` matches.
//!
//! 1. `%` divides a pattern into segments. A text matches if it has them in their order, one behind
//!    the other; of each the first place where it fits is as good as any.
//! 2. A segment is looked for in short texts by trying each place. In long ones that could take as
//!    many steps as both lengths multiplied, so there all places are tried at once, one bit each
//!    ("shift-and", Baeza-Yates and Gonnet 1992). A character then costs the same whatever the text
//!    and the pattern are: one step for each 64 characters of the segment.

/// Up to so many steps are cheaper than preparing a segment for a long text.
const FEW_STEPS: usize = 4096;

/// Whether a pattern matches a text or a part of it. An empty pattern matches nothing.
pub(super) fn is_like(text: &str, pattern: &str, ignore_case: bool) -> bool {
    if pattern.is_empty() {
        return false;
    }
    let mut rest = text;
    for segment in segments(pattern, ignore_case) {
        match segment.find(rest, ignore_case) {
            Some(behind) => rest = behind,
            None => return false,
        }
    }
    true
}

/// Characters between two `%`, each in lower case if the case is ignored; `None` for any.
struct Segment(Vec<Option<char>>);

fn segments(pattern: &str, ignore_case: bool) -> Vec<Segment> {
    let mut segments = vec![];
    let mut current = Vec::new();
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        match char {
            '%' => segments.push(Segment(std::mem::take(&mut current))),
            '_' => current.push(None),
            '\\' => current.push(Some(folded(chars.next().unwrap_or('\\'), ignore_case))),
            char => current.push(Some(folded(char, ignore_case))),
        }
    }
    segments.push(Segment(current));
    segments.retain(|segment| !segment.0.is_empty());
    segments
}

/// In lower case, if the case is ignored. A character with more than one in lower case stays: it is
/// equal to itself alone.
fn folded(char: char, ignore_case: bool) -> char {
    if !ignore_case {
        return char;
    }
    if char.is_ascii() {
        return char.to_ascii_lowercase();
    }
    let mut lower = char.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(one), None) => one,
        _ => char,
    }
}

impl Segment {
    /// The part of a text that is behind the first place where this fits.
    fn find<'t>(&self, text: &'t str, ignore_case: bool) -> Option<&'t str> {
        if text.len().saturating_mul(self.0.len()) <= FEW_STEPS {
            self.find_in_short(text, ignore_case)
        } else {
            self.find_in_long(text, ignore_case)
        }
    }

    fn find_in_short<'t>(&self, text: &'t str, ignore_case: bool) -> Option<&'t str> {
        let mut start = text;
        loop {
            let mut chars = start.chars();
            let fits = |wanted: &Option<char>| {
                chars.next().is_some_and(|char| wanted.is_none_or(|wanted| wanted == folded(char, ignore_case)))
            };
            if self.0.iter().all(fits) {
                return Some(chars.as_str());
            }
            let mut chars = start.chars();
            chars.next()?;
            start = chars.as_str();
        }
    }

    fn find_in_long<'t>(&self, text: &'t str, ignore_case: bool) -> Option<&'t str> {
        let places = Places::of(self);
        let last = (self.0.len() - 1) / 64;
        let end = 1_u64 << ((self.0.len() - 1) % 64);
        // The bit n says that the n characters before and this one fit the beginning of the
        // segment.
        let mut state = vec![0_u64; places.words];
        let mut chars = text.chars();
        while let Some(char) = chars.next() {
            let mask = places.of_char(folded(char, ignore_case));
            let mut carry = 1;
            for (word, mask) in state.iter_mut().zip(mask) {
                let next = *word >> 63;
                *word = (*word << 1 | carry) & mask;
                carry = next;
            }
            if state.get(last).is_some_and(|word| word & end != 0) {
                return Some(chars.as_str());
            }
        }
        None
    }
}

/// For each character, where in a segment it fits: a bit for each place.
struct Places {
    words: usize,
    /// Sorted by character.
    known: Vec<(char, Vec<u64>)>,
    /// Where any character fits.
    others: Vec<u64>,
}

impl Places {
    fn of(segment: &Segment) -> Self {
        let words = segment.0.len().div_ceil(64);
        let mut others = vec![0; words];
        let mut known: Vec<(char, Vec<u64>)> = Vec::new();
        for (place, wanted) in segment.0.iter().enumerate() {
            match wanted {
                None => set(&mut others, place),
                Some(char) => match known.iter_mut().find(|(other, _)| other == char) {
                    Some((_, mask)) => set(mask, place),
                    None => {
                        let mut mask = vec![0; words];
                        set(&mut mask, place);
                        known.push((*char, mask));
                    }
                },
            }
        }
        for (_, mask) in &mut known {
            mask.iter_mut().zip(&others).for_each(|(word, any)| *word |= any);
        }
        known.sort_unstable_by_key(|(char, _)| *char);
        Self { words, known, others }
    }

    fn of_char(&self, char: char) -> &[u64] {
        let found = self.known.binary_search_by_key(&char, |(known, _)| *known).ok();
        found.and_then(|index| self.known.get(index)).map_or(&self.others, |(_, mask)| mask)
    }
}

fn set(mask: &mut [u64], place: usize) {
    if let Some(word) = mask.get_mut(place / 64) {
        *word |= 1 << (place % 64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both ways of looking, over all short patterns and texts of three characters, and the same
    /// with the text made long.
    #[test]
    fn a_long_text_is_searched_by_the_same_rule_as_a_short_one() {
        let words = |letters: &[char], length: usize| -> Vec<String> {
            let mut words = vec![String::new()];
            for _ in 0..length {
                words =
                    words.iter().flat_map(|word| letters.iter().map(move |letter| format!("{word}{letter}"))).collect();
            }
            words
        };
        for pattern in (1..=4).flat_map(|length| words(&['a', 'B', '%', '_'], length)) {
            for text in (0..=5).flat_map(|length| words(&['a', 'b'], length)) {
                for ignore_case in [false, true] {
                    let expected = is_like(&text, &pattern, ignore_case);
                    let slow = segments(&pattern, ignore_case)
                        .iter()
                        .try_fold(text.as_str(), |rest, segment| segment.find_in_long(rest, ignore_case));
                    assert_eq!(slow.is_some(), expected, "{pattern} in {text}");
                }
            }
        }
    }

    #[test]
    fn a_segment_longer_than_a_word_is_found_across_its_bits() {
        for length in [63, 64, 65, 128, 129, 256] {
            let needle: String = ('a'..='y').cycle().take(length).collect();
            let text = format!("{}{needle}{}", "ab".repeat(5000), "z".repeat(100));
            assert!(is_like(&text, &needle, false), "{length}");
            assert!(is_like(&text, &needle.to_uppercase(), true), "{length}");
            assert!(is_like(&text, &format!("{}_%z", &needle[1..]), false), "{length}");
            let (head, _) = needle.split_at(length - 1);
            assert!(!is_like(&text, &format!("{head}Z"), false), "{length}");
        }
    }

    /// LOAD-7: what a pattern costs does not depend on how nearly it fits. Tried place by place,
    /// this takes four thousand million steps.
    #[test]
    fn a_pattern_that_nearly_fits_everywhere_costs_one_pass() {
        let text = "a".repeat(16_000_000);
        let pattern = format!("{}b", "a".repeat(255));
        let begun = std::time::Instant::now();
        assert!(!is_like(&text, &pattern, true));
        assert!(begun.elapsed() < std::time::Duration::from_secs(20), "{:?}", begun.elapsed());
    }
}
