//! Whether a text is an e-mail address, by LoopBack's rules.
//!
//! LoopBack asks the npm package `isemail` (3.2.0) and takes every address that can go over SMTP as
//! it is. The verdicts here are the same:
//!
//! 1. An address is a local part, an `@` and a domain: at most 254 octets, of which the local part
//!    has at most 64 (RFC 5321, 4.5.3.1). International domain labels count in their Punycode form.
//! 2. The local part is one or more atoms with single dots between them. An atom has any characters
//!    but ASCII white space, control characters and `()<>[]:;@\,."`. So Unicode and emoji are fine
//!    (RFC 6531).
//! 3. Or it is a quoted string as a whole: `"a@b"`. Spaces and other controls need a backslash in
//!    there, as do `"` and `\`.
//! 4. The domain is one or more labels of at most 63 octets, of letters, digits, hyphens inside,
//!    and characters from U+00C0 on. One label is enough: `a@localhost`.
//! 5. Or it is an address literal as a whole: `[192.0.2.1]`, `[IPv6:2001:db8::1]`.
//!
//! Comments, folded white space and display names are not part of an address here: `Foo <a@b.c>` is
//! refused. Nothing is trimmed. Whether the mailbox exists is another question, which only a mail
//! can answer.
//!
//! One difference is left: `isemail` composes the address (Unicode NFC) before it looks, and this
//! module judges the characters as they came. That can be told only from an address at a length
//! limit with characters that NFC changes, and from `<`, `=`, `>` or `¨` with a combining character
//! after it.

/// More octets than any valid address has: each of at most 254 octets can stand for one character
/// of four bytes.
const MAX_BYTES: usize = 254 * 4;
/// Octets of an address as SMTP carries it (RFC 5321, 4.5.3.1.3, with erratum 1690 of RFC 3696).
const MAX_ADDRESS: usize = 254;
/// Octets of a local part (RFC 5321, 4.5.3.1.1).
const MAX_LOCAL: usize = 64;
/// Octets of a domain label (RFC 1035, 2.3.4).
const MAX_LABEL: usize = 63;
/// Characters that IDNA takes for a full stop (RFC 3490, 3.1).
const IDNA_DOTS: [char; 3] = ['\u{3002}', '\u{ff0e}', '\u{ff61}'];

/// Tells whether `address` is an e-mail address that LoopBack would take.
///
/// The verdict is that of `isemail` 3.2.0 for "valid" (a diagnosis below 16), which LoopBack's User
/// model uses for `email`. The rules are listed at the top of [this module](self). The empty text
/// is no address; whether an account needs one is for the caller to say.
///
/// The time is limited: what is too long is refused unread, and nothing is allocated.
///
/// ```
/// use gatekit_core::email::is_valid;
///
/// assert!(is_valid("ada@example.com"));
/// assert!(is_valid("ada+news@localhost"));
/// assert!(is_valid("用户@例子.公司"));
/// assert!(is_valid("ada@[192.0.2.1]"));
///
/// assert!(!is_valid("ada"));
/// assert!(!is_valid("ada@example.com "));
/// assert!(!is_valid("Ada <ada@example.com>"));
/// assert!(!is_valid("ada@example..com"));
/// ```
#[must_use]
pub fn is_valid(address: &str) -> bool {
    if address.len() > MAX_BYTES {
        return false;
    }
    // No domain has an `@`, so the last one is the separator.
    let Some((local, domain)) = address.rsplit_once('@') else {
        return false;
    };
    local.len() <= MAX_LOCAL
        && (is_dot_atom(local) || is_quoted_string(local))
        && domain_octets(domain).is_some_and(|octets| local.len() + 1 + octets <= MAX_ADDRESS)
}

/// The form of `address` in which two spellings of one mailbox are the same: all lower case.
///
/// This is what LoopBack does with `caseSensitiveEmail: false`, on write and in queries: the whole
/// address, local part included, in the sense of JavaScript's `toLowerCase`. Nothing else is
/// changed: no trimming, no dots or `+tags` removed.
///
/// ```
/// use gatekit_core::email::normalize_case;
///
/// assert_eq!(normalize_case("Ada.Lovelace@Example.COM"), "ada.lovelace@example.com");
/// assert_eq!(normalize_case("ÄDA@example.com"), "äda@example.com");
/// ```
#[must_use]
pub fn normalize_case(address: &str) -> String {
    address.to_lowercase()
}

