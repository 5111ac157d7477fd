//! Where in a request a token may be.

mod found;
mod search;

use std::ops::ControlFlow;

use gatekit_core::TokenForm;
use http::header::{AUTHORIZATION, HeaderMap, HeaderName};
use http::{Uri, uri::PathAndQuery};

#[cfg(feature = "tower-sessions")]
use crate::AuthRejection;
use crate::TokenCookie;
use crate::request_cookies::find_cookie;
use found::Candidate;
pub(crate) use found::{Credential, Found};
use search::Search;

/// The places a token is looked for, in order.
///
/// A request may have credentials that are not for this app: a proxy's `Authorization: Basic`, an
/// identity-aware proxy's JWT, the `Bearer undefined` of a careless script. So these rules say
/// which text is the token:
///
/// 1. A place without a token is passed over. So is an empty text, and one such as `undefined` or
///    `null`.
/// 2. The first text in the form of the authenticator's own tokens
///    ([`Authenticator::token_form`](gatekit_core::Authenticator::token_form)) ends the search. If
///    it is not valid, nobody is calling.
/// 3. If there is none, the first text counts that could be a token, but `Basic` and schemes other
///    than `Bearer` only if there is no other text.
///
/// If the token is then one that a browser sends unasked, the rules for cookies apply to the
/// request.
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
pub struct TokenSources {
    places: Vec<TokenSource>,
    /// Whether the first text that could be a token ends the search, whatever comes after it.
    loopbacks_order: bool,
}

impl TokenSources {
    /// These places, in this order.
    #[must_use]
    pub fn new(sources: impl IntoIterator<Item = TokenSource>) -> Self {
        Self { places: sources.into_iter().collect(), loopbacks_order: false }
    }

    /// LoopBack's places without the query: a token in a URL stays in histories, logs and `Referer`
    /// headers (ASVS 14.2.1, RFC 9700 §4.3.2).
    #[must_use]
    pub fn strict() -> Self {
        Self::new([
            TokenSource::header("x-access-token"),
            TokenSource::header("authorization"),
            TokenSource::token_cookie(TokenCookie::default()),
        ])
    }

    /// With this cookie in place of the [`TokenCookie`] that was there, or after everything else if
    /// there was none.
    ///
    /// ```
    /// use gatekit_layer::{TokenCookie, TokenSources};
    ///
    /// // For development without HTTPS:
    /// let sources = TokenSources::default().with_cookie(TokenCookie::for_localhost());
    /// ```
    #[must_use]
    pub fn with_cookie(mut self, cookie: TokenCookie) -> Self {
        self.places.retain(|source| !matches!(source.0, Kind::TokenCookie(_)));
        self.places.push(TokenSource::token_cookie(cookie));
        self
    }

    /// Where LoopBack's `loopback.token()` looks. It is [`default`](Self::default) without the
    /// cookie: LoopBack reads signed ones only. Where it does, that is where the app has a
    /// cookie-parser with a secret, add `TokenSource::signed_cookie` for `access_token` and for
    /// `authorization`.
    ///
    /// The search is LoopBack's too: the first text that could be an id ends it, and so does an
    /// empty `?access_token=`. Rule 2 of the [type](Self) holds all the same for what LoopBack
    /// would take for an id by mistake: `Basic` without a token in it, `Bearer undefined`, a JWT.
    #[must_use]
    pub fn loopback() -> Self {
        let places = vec![
            TokenSource::query("access_token"),
            TokenSource::header("x-access-token"),
            TokenSource::header("authorization"),
        ];
        Self { places, loopbacks_order: true }
    }

    /// And these places, each before those of its kind: LoopBack's `params`, `headers` and
    /// `cookies`. All places are then in the order of their kinds, which is query, header, cookie.
    #[must_use]
    pub fn with(self, sources: impl IntoIterator<Item = TokenSource>) -> Self {
        // Stable: these before those that were there, and each in its order.
        let mut places: Vec<TokenSource> = sources.into_iter().chain(self.places).collect();
        places.sort_by_key(TokenSource::rank);
        Self { places, ..self }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &TokenSource> {
        self.places.iter()
    }

    /// Looks through the places for a token of this form. `query` is what [`cut_query_tokens`] took
    /// out of the URI. Sessions are passed over: they hold no token, only its digest.
    pub(crate) fn find<'a>(
        &self,
        headers: &'a HeaderMap,
        query: &'a [QueryToken],
        form: impl Fn(&str) -> TokenForm,
    ) -> Option<Found<'a>> {
        let mut search = Search::new(form, self.loopbacks_order);
        let _ = self.places.iter().try_for_each(|source| source.search(headers, query, &mut search));
        search.into_found()
    }

    /// The same, and looks into sessions too.
    #[cfg(feature = "tower-sessions")]
    pub(crate) async fn find_or_load<'a>(
        &self,
        headers: &'a HeaderMap,
        query: &'a [QueryToken],
        session: Option<&Result<tower_sessions_core::Session, AuthRejection>>,
        form: impl Fn(&str) -> TokenForm,
    ) -> Result<Option<Found<'a>>, AuthRejection> {
        let mut search = Search::new(form, self.loopbacks_order);
        for source in &self.places {
            let outcome = match (&source.0, session) {
                (Kind::Session, Some(session)) => {
                    let session = session.as_ref().map_err(AuthRejection::clone)?;
                    match crate::session::digest(session).await? {
                        Some(digest) => search.offer_session(digest),
                        None => ControlFlow::Continue(()),
                    }
                }
                _ => source.search(headers, query, &mut search),
            };
            if outcome.is_break() {
                break;
            }
        }
        Ok(search.into_found())
    }

    /// The cookie that tokens are set in.
    pub(crate) fn token_cookie(&self) -> Option<&TokenCookie> {
        self.places.iter().find_map(|source| match &source.0 {
            Kind::TokenCookie(cookie) => Some(cookie),
            _ => None,
        })
    }

    #[cfg(feature = "tower-sessions")]
    pub(crate) fn has_session(&self) -> bool {
        self.places.iter().any(|source| matches!(source.0, Kind::Session))
    }
}

