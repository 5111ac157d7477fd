//! Who a token belongs to.

use async_trait::async_trait;

use crate::{
    AccessRequest, Account, Auth, AuthenticateError, Authenticated, Authenticator, Method, StoreError, Timestamp,
    TokenDigest, TokenForm, TokenRecord, TokenSecret,
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
        self.authenticate_digest(&TokenDigest::of(token)).await
    }

    /// As [`authenticate`](Self::authenticate), for whoever keeps digests and not secrets, as a server-side session does.
    ///
    /// # Errors
    ///
    /// [`AuthenticateError`].
    pub async fn authenticate_digest(&self, digest: &TokenDigest) -> Result<Authenticated<U>, AuthenticateError> {
        let auth = &*self.0;
        let found = self.bounded(auth.users.find_token_owner(&*auth.tokens, digest)).await?;
        let Some(owner) = found else { return Err(AuthenticateError::Invalid) };
        // A token of another kind of user that shares the store; whose id is the same is somebody else.
        if owner.token.user_type != U::model_name() {
            return Err(AuthenticateError::Invalid);
        }
        let now = auth.clock.now();
        let eternal = owner.token.ttl < 0 && !auth.policy.allow_eternal_tokens;
        if eternal || owner.token.is_expired(now) {
            if let Err(error) = self.bounded(auth.tokens.delete_token(digest)).await {
                tracing::warn!(%error, "an expired token was refused but could not be removed");
            }
            return Err(AuthenticateError::Expired);
        }
        if owner.token.rev != owner.rev {
            return Err(AuthenticateError::Invalid);
        }
        let token = self.touch(owner.token, now).await;
        let mut caller = Authenticated::with_token(owner.user, token);
        caller.roles = owner.roles;
        Ok(caller)
    }

    /// Notes that a token is used, and begins its lifetime anew, where the policy says so and it is time: one write for both. That
    /// it fails is logged: the token is as good as it was.
    async fn touch(&self, token: TokenRecord, now: Timestamp) -> TokenRecord {
        let (renewed, last_used) = (self.renewed(&token, now), self.last_used(&token, now));
        if renewed == token.renewed && last_used == token.last_used {
            return token;
        }
        let touched = TokenRecord { renewed, last_used, ..token.clone() };
        match self.bounded(self.0.tokens.update_token(&token, &touched)).await {
            Ok(true) => touched,
            // Another request with this token did it.
            Ok(false) => token,
            Err(error) => {
                tracing::warn!(%error, "a token was used but that could not be noted");
                token
            }
        }
    }

    /// Sliding expiry: when the lifetime of a token that is used now begins.
    fn renewed(&self, token: &TokenRecord, now: Timestamp) -> Option<Timestamp> {
        let policy = &self.0.policy;
        let Some(after) = policy.renew_after.filter(|_| token.ttl > 0) else { return token.renewed };
        let begun = token.renewed.unwrap_or(token.created);
        let latest = token.created.plus_seconds(policy.max_token_ttl.saturating_sub(token.ttl));
        let renewed = now.min(latest);
        if now < begun.plus_seconds(after.into()) || renewed <= begun { token.renewed } else { Some(renewed) }
    }

    /// When a token that is used now was last used: not more precise than the policy says.
    fn last_used(&self, token: &TokenRecord, now: Timestamp) -> Option<Timestamp> {
        let precision = self.0.policy.last_used_precision.filter(|_| token.client.is_some());
        let noted = token.last_used.unwrap_or(token.created);
        match precision {
            Some(seconds) if now >= noted.plus_seconds(seconds.into()) => Some(now),
            _ => token.last_used,
        }
    }
}

#[async_trait]
impl<U: Account> Authenticator for Auth<U> {
    type Principal = U;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<U>, AuthenticateError> {
        Auth::authenticate(self, token).await
    }

    async fn authenticate_digest(&self, digest: &TokenDigest) -> Result<Authenticated<U>, AuthenticateError> {
        Auth::authenticate_digest(self, digest).await
    }

    /// Its own tokens have 64 characters of base62. Tokens that an app has carried over from LoopBack may have other lengths, and
    /// are letters, digits and `_`, `-`, `$` at most.
    fn token_form(&self, token: &str) -> TokenForm {
        let is_of_an_id = |byte: u8| byte.is_ascii_alphanumeric() || b"_-$".contains(&byte);
        if TokenSecret::is_well_formed(token) {
            TokenForm::Own
        } else if token.is_empty() || token.len() > MAX_BYTES || !token.bytes().all(is_of_an_id) {
            TokenForm::Foreign
        } else {
            TokenForm::Possible
        }
    }

    fn now(&self) -> Timestamp {
        self.0.clock.now()
    }

    async fn is_in_role(&self, caller: &Authenticated<U>, role: &str) -> Result<bool, StoreError> {
        let access = AccessRequest { method: Method::ANY, caller: Some(caller), target: None };
        Auth::is_in_role(self, role, &access).await
    }
}
