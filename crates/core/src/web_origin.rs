//! Origins and the public address of an app, as an app's author writes them and as browsers send
//! them.
//!
//! Browsers write an origin in one way only (RFC 6454 §6.2, WHATWG URL): scheme and host in lower
//! case, no default port, an international host as Punycode. A setting in another spelling would
//! never match. So a setting is brought into that form, or it is refused with the way out.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Scheme, host and port, in the form that browsers send in the `Origin` header.
///
/// A host that is not ASCII is refused: no table of Unicode comes with the kit. What follows `xn--`
/// is not decoded, so a label that only looks like Punycode is taken.
///
/// ```
/// use gatekit_core::Origin;
///
/// let origin: Origin = "HTTPS://App.Example.com:443/".parse()?;
/// assert_eq!(origin.as_str(), "https://app.example.com");
/// assert!("https://*.example.com".parse::<Origin>().is_err());
/// # Ok::<_, gatekit_core::InvalidOrigin>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Origin {
    text: String,
    is_https: bool,
    is_loopback: bool,
    is_unspecified: bool,
}

/// Why a setting names no origin that a browser could send. The message names the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{written:?} is not an origin: {why}")]
pub struct InvalidOrigin {
    written: String,
    why: &'static str,
}

const FORM: &str = "write scheme, host and port alone, such as https://app.example.com";
const SCHEME: &str = "it must begin with https:// or http://, such as https://app.example.com";
const USER: &str = "leave out the user and the password before the host";
const WILDCARD: &str = "no browser sends a `*`: list each origin by itself";
const PUNYCODE: &str = "write an international host in the ASCII form that browsers send, which begins with xn--";
const HOST: &str = "the host is neither a domain name nor an IP address in its usual form";
const PORT: &str = "the port must be a number from 1 to 65535";

impl Origin {
    /// The origin, and what follows it: a path, a query, a fragment or nothing.
    fn split(written: &str) -> Result<(Self, &str), &'static str> {
        let (scheme, rest) = written.split_once("://").ok_or(SCHEME)?;
        let is_https = scheme.eq_ignore_ascii_case("https");
        if !is_https && !scheme.eq_ignore_ascii_case("http") {
            return Err(SCHEME);
        }
        let end = rest.find(['/', '?', '#', '\\']).unwrap_or(rest.len());
        let (authority, after) = rest.split_at(end);
        if authority.contains('@') {
            return Err(USER);
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']').ok_or(HOST)?,
            None => authority.split_at(authority.find(':').unwrap_or(authority.len())),
        };
        let host = if authority.starts_with('[') { Host::v6(host)? } else { Host::named(host)? };
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => None,
            None => return Err(HOST),
            // `https://host:` is what browsers read as the default port.
            Some("") => None,
            Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                Some(digits.parse::<u16>().ok().filter(|port| *port > 0).ok_or(PORT)?)
            }
            Some(_) => return Err(PORT),
        };
        let default = if is_https { 443 } else { 80 };
        let scheme = if is_https { "https" } else { "http" };
        let text = match port.filter(|port| *port != default) {
            Some(port) => format!("{scheme}://{}:{port}", host.text),
            None => format!("{scheme}://{}", host.text),
        };
        Ok((Self { text, is_https, is_loopback: host.is_loopback, is_unspecified: host.is_unspecified }, after))
    }

    /// As browsers send it: `https://app.example.com`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Host and port without the scheme, as in the `Host` header: `app.example.com`,
    /// `localhost:3000`.
    #[must_use]
    pub fn host(&self) -> &str {
        self.text.split_once("://").map_or("", |(_, host)| host)
    }

    /// Whether its pages come over TLS.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.is_https
    }

    /// Whether it is on this machine: `localhost`, a name below it, `127.0.0.0/8` or `[::1]`.
    /// Browsers take these for as safe as TLS.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.is_loopback
    }

    /// Whether its host is `0.0.0.0` or `[::]`: an address to listen at, which nobody can open.
    #[must_use]
    pub fn is_unspecified(&self) -> bool {
        self.is_unspecified
    }
}

