//! When is a path one that can be read in one way only, and when is it below another?

use std::borrow::Cow;

/// The path of a request, decoded once and without a slash at its end; `/` itself is empty. `None`
/// if it could be read in two ways.
pub(super) fn of_request(raw: &str) -> Option<Cow<'_, str>> {
    // Before decoding every `/` divides segments; after it none may be added.
    let decoded = if raw.contains('%') { Cow::Owned(decode(raw)?) } else { Cow::Borrowed(raw) };
    match decoded {
        Cow::Borrowed(path) => plain(path).map(Cow::Borrowed),
        Cow::Owned(path) => plain(&path).map(|path| Cow::Owned(path.to_owned())),
    }
}

/// The path of an entry, without a slash at its end. `None` if no request can have it, or if it
/// seems to be percent-encoded.
pub(super) fn of_entry(id: &str) -> Option<&str> {
    let escaped =
        |rest: &str| rest.as_bytes().first_chunk().is_some_and(|[a, b]| hex(*a).is_some() && hex(*b).is_some());
    if id.split('%').skip(1).any(escaped) {
        return None;
    }
    plain(id)
}

pub(super) fn is_at(path: &str, id: &str) -> bool {
    path == id
}

/// `/foobar` is not below `/foo`.
pub(super) fn is_below(path: &str, id: &str) -> bool {
    path.strip_prefix(id).is_some_and(|rest| rest.starts_with('/'))
}

/// Without the slash at its end, if every segment is a name.
fn plain(path: &str) -> Option<&str> {
    let segments = path.strip_prefix('/')?;
    let path = path.strip_suffix('/').unwrap_or(path);
    let segments = segments.strip_suffix('/').unwrap_or(segments);
    if path.is_empty() {
        return Some(path);
    }
    let is_name =
        |segment: &str| !matches!(segment, "" | "." | "..") && !segment.contains(|c: char| c == '\\' || c.is_control());
    segments.split('/').all(is_name).then_some(path)
}

/// RFC 3986, section 2.1. `None` for an escape that is none, for an encoded slash, and for what is
/// no UTF-8.
fn decode(raw: &str) -> Option<String> {
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => match hex(bytes.next()?)? << 4 | hex(bytes.next()?)? {
                b'/' => return None,
                byte => byte,
            },
            byte => byte,
        };
        decoded.push(byte);
    }
    String::from_utf8(decoded).ok()
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
