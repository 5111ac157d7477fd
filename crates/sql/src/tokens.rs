//! Access tokens.

use async_trait::async_trait;
use gatekit_core::{StoreError, StoreIdentity, Timestamp, TokenDigest, TokenRecord, TokenStore, UserId};

use crate::database::Database;
use crate::error::store_error;
use crate::own::{token_columns, token_from_row};
use crate::purge;
use crate::statement::Statement;
use crate::store::SqlStore;

static INSERT: Statement = Statement::new(
    "INSERT INTO gatekit_access_tokens \
     (token_digest, token_user_type, token_user_key, token_rev, token_ttl, token_created, token_renewed, \
     token_expires, token_scopes, token_proofs, token_user_agent, token_network, token_last_used) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
);

static FIND: Statement =
    Statement::new(concat!("SELECT ", token_columns!(), " FROM gatekit_access_tokens WHERE token_digest = ?"));

static LIST_OF_USER: Statement = Statement::new(concat!(
    "SELECT ",
    token_columns!(),
    " FROM gatekit_access_tokens WHERE token_user_key = ? AND token_user_type = ? ORDER BY token_created, token_digest"
));

static DELETE: Statement = Statement::new("DELETE FROM gatekit_access_tokens WHERE token_digest = ?");

static DELETE_OF_USER: Statement = Statement::new(
    "DELETE FROM gatekit_access_tokens WHERE token_user_key = ? AND token_user_type = ? AND token_rev < ?",
);

static CARRY_OVER: Statement =
    Statement::new("UPDATE gatekit_access_tokens SET token_rev = ? WHERE token_digest = ? AND token_rev = ?");

static UPDATE: Statement = Statement::new(
    "UPDATE gatekit_access_tokens \
     SET token_ttl = ?, token_renewed = ?, token_expires = ?, token_scopes = ?, token_last_used = ? \
     WHERE token_digest = ? AND token_user_type = ? AND token_user_key = ? AND token_rev = ? AND token_ttl = ? \
     AND token_created = ? AND token_renewed {same} ? AND token_scopes {same} ? AND token_proofs {same} ? \
     AND token_user_agent {same} ? AND token_network {same} ? AND token_last_used {same} ?",
);

#[async_trait]
impl<D: Database> TokenStore for SqlStore<D> {
    async fn insert_token(&self, token: &TokenRecord) -> Result<(), StoreError> {
        let insert = INSERT
            .on(self.database())
            .bind(&token.digest)
            .bind(&*token.user_type)
            .bind(&token.user_id)
            .bind(token.rev)
            .bind(token.ttl)
            .bind(token.created)
            .bind(token.renewed)
            .bind(token.expires())
            .bind(scopes_to_text(token)?)
            .bind(proofs_to_text(token))
            .bind(token.client.as_ref().and_then(|client| client.user_agent.as_deref()))
            .bind(token.client.as_ref().and_then(|client| client.network.as_deref()))
            .bind(token.last_used);
        insert.change().await.map_err(store_error)?;
        Ok(())
    }

    async fn find_token(&self, digest: &TokenDigest) -> Result<Option<TokenRecord>, StoreError> {
        let row = FIND.on(self.database()).bind(digest).find().await?;
        row.as_ref().map(token_from_row).transpose()
    }

    async fn delete_token(&self, digest: &TokenDigest) -> Result<bool, StoreError> {
        let deleted = DELETE.on(self.database()).bind(digest).change().await;
        Ok(deleted.map_err(store_error)?.count > 0)
    }

    async fn carry_token_over(&self, digest: &TokenDigest, from: i64, to: i64) -> Result<bool, StoreError> {
        let carried = CARRY_OVER.on(self.database()).bind(to).bind(digest).bind(from).change().await;
        Ok(carried.map_err(store_error)?.count > 0)
    }

    async fn delete_tokens_of(&self, user_type: &str, user: &UserId, before_rev: i64) -> Result<u64, StoreError> {
        let deleted = DELETE_OF_USER.on(self.database()).bind(user).bind(user_type).bind(before_rev).change().await;
        Ok(deleted.map_err(store_error)?.count)
    }

    async fn list_tokens_of(&self, user_type: &str, user: &UserId) -> Result<Vec<TokenRecord>, StoreError> {
        let rows = LIST_OF_USER.on(self.database()).bind(user).bind(user_type).find_all().await?;
        rows.iter().map(token_from_row).collect()
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
        let update = UPDATE
            .on(self.database())
            .bind(new.ttl)
            .bind(new.renewed)
            .bind(new.expires())
            .bind(scopes_to_text(&new)?)
            .bind(new.last_used)
            .bind(&old.digest)
            .bind(&*old.user_type)
            .bind(&old.user_id)
            .bind(old.rev)
            .bind(old.ttl)
            .bind(old.created)
            .bind(old.renewed)
            .bind(scopes_to_text(old)?)
            .bind(proofs_to_text(old))
            .bind(old.client.as_ref().and_then(|client| client.user_agent.as_deref()))
            .bind(old.client.as_ref().and_then(|client| client.network.as_deref()))
            .bind(old.last_used);
        Ok(update.change().await.map_err(store_error)?.count > 0)
    }

    async fn purge_tokens(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        purge::TOKENS.delete(self.database(), now, limit).await
    }

    fn identity(&self) -> Option<&StoreIdentity> {
        Some(self.store_identity())
    }
}

fn scopes_to_text(token: &TokenRecord) -> Result<Option<String>, StoreError> {
    token.scopes.as_ref().map(serde_json::to_string).transpose().map_err(StoreError::failed)
}

fn proofs_to_text(token: &TokenRecord) -> Option<String> {
    (!token.proofs.is_empty()).then(|| token.proofs.to_string())
}
