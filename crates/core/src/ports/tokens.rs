//! Where access tokens are kept: [`TokenStore`].

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Clock, StoreError, StoreIdentity, Timestamp, TokenDigest, TokenRecord, UserId};

/// Where access tokens are kept.
#[async_trait]
pub trait TokenStore: Send + Sync + 'static {
    /// Stores a new token.
    ///
    /// # Errors
    ///
    /// [`StoreError`] if there is already one with this digest; it is never replaced.
    async fn insert_token(&self, token: &TokenRecord) -> Result<(), StoreError>;

    /// The token with this digest, alive or not.
    async fn find_token(&self, digest: &TokenDigest) -> Result<Option<TokenRecord>, StoreError>;

    /// Removes a token. Returns whether it was there: of many at the same time exactly one gets
    /// `true`.
    async fn delete_token(&self, digest: &TokenDigest) -> Result<bool, StoreError>;

    /// In one atomic step, if the token's `rev` is `from`: makes it `to`, so that this one token
    /// outlives a bump of its user's `rev`. Returns whether it did.
    async fn carry_token_over(&self, digest: &TokenDigest, from: i64, to: i64) -> Result<bool, StoreError>;

    /// Removes the tokens of the user of this type with this id that were issued under a `rev` less
    /// than `before_rev`, which are dead once the user's is that. Returns how many.
    async fn delete_tokens_of(&self, user_type: &str, user: &UserId, before_rev: i64) -> Result<u64, StoreError>;

    /// The tokens of the user of this type with this id, alive or not, the oldest first.
    async fn list_tokens_of(&self, user_type: &str, user: &UserId) -> Result<Vec<TokenRecord>, StoreError>;

    /// In one atomic step, if the token is still as `old` has it: makes its `ttl`, `renewed`,
    /// `scopes` and `last_used` those of `new`. Returns whether it did. Both have the same digest;
    /// what else differs in `new` is ignored.
    async fn update_token(&self, old: &TokenRecord, new: &TokenRecord) -> Result<bool, StoreError>;

    /// Removes at most `limit` tokens that ended at or before `now`. Returns how many; fewer than
    /// `limit` means that none is left.
    async fn purge_tokens(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;

    /// Gives the store the clock of the [`Auth`](crate::Auth) that is built with it, for one that
    /// removes by itself what has ended. The default does nothing.
    fn use_clock(&self, _clock: &Arc<dyn Clock>) {}

    /// Which database this is, for a [`UserStore`](crate::UserStore) that could join with it.
    fn identity(&self) -> Option<&StoreIdentity> {
        None
    }
}