impl Default for TokenSources {
    fn default() -> Self {
        let mut sources = Self::strict();
        sources.places.insert(0, TokenSource::query("access_token"));
        sources
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
    /// A parameter of the query string (LoopBack's default, RFC 6750 §2.3). It counts if it stands
    /// there once and is not empty.
    ///
    /// The layer cuts it out of the URI that inner services see, and marks the response
    /// `Cache-Control: no-store` and `Referrer-Policy: no-referrer`.
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
    /// Of several headers of the name the first counts.
    ///
    /// So both settings of LoopBack's `bearerTokenBase64Encoded` are served: what is a token in one
    /// form is none in the other.
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

    /// A cookie with the token as its value. A request with two cookies of this name has none: one
    /// of them may have been planted by a neighbouring host.
    ///
    /// Because a browser sends it without being asked, a token found here is accepted for unsafe
    /// methods only from the app's own origin; see
    /// [`AuthLayer::trusted_origin`](crate::AuthLayer::trusted_origin).
    #[must_use]
    pub fn cookie(name: impl Into<String>) -> Self {
        Self(Kind::Cookie(name.into()))
    }

    /// The cookie that a login in a browser sets. As [`cookie`](Self::cookie) it is subject to the
    /// cross-origin check, and two of the name are none.
    #[must_use]
    pub fn token_cookie(cookie: TokenCookie) -> Self {
        Self(Kind::TokenCookie(cookie))
    }

    /// The server-side session of tower-sessions 0.15, which a login in a browser puts the token's
    /// digest into (never the token: the session store would keep it readable).
    ///
    /// The app mounts `SessionManagerLayer`, around or inside the [`AuthLayer`](crate::AuthLayer),
    /// but around the routes. The cross-origin check applies as it does to cookies. If the session
    /// store fails, the request does: 503.
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

    /// A cookie whose value one of these secrets has signed, as Express' cookie-parser does it. One
    /// that is not signed, or by somebody else, counts as not there. Its value is the token as it
    /// is: `Bearer` means nothing here, as in LoopBack.
    ///
    /// Whoever can set cookies for the app's host, such as a neighbouring host, cannot plant a
    /// token of theirs unless the app has signed one for them. The rest is as with
    /// [`cookie`](Self::cookie): two of the name are none, and the cross-origin check applies.
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

    /// Offers what stands in this place.
    fn search<'a, F: Fn(&str) -> TokenForm>(
        &self,
        headers: &'a HeaderMap,
        query: &'a [QueryToken],
        search: &mut Search<'a, F>,
    ) -> ControlFlow<()> {
        let candidate = match &self.0 {
            Kind::Query(name) => match query.iter().find(|token| token.name == *name && token.count == 1) {
                Some(token) if token.value.is_empty() => return search.offer_empty_parameter(),
                token => token.map(|token| Candidate::sent(&*token.value)),
            },
            // Of several headers the first counts, as in LoopBack: a proxy may have looked at that
            // one.
            Kind::Header(name) => headers.get(name).and_then(Candidate::header),
            Kind::Bearer => headers.get(AUTHORIZATION).and_then(Candidate::bearer),
            Kind::Cookie(name) => find_cookie(headers, name).map(Candidate::cookie),
            Kind::TokenCookie(cookie) => find_cookie(headers, cookie.as_name()).map(Candidate::cookie),
            #[cfg(feature = "tower-sessions")]
            Kind::Session => None,
            #[cfg(feature = "signed-cookies")]
            Kind::SignedCookie(name, secrets) => {
                find_cookie(headers, name).and_then(|value| secrets.verify(&value)).map(Candidate::cookie)
            }
        };
        candidate.map_or(ControlFlow::Continue(()), |candidate| search.offer(candidate))
    }
}

/// A token parameter that was cut out of the query.
#[derive(Clone)]
pub(crate) struct QueryToken {
    name: String,
    value: String,
    /// How often it stood there.
    count: u8,
}

/// Takes every parameter that a query source names out of `uri`, whether or not it will be used:
/// what is in the URI of inner services ends up in their log lines. An untouched query costs no
/// more than a look for a `?`.
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
    // Both came out of a valid URI, so together they are one; should they not be, no query is
    // better than a token in it.
    parts.path_and_query = PathAndQuery::try_from(path_and_query).ok();
    Uri::from_parts(parts).unwrap_or_default()
}

#[cfg(test)]
mod tests;
