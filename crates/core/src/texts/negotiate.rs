//! Which language somebody gets who sends `Accept-Language`.

/// The most that is read of a header, in bytes and in languages. Browsers send some ten languages
/// in less than 200 bytes.
const MAX_BYTES: usize = 1024;
const MAX_RANGES: usize = 32;
/// The longest language tag that is looked at, in bytes. RFC 5646 §4.4.1 asks for 35 at least.
const MAX_TAG: usize = 64;

/// A tag and what is left of it when subtags are cut off its end: `zh-Hant-TW`, `zh-Hant`, `zh`
/// (RFC 4647 §3.4).
pub(super) fn truncations(tag: &str) -> impl Iterator<Item = &str> {
    let tag = Some(tag).filter(|tag| tag.len() <= MAX_TAG && !tag.is_empty());
    std::iter::successors(tag, |tag| tag.rsplit_once('-').map(|(parent, _)| parent))
}

/// One entry of the header: `de-AT;q=0.8`.
#[derive(Clone, Copy)]
struct Range<'a> {
    tag: &'a str,
    /// In thousandths; 0 is "not this one".
    quality: u16,
}

pub(super) fn choose<'a>(header: &str, offered: &[&'a str]) -> Option<&'a str> {
    let header = header.get(..header.floor_char_boundary(MAX_BYTES)).unwrap_or_default();
    let mut ranges: Vec<Range<'_>> = header.split(',').take(MAX_RANGES).filter_map(range).collect();
    // Stable: of equal quality the first counts.
    ranges.sort_by_key(|range| std::cmp::Reverse(range.quality));
    let refused: Vec<&str> = ranges.iter().filter(|range| range.quality == 0).map(|range| range.tag).collect();
    let is_refused = |language: &str| refused.iter().any(|range| *range != "*" && is_within(language, range));
    let wanted = ranges.iter().filter(|range| range.quality > 0);
    for Range { tag, .. } in wanted.clone().filter(|range| range.tag != "*") {
        let named = truncations(tag).find_map(|tag| offered.iter().find(|offer| offer.eq_ignore_ascii_case(tag)));
        // Who asks for `pt` can read `pt-BR`.
        let found = named.or_else(|| offered.iter().find(|offer| is_within(offer, tag)));
        if let Some(language) = found.filter(|language| !is_refused(language)) {
            return Some(language);
        }
    }
    // `*` is all that the others do not name, and those are known to be of no use.
    let any = wanted.clone().any(|range| range.tag == "*");
    offered.iter().copied().find(|language| any && !is_refused(language))
}

/// Whether a language is the range or a form of it.
fn is_within(language: &str, range: &str) -> bool {
    let head = language.get(..range.len()).is_some_and(|head| head.eq_ignore_ascii_case(range));
    head && matches!(language.as_bytes().get(range.len()), None | Some(b'-'))
}

/// `None` for what is no language range with a quality.
fn range(entry: &str) -> Option<Range<'_>> {
    let (tag, weight) = entry.split_once(';').map_or((entry, None), |(tag, weight)| (tag, Some(weight)));
    let tag = tag.trim_matches([' ', '\t']);
    let is_tag = !tag.is_empty()
        && tag.len() <= MAX_TAG
        && tag.split('-').all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric()));
    let quality = weight.map_or(Some(1000), quality)?;
    (is_tag || tag == "*").then_some(Range { tag, quality })
}

/// `q=0.5`: 0 to 1, at most three digits after the point (RFC 9110 §12.4.2).
fn quality(weight: &str) -> Option<u16> {
    let value = weight.trim_matches([' ', '\t']).strip_prefix(['q', 'Q'])?.strip_prefix('=')?;
    let (whole, fraction) = value.split_once('.').unwrap_or((value, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{fraction:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFERED: [&str; 4] = ["en", "de", "pt-BR", "zh-Hant"];

    #[test]
    fn quality_decides_and_then_the_order() {
        for (header, language) in [
            ("de", Some("de")),
            ("DE", Some("de")),
            ("de-AT", Some("de")),
            ("zh-Hant-TW", Some("zh-Hant")),
            ("zh", Some("zh-Hant")),
            ("zh-Hans", None),
            ("pt-PT", None),
            ("en;q=0.8, de", Some("de")),
            ("en;q=0.8, de;q=0.801", Some("de")),
            ("de;q=0.8, en;q=0.8", Some("de")),
            ("fr, de;q=0.1", Some("de")),
            ("fr", None),
            ("de-AT;q=0.5,en;q=0.4", Some("de")),
        ] {
            assert_eq!(choose(header, &OFFERED), language, "{header}");
        }
    }

    #[test]
    fn a_star_is_the_first_that_is_not_refused() {
        for (header, language) in [
            ("*", Some("en")),
            ("fr, *;q=0.1", Some("en")),
            ("de;q=0.2, *;q=0.9", Some("de")),
            ("en;q=0, *", Some("de")),
            ("en;q=0", None),
            ("*;q=0", None),
            ("de-AT, de;q=0", None),
            ("de;q=0, de-AT, en;q=0.1", Some("en")),
        ] {
            assert_eq!(choose(header, &OFFERED), language, "{header}");
        }
    }

    #[test]
    fn garbage_is_passed_over() {
        for garbage in [
            "",
            ",",
            ";",
            "q=1",
            "de;q",
            "de;q=",
            "de;q=2",
            "de;q=1.1",
            "de;q=0.1234",
            "de;q=-1",
            "de;q=x",
            "d e",
            "-",
            "de-",
            "ü",
        ] {
            assert_eq!(choose(garbage, &OFFERED), None, "{garbage}");
            assert_eq!(choose(&format!("{garbage} , en;q=0.1"), &OFFERED), Some("en"), "{garbage}");
        }
        assert_eq!(choose(" \tde ;\tq=1.000 ", &OFFERED), Some("de"));
        assert_eq!(choose("de;Q=0.5", &OFFERED), Some("de"));
    }

    /// 15.2.2
    #[test]
    fn of_a_long_header_only_the_beginning_is_read() {
        assert_eq!(choose(&format!("de,{}", "x,".repeat(1_000_000)), &OFFERED), Some("de"));
        assert_eq!(choose(&format!("{}de", "x,".repeat(1_000_000)), &OFFERED), None);
        assert_eq!(choose(&format!("{}de", "x,".repeat(40)), &OFFERED), None);
        assert_eq!(choose(&format!("en{}", "-x".repeat(1_000)), &OFFERED), None);
        assert_eq!(choose(&"ü".repeat(2_000), &OFFERED), None, "it is not cut within a character");
        assert_eq!(truncations(&"x-".repeat(1_000)).count(), 0);
    }
}
