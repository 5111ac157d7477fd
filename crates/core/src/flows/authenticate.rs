//! Who a token belongs to.

use async_trait::async_trait;

use crate::{Account, Auth, AuthenticateError, Authenticated, Authenticator, TokenDigest};

/// Longer texts are no token of anybody's; LoopBack lets an app choose the length, and nobody chose more than this.
const MAX_BYTES: usize = 512;

impl<U: Account> Auth<U> {
    /// Finds the user `token` belongs to, with one query.
    ///
    /// The token is alive if it is stored, has not expired, and was issued under the user's present `rev`. An expired one is
    /// removed on the way, as in LoopBack.
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() {
    /// use gatekit_core::{Auth, AuthenticateError, MemoryStore};
    ///
    /// let auth = Auth::new(MemoryStore::new());
    /// assert!(matches!(auth.authenticate("never issued").await, Err(AuthenticateError::Invalid)));
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`]; a store that fails is [`AuthenticateError::Unavailable`].
    pub async fn authenticate(&self, token: &str) -> Result<Authenticated<U>, AuthenticateError> {
        if token.is_empty() || token.len() > MAX_BYTES {
            return Err(AuthenticateError::Invalid);
        }
        let auth = &*self.0;
        let digest = TokenDigest::of(token);
        let found = self.bounded(auth.users.find_token_owner(&*auth.tokens, &digest)).await?;
        let Some(owner) = found else { return Err(AuthenticateError::Invalid) };
        // A token of another kind of user that shares the store; whose id is the same is somebody else.
        if owner.token.user_type != U::model_name() {
            return Err(AuthenticateError::Invalid);
        }
        if owner.token.is_expired(auth.clock.now()) {
            if let Err(error) = self.bounded(auth.tokens.delete_token(&digest)).await {
                tracing::warn!(%error, "an expired token was refused but could not be removed");
            }
            return Err(AuthenticateError::Expired);
        }
        if owner.token.rev != owner.rev {
            return Err(AuthenticateError::Invalid);
        }
        Ok(Authenticated::with_token(owner.user, owner.token))
    }
}

#[async_trait]
impl<U: Account> Authenticator for Auth<U> {
    type Principal = U;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<U>, AuthenticateError> {
        Auth::authenticate(self, token).await
    }
}
