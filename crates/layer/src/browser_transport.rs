//! How is somebody signed in and out in a browser?

use std::sync::{Arc, OnceLock};

use gatekit_core::{IssuedToken, TokenDigest};
use http::Extensions;
use http::header::{HeaderMap, HeaderValue, SET_COOKIE};

use crate::context::Context;
use crate::erased::Typed;
use crate::lookup::Lookup;
use crate::request_cookies::has_cookie;
use crate::{AuthRejection, InvalidTokenCookie, TokenCookie};

/// Longer values are no token of anybody's.
const MAX_BYTES: usize = 512;

/// Signs callers in and out in a browser, in the way the [`AuthLayer`](crate::AuthLayer)'s sources
/// find them again: in the server-side session if the sources have one (`TokenSource::session`), or
/// else in their [`TokenCookie`].
///
/// It is for code that issues tokens itself, as the routes for login do:
///
/// ```
/// use gatekit_core::IssuedToken;
/// use gatekit_layer::{AuthRejection, BrowserTransport};
/// use http::{HeaderMap, request::Parts};
///
/// async fn signed_in(parts: &Parts, token: &IssuedToken) -> Result<HeaderMap, AuthRejection> {
///     let Some(browser) = BrowserTransport::from_extensions(&parts.extensions) else {
///         return Err(AuthRejection::Misconfigured("the AuthLayer has no cookie".into()));
///     };
///     let signed_in = browser.sign_in(&parts.headers, token).await?;
///     // End the tokens in `signed_in.replaced`, and send these headers:
///     Ok(signed_in.headers)
/// }
/// ```
///
/// Whoever signs in by a form must have asked [`refuse_cross_origin`](crate::refuse_cross_origin)
/// before.
#[derive(Clone, Debug)]
pub struct BrowserTransport {
    cookie: Option<TokenCookie>,
    lifetime: Option<i64>,
    lookup: SharedLookup,
    #[cfg(feature = "tower-sessions")]
    session: Option<Result<tower_sessions_core::Session, AuthRejection>>,
}

/// What the layer finds out about the caller, as soon as somebody asks.
#[derive(Clone)]
struct SharedLookup(Arc<OnceLock<Lookup>>);

impl std::fmt::Debug for SharedLookup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.0.get().is_some() { "done" } else { "not done yet" })
    }
}

/// What follows from somebody having signed in.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct SignedIn {
    /// `Set-Cookie` for the answer. With a session it is none, or takes back a token's cookie from
    /// before: tower-sessions sets its own cookie.
    pub headers: HeaderMap,
    /// The tokens that this browser was signed in with until now. Nobody has them any more, so end
    /// them (ASVS 7.2.4).
    pub replaced: Vec<TokenDigest>,
}

impl BrowserTransport {
    /// Of the innermost [`AuthLayer`](crate::AuthLayer) that has one. `None` if none has a session
    /// or a [`TokenCookie`] among its sources.
    #[must_use]
    pub fn from_extensions(extensions: &Extensions) -> Option<Self> {
        extensions.get::<Context>()?.outwards().find_map(|context| Self::of(context, extensions))
    }

