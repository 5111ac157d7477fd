//! Where in a request a token may be.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cookie::Cookie;
#[cfg(feature = "tower-sessions")]
use gatekit_core::TokenDigest;
use http::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue};
use http::{Uri, uri::PathAndQuery};

#[cfg(feature = "tower-sessions")]
use crate::AuthRejection;
use crate::TokenCookie;

/// The places a token is looked for, in order. The first that has one ends the search.
///
/// | sources | query | headers | cookies |
/// | --- | --- | --- | --- |
/// | [`default`](TokenSources::default) | `access_token` | `X-Access-Token`, then `Authorization` | `__Host-access_token` |
/// | [`loopback`](TokenSources::loopback) | `access_token` | `X-Access-Token`, then `Authorization` | none |
/// | [`strict`](TokenSources::strict) | none | `X-Access-Token`, then `Authorization` | `__Host-access_token` |
///
/// ```
/// use gatekit_layer::{TokenSource, TokenSources};
///
/// // Only RFC 6750's header, and a header of our own (LoopBack: `searchDefaultTokenKeys: false`):
/// let sources = TokenSources::new([TokenSource::bearer(), TokenSource::header("x-cm-well-token")]);
///
/// // A header of our own beside the others:
/// let sources = TokenSources::loopback().with([TokenSource::header("x-cm-well-token")]);
/// ```
#[derive(Clone, Debug)]
pub struct TokenSources(Vec<TokenSource>);

impl TokenSources {
    /// These places, in this order.
    #[must_use]
    pub fn new(sources: impl IntoIterator<Item = TokenSource>) -> Self {
        Self(sources.into_iter().collect())
    }

    /// LoopBack's places without the query: a token in a URL stays in histories, logs and `Referer` headers (ASVS 14.2.1,
    /// RFC 9700 §4.3.2).
    #[must_use]
    pub fn strict() -> Self {
        Self::new([
            TokenSource::header("x-access-token"),
            TokenSource::header("authorization"),
            TokenSource::token_cookie(TokenCookie::default()),
        ])
    }

    /// With this cookie in place of the [`TokenCookie`] that was there, or after everything else if there was none.
    ///
    /// ```
    /// use gatekit_layer::{TokenCookie, TokenSources};
    ///
    /// // For development without HTTPS:
    /// let sources = TokenSources::default().with_cookie(TokenCookie::for_localhost());
    /// ```
    #[must_use]
    pub fn with_cookie(mut self, cookie: TokenCookie) -> Self {
        self.0.retain(|source| !matches!(source.0, Kind::TokenCookie(_)));
        self.0.push(TokenSource::token_cookie(cookie));
        self
    }

    /// Where LoopBack's `loopback.token()` looks. It is [`default`](Self::default) without the cookie: LoopBack reads signed ones
    /// only. Where it does, that is where the app has a cookie-parser with a secret, add `TokenSource::signed_cookie` for
    /// `access_token` and for `authorization`.
    #[must_use]
    pub fn loopback() -> Self {
        Self::new([
            TokenSource::query("access_token"),
            TokenSource::header("x-access-token"),
            TokenSource::header("authorization"),
        ])
    }

