//! How does the cookie look that holds a token?

use std::borrow::Cow;

use gatekit_core::IssuedToken;
use http::{HeaderMap, HeaderValue};

use crate::request_cookies::find_cookie;

/// How a token's cookie looks, when it is set, read and taken back.
///
/// | | name | attributes |
/// | --- | --- | --- |
/// | [`default`](Self::default) | `__Host-access_token` | `Path=/; HttpOnly; Secure; SameSite=Lax` |
/// | [`for_localhost`](Self::for_localhost) | `access_token` | `Path=/; HttpOnly; SameSite=Lax` |
///
/// Scripts cannot read it (ASVS 3.3.4), it is sent over HTTPS alone (3.3.1), and pages of other
/// sites have it sent with a link to the app at most (3.3.2). The prefix `__Host-` (3.3.3) is a
/// promise that browsers keep: a cookie of that name was set by this very host over HTTPS, so that
/// a neighbouring host cannot plant one.
///
/// ```
/// use gatekit_layer::{SameSite, TokenCookie, TokenSources};
///
/// let cookie = TokenCookie::default().name("__Host-session")?.same_site(SameSite::Strict)?;
/// let sources = TokenSources::default().with_cookie(cookie);
/// # Ok::<_, gatekit_layer::InvalidTokenCookie>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenCookie {
    name: Cow<'static, str>,
    secure: bool,
    same_site: SameSite,
}

/// With which requests from other sites a browser sends a cookie (RFC 6265bis §4.1.2.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SameSite {
    /// With links to the app, and nothing else.
    #[default]
    Lax,
    /// With none: who follows a link from a mail is not signed in on the page it opens.
    Strict,
    /// With all. For apps in a frame of another site; the cross-origin check is all that is left
    /// then.
    None,
}

impl SameSite {
    fn as_str(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::Strict => "Strict",
            Self::None => "None",
        }
    }
}

/// Why a cookie cannot be as it was wished.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTokenCookie {
    /// Empty, or with characters that no cookie's name has (RFC 6265 §4.1.1).
    #[error("{0:?} is not the name of a cookie")]
    Name(String),
    /// Browsers refuse a cookie whose name begins with `__Host-` or `__Secure-` and which is not
    /// `Secure`.
    #[error("a cookie named {0:?} must be Secure: choose another name for http://localhost")]
    PrefixWithoutSecure(String),
    /// Browsers refuse `SameSite=None` without `Secure`.
    #[error("SameSite=None needs a Secure cookie")]
    NoneWithoutSecure,
    /// The value has characters that no cookie's value has. Gatekit's tokens are made of letters
    /// and digits.
    #[error("the token has characters that no cookie can hold")]
    Value,
}

impl Default for TokenCookie {
    fn default() -> Self {
        Self { name: Cow::Borrowed("__Host-access_token"), secure: true, same_site: SameSite::Lax }
    }
}

impl TokenCookie {
    /// For development over plain `http://localhost`, where some browsers keep no `Secure` cookies.
    /// **Never in production**: the cookie is sent unencrypted, and any host of the same domain can
    /// plant one.
    #[must_use]
    pub fn for_localhost() -> Self {
        Self { name: Cow::Borrowed("access_token"), secure: false, same_site: SameSite::Lax }
    }

    /// Named so. Without the prefix `__Host-` a neighbouring host can plant the cookie.
    ///
    /// # Errors
    ///
    /// [`InvalidTokenCookie`] if no browser would take it.
    pub fn name(mut self, name: impl Into<Cow<'static, str>>) -> Result<Self, InvalidTokenCookie> {
        self.name = name.into();
        self.checked()
    }

    /// Sent by browsers with these requests from other sites.
    ///
    /// # Errors
    ///
    /// [`InvalidTokenCookie::NoneWithoutSecure`].
    pub fn same_site(mut self, same_site: SameSite) -> Result<Self, InvalidTokenCookie> {
        self.same_site = same_site;
        self.checked()
    }

    fn checked(self) -> Result<Self, InvalidTokenCookie> {
        if self.name.is_empty() || !self.name.bytes().all(is_name_byte) {
            return Err(InvalidTokenCookie::Name(self.name.into_owned()));
        }
        if !self.secure && has_prefix(&self.name) {
            return Err(InvalidTokenCookie::PrefixWithoutSecure(self.name.into_owned()));
        }
        if !self.secure && self.same_site == SameSite::None {
            return Err(InvalidTokenCookie::NoneWithoutSecure);
        }
        Ok(self)
    }

    /// The cookie's name.
    #[must_use]
    pub fn as_name(&self) -> &str {
        &self.name
    }

