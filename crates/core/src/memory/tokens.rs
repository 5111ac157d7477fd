//! Access tokens, by the SHA-256 of their secret.

use std::sync::Arc;

use async_trait::async_trait;

use super::contents::{removed, take_one};
use super::store::MemoryStore;
use crate::{Clock, Profile, StoreError, StoreIdentity, Timestamp, TokenDigest, TokenRecord, TokenStore, UserId};

#[async_trait]
impl<P: Profile> TokenStore for MemoryStore<P> {
    async fn insert_token(&self, token: &TokenRecord) -> Result<(), StoreError> {
        let mut contents = self.write();
        contents.make_room(self.clock.now());
        if contents.tokens.contains_key(&token.digest) {
            return Err(StoreError::failed("there is already a token with this digest"));
        }
        contents.tokens.insert(token.digest, token.clone());
        Ok(())
    }

    async fn find_token(&self, digest: &TokenDigest) -> Result<Option<TokenRecord>, StoreError> {
        Ok(self.read().tokens.get(digest).cloned())
    }

    async fn delete_token(&self, digest: &TokenDigest) -> Result<bool, StoreError> {
        Ok(self.write().tokens.remove(digest).is_some())
    }

    async fn carry_token_over(&self, digest: &TokenDigest, from: i64, to: i64) -> Result<bool, StoreError> {
        let mut contents = self.write();
        let token = contents.tokens.get_mut(digest).filter(|token| token.rev == from);
        Ok(token.map(|token| token.rev = to).is_some())
    }

    async fn delete_tokens_of(&self, user_type: &str, user: &UserId, before_rev: i64) -> Result<u64, StoreError> {
        let mut contents = self.write();
        let before = contents.tokens.len();
        contents
            .tokens
            .retain(|_, token| token.user_type != user_type || token.user_id != *user || token.rev >= before_rev);
        Ok(removed(before, contents.tokens.len()))
    }

    async fn list_tokens_of(&self, user_type: &str, user: &UserId) -> Result<Vec<TokenRecord>, StoreError> {
        let contents = self.read();
        let of_user = |token: &&TokenRecord| token.user_type == user_type && token.user_id == *user;
        let mut tokens: Vec<TokenRecord> = contents.tokens.values().filter(of_user).cloned().collect();
        tokens.sort_by_key(|token| (token.created, token.digest));
        Ok(tokens)
    }

    async fn update_token(&self, old: &TokenRecord, new: &TokenRecord) -> Result<bool, StoreError> {
        let mut contents = self.write();
        let token = contents.tokens.get_mut(&old.digest).filter(|token| **token == *old);
        Ok(token
            .map(|token| {
                token.ttl = new.ttl;
                token.renewed = new.renewed;
                token.scopes = new.scopes.clone();
                token.last_used = new.last_used;
            })
            .is_some())
    }

    async fn purge_tokens(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut contents = self.write();
        let before = contents.tokens.len();
        let mut left = limit;
        contents.tokens.retain(|_, token| !(token.is_expired(now) && take_one(&mut left)));
        Ok(removed(before, contents.tokens.len()))
    }

    fn identity(&self) -> Option<&StoreIdentity> {
        Some(&self.identity)
    }

    fn use_clock(&self, clock: &Arc<dyn Clock>) {
        self.clock.set(clock);
    }
}
