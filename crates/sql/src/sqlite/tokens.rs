//! Access tokens.

use async_trait::async_trait;
use gatekit_core::{StoreError, StoreIdentity, Timestamp, TokenDigest, TokenRecord, TokenStore, UserId};

use super::rows::Id;
use super::{SqliteStore, purge};
use crate::own::{store_error, token_from_row};

#[async_trait]
impl TokenStore for SqliteStore {
    async fn insert_token(&self, token: &TokenRecord) -> Result<(), StoreError> {
        let insert = sqlx::query(
            "INSERT INTO gatekit_access_tokens \
             (token_digest, token_user_type, token_user_id, token_rev, token_ttl, token_created, token_renewed, \
             token_expires, token_scopes, token_proofs, token_user_agent, token_network, token_last_used) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(token.digest.as_bytes().as_slice())
        .bind(&*token.user_type)
        .bind(Id(&token.user_id))
        .bind(token.rev)
        .bind(token.ttl)
        .bind(token.created.0)
        .bind(token.renewed.map(|at| at.0))
        .bind(token.expires().map(|end| end.0))
        .bind(scopes_to_text(token)?)
        .bind(proofs_to_text(token))
        .bind(token.client.as_ref().and_then(|client| client.user_agent.as_deref()))
        .bind(token.client.as_ref().and_then(|client| client.network.as_deref()))
        .bind(token.last_used.map(|at| at.0));
        self.change(insert).await.map_err(store_error)?;
        Ok(())
    }

    async fn find_token(&self, digest: &TokenDigest) -> Result<Option<TokenRecord>, StoreError> {
        let query = sqlx::query(
            "SELECT token_digest, token_user_type, token_user_id, token_rev, token_ttl, token_created, token_renewed, \
             token_scopes, token_proofs, token_user_agent, token_network, token_last_used FROM gatekit_access_tokens WHERE token_digest = ?",
        )
        .bind(digest.as_bytes().as_slice());
        self.find(query).await?.as_ref().map(token_from_row).transpose()
    }

    async fn delete_token(&self, digest: &TokenDigest) -> Result<bool, StoreError> {
        let delete =
            sqlx::query("DELETE FROM gatekit_access_tokens WHERE token_digest = ?").bind(digest.as_bytes().as_slice());
        Ok(self.change(delete).await.map_err(store_error)?.count > 0)
    }

    async fn carry_token_over(&self, digest: &TokenDigest, from: i64, to: i64) -> Result<bool, StoreError> {
        let carry =
            sqlx::query("UPDATE gatekit_access_tokens SET token_rev = ? WHERE token_digest = ? AND token_rev = ?")
                .bind(to)
                .bind(digest.as_bytes().as_slice())
                .bind(from);
        Ok(self.change(carry).await.map_err(store_error)?.count > 0)
    }

    async fn delete_tokens_of(&self, user_type: &str, user: &UserId, before_rev: i64) -> Result<u64, StoreError> {
        let delete = sqlx::query(
            "DELETE FROM gatekit_access_tokens WHERE token_user_id = ? AND token_user_type = ? AND token_rev < ?",
        )
        .bind(Id(user))
        .bind(user_type)
        .bind(before_rev);
        Ok(self.change(delete).await.map_err(store_error)?.count)
    }

    async fn list_tokens_of(&self, user_type: &str, user: &UserId) -> Result<Vec<TokenRecord>, StoreError> {
        let query = sqlx::query(
            "SELECT token_digest, token_user_type, token_user_id, token_rev, token_ttl, token_created, token_renewed, \
             token_scopes, token_proofs, token_user_agent, token_network, token_last_used FROM gatekit_access_tokens WHERE token_user_id = ? AND token_user_type = ? \
             ORDER BY token_created, token_digest",
        )
        .bind(Id(user))
        .bind(user_type);
        self.find_all(query).await?.iter().map(token_from_row).collect()
    }

    async fn update_token(&self, old: &TokenRecord, new: &TokenRecord) -> Result<bool, StoreError> {
        // What a token ends by is of the old one where the new one has no say in it.
        let new = TokenRecord {
            ttl: new.ttl,
            renewed: new.renewed,
            scopes: new.scopes.clone(),
            last_used: new.last_used,
            ..old.clone()
        };
        let update = sqlx::query(
            "UPDATE gatekit_access_tokens \
             SET token_ttl = ?, token_renewed = ?, token_expires = ?, token_scopes = ?, token_last_used = ? \
             WHERE token_digest = ? AND token_user_type = ? AND token_user_id = ? AND token_rev = ? AND token_ttl = ? \
             AND token_created = ? AND token_renewed IS ? AND token_scopes IS ? AND token_proofs IS ? \
             AND token_user_agent IS ? AND token_network IS ? AND token_last_used IS ?",
        )
        .bind(new.ttl)
        .bind(new.renewed.map(|at| at.0))
        .bind(new.expires().map(|end| end.0))
        .bind(scopes_to_text(&new)?)
        .bind(new.last_used.map(|at| at.0))
        .bind(old.digest.as_bytes().as_slice())
        .bind(&*old.user_type)
        .bind(Id(&old.user_id))
        .bind(old.rev)
        .bind(old.ttl)
        .bind(old.created.0)
        .bind(old.renewed.map(|at| at.0))
        .bind(scopes_to_text(old)?)
        .bind(proofs_to_text(old))
        .bind(old.client.as_ref().and_then(|client| client.user_agent.as_deref()))
        .bind(old.client.as_ref().and_then(|client| client.network.as_deref()))
        .bind(old.last_used.map(|at| at.0));
        Ok(self.change(update).await.map_err(store_error)?.count > 0)
    }

    async fn purge_tokens(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        purge::tokens(&self.inner.connections, now, limit).await
    }

    fn identity(&self) -> Option<&StoreIdentity> {
        Some(&self.identity)
    }
}

fn proofs_to_text(token: &TokenRecord) -> Option<String> {
    (!token.proofs.is_empty()).then(|| token.proofs.to_string())
}

fn scopes_to_text(token: &TokenRecord) -> Result<Option<String>, StoreError> {
    token.scopes.as_ref().map(serde_json::to_string).transpose().map_err(StoreError::failed)
}
