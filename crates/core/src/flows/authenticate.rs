//! Who a token belongs to.

use async_trait::async_trait;

use crate::{
    AccessRequest, Account, Auth, AuthenticateError, Authenticated, Authenticator, Method, StoreError, Timestamp,
    TokenDigest, TokenRecord,
};

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
        let now = auth.clock.now();
        let eternal = owner.token.ttl < 0 && !auth.policy.allow_eternal_tokens;
        if eternal || owner.token.is_expired(now) {
            if let Err(error) = self.bounded(auth.tokens.delete_token(&digest)).await {
                tracing::warn!(%error, "an expired token was refused but could not be removed");
            }
            return Err(AuthenticateError::Expired);
        }
        if owner.token.rev != owner.rev {
            return Err(AuthenticateError::Invalid);
        }
        let token = self.renew(owner.token, now).await;
        let mut caller = Authenticated::with_token(owner.user, token);
        caller.roles = owner.roles;
        Ok(caller)
    }

    /// Sliding expiry: begins a token's lifetime anew, where the policy says so and it is time. That it fails is logged: the token
    /// is as good as it was.
    async fn renew(&self, token: TokenRecord, now: Timestamp) -> TokenRecord {
        let policy = &self.0.policy;
        let Some(after) = policy.renew_after.filter(|_| token.ttl > 0) else { return token };
        let begun = token.renewed.unwrap_or(token.created);
        if now < begun.plus_seconds(after.into()) {
            return token;
        }
        let latest = token.created.plus_seconds(policy.max_token_ttl.saturating_sub(token.ttl));
        let renewed = now.min(latest);
        if renewed <= begun {
            return token;
        }
        let longer = TokenRecord { renewed: Some(renewed), ..token.clone() };
        match self.bounded(self.0.tokens.update_token(&token, &longer)).await {
            Ok(true) => longer,
            // Another request with this token did it.
            Ok(false) => token,
            Err(error) => {
                tracing::warn!(%error, "a token was used but could not be renewed");
                token
            }
        }
    }
}

#[async_trait]
impl<U: Account> Authenticator for Auth<U> {
    type Principal = U;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<U>, AuthenticateError> {
        Auth::authenticate(self, token).await
    }

    async fn is_in_role(&self, caller: &Authenticated<U>, role: &str) -> Result<bool, StoreError> {
        let access = AccessRequest { method: Method::ANY, caller: Some(caller), target: None };
        Auth::is_in_role(self, role, &access).await
    }
}