    /// And these places, each before those of its kind: LoopBack's `params`, `headers` and `cookies`. All places are then in the
    /// order of their kinds, which is query, header, cookie.
    #[must_use]
    pub fn with(self, sources: impl IntoIterator<Item = TokenSource>) -> Self {
        // Stable: these before those that were there, and each in its order.
        let mut all: Vec<TokenSource> = sources.into_iter().chain(self.0).collect();
        all.sort_by_key(TokenSource::rank);
        Self(all)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &TokenSource> {
        self.0.iter()
    }

    /// Looks through the places. `query` is what [`cut_query_tokens`] took out of the URI. Sessions are passed over: they hold no
    /// token, only its digest.
    pub(crate) fn find<'a>(&self, headers: &'a HeaderMap, query: &'a [QueryToken]) -> Option<Found<'a>> {
        self.0.iter().find_map(|source| source.find(headers, query))
    }

    /// The same, and looks into sessions too.
    #[cfg(feature = "tower-sessions")]
    pub(crate) async fn find_or_load<'a>(
        &self,
        headers: &'a HeaderMap,
        query: &'a [QueryToken],
        session: Option<&Result<tower_sessions_core::Session, AuthRejection>>,
    ) -> Result<Option<Found<'a>>, AuthRejection> {
        for source in &self.0 {
            let found = match (&source.0, session) {
                (Kind::Session, Some(session)) => {
                    let session = session.as_ref().map_err(AuthRejection::clone)?;
                    crate::session::digest(session).await?.map(Found::Session)
                }
                _ => source.find(headers, query),
            };
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The cookie that tokens are set in.
    pub(crate) fn token_cookie(&self) -> Option<&TokenCookie> {
        self.0.iter().find_map(|source| match &source.0 {
            Kind::TokenCookie(cookie) => Some(cookie),
            _ => None,
        })
    }

    #[cfg(feature = "tower-sessions")]
    pub(crate) fn has_session(&self) -> bool {
        self.0.iter().any(|source| matches!(source.0, Kind::Session))
    }
}

impl Default for TokenSources {
    fn default() -> Self {
        let Self(mut sources) = Self::strict();
        sources.insert(0, TokenSource::query("access_token"));
        Self(sources)
    }
}

/// A place where a token may be.
#[derive(Clone, Debug)]
pub struct TokenSource(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Query(String),
    Header(HeaderName),
    Bearer,
    Cookie(String),
    TokenCookie(TokenCookie),
    #[cfg(feature = "tower-sessions")]
    Session,
    #[cfg(feature = "signed-cookies")]
    SignedCookie(String, crate::CookieSecrets),
}

impl TokenSource {
    /// A parameter of the query string (LoopBack's default, RFC 6750 §2.3). It may stand there once; an empty value ends the
    /// search with nobody found, as in LoopBack.
    ///
    /// The layer cuts it out of the URI that inner services see, and marks the response `Cache-Control: no-store` and
    /// `Referrer-Policy: no-referrer`.
    #[must_use]
    pub fn query(name: impl Into<String>) -> Self {
        Self(Kind::Query(name.into()))
    }

