//! Faults of access tokens.

use gatekit_core::{
    Proofs, StoreError, StoreIdentity, Timestamp, TokenDigest, TokenRecord, TokenStore, UserId, async_trait,
};

use super::Fault::*;
use super::Faulty;

#[async_trait]
impl TokenStore for Faulty {
    async fn insert_token(&self, token: &TokenRecord) -> Result<(), StoreError> {
        if self.has(TokenIsReplaced) {
            self.store.delete_token(&token.digest).await?;
        }
        let mut token = token.clone();
        if self.has(EmptyScopesAreNone) {
            token.scopes = token.scopes.filter(|scopes| !scopes.is_empty());
        }
        match self.fault {
            Some(RenewalIsLost) => token.renewed = None,
            Some(ProofsAreLost) => token.proofs = Proofs::default(),
            Some(ClientIsLost) => token.client = None,
            Some(ClientIsAllOrNothing) => {
                token.client = token.client.filter(|client| client.user_agent.is_some() && client.network.is_some());
            }
            Some(UserAgentIsCut) => {
                if let Some(text) = token.client.as_mut().and_then(|client| client.user_agent.as_mut()) {
                    text.truncate(text.floor_char_boundary(100));
                }
            }
            Some(LastUseIsLost) => token.last_used = None,
            _ => {}
        }
        self.memory.lock().unwrap().tokens.push(token.clone());
        self.store.insert_token(&token).await
    }

    async fn find_token(&self, digest: &TokenDigest) -> Result<Option<TokenRecord>, StoreError> {
        let found = self.store.find_token(digest).await?;
        Ok(found.filter(|token| !self.has(EndedTokenIsHidden) || token.created > Timestamp(0)))
    }

    async fn delete_token(&self, digest: &TokenDigest) -> Result<bool, StoreError> {
        if self.has(DeleteChecksFirst) {
            let there = self.store.find_token(digest).await?.is_some();
            self.pause().await;
            self.store.delete_token(digest).await?;
            return Ok(there);
        }
        Ok(self.store.delete_token(digest).await? || self.has(DeleteIsAlwaysTrue))
    }

    async fn carry_token_over(&self, digest: &TokenDigest, from: i64, to: i64) -> Result<bool, StoreError> {
        if self.has(CarryOverIgnoresRev) {
            let Some(token) = self.store.find_token(digest).await? else { return Ok(false) };
            return self.store.carry_token_over(digest, token.rev, to).await;
        }
        if self.has(CarryOverUndoesARenewal)
            && let Some(token) = self.store.find_token(digest).await?
        {
            self.store.update_token(&token, &TokenRecord { renewed: None, ..token.clone() }).await?;
        }
        if self.has(CarryOverForgetsProofs)
            && let Some(token) = self.store.find_token(digest).await?
            && token.rev == from
        {
            self.store.delete_token(digest).await?;
            self.store.insert_token(&TokenRecord { proofs: Proofs::default(), ..token }).await?;
        }
        self.store.carry_token_over(digest, from, to).await
    }

    async fn delete_tokens_of(&self, user_type: &str, user: &UserId, before_rev: i64) -> Result<u64, StoreError> {
        let before_rev = if self.has(BeforeRevIsIgnored) { i64::MAX } else { before_rev };
        let user_type = if self.has(UserTypeIsIgnored) { "User" } else { user_type };
        self.store.delete_tokens_of(user_type, &self.id(user), before_rev).await
    }

    async fn list_tokens_of(&self, user_type: &str, user: &UserId) -> Result<Vec<TokenRecord>, StoreError> {
        let user = &self.id(user);
        let mut tokens = self.store.list_tokens_of(user_type, user).await?;
        match self.fault {
            Some(ListIsInOrderOfDigests) => tokens.sort_by_key(|token| token.digest),
            Some(ListHidesWhatHasEnded) => tokens.retain(|token| token.created > Timestamp(0)),
            Some(ListIgnoresTheType) => {
                for other in ["User", "Member"].into_iter().filter(|other| *other != user_type) {
                    tokens.extend(self.store.list_tokens_of(other, user).await?);
                }
            }
            _ => {}
        }
        Ok(tokens)
    }

    async fn update_token(&self, old: &TokenRecord, new: &TokenRecord) -> Result<bool, StoreError> {
        let Some(present) = self.store.find_token(&old.digest).await? else {
            if self.has(ChangeOfATokenBringsItBack) {
                self.store.insert_token(new).await?;
            }
            return Ok(false);
        };
        let (mut old, mut new) = (old.clone(), new.clone());
        match self.fault {
            Some(ChangeOfATokenIgnoresOld) => old = present,
            Some(ChangeOfATokenDoesNotCompareRev) => old.rev = present.rev,
            Some(ChangeOfATokenDoesNotCompareTtl) => old.ttl = present.ttl,
            Some(ChangeOfATokenDoesNotCompareRenewed) => old.renewed = present.renewed,
            Some(ChangeOfATokenDoesNotCompareScopes) => old.scopes = present.scopes,
            Some(ChangeOfATokenDoesNotCompareLastUsed) => old.last_used = present.last_used,
            Some(ChangeOfATokenDoesNotCompareProofs) => old.proofs = present.proofs,
            Some(ChangeOfATokenDoesNotCompareTheClient) => old.client = present.client,
            Some(ChangeOfATokenLeavesLastUsed) => new.last_used = present.last_used,
            Some(ChangeOfATokenChangesProofs) if old == present => {
                self.store.delete_token(&old.digest).await?;
                old.proofs = new.proofs.clone();
                self.store.insert_token(&old).await?;
            }
            Some(ChangeOfATokenChangesTheClient) if old == present => {
                self.store.delete_token(&old.digest).await?;
                old.client = new.client.clone();
                self.store.insert_token(&old).await?;
            }
            Some(ChangeOfATokenLeavesScopes) => new.scopes = present.scopes,
            Some(ChangeOfATokenChecksFirst) => {
                if old != present {
                    return Ok(false);
                }
                self.pause().await;
                old = self.store.find_token(&old.digest).await?.unwrap_or(old);
            }
            Some(ChangeOfATokenIsOfEverything) if old == present => {
                self.store.delete_token(&old.digest).await?;
                self.store.insert_token(&new).await?;
                return Ok(true);
            }
            _ => {}
        }
        self.store.update_token(&old, &new).await
    }

    async fn purge_tokens(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let limit = if self.has(PurgeIgnoresTheLimit) { u32::MAX } else { limit };
        let now = if self.has(PurgeSparesWhatEndsNow) { Timestamp(now.0 - 1) } else { now };
        if self.has(PurgeGoesByTheFirstEnd) {
            let ended = |token: &TokenRecord| TokenRecord { renewed: None, ..token.clone() }.is_expired(now);
            let tokens: Vec<_> = self.memory.lock().unwrap().tokens.iter().filter(|t| ended(t)).cloned().collect();
            let mut removed = 0;
            for token in tokens {
                removed += u64::from(removed < u64::from(limit) && self.store.delete_token(&token.digest).await?);
            }
            return Ok(removed);
        }
        self.store.purge_tokens(now, limit).await
    }

    fn identity(&self) -> Option<&StoreIdentity> {
        self.store.identity()
    }
}