/// `address` as SMTP carries it (RFC 5321, RFC 6531): the same local part, and the domain in its
/// ASCII form. `None` if no mail can be sent to it.
///
/// This is the one rule about addresses that mail is sent to. A sign-up asks it, unless
/// `policy.identifiers.normalize` is off, and so does the mailer of `gatekit-mail`.
///
/// 1. The address is [valid](is_valid).
/// 2. It has no control character.
/// 3. Its domain has an ASCII form (UTS #46): `xn--` is followed by Punycode of a label that may be
///    registered.
///
/// A local part beyond ASCII is no reason to refuse: mail servers with `SMTPUTF8` deliver it.
/// Whether a mailer's server is one of them is up to
/// [`Mailer::can_reach`](crate::Mailer::can_reach).
///
/// ```
/// use gatekit_core::email::smtp_form;
///
/// assert_eq!(smtp_form("jos\u{e9}@b\u{fc}cher.example").as_deref(), Some("jos\u{e9}@xn--bcher-kva.example"));
/// assert_eq!(smtp_form("\"a,b\"@example.com").as_deref(), Some("\"a,b\"@example.com"));
/// assert_eq!(smtp_form("a@xn--99999999.example"), None);
/// ```
#[must_use]
pub fn smtp_form(address: &str) -> Option<String> {
    if !is_valid(address) || address.contains(char::is_control) {
        return None;
    }
    let (local, domain) = address.rsplit_once('@')?;
    Some(format!("{local}@{}", crate::normalize::ascii_domain(domain)?))
}

/// Rule 2.
fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| !atom.is_empty() && atom.chars().all(is_atext))
}

fn is_atext(c: char) -> bool {
    let c = look_through(c);
    !matches!(c, ' ' | '(' | ')' | '<' | '>' | '[' | ']' | ':' | ';' | '@' | '\\' | ',' | '.' | '"') && !c.is_control()
}

/// Rule 3.
fn is_quoted_string(local: &str) -> bool {
    let Some(inside) = local.strip_prefix('"') else {
        return false;
    };
    let mut chars = inside.chars();
    loop {
        let fits = match chars.next() {
            // The end came before the closing quote.
            None => false,
            Some('"') => return chars.as_str().is_empty(),
            // `isemail` lets a tab and U+001F be quoted, and no other control character.
            Some('\\') => chars.next().is_some_and(|c| matches!(c, '\t' | '\u{1f}') || !c.is_control()),
            Some(c) => c != ' ' && !c.is_control(),
        };
        if !fits {
            return false;
        }
    }
}

/// Rules 4 and 5: how many octets the domain has in ASCII form, or `None` when it is not a domain.
fn domain_octets(domain: &str) -> Option<usize> {
    if let Some(literal) = domain.strip_prefix('[') {
        let fits = domain.len() <= MAX_LABEL && is_address_literal(literal.strip_suffix(']')?);
        return fits.then_some(domain.len());
    }
    let mut octets = 0;
    let mut labels = domain.split('.').peekable();
    while let Some(label) = labels.next() {
        if !is_label(label) {
            return None;
        }
        let ascii = ascii_octets(label)?;
        // `isemail` counts the last label as it is written and the others as they are sent.
        let (counted, dot) = if labels.peek().is_some() { (ascii, 1) } else { (label.len(), 0) };
        if counted > MAX_LABEL {
            return None;
        }
        octets += ascii + dot;
    }
    Some(octets)
}

fn is_label(label: &str) -> bool {
    !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.chars().all(|c| match look_through(c) {
            c if c.is_ascii() => c.is_ascii_alphanumeric() || c == '-',
            c => c >= '\u{c0}',
        })
}

/// Rule 5, without the brackets.
fn is_address_literal(literal: &str) -> bool {
    if is_ipv4(literal) {
        return true;
    }
    match literal.split_at_checked(5) {
        Some((tag, address)) => tag.eq_ignore_ascii_case("ipv6:") && is_ipv6(address),
        None => false,
    }
}

/// Four numbers up to 255, of one to three digits each. `isemail` takes leading zeros.
fn is_ipv4(text: &str) -> bool {
    text.split('.').count() == 4
        && text.split('.').all(|number| {
            number.len() <= 3 && number.bytes().all(|b| b.is_ascii_digit()) && number.parse::<u8>().is_ok()
        })
}

