//! Credentials for HTTP Digest, and how often each nonce was used.

use async_trait::async_trait;
use gatekit_core::{DigestCredential, DigestStore, StoreError, Timestamp, TokenDigest, UserId};

use crate::database::Database;
use crate::error::store_error;
use crate::purge;
use crate::row::{Row, Table};
use crate::statement::Statement;
use crate::store::SqlStore;

const TABLE: Table = Table("gatekit_digests");

static PUT: Statement = Statement::new(
    "INSERT INTO gatekit_digests (user_type, user_key, realm, algorithm, sealed, userhash, updated) \
     VALUES (?, ?, ?, ?, ?, ?, ?) \
     {on_conflict(user_type, user_key, realm, algorithm)} \
     sealed = {new(sealed)}, userhash = {new(userhash)}, updated = {new(updated)}",
);

static FIND: Statement = Statement::new(
    "SELECT user_type, user_key, realm, algorithm, sealed, userhash, updated FROM gatekit_digests \
     WHERE user_type = ? AND user_key = ? AND realm = ? AND algorithm = ?",
);

static FIND_BY_USERHASH: Statement = Statement::new(
    "SELECT user_type, user_key, realm, algorithm, sealed, userhash, updated FROM gatekit_digests \
     WHERE userhash = ? AND user_type = ? AND realm = ? AND algorithm = ? ORDER BY updated DESC LIMIT 1",
);

static DELETE_OF_USER: Statement = Statement::new("DELETE FROM gatekit_digests WHERE user_type = ? AND user_key = ?");

/// A nonce is used with greater counts than before alone.
static USE_NONCE: Statement = Statement::new(
    "INSERT INTO gatekit_digest_nonces (nonce, count, expires) VALUES (?, ?, ?) \
     {on_conflict(nonce)} count = {new(count)}, \
     expires = {greatest(gatekit_digest_nonces.expires, excluded.expires)} \
     WHERE {new(count)} > gatekit_digest_nonces.count",
);

#[async_trait]
impl<D: Database> DigestStore for SqlStore<D> {
    async fn put_digest(&self, credential: &DigestCredential) -> Result<(), StoreError> {
        let put = PUT
            .on(self.database())
            .bind(&*credential.user_type)
            .bind(&credential.user_id)
            .bind(&credential.realm)
            .bind(&credential.algorithm)
            .bind(&credential.sealed)
            .bind(&credential.userhash)
            .bind(credential.updated);
        put.change().await.map_err(store_error)?;
        Ok(())
    }

    async fn find_digest(
        &self,
        user_type: &str,
        user: &UserId,
        realm: &str,
        algorithm: &str,
    ) -> Result<Option<DigestCredential>, StoreError> {
        let find = FIND.on(self.database()).bind(user_type).bind(user).bind(realm).bind(algorithm);
        find.find().await?.as_ref().map(from_row).transpose()
    }

    async fn find_digest_by_userhash(
        &self,
        user_type: &str,
        realm: &str,
        algorithm: &str,
        userhash: &str,
    ) -> Result<Option<DigestCredential>, StoreError> {
        let find = FIND_BY_USERHASH.on(self.database()).bind(userhash).bind(user_type).bind(realm).bind(algorithm);
        find.find().await?.as_ref().map(from_row).transpose()
    }

    async fn delete_digests_of(&self, user_type: &str, user: &UserId) -> Result<u64, StoreError> {
        let deleted = DELETE_OF_USER.on(self.database()).bind(user_type).bind(user).change().await;
        Ok(deleted.map_err(store_error)?.count)
    }

    async fn use_nonce(&self, nonce: &TokenDigest, count: u32, expires: Timestamp) -> Result<bool, StoreError> {
        // The first use has the count 1.
        if count == 0 {
            return Ok(false);
        }
        let used = USE_NONCE.on(self.database()).bind(nonce).bind(count).bind(expires).change().await;
        Ok(used.map_err(store_error)?.count > 0)
    }

    async fn purge_nonces(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        purge::NONCES.delete(self.database(), now, limit).await
    }
}

fn from_row(row: &impl Row) -> Result<DigestCredential, StoreError> {
    Ok(DigestCredential {
        user_type: TABLE.get::<String>(row, "user_type")?.into(),
        user_id: TABLE.get_user_id(row, "user_key")?.ok_or_else(|| TABLE.corrupt("user_key"))?,
        realm: TABLE.get(row, "realm")?,
        algorithm: TABLE.get(row, "algorithm")?,
        sealed: TABLE.get(row, "sealed")?,
        userhash: TABLE.get(row, "userhash")?,
        updated: Timestamp(TABLE.get(row, "updated")?),
    })
}
