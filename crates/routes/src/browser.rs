//! How is a browser signed in with a token, and out again? Whole or not at all.

use axum::http::HeaderMap;
use gatekit_core::{Account, Auth, IssuedToken, LogoutError, StoreError, TokenDigest, Unavailable};
use gatekit_layer::{AuthRejection, BrowserTransport};

/// Why a browser was not signed in.
#[derive(Debug, thiserror::Error)]
pub enum SignInError {
    /// The layer says no: a session could not be loaded or stored.
    #[error(transparent)]
    Rejected(#[from] AuthRejection),
    /// It cannot be done now. HTTP status 503.
    #[error(transparent)]
    Unavailable(#[from] Unavailable),
}

/// Signs a browser in with a token and ends the tokens it had before (ASVS 7.2.4): the `Set-Cookie`
/// headers for the answer. If it cannot, the new token ends, which nobody has got. For logins over
/// other routes than the kit's; those use it too.
///
/// # Errors
///
/// [`SignInError`]. Nobody is signed in then.
pub async fn sign_in<U: Account>(
    auth: &Auth<U>,
    browser: &BrowserTransport,
    headers: &HeaderMap,
    token: &IssuedToken,
) -> Result<HeaderMap, SignInError> {
    let failure = match browser.sign_in(headers, token).await {
        Ok(signed_in) => match end_tokens(auth, &signed_in.replaced).await {
            Ok(()) => return Ok(signed_in.headers),
            Err(error) => error.into(),
        },
        Err(rejection) => rejection.into(),
    };
    if let Err(error) = end_tokens(auth, &[token.record.digest]).await {
        tracing::warn!(%error, "a token that nobody got could not be ended; it ends by itself");
    }
    Err(failure)
}

/// Ends these tokens. One that has ended already is what was wanted.
///
/// # Errors
///
/// [`Unavailable`]: the one it failed at is still alive, and so are those after it.
pub async fn end_tokens<U: Account>(auth: &Auth<U>, tokens: &[TokenDigest]) -> Result<(), Unavailable> {
    for token in tokens {
        match auth.logout(token).await {
            Ok(()) | Err(LogoutError::TokenNotFound) => {}
            Err(LogoutError::Unavailable(error)) => return Err(error),
            Err(other) => return Err(StoreError::failed(other).into()),
        }
    }
    Ok(())
}
