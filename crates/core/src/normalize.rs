//! The one spelling of an address or a name: it is stored, compared, shown and mailed to.
//!
//! Keyboards, phones and mail programs write the same address with different characters. A Mac
//! sends `é` as two code points and a phone as one, Chromium sends the domain of an
//! `<input type="email">` in Punycode, and text that is pasted brings invisible characters along.
//! Without one spelling each of these is a user of its own, and two users can look the same. Every
//! identifier of every entrance (API, pages, CM-Well, Wix, code) goes through [`email`] or
//! [`username`], unless `policy.identifiers.normalize` is off.
//!
//! 1. Invisible characters are removed: Unicode's `Default_Ignorable_Code_Point`, which contains
//!    soft hyphen, zero-width characters, byte order mark, variation selectors and all
//!    bidirectional controls. So nobody is refused for a character that cannot be seen, and none is
//!    stored.
//! 2. The text is put into Normalization Form KC (Unicode Standard Annex #15): composed and
//!    decomposed characters are the same, and so are full-width and plain ones.
//! 3. Blanks at either end are removed, and any run of blanks inside becomes one space. A blank is
//!    any `White_Space` character that is not a control character, or U+2800, the empty braille
//!    pattern. Line breaks and tabs at either end count as blanks too.
//! 4. An address is in lower case, unless `policy.identifiers.case_sensitive_email`. Names keep
//!    their case.
//! 5. The domain of an address is an A-label in lower case (UTS #46, non-transitional; RFC 5890),
//!    whatever the case of the rest: `bücher.example`, `BÜCHER。example` and `xn--bcher-kva.example`
//!    are the same.
//!
//! The functions never fail. A text that cannot be an address or a name comes back in some form and
//! is refused afterwards, by [`is_sound`] and [`email::is_valid`](crate::email::is_valid). Both
//! look at the normalised form, so a spelling can never get past a rule that another spelling
//! fails.
//!
//! Characters that merely look alike, such as Latin and Cyrillic `a`, stay different.
//!
//! Sources: RFC 6532 §3.1 and RFC 8265 ask for one normal form, RFC 5890 for A-labels. Django
//! CVE-2019-19844 and Auth.js GHSA-7rqj-j65f-68wh are what happens without.

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
use icu_properties::{CodePointMapData, CodePointSetData};
use idna::AsciiDenyList;

use crate::IdentifierKind;

/// Longer texts are returned as they are, in bytes. No valid address or name is as long, in
/// whatever spelling.
const MAX_BYTES: usize = 8192;
/// Steps 1 to 3 are repeated until nothing changes. Two rounds are enough for all texts that are
/// known.
const MAX_ROUNDS: usize = 4;

/// The one spelling of an address: rules 1 to 5 at the top of [this module](self).
///
/// ```
/// use gatekit_core::normalize;
///
/// assert_eq!(normalize::email(" Ada@B\u{fc}cher\u{3002}Example", false), "ada@xn--bcher-kva.example");
/// assert_eq!(normalize::email("jose\u{301}@example.com", false), "jos\u{e9}@example.com");
/// assert_eq!(normalize::email("zero\u{200b}width@example.com", false), "zerowidth@example.com");
/// assert_eq!(normalize::email("Ada@Example.com", true), "Ada@example.com");
/// ```
#[must_use]
pub fn email(address: &str, case_sensitive: bool) -> String {
    if address.len() > MAX_BYTES {
        return address.to_owned();
    }
    let text = settled(address, |text| {
        let text = plain(&text);
        if case_sensitive { text } else { text.to_lowercase() }
    });
    match text.rsplit_once('@') {
        Some((local, name)) => format!("{local}@{}", domain(name)),
        None => text,
    }
}