    /// A header in any of the forms LoopBack's clients send, the scheme in any case:
    ///
    /// | value | token |
    /// | --- | --- |
    /// | `Bearer <base64>` | the decoded text, if that is made of letters and digits as every token is |
    /// | `Bearer <token>` | as it is (RFC 6750 §2.1; LoopBack refuses this unless told otherwise) |
    /// | `Basic <base64>` | of `a:b` the longer part, of two equal ones the first |
    /// | `<token>` | as it is |
    ///
    /// So both settings of LoopBack's `bearerTokenBase64Encoded` are served: what is a token in one form is none in the other.
    ///
    /// # Panics
    ///
    /// If `name` is not a header's name.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "the name is written in the app's source, and wrong there every time or never"
    )]
    pub fn header(name: &str) -> Self {
        Self(Kind::Header(name.parse().expect("the name of a header source is a valid header name")))
    }

    /// `Authorization: Bearer <token>` and no other form (RFC 6750 §2.1).
    #[must_use]
    pub fn bearer() -> Self {
        Self(Kind::Bearer)
    }

    /// A cookie with the token as its value. A request with two cookies of this name has none: one of them may have been
    /// planted by a neighbouring host.
    ///
    /// Because a browser sends it without being asked, a token found here is accepted for unsafe methods only from the app's
    /// own origin; see [`AuthLayer::trusted_origin`](crate::AuthLayer::trusted_origin).
    #[must_use]
    pub fn cookie(name: impl Into<String>) -> Self {
        Self(Kind::Cookie(name.into()))
    }

    /// The cookie that a login in a browser sets. As [`cookie`](Self::cookie) it is subject to the cross-origin check, and two of the name
    /// are none.
    #[must_use]
    pub fn token_cookie(cookie: TokenCookie) -> Self {
        Self(Kind::TokenCookie(cookie))
    }

    /// The server-side session of tower-sessions 0.15, which a login in a browser puts the token's digest into (never the token: the
    /// session store would keep it readable).
    ///
    /// The app mounts `SessionManagerLayer`, around or inside the [`AuthLayer`](crate::AuthLayer), but around the routes. The cross-origin check applies
    /// as it does to cookies. If the session store fails, the request does: 503.
    ///
    /// ```
    /// use gatekit_layer::{TokenSource, TokenSources};
    ///
    /// // Headers for programs, sessions for browsers:
    /// let sources = TokenSources::new([TokenSource::bearer(), TokenSource::session()]);
    /// ```
    #[cfg(feature = "tower-sessions")]
    #[must_use]
    pub fn session() -> Self {
        Self(Kind::Session)
    }

    /// A cookie whose value one of these secrets has signed, as Express' cookie-parser does it. One that is not signed, or by
    /// somebody else, counts as not there. Its value is the token as it is: `Bearer` means nothing here, as in LoopBack.
    ///
    /// Whoever can set cookies for the app's host, such as a neighbouring host, cannot plant a token of theirs unless the app has
    /// signed one for them. The rest is as with [`cookie`](Self::cookie): two of the name are none, and the cross-origin check
    /// applies.
    ///
    /// ```
    /// use gatekit_layer::{CookieSecrets, TokenSource, TokenSources};
    ///
    /// let secrets = CookieSecrets::new(["wPkd0Vn1XoLqzMNjYbR7fcAe5uTgiSh2"])?;
    /// let sources = TokenSources::loopback().with([
    ///     TokenSource::signed_cookie("access_token", secrets.clone()),
    ///     TokenSource::signed_cookie("authorization", secrets),
    /// ]);
    /// # Ok::<_, gatekit_layer::CookieSecretError>(())
    /// ```
    #[cfg(feature = "signed-cookies")]
    #[must_use]
    pub fn signed_cookie(name: impl Into<String>, secrets: crate::CookieSecrets) -> Self {
        Self(Kind::SignedCookie(name.into(), secrets))
    }

    /// The order of the kinds.
    fn rank(&self) -> u8 {
        match self.0 {
            Kind::Query(_) => 0,
            Kind::Header(_) | Kind::Bearer => 1,
            Kind::Cookie(_) | Kind::TokenCookie(_) => 2,
            #[cfg(feature = "tower-sessions")]
            Kind::Session => 2,
            #[cfg(feature = "signed-cookies")]
            Kind::SignedCookie(..) => 2,
        }
    }

    pub(crate) fn query_name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Query(name) => Some(name),
            _ => None,
        }
    }

    fn find<'a>(&self, headers: &'a HeaderMap, query: &'a [QueryToken]) -> Option<Found<'a>> {
        match &self.0 {
            Kind::Query(name) => {
                let token = query.iter().find(|token| token.name == *name)?;
                (token.count == 1).then_some(Found::Query(&token.value))
            }
            // Of several headers the first counts, as in LoopBack.
            Kind::Header(name) => headers.get(name).filter(|value| !value.is_empty()).map(Found::Header),
            Kind::Bearer => {
                let value = headers.get(AUTHORIZATION)?;
                scheme(value.as_bytes(), b"bearer ").is_some().then_some(Found::Bearer(value))
            }
            Kind::Cookie(name) => find_cookie(headers, name).map(Found::Cookie),
            Kind::TokenCookie(cookie) => find_cookie(headers, cookie.as_name()).map(Found::Cookie),
            #[cfg(feature = "tower-sessions")]
            Kind::Session => None,
            #[cfg(feature = "signed-cookies")]
            Kind::SignedCookie(name, secrets) => {
                secrets.verify(&find_cookie(headers, name)?).map(|token| Found::Cookie(Cow::Owned(token)))
            }
        }
    }
}

/// The value of the cookie of this name, if there is exactly one.
pub(crate) fn find_cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<Cow<'a, str>> {
    let mut found = None;
    for header in headers.get_all(COOKIE) {
        for cookie in Cookie::split_parse(header.to_str().ok()?).filter_map(Result::ok) {
            if cookie.name() == name {
                if found.is_some() {
                    return None;
                }
                found = Some(match cookie.value_raw() {
                    Some(value) => Cow::Borrowed(value),
                    None => Cow::Owned(cookie.value().to_owned()),
                });
            }
        }
    }
    found
}

