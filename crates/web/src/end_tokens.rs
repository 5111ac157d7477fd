//! Ends tokens that a browser does not have any more.

use gatekit_core::{Account, Auth, LogoutError, StoreError, TokenDigest, Unavailable};

/// Ends these tokens. A token that has ended already is no error.
///
/// # Errors
///
/// [`Unavailable`]. The token it failed at is still alive, and so are those after it.
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