/// The one spelling of a name: rules 1 to 3 at the top of [this module](self). Case is kept.
///
/// ```
/// use gatekit_core::normalize;
///
/// assert_eq!(normalize::username(" Ada\u{a0} Lovelace"), "Ada Lovelace");
/// assert_eq!(normalize::username("\u{ff21}da\u{ad}"), "Ada");
/// ```
#[must_use]
pub fn username(name: &str) -> String {
    if name.len() > MAX_BYTES { name.to_owned() } else { settled(name, |text| plain(&text)) }
}

/// The address in its one spelling, but with the domain as it is read: `a@bücher.example`.
pub(crate) fn readable_email(address: &str) -> String {
    let text = email(address, false);
    match text.rsplit_once('@') {
        Some((local, name)) => format!("{local}@{}", idna::domain_to_unicode(name).0),
        None => text,
    }
}

/// What a store indexes beside an address or a name, so that it finds users whose spelling was
/// stored before there was a rule: the address without case, or the name. Two texts that any policy
/// takes for the same have the same key.
///
/// ```
/// use gatekit_core::{IdentifierKind, normalize};
///
/// assert_eq!(normalize::key(IdentifierKind::Email, "Ann.Lee@Example.com"), "ann.lee@example.com");
/// assert_eq!(normalize::key(IdentifierKind::Username, "Ann"), "Ann");
/// ```
#[must_use]
pub fn key(kind: IdentifierKind, text: &str) -> String {
    match kind {
        IdentifierKind::Email => email(text, false),
        IdentifierKind::Username => username(text),
    }
}

/// Whether every character of a normalised text is one that a new address or name may have. Control
/// characters, private and unassigned ones, and U+FFF9 to U+FFFD are refused. U+FFFD stands for
/// bytes that another program could not read. An unassigned character has no normal form that
/// lasts.
#[must_use]
pub fn is_sound(text: &str) -> bool {
    let categories = CodePointMapData::<GeneralCategory>::new();
    text.chars().all(|c| {
        !matches!(c, '\u{fff9}'..='\u{fffd}')
            && !matches!(
                categories.get(c),
                GeneralCategory::Control | GeneralCategory::PrivateUse | GeneralCategory::Unassigned
            )
    })
}

/// A domain as DNS and SMTP carry it (rule 5), or `None` if it has no such form. An address literal
/// has one.
pub(crate) fn ascii_domain(domain: &str) -> Option<String> {
    if domain.starts_with('[') {
        return domain.is_ascii().then(|| domain.to_ascii_lowercase());
    }
    idna::domain_to_ascii_cow(domain.as_bytes(), AsciiDenyList::EMPTY).ok().map(std::borrow::Cow::into_owned)
}

/// Rule 5. A text that is no domain keeps its characters; it is refused afterwards.
fn domain(name: &str) -> String {
    ascii_domain(name).unwrap_or_else(|| name.to_lowercase())
}

/// Repeats a step until it changes nothing.
fn settled(text: &str, step: impl Fn(String) -> String) -> String {
    let mut text = step(text.to_owned());
    for _ in 1..MAX_ROUNDS {
        let next = step(text.clone());
        if next == text {
            break;
        }
        text = next;
    }
    text
}

/// Rules 1 to 3, once.
fn plain(text: &str) -> String {
    // Most of what is typed needs nothing of this.
    if text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return text.to_owned();
    }
    let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
    let visible: String = text.chars().filter(|c| !ignorable.contains(*c)).collect();
    let composed = ComposingNormalizerBorrowed::new_nfkc().normalize(&visible);
    let mut spaced = String::with_capacity(composed.len());
    for c in composed.trim_matches(|c: char| c.is_whitespace() || is_blank(c)).chars() {
        match is_blank(c) {
            true if spaced.ends_with(' ') => {}
            true => spaced.push(' '),
            false => spaced.push(c),
        }
    }
    spaced
}

/// A blank that is not a control character: those stay where they are, for [`is_sound`] to refuse.
fn is_blank(c: char) -> bool {
    (c.is_whitespace() && !c.is_control()) || c == '\u{2800}'
}