    /// Whether browsers send it over HTTPS alone. What else an app sets in the same browser should
    /// be as this is.
    #[must_use]
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// Its value in a request, if it is there exactly once.
    ///
    /// ```
    /// use gatekit_layer::TokenCookie;
    /// use http::{HeaderMap, HeaderValue, header::COOKIE};
    ///
    /// let cookie = TokenCookie::default();
    /// let mut headers = HeaderMap::new();
    /// headers.insert(COOKIE, HeaderValue::from_static("a=b; __Host-access_token=abc"));
    /// assert_eq!(cookie.find(&headers).as_deref(), Some("abc"));
    /// ```
    #[must_use]
    pub fn find<'a>(&self, headers: &'a HeaderMap) -> Option<Cow<'a, str>> {
        find_cookie(headers, &self.name)
    }

    /// A cookie for something else, which lives as this does: with the prefix `__Host-` where this
    /// is `Secure`, and `SameSite=Lax`.
    ///
    /// # Errors
    ///
    /// [`InvalidTokenCookie::Name`].
    pub fn companion(&self, name: &str) -> Result<Self, InvalidTokenCookie> {
        let name = if self.secure { format!("__Host-{name}") } else { name.to_owned() };
        Self { name: Cow::Owned(name), secure: self.secure, same_site: SameSite::Lax }.checked()
    }

    /// The value of `Set-Cookie` with `token`, for as many seconds as the token lives; until the
    /// browser is closed for one that never ends.
    ///
    /// # Errors
    ///
    /// [`InvalidTokenCookie::Value`]; no token of Gatekit's.
    pub fn set(&self, token: &IssuedToken) -> Result<HeaderValue, InvalidTokenCookie> {
        let ttl = Some(token.record.ttl).filter(|ttl| *ttl >= 0);
        self.with_value(token.secret.expose(), ttl)
    }

    /// The value of `Set-Cookie` that takes it back. Name, path and `Secure` are those it was set
    /// with, or browsers would keep it.
    ///
    /// # Errors
    ///
    /// None, as the name was checked when it was given.
    pub fn removal(&self) -> Result<HeaderValue, InvalidTokenCookie> {
        self.with_value("", Some(0))
    }

    /// The same cookie with any value, and `Max-Age` in seconds if there is one.
    ///
    /// # Errors
    ///
    /// [`InvalidTokenCookie::Value`] for characters that would end the value: nothing that is put
    /// in can add an attribute or a header.
    pub fn with_value(&self, value: &str, max_age: Option<i64>) -> Result<HeaderValue, InvalidTokenCookie> {
        if !value.bytes().all(is_value_byte) {
            return Err(InvalidTokenCookie::Value);
        }
        let mut text = format!("{}={value}; Path=/; HttpOnly; SameSite={}", self.name, self.same_site.as_str());
        if self.secure {
            text.push_str("; Secure");
        }
        if let Some(seconds) = max_age {
            text.push_str(&format!("; Max-Age={seconds}"));
        }
        let mut header = HeaderValue::try_from(text).map_err(|_| InvalidTokenCookie::Value)?;
        // Kept out of log lines, and of HTTP/2's header tables.
        header.set_sensitive(true);
        Ok(header)
    }
}

/// Browsers compare the prefixes in any case.
fn has_prefix(name: &str) -> bool {
    ["__host-", "__secure-"].iter().any(|prefix| {
        name.as_bytes().get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
    })
}

/// RFC 9110's `token`.
fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte)
}

/// RFC 6265's `cookie-octet`.
fn is_value_byte(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_that_browsers_would_refuse_is_refused_when_it_is_made() {
        for name in ["__Host-a", "__host-a", "__Secure-a"] {
            let refused = TokenCookie::for_localhost().name(name);
            assert_eq!(refused, Err(InvalidTokenCookie::PrefixWithoutSecure(name.into())));
            assert!(TokenCookie::default().name(name).is_ok());
        }
        let none = TokenCookie::for_localhost().same_site(SameSite::None);
        assert_eq!(none, Err(InvalidTokenCookie::NoneWithoutSecure));
        for name in ["", "a b", "a=b", "a;b", "a\r\nb", "\u{e4}", "a,b"] {
            assert_eq!(TokenCookie::default().name(name), Err(InvalidTokenCookie::Name(name.into())));
        }
    }

    #[test]
    fn no_value_can_add_an_attribute_or_a_header() {
        for value in ["a; Domain=example.com", "a\r\nSet-Cookie: b=c", "a,b", "a b", "a\"b", "a\\b", "\u{e4}", "a\0b"] {
            assert_eq!(TokenCookie::default().with_value(value, None), Err(InvalidTokenCookie::Value), "{value:?}");
        }
    }

    #[test]
    fn attributes_are_as_the_table_says() {
        let set = |cookie: &TokenCookie| cookie.with_value("abc", Some(60)).unwrap().to_str().unwrap().to_owned();
        assert_eq!(
            set(&TokenCookie::default()),
            "__Host-access_token=abc; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=60"
        );
        assert_eq!(set(&TokenCookie::for_localhost()), "access_token=abc; Path=/; HttpOnly; SameSite=Lax; Max-Age=60");
        let removal = TokenCookie::default().removal().unwrap();
        assert_eq!(removal, "__Host-access_token=; Path=/; HttpOnly; SameSite=Lax; Secure; Max-Age=0");
    }
}
