//! The cookies of a request.

use std::borrow::Cow;

use cookie::Cookie;
use http::HeaderMap;
use http::header::COOKIE;

/// The value of the cookie of this name, if there is exactly one.
pub(crate) fn find_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cow<'a, str>> {
    let mut found = cookies(headers).filter(|cookie| cookie.name() == name);
    let (cookie, another) = (found.next()?, found.next());
    let value = match cookie.value_raw() {
        Some(value) => Cow::Borrowed(value),
        None => Cow::Owned(cookie.value().to_owned()),
    };
    another.is_none().then_some(value)
}

/// Whether there is a cookie of this name, or several.
pub(crate) fn has_cookie(headers: &HeaderMap, name: &str) -> bool {
    cookies(headers).any(|cookie| cookie.name() == name)
}

/// The cookies, each read by itself: a neighbouring host may have set some that are not ASCII, and
/// they must not hide the others.
fn cookies(headers: &HeaderMap) -> impl Iterator<Item = Cookie<'_>> {
    let pairs = headers.get_all(COOKIE).iter().flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
    // Without them a name cannot begin with a blank of Unicode's either, which would be trimmed off
    // what only looks like a `__Host-` cookie.
    let texts = pairs.filter(|pair| pair.is_ascii()).filter_map(|pair| std::str::from_utf8(pair).ok());
    texts.filter_map(|pair| Cookie::parse(pair).ok())
}
