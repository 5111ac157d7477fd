//! Delivers a token to the client that logged in: in the body, in a cookie, or in a session.

use axum::http::header::HeaderMap;
use axum::http::request::Parts;
use gatekit_core::{Account, Auth, IssuedToken, TokenDigest};
use gatekit_layer::{AuthRejection, BrowserTransport, refuse_cross_origin_of};

use crate::browser_error::BrowserError;
use crate::end_tokens::end_tokens;
use crate::transport::TokenTransport;

/// Logs a browser in with a token and ends the tokens it had before (ASVS 7.2.4). Returns the
/// `Set-Cookie` headers for the response. For logins over other routes than the kit's; the kit's
/// own use it too.
///
/// Where tokens are renewed when they are used (`policy.tokens.renew_after`), the cookie lasts as
/// long as a token can: it has to outlive the first lifetime.
///
/// # Errors
///
/// [`BrowserError`]. The browser is not logged in then, and the new token has ended.
pub async fn sign_in<U: Account>(
    auth: &Auth<U>,
    browser: &BrowserTransport,
    headers: &HeaderMap,
    token: &IssuedToken,
) -> Result<HeaderMap, BrowserError> {
    let policy = auth.policy();
    let browser = match policy.tokens.renew_after {
        Some(_) => browser.clone().lasting(policy.tokens.max_ttl),
        None => browser.clone(),
    };
    let failure = match browser.sign_in(headers, token).await {
        Ok(signed_in) => match end_tokens(auth, &signed_in.replaced).await {
            Ok(()) => return Ok(signed_in.headers),
            Err(error) => error.into(),
        },
        Err(rejection) => rejection.into(),
    };
    if let Err(error) = end_tokens(auth, &[token.record.digest]).await {
        tracing::warn!(%error, "a token that was not delivered could not be ended; it ends by itself");
    }
    Err(failure)
}

/// Why a token cannot be delivered in the way the request asks for.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The layer refused: the request comes from another origin, or a session could not be loaded.
    #[error(transparent)]
    Rejected(#[from] AuthRejection),
    /// A cookie is asked for, and the `AuthLayer` has neither a cookie nor a session among its
    /// sources. HTTP status 400.
    #[error("this app signs nobody in by a cookie: its AuthLayer has no token cookie among its sources")]
    CookiesNotEnabled,
}

/// How one token is delivered. It is decided before the password is verified, so that a login that
/// cannot be delivered issues no token.
#[derive(Clone, Debug)]
pub struct TokenDelivery {
    transport: TokenTransport,
    /// Set unless the token is in the body only.
    browser: Option<BrowserTransport>,
}

impl TokenDelivery {
    /// The delivery that the request asks for, or else the one of the mount
    /// ([`TokenTransportLayer`](crate::TokenTransportLayer)).
    ///
    /// A request from a page of another origin is refused, because it could log its visitors in as
    /// somebody else (login CSRF). It is refused always where a browser is logged in. With a token
    /// in the body only, a request with `body_is_json` is accepted: a page of another origin sends
    /// JSON only if the app has allowed it (CORS).
    ///
    /// # Errors
    ///
    /// [`DeliveryError`].
    pub fn of_request<U: Account>(
        parts: &Parts,
        asked: Option<TokenTransport>,
        body_is_json: bool,
    ) -> Result<Self, DeliveryError> {
        let mount: TokenTransport = parts.extensions.get().copied().unwrap_or_default();
        Self::new::<U>(parts, asked.unwrap_or(mount), body_is_json)
    }

    /// The delivery of a token that replaces `old`: a browser that has the old one gets the new
    /// one, unless the request asks for something else.
    ///
    /// # Errors
    ///
    /// [`DeliveryError`].
    pub async fn in_place_of<U: Account>(
        parts: &Parts,
        old: &TokenDigest,
        asked: Option<TokenTransport>,
        body_is_json: bool,
    ) -> Result<Self, DeliveryError> {
        if let Some(browser) = BrowserTransport::of_user::<U>(&parts.extensions)
            && browser.presented(&parts.headers).await?.contains(old)
        {
            return Self::new::<U>(parts, asked.unwrap_or(TokenTransport::Cookie), body_is_json);
        }
        Self::of_request::<U>(parts, asked, body_is_json)
    }

    fn new<U: Account>(parts: &Parts, transport: TokenTransport, body_is_json: bool) -> Result<Self, DeliveryError> {
        let browser = match transport {
            TokenTransport::Body => None,
            TokenTransport::Cookie | TokenTransport::Both => {
                let browser = BrowserTransport::of_user::<U>(&parts.extensions);
                Some(browser.ok_or(DeliveryError::CookiesNotEnabled)?)
            }
        };
        if browser.is_some() || !body_is_json {
            refuse_cross_origin_of::<U>(parts)?;
        }
        Ok(Self { transport, browser })
    }

    /// Whether a browser keeps the token.
    #[must_use]
    pub fn is_for_browsers(&self) -> bool {
        self.browser.is_some()
    }

    /// Whether the token's secret is in the body of the response.
    #[must_use]
    pub fn shows_secret(&self) -> bool {
        self.transport != TokenTransport::Cookie
    }

    /// Logs the browser in, if there is one, as [`sign_in`] does. Returns the `Set-Cookie` headers
    /// for the response.
    ///
    /// # Errors
    ///
    /// [`BrowserError`]. The new token has ended then.
    pub async fn sign_in<U: Account>(
        &self,
        auth: &Auth<U>,
        headers: &HeaderMap,
        token: &IssuedToken,
    ) -> Result<HeaderMap, BrowserError> {
        match &self.browser {
            Some(browser) => sign_in(auth, browser, headers, token).await,
            None => Ok(HeaderMap::new()),
        }
    }
}