/// Whether there is a cookie of this name, or several.
pub(crate) fn has_cookie(headers: &HeaderMap, name: &str) -> bool {
    let texts = headers.get_all(COOKIE).iter().filter_map(|header| header.to_str().ok());
    texts.flat_map(Cookie::split_parse).filter_map(Result::ok).any(|cookie| cookie.name() == name)
}

/// A token as it stands in the request.
pub(crate) enum Found<'a> {
    Query(&'a str),
    Header(&'a HeaderValue),
    Bearer(&'a HeaderValue),
    Cookie(Cow<'a, str>),
    #[cfg(feature = "tower-sessions")]
    Session(TokenDigest),
}

/// What an authenticator is asked about.
pub(crate) enum Credential<'a> {
    Token(Cow<'a, str>),
    #[cfg(feature = "tower-sessions")]
    Digest(TokenDigest),
}

impl<'a> Found<'a> {
    /// The token or its digest; `None` if it is empty or no text.
    pub(crate) fn credential(&self) -> Option<Credential<'a>> {
        #[cfg(feature = "tower-sessions")]
        if let Self::Session(digest) = self {
            return Some(Credential::Digest(*digest));
        }
        self.token().map(Credential::Token)
    }

    /// The token itself; `None` if it is empty or no text.
    pub(crate) fn token(&self) -> Option<Cow<'a, str>> {
        let token = match self {
            Self::Query(token) => Cow::Borrowed(*token),
            Self::Cookie(token) => token.clone(),
            #[cfg(feature = "tower-sessions")]
            Self::Session(_) => return None,
            Self::Header(value) => loopback_form(value.to_str().ok()?),
            Self::Bearer(value) => Cow::Borrowed(value.to_str().ok()?.get("bearer ".len()..)?.trim()),
        };
        (!token.is_empty()).then_some(token)
    }

    /// Whether a browser sends it without being asked.
    pub(crate) fn is_ambient(&self) -> bool {
        #[cfg(feature = "tower-sessions")]
        if let Self::Session(_) = self {
            return true;
        }
        matches!(self, Self::Cookie(_))
    }
}

/// What follows `prefix`, which is lower case and is compared in any case.
fn scheme<'a>(value: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (head, rest) = value.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(rest)
}

/// The table of [`TokenSource::header`], row by row.
fn loopback_form(value: &str) -> Cow<'_, str> {
    let after = |prefix: &str| {
        scheme(value.as_bytes(), prefix.as_bytes()).and_then(|_| value.get(prefix.len()..)).map(str::trim)
    };
    if let Some(bearer) = after("bearer ") {
        return match decode(bearer) {
            Some(token) if token.bytes().all(|byte| byte.is_ascii_alphanumeric()) => Cow::Owned(token),
            _ => Cow::Borrowed(bearer),
        };
    }
    if let Some(basic) = after("basic ") {
        let decoded = decode(basic).unwrap_or_default();
        return Cow::Owned(match decoded.split_once(':') {
            Some((before, behind)) if behind.len() > before.len() => behind.to_owned(),
            Some((before, _)) => before.to_owned(),
            None => decoded,
        });
    }
    Cow::Borrowed(value)
}

/// Base64 with or without padding, as Node's decoder takes it.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn decode(text: &str) -> Option<String> {
    String::from_utf8(BASE64.decode(text).ok()?).ok()
}

/// A token parameter that was cut out of the query.
#[derive(Clone)]
pub(crate) struct QueryToken {
    name: String,
    value: String,
    /// How often it stood there.
    count: u8,
}

/// Takes every parameter that a query source names out of `uri`, whether or not it will be used: what is in the URI of
/// inner services ends up in their log lines. An untouched query costs no more than a look for a `?`.
pub(crate) fn cut_query_tokens(uri: &mut Uri, sources: &TokenSources) -> Vec<QueryToken> {
    let Some(query) = uri.query() else { return Vec::new() };
    let names: Vec<&str> = sources.iter().filter_map(TokenSource::query_name).collect();
    let mut cut: Vec<QueryToken> = Vec::new();
    let mut kept = Vec::new();
    for pair in query.split('&') {
        let Some((key, value)) = form_urlencoded::parse(pair.as_bytes()).next() else {
            kept.push(pair);
            continue;
        };
        if !names.contains(&&*key) {
            kept.push(pair);
            continue;
        }
        match cut.iter_mut().find(|token| token.name == *key) {
            Some(token) => token.count = token.count.saturating_add(1),
            None => cut.push(QueryToken { name: key.into_owned(), value: value.into_owned(), count: 1 }),
        }
    }
    if !cut.is_empty() {
        *uri = with_query(uri, &kept.join("&"));
    }
    cut
}