impl FromStr for Origin {
    type Err = InvalidOrigin;

    /// Reads a setting. A slash at the end is left out; a path, a query and a fragment are refused.
    fn from_str(written: &str) -> Result<Self, InvalidOrigin> {
        let invalid = |why| InvalidOrigin { written: written.to_owned(), why };
        let (origin, after) = Self::split(written).map_err(invalid)?;
        if matches!(after, "" | "/") { Ok(origin) } else { Err(invalid(FORM)) }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A link of the app's own to a page of the web: its origin in the form that browsers use, the rest
/// as it is.
#[cfg(feature = "accounts")]
pub(crate) fn web_link(written: &str) -> Result<String, &'static str> {
    let (origin, rest) = Origin::split(written)?;
    if origin.is_unspecified() {
        return Err(LISTENING);
    }
    if rest.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        return Err("leave out blanks, control characters and `\\`, or percent-encode them");
    }
    Ok(format!("{origin}{rest}"))
}

struct Host {
    text: String,
    is_loopback: bool,
    is_unspecified: bool,
}

impl Host {
    fn v6(text: &str) -> Result<Self, &'static str> {
        let address: Ipv6Addr = text.parse().map_err(|_| HOST)?;
        // Browsers write a mapped IPv4 address in hexadecimal, which nobody writes in a setting.
        if address.to_ipv4_mapped().is_some() {
            return Err(HOST);
        }
        let (is_loopback, is_unspecified) = (address.is_loopback(), address.is_unspecified());
        Ok(Self { text: format!("[{address}]"), is_loopback, is_unspecified })
    }

    fn named(text: &str) -> Result<Self, &'static str> {
        if text.contains('*') {
            return Err(WILDCARD);
        }
        if !text.is_ascii() {
            return Err(PUNYCODE);
        }
        let text = text.to_ascii_lowercase();
        // A last label that begins with a digit makes browsers read the whole as an IPv4 address,
        // also `127.1` and `0x7f.1`.
        let last = text.strip_suffix('.').unwrap_or(&text).rsplit('.').next().unwrap_or_default();
        if last.starts_with(|c: char| c.is_ascii_digit()) {
            let address: Ipv4Addr = text.parse().map_err(|_| HOST)?;
            let (is_loopback, is_unspecified) = (address.is_loopback(), address.is_unspecified());
            return Ok(Self { text: address.to_string(), is_loopback, is_unspecified });
        }
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        if text.len() > 253 || !text.split('.').all(is_label) {
            return Err(HOST);
        }
        let is_loopback = text == "localhost" || text.ends_with(".localhost");
        Ok(Self { text, is_loopback, is_unspecified: false })
    }
}

/// Where users reach an app: an origin, and the path below which a proxy serves the app, if it is
/// not the whole site.
///
/// ```
/// use gatekit_core::PublicUrl;
///
/// let url: PublicUrl = "https://Example.com:443/app/".parse()?;
/// assert_eq!(url.as_str(), "https://example.com/app");
/// assert_eq!(url.origin().as_str(), "https://example.com");
/// assert_eq!(url.prefix(), "/app");
/// # Ok::<_, gatekit_core::InvalidPublicUrl>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct PublicUrl {
    origin: Origin,
    text: String,
}

/// Why a setting is no public URL of an app. The message names the way out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{written:?} is not the public URL of an app: {why}")]
pub struct InvalidPublicUrl {
    written: String,
    why: &'static str,
}

const LISTENING: &str = "a server listens at this address, but nobody can open it: write the host that users type, or localhost in development";
const QUERY: &str = "leave out the query and the fragment";
const PATH: &str = "the path must be one that browsers keep as it is: no blanks, `//`, `\\`, `.` or `..`, and other characters percent-encoded";

