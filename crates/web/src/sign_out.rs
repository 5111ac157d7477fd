//! Logs a browser out: its tokens end on the server, and its cookie or session is taken back.

use axum::http::header::HeaderMap;
use axum::http::request::Parts;
use gatekit_core::{Account, Auth, TokenDigest};
use gatekit_layer::{AuthRejection, BrowserTransport, refuse_cross_origin_of};

use crate::browser_error::BrowserError;
use crate::end_tokens::end_tokens;

/// Logs a browser out: ends the tokens that it sent with this request, and `token` if the request
/// had another one beside them, and takes back its cookie or session. Returns the `Set-Cookie`
/// headers for the response.
///
/// Refuse a request from another origin before
/// ([`refuse_cross_origin`](gatekit_layer::refuse_cross_origin)).
///
/// # Errors
///
/// [`BrowserError`]. The browser keeps what it has then.
pub async fn sign_out<U: Account>(
    auth: &Auth<U>,
    browser: &BrowserTransport,
    headers: &HeaderMap,
    token: Option<TokenDigest>,
) -> Result<HeaderMap, BrowserError> {
    let mut tokens = browser.presented(headers).await?;
    tokens.extend(token);
    BrowserSignOut { browser: browser.clone(), tokens }.sign_out(auth).await
}

/// A browser that is logged in and will be logged out. It is read off the request before the token
/// of the request ends, because afterwards the layer does not find the browser's session.
#[derive(Clone, Debug)]
pub struct BrowserSignOut {
    browser: BrowserTransport,
    tokens: Vec<TokenDigest>,
}

impl BrowserSignOut {
    /// The browser that sent this request. `None` if it is not logged in, or if the request comes
    /// from a page of another origin, which cannot log anybody out.
    ///
    /// # Errors
    ///
    /// [`AuthRejection::Unavailable`] if a session could not be loaded.
    pub async fn of_request<U: Account>(parts: &Parts) -> Result<Option<Self>, AuthRejection> {
        let Some(browser) = BrowserTransport::of_user::<U>(&parts.extensions) else { return Ok(None) };
        if refuse_cross_origin_of::<U>(parts).is_err() || !browser.is_signed_in(&parts.headers).await? {
            return Ok(None);
        }
        let tokens = browser.presented(&parts.headers).await?;
        Ok(Some(Self { browser, tokens }))
    }

    /// Ends the browser's tokens and takes back its cookie or session. Returns the `Set-Cookie`
    /// headers for the response.
    ///
    /// # Errors
    ///
    /// [`BrowserError`]. The browser keeps what it has then.
    pub async fn sign_out<U: Account>(&self, auth: &Auth<U>) -> Result<HeaderMap, BrowserError> {
        end_tokens(auth, &self.tokens).await?;
        Ok(self.forget().await?)
    }

    /// Takes back the cookie or session of a browser whose token has ended already.
    ///
    /// # Errors
    ///
    /// [`AuthRejection::Unavailable`] if the session store fails.
    pub async fn forget(&self) -> Result<HeaderMap, AuthRejection> {
        self.browser.sign_out().await
    }
}