/// RFC 5321, 4.1.3, where `::` stands for two groups or more.
fn is_ipv6(address: &str) -> bool {
    // An IPv4 tail takes the place of the last two groups. What is before it ends in a colon, so
    // that the split below has one empty piece there already.
    let (hex, tail) = match address.rsplit_once(':') {
        Some((_, last)) if is_ipv4(last) => (address.strip_suffix(last).unwrap_or(address), true),
        _ => (address, false),
    };
    let pieces = hex.split(':').count() + usize::from(tail);
    let in_form = hex.split(':').all(|group| group.len() <= 4 && group.bytes().all(|b| b.is_ascii_hexdigit()));
    let stray_colon =
        (hex.starts_with(':') && !hex.starts_with("::")) || (!tail && hex.ends_with(':') && !hex.ends_with("::"));
    let fits = match hex.find("::") {
        None => pieces == 8,
        // A second `::`, which may overlap the first.
        Some(at) if hex.rfind("::") != Some(at) => false,
        // At either end `::` makes one empty piece more.
        Some(at) if at == 0 || (!tail && at + 2 == hex.len()) => pieces < 9,
        Some(_) => pieces < 8,
    };
    in_form && !stray_colon && fits
}

/// How many octets `label` has in its ASCII form, or `None` when there are more than a label can
/// have.
fn ascii_octets(label: &str) -> Option<usize> {
    // Every character takes an octet at least. This also bounds the work below.
    if label.chars().count() > MAX_LABEL {
        return None;
    }
    // Another full stop ends a part too, and becomes one dot.
    let parts = label.split(IDNA_DOTS).map(|part| if part.is_ascii() { part.len() } else { 4 + punycode_octets(part) });
    Some(parts.sum::<usize>() + label.matches(IDNA_DOTS).count())
}

/// The length of the Punycode form (RFC 3492, 6.3), without the `xn--`.
fn punycode_octets(label: &str) -> usize {
    let basic = label.chars().filter(char::is_ascii).count();
    // The ASCII characters come first, with a hyphen behind them if there are any.
    let mut len = if basic > 0 { basic + 1 } else { 0 };
    let (mut code, mut delta, mut bias, mut done) = (0x80_u32, 0_u32, 72_u32, 0_u32);
    let basic = u32::try_from(basic).unwrap_or(u32::MAX);
    // One round for each different character, in the order of their code points.
    while let Some(next) = label.chars().map(u32::from).filter(|&c| c >= code).min() {
        delta = delta.saturating_add((next - code).saturating_mul(basic + done + 1));
        for c in label.chars().map(u32::from) {
            if c < next {
                delta = delta.saturating_add(1);
            } else if c == next {
                len += digits(delta, bias);
                bias = adapt(delta, basic + done + 1, done == 0);
                delta = 0;
                done += 1;
            }
        }
        delta = delta.saturating_add(1);
        code = next + 1;
    }
    len
}

/// How many digits the generalized variable-length integer `delta` has (RFC 3492, 3.3).
fn digits(delta: u32, bias: u32) -> usize {
    let (mut rest, mut k, mut count) = (delta, 36_u32, 1);
    loop {
        let threshold = k.saturating_sub(bias).clamp(1, 26);
        if rest < threshold {
            return count;
        }
        rest = (rest - threshold) / (36 - threshold);
        k += 36;
        count += 1;
    }
}

/// The bias for the next delta (RFC 3492, 6.1).
fn adapt(delta: u32, points: u32, first: bool) -> u32 {
    let mut delta = if first { delta / 700 } else { delta / 2 };
    delta = delta.saturating_add(delta / points.max(1));
    let mut k = 0;
    while delta > 455 {
        delta /= 35;
        k += 36;
    }
    k + 36 * delta / (delta + 38)
}

/// The characters that Unicode defines as another spelling of one that has a meaning in addresses.
/// `isemail` sees them as that, and so may the next program that handles the address.
fn look_through(c: char) -> char {
    match c {
        '\u{37e}' => ';',
        '\u{1fef}' => '`',
        '\u{387}' => '\u{b7}',
        '\u{1ffd}' => '\u{b4}',
        c => c,
    }
}