impl PublicUrl {
    /// Without a slash at the end: `https://example.com/app`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The origin of the app's own pages.
    #[must_use]
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The path that a proxy in front of the app cuts off: `/app`, or nothing where the app has the
    /// whole site. It begins with a slash and does not end with one.
    #[must_use]
    pub fn prefix(&self) -> &str {
        self.text.get(self.origin.as_str().len()..).unwrap_or_default()
    }

    /// A path of the app as browsers see it: behind the prefix. A path that has the prefix already
    /// stays as it is, so that it does not matter whether the proxy cuts the prefix off. What is no
    /// path, such as the URL of another origin, stays as it is too.
    ///
    /// ```
    /// # let url: gatekit_core::PublicUrl = "https://example.com/app".parse()?;
    /// assert_eq!(url.outside("/login"), "/app/login");
    /// assert_eq!(url.outside("/app/login"), "/app/login");
    /// assert_eq!(url.outside("https://other.example/"), "https://other.example/");
    /// # Ok::<_, gatekit_core::InvalidPublicUrl>(())
    /// ```
    #[must_use]
    pub fn outside(&self, path: &str) -> String {
        let prefix = self.prefix();
        let has_prefix =
            path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '?', '#']));
        if path.starts_with('/') && !has_prefix { format!("{prefix}{path}") } else { path.to_owned() }
    }
}

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(written: &str) -> Result<Self, InvalidPublicUrl> {
        let invalid = |why| InvalidPublicUrl { written: written.to_owned(), why };
        let (origin, after) = Origin::split(written).map_err(invalid)?;
        if origin.is_unspecified() {
            return Err(invalid(LISTENING));
        }
        if after.contains(['?', '#']) {
            return Err(invalid(QUERY));
        }
        let path = after.trim_end_matches('/');
        let is_sound = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~%!$&'()*+,;=:@".contains(&byte);
        let is_segment = |segment: &str| {
            let segment = segment.to_ascii_lowercase().replace("%2e", ".");
            !matches!(&*segment, "" | "." | "..")
        };
        if !path.bytes().all(is_sound) || !path.split('/').skip(1).all(is_segment) {
            return Err(invalid(PATH));
        }
        let text = format!("{origin}{path}");
        Ok(Self { origin, text })
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What browsers send. The right column is what `url::Url::origin` makes of the left one, which
    /// `tests/loopback/settings.rs` checks.
    #[test]
    fn an_origin_is_brought_into_the_form_that_browsers_send() {
        for (written, sent) in [
            ("https://app.example.com", "https://app.example.com"),
            ("https://app.example.com/", "https://app.example.com"),
            ("https://app.example.com:443", "https://app.example.com"),
            ("https://app.example.com:", "https://app.example.com"),
            ("http://app.example.com:80", "http://app.example.com"),
            ("http://app.example.com:443", "http://app.example.com:443"),
            ("https://app.example.com:08443", "https://app.example.com:8443"),
            ("HTTPS://APP.Example.COM", "https://app.example.com"),
            ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
            ("http://localhost:3000", "http://localhost:3000"),
            ("http://127.0.0.1:3000", "http://127.0.0.1:3000"),
            ("http://[::1]:3000", "http://[::1]:3000"),
            ("http://[0:0:0:0:0:0:0:1]", "http://[::1]"),
            ("http://[2001:DB8::1]", "http://[2001:db8::1]"),
            ("http://my_host", "http://my_host"),
        ] {
            assert_eq!(written.parse::<Origin>().map(|origin| origin.text), Ok(sent.to_owned()), "{written}");
        }
    }

    #[test]
    fn what_no_browser_sends_is_refused_with_the_way_out() {
        for (written, why) in [
            ("", SCHEME),
            ("null", SCHEME),
            ("app.example.com", SCHEME),
            ("//app.example.com", SCHEME),
            ("ftp://app.example.com", SCHEME),
            (" https://app.example.com", SCHEME),
            ("https://*.example.com", WILDCARD),
            ("https://*", WILDCARD),
            ("https://bücher.example", PUNYCODE),
            ("https://app\u{3002}example", PUNYCODE),
            ("https://user@app.example.com", USER),
            ("https://user:password@app.example.com", USER),
            ("https://", HOST),
            ("https://:443", HOST),
            ("https://.example.com", HOST),
            ("https://a..example.com", HOST),
            ("https://app.example.com ", HOST),
            ("https://app example.com", HOST),
            ("https://app.example.com\r\n", HOST),
            ("https://app.example.com;script-src", HOST),
            ("https://app%2eexample.com", HOST),
            ("https://127.1", HOST),
            ("https://0x7f.1", HOST),
            ("https://127.0.0.01", HOST),
            ("https://[::1", HOST),
            ("https://[::1]x", HOST),
            ("https://[::ffff:127.0.0.1]", HOST),
            ("https://app.example.com:0", PORT),
            ("https://app.example.com:65536", PORT),
            ("https://app.example.com:+443", PORT),
            ("https://app.example.com:443:443", PORT),
            ("https://app.example.com/path", FORM),
            ("https://app.example.com//", FORM),
            ("https://app.example.com?", FORM),
            ("https://app.example.com#", FORM),
            ("https://app.example.com\\", FORM),
        ] {
            assert_eq!(written.parse::<Origin>().map_err(|error| error.why), Err(why), "{written:?}");
        }
        let message = "https://*.example.com".parse::<Origin>().unwrap_err().to_string();
        assert_eq!(
            message,
            "\"https://*.example.com\" is not an origin: no browser sends a `*`: list each origin by itself"
        );
    }

    #[test]
    fn a_public_url_is_an_origin_and_a_prefix() {
        for (written, origin, prefix) in [
            ("https://example.com", "https://example.com", ""),
            ("https://example.com/", "https://example.com", ""),
            ("https://Example.com:443/App/", "https://example.com", "/App"),
            ("http://localhost:3000/a/b", "http://localhost:3000", "/a/b"),
            ("https://example.com/b%C3%BCcher", "https://example.com", "/b%C3%BCcher"),
        ] {
            let url: PublicUrl = written.parse().unwrap();
            assert_eq!((url.origin().as_str(), url.prefix()), (origin, prefix), "{written}");
            assert_eq!(url.as_str(), format!("{origin}{prefix}"));
            assert_eq!(url.outside("/x?y"), format!("{prefix}/x?y"));
            assert_eq!(url.outside(&format!("{prefix}/x")), format!("{prefix}/x"), "no prefix comes twice");
            assert_eq!(url.outside("https://other.example/x"), "https://other.example/x");
        }
    }

    #[test]
    fn a_public_url_that_nobody_can_open_is_refused() {
        for (written, why) in [
            ("http://0.0.0.0:3000", LISTENING),
            ("http://[::]:3000", LISTENING),
            ("http://[::]", LISTENING),
            ("http://[0:0:0:0:0:0:0:0]", LISTENING),
            ("https://example.com/?a=b", QUERY),
            ("https://example.com?", QUERY),
            ("https://example.com/#a", QUERY),
            ("https://user@example.com", USER),
            ("https://example.com:99999", PORT),
            ("https://example.com:0", PORT),
            ("https://example.com/a b", PATH),
            ("https://example.com/{token}", PATH),
            ("https://example.com//a", PATH),
            ("https://example.com/a//b", PATH),
            ("https://example.com/a/../b", PATH),
            ("https://example.com/%2E%2e/b", PATH),
            ("https://example.com/\\a", PATH),
            ("https://bücher.example/", PUNYCODE),
            ("example.com", SCHEME),
        ] {
            assert_eq!(written.parse::<PublicUrl>().map_err(|error| error.why), Err(why), "{written:?}");
        }
    }
}