    /// Of the layer whose users are `U`s, where layers for several types are stacked.
    #[must_use]
    pub fn of_user<U: Clone + Send + Sync + 'static>(extensions: &Extensions) -> Option<Self> {
        let mut contexts = extensions.get::<Context>()?.outwards();
        let context = contexts.find(|context| context.settings().authenticator.as_any().is::<Typed<U>>())?;
        Self::of(context, extensions)
    }

    #[cfg_attr(not(feature = "tower-sessions"), expect(unused_variables, reason = "only sessions are in extensions"))]
    fn of(context: &Context, extensions: &Extensions) -> Option<Self> {
        let sources = &context.settings().sources;
        let cookie = sources.token_cookie().cloned();
        let lookup = SharedLookup(context.lookup());
        #[cfg(feature = "tower-sessions")]
        {
            let session = sources.has_session().then(|| crate::session::session(extensions));
            (cookie.is_some() || session.is_some()).then_some(Self { cookie, lifetime: None, lookup, session })
        }
        #[cfg(not(feature = "tower-sessions"))]
        cookie.map(|cookie| Self { cookie: Some(cookie), lifetime: None, lookup })
    }

    /// Lets the browser keep the cookie for so many seconds, whatever the token's lifetime is:
    /// where tokens are renewed when they are used, the cookie has to outlive the first lifetime. A
    /// token that never ends has a cookie that lasts until the browser is closed.
    #[must_use]
    pub fn lasting(mut self, seconds: i64) -> Self {
        self.lifetime = Some(seconds);
        self
    }

    /// The cookie, if the sources have one.
    #[must_use]
    pub fn cookie(&self) -> Option<&TokenCookie> {
        self.cookie.as_ref()
    }

    /// A cookie for what else is kept in the browser, as safe as the token's: see
    /// [`TokenCookie::companion`].
    ///
    /// # Errors
    ///
    /// [`InvalidTokenCookie::Name`].
    pub fn companion(&self, name: &str) -> Result<TokenCookie, InvalidTokenCookie> {
        self.cookie.as_ref().unwrap_or(&TokenCookie::default()).companion(name)
    }

    /// Signs the holder of `token` in. `headers` are the request's.
    ///
    /// With a session: its id changes; what it held stays, unless it was another user's. Only the
    /// token's digest is put into it.
    ///
    /// # Errors
    ///
    /// [`AuthRejection::Unavailable`] if the session store fails: nobody is signed in, so end the
    /// token. [`AuthRejection::Misconfigured`] if there is no session to sign in to.
    pub async fn sign_in(&self, headers: &HeaderMap, token: &IssuedToken) -> Result<SignedIn, AuthRejection> {
        let mut signed_in = SignedIn { replaced: self.presented(headers).await?, ..SignedIn::default() };
        signed_in.replaced.retain(|digest| *digest != token.record.digest);
        #[cfg(feature = "tower-sessions")]
        if let Some(session) = self.session()? {
            crate::session::sign_in(session, &token.record).await?;
            // Its token has just ended, and where it is looked for first it would hide the session.
            if let Some(cookie) = self.cookie.as_ref().filter(|cookie| has_cookie(headers, cookie.as_name())) {
                signed_in.headers.append(SET_COOKIE, removal(cookie)?);
            }
            return Ok(signed_in);
        }
        if let Some(cookie) = &self.cookie {
            let ttl = Some(token.record.ttl).filter(|ttl| *ttl >= 0).map(|ttl| self.lifetime.unwrap_or(ttl));
            let value = cookie.with_value(token.secret.expose(), ttl);
            let value = value.map_err(|error| AuthRejection::Misconfigured(error.to_string()))?;
            signed_in.headers.append(SET_COOKIE, value);
        }
        Ok(signed_in)
    }

    /// Signs out whoever was signed in: the session ends with all that it held, the cookie is taken
    /// back. The tokens live on: see [`presented`](Self::presented).
    ///
    /// # Errors
    ///
    /// As [`sign_in`](Self::sign_in).
    pub async fn sign_out(&self) -> Result<HeaderMap, AuthRejection> {
        let mut headers = HeaderMap::new();
        #[cfg(feature = "tower-sessions")]
        if let Some(session) = self.session()? {
            crate::session::sign_out(session).await?;
        }
        if let Some(cookie) = &self.cookie {
            headers.append(SET_COOKIE, removal(cookie)?);
        }
        Ok(headers)
    }

    /// The tokens that the browser sent with this request, unchecked.
    ///
    /// # Errors
    ///
    /// As [`sign_in`](Self::sign_in).
    pub async fn presented(&self, headers: &HeaderMap) -> Result<Vec<TokenDigest>, AuthRejection> {
        let mut digests = Vec::new();
        #[cfg(feature = "tower-sessions")]
        if let Some(session) = self.session()? {
            digests.extend(crate::session::digest(session).await?);
        }
        let value = self.cookie.as_ref().and_then(|cookie| cookie.find(headers));
        let value = value.filter(|value| !value.is_empty() && value.len() <= MAX_BYTES);
        digests.extend(value.map(|value| TokenDigest::of(&value)));
        Ok(digests)
    }

    /// `Set-Cookie` that takes back the token's cookie, if somebody has asked for the caller of
    /// this request and its cookie holds a token that has ended. `None` if nobody asked, or the
    /// token was another one than the cookie's.
    ///
    /// Add it to the response to a person. A page that runs in the browser may send a request with
    /// a token that is being replaced at that moment, so the response to a program's request must
    /// not take the cookie back.
    #[must_use]
    pub fn ended_cookie_removal(&self) -> Option<HeaderValue> {
        let ended = self.lookup.0.get().is_some_and(Lookup::has_ended_cookie);
        self.cookie.as_ref().filter(|_| ended)?.removal().ok()
    }

    /// Whether there is anything to sign out: a session with a token, or the cookie, once or
    /// several times.
    ///
    /// # Errors
    ///
    /// As [`sign_in`](Self::sign_in).
    pub async fn is_signed_in(&self, headers: &HeaderMap) -> Result<bool, AuthRejection> {
        let in_cookie = self.cookie.as_ref().is_some_and(|cookie| has_cookie(headers, cookie.as_name()));
        Ok(in_cookie || !self.presented(headers).await?.is_empty())
    }

    #[cfg(feature = "tower-sessions")]
    fn session(&self) -> Result<Option<&tower_sessions_core::Session>, AuthRejection> {
        self.session.as_ref().map(|session| session.as_ref().map_err(AuthRejection::clone)).transpose()
    }
}

fn removal(cookie: &TokenCookie) -> Result<HeaderValue, AuthRejection> {
    cookie.removal().map_err(|error| AuthRejection::Misconfigured(error.to_string()))
}