fn with_query(uri: &Uri, query: &str) -> Uri {
    let path = uri.path();
    let path_and_query = if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") };
    let mut parts = uri.clone().into_parts();
    // Both came out of a valid URI, so together they are one; should they not be, no query is better than a token in it.
    parts.path_and_query = PathAndQuery::try_from(path_and_query).ok();
    Uri::from_parts(parts).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "GOkZRwgZ61q0XXVxvxlB8TS1D6lrG7Vb9V8YwRDfy3YGAN7TM7EnxWHqdbIZfheZ";

    fn in_header(value: &str) -> Option<String> {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        let found = TokenSources::default().find(&headers, &[])?;
        found.token().map(Cow::into_owned)
    }

    #[test]
    fn a_header_is_read_in_every_form_loopback_reads() {
        let encoded = BASE64.encode(TOKEN);
        for value in [
            TOKEN.to_owned(),
            format!("Bearer {TOKEN}"),
            format!("bearer {TOKEN}"),
            format!("Bearer  {encoded}"),
            format!("Bearer {}", encoded.trim_end_matches('=')),
            format!("Basic {}", BASE64.encode(format!("{TOKEN}:x"))),
            format!("basic {}", BASE64.encode(format!("x:{TOKEN}"))),
            format!("Basic {encoded}"),
        ] {
            assert_eq!(in_header(&value).as_deref(), Some(TOKEN), "{value}");
        }
        assert_eq!(in_header(&format!("Basic {}", BASE64.encode("ab:cd"))).as_deref(), Some("ab"));
        assert_eq!(in_header("Token xyz").as_deref(), Some("Token xyz"));
    }

    #[test]
    fn a_header_that_is_empty_or_no_text_holds_no_token() {
        for value in ["", "Bearer ", "Basic ", "Basic %%%", "Bearer \u{e9}", "\u{1f980}"] {
            assert_eq!(in_header(value), None, "{value}");
        }
    }

    #[test]
    fn a_query_token_is_cut_out_and_the_rest_stays_as_it_was() {
        for (before, after, token) in [
            ("/p?access_token=abc", "/p", Some("abc")),
            ("/p?a=%20x&access_token=abc&b=", "/p?a=%20x&b=", Some("abc")),
            ("/p?access%5Ftoken=a%62c&x", "/p?x", Some("abc")),
            ("/p?access_token=1&access_token=2", "/p", None),
            ("/p?access_token=", "/p", Some("")),
            ("/p?xaccess_token=abc&&", "/p?xaccess_token=abc&&", None),
            ("https://h.example:8080/p?access_token=abc", "https://h.example:8080/p", Some("abc")),
        ] {
            let mut uri: Uri = before.parse().unwrap();
            let sources = TokenSources::default();
            let cut = cut_query_tokens(&mut uri, &sources);
            assert_eq!(uri.to_string(), after, "{before}");
            let headers = HeaderMap::new();
            let found = sources.find(&headers, &cut);
            let token_found = found.map(|found| match found {
                Found::Query(token) => token,
                _ => panic!("not from the query"),
            });
            assert_eq!(token_found, token, "{before}");
        }
    }

    #[test]
    fn an_empty_query_token_ends_the_search() {
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, TOKEN.parse().unwrap());
        let mut uri: Uri = "/?access_token=".parse().unwrap();
        let sources = TokenSources::default();
        let cut = cut_query_tokens(&mut uri, &sources);
        assert!(sources.find(&headers, &cut).unwrap().token().is_none());
    }

    #[test]
    fn strict_sources_leave_the_query_alone() {
        let mut uri: Uri = "/p?access_token=abc".parse().unwrap();
        assert!(cut_query_tokens(&mut uri, &TokenSources::strict()).is_empty());
        assert_eq!(uri, "/p?access_token=abc");
    }

    /// What a request with these parts brings, or `None` if the search finds nothing at all.
    fn found(sources: &TokenSources, uri: &str, headers: &[(&'static str, &str)]) -> Option<Option<String>> {
        let mut uri: Uri = uri.parse().unwrap();
        let cut = cut_query_tokens(&mut uri, sources);
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        }
        Some(sources.find(&map, &cut)?.token().map(Cow::into_owned))
    }

    /// The exchanges of LoopBack 3.28.0 with the default options of `loopback.token()`, with the place where an id was found.
    /// Where we take more than LoopBack does, the line says so.
    #[test]
    fn loopbacks_places_hold_what_loopback_finds_in_them() {
        let sources = TokenSources::loopback();
        let (a, b) = (TOKEN, "9y06hyS6XgjlJjuToNLmvCi5TXMAxF2S0rEulMkOATwUNocVubADgdB9b5xQ2074");
        let (query_a, query_b) = (format!("/?access_token={a}"), format!("/?access_token={b}"));
        let upper_case = format!("/?ACCESS_TOKEN={a}");
        let cookie = format!("__Host-access_token={a}");
        let encoded = BASE64.encode(a);
        let [bearer, basic] = ["Bearer", "Basic"].map(|scheme| format!("{scheme} {encoded}"));
        let nobody = None;
        let nothing = Some(None);
        let is = |token: &str| Some(Some(token.to_owned()));
        let auth = "authorization";
        let x = "x-access-token";
        let long = "x".repeat(7000);
        for (uri, headers, wanted) in [
            // No token, and each place alone.
            ("/", &[][..], nobody.clone()),
            (&query_a, &[], is(a)),
            ("/", &[(auth, a)], is(a)),
            ("/", &[(x, a)], is(a)),
            // Ours: LoopBack decodes this one too, and so finds nobody.
            ("/", &[(auth, &format!("Bearer {a}"))], is(a)),
            ("/", &[(auth, &bearer)], is(a)),
            // Ours: LoopBack wants `Bearer` in this case.
            ("/", &[(auth, &bearer.to_lowercase().replace(&encoded.to_lowercase(), &encoded))], is(a)),
            ("/", &[(auth, &bearer.replace(' ', "  "))], is(a)),
            ("/", &[(auth, &basic)], is(a)),
            ("/", &[(auth, &format!("Basic {}", BASE64.encode(format!("{a}:"))))], is(a)),
            ("/", &[(auth, &format!("Basic {}", BASE64.encode(format!(":{a}"))))], is(a)),
            ("/", &[(auth, &format!("Basic {}", BASE64.encode(format!("token:{a}"))))], is(a)),
            ("/", &[(auth, &format!("Basic {}", BASE64.encode(format!("{a}:x"))))], is(a)),
            ("/", &[(auth, &basic.replace("Basic", "basic"))], is(a)),
            ("/", &[(auth, &basic.replace("Basic", "BASIC"))], is(a)),
            ("/", &[(auth, &format!("Token {a}"))], is(&format!("Token {a}"))),
            ("/", &[(x, &bearer)], is(a)),
            ("/", &[(x, &basic)], is(a)),
            ("/", &[("access_token", a)], nobody.clone()),
            (&upper_case, &[], nobody.clone()),
            ("/", &[("cookie", &cookie)], nobody.clone()),
            // Precedence.
            (&query_a, &[(x, b)], is(a)),
            (&query_b, &[(auth, a)], is(b)),
            ("/?access_token=", &[(auth, a)], nothing.clone()),
            ("/?access_token=bogus", &[(auth, a)], is("bogus")),
            ("/?access_token=x&access_token=y", &[(auth, a)], is(a)),
            ("/", &[(x, a), (auth, b)], is(a)),
            ("/", &[(x, b), (auth, a)], is(b)),
            ("/", &[(x, ""), (auth, a)], is(a)),
            ("/", &[(x, "bogus"), (auth, a)], is("bogus")),
            ("/", &[(auth, "")], nobody.clone()),
            ("/", &[(auth, "Bearer ")], nothing),
            ("/", &[(auth, a), (auth, b)], is(a)),
            // Ids of an odd shape, which nobody has.
            ("/", &[(auth, "$anonymous")], is("$anonymous")),
            ("/", &[(auth, "__proto__")], is("__proto__")),
            ("/", &[(auth, "constructor")], is("constructor")),
            ("/", &[(auth, "1")], is("1")),
            ("/", &[(auth, &long)], is(&long)),
        ] {
            assert_eq!(found(&sources, uri, headers), wanted, "{uri} {headers:?}");
        }
        // Ours: the default takes a cookie that is not signed, from the app's own origin.
        assert_eq!(found(&TokenSources::default(), "/", &[("cookie", &cookie)]), is(a));
    }

    #[test]
    fn custom_places_come_before_the_default_ones_of_their_kind() {
        let custom = || [TokenSource::header("x-foo"), TokenSource::query("foo"), TokenSource::header("x-bar")];
        let with = TokenSources::loopback().with(custom());
        for (uri, headers, wanted) in [
            ("/", &[("x-foo", "a"), ("x-access-token", "b")][..], "a"),
            ("/?foo=a&access_token=b", &[], "a"),
            ("/?foo=a", &[("x-foo", "b")], "a"),
            ("/?access_token=a", &[("x-foo", "b")], "a"),
            ("/", &[("x-bar", "b"), ("x-foo", "a")], "a"),
            ("/", &[("x-bar", "a"), ("authorization", "b")], "a"),
            ("/", &[("authorization", "a")], "a"),
        ] {
            assert_eq!(found(&with, uri, headers), Some(Some(wanted.into())), "{uri} {headers:?}");
        }
        // `searchDefaultTokenKeys: false`
        let only = TokenSources::new(custom());
        assert_eq!(found(&only, "/?access_token=a", &[("authorization", "a")]), None);
        let bearer = format!("Bearer {}", BASE64.encode(TOKEN));
        assert_eq!(found(&only, "/", &[("x-foo", &bearer)]), Some(Some(TOKEN.into())));
    }

    #[cfg(feature = "signed-cookies")]
    #[test]
    fn a_signed_cookie_is_looked_for_after_the_headers_and_is_absent_unless_it_verifies() {
        let secrets = crate::CookieSecrets::with_insecure_lengths(["sekret"]).unwrap();
        let (a, b) = (secrets.sign("a"), secrets.sign("b"));
        let bearer = secrets.sign(&format!("Bearer {}", BASE64.encode(TOKEN)));
        let sources = TokenSources::loopback()
            .with(["access_token", "authorization"].map(|name| TokenSource::signed_cookie(name, secrets.clone())));
        let is = |token: &str| Some(Some(token.to_owned()));
        for (cookies, wanted) in [
            (format!("access_token={a}"), is("a")),
            (format!("authorization={a}"), is("a")),
            (format!("authorization={b}; access_token={a}"), is("a")),
            (format!("authorization={b}; access_token={TOKEN}"), is("b")),
            (format!("authorization={b}; access_token={a}x"), is("b")),
            (format!("access_token={TOKEN}"), None),
            (format!("access_token={a}x"), None),
            (format!("access_token={a}; access_token={a}"), None),
            (format!("authorization={bearer}"), is(&format!("Bearer {}", BASE64.encode(TOKEN)))),
        ] {
            assert_eq!(found(&sources, "/", &[("cookie", &cookies)]), wanted, "{cookies}");
            assert_eq!(found(&sources, "/", &[("cookie", &cookies), ("authorization", "h")]), is("h"), "{cookies}");
        }
    }

    /// Cookie tossing: V-rows of planted cookies.
    #[test]
    fn of_two_cookies_with_the_same_name_neither_counts() {
        let with = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(COOKIE, value.parse().unwrap());
            let found = TokenSources::default().find(&headers, &[])?;
            found.token().map(Cow::into_owned)
        };
        assert_eq!(with("a=b; __Host-access_token=abc").as_deref(), Some("abc"));
        assert_eq!(with("__Host-access_token=abc; __Host-access_token=xyz"), None);
        // This one a neighbouring host could have planted.
        assert_eq!(with("access_token=abc"), None);
        assert_eq!(with("access_token=xyz; __Host-access_token=abc").as_deref(), Some("abc"));
        assert_eq!(with("a=b"), None);
    }
}
