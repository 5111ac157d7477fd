//! Who may log in by HTTP Digest, and how often each nonce was used.

use async_trait::async_trait;
use gatekit_core::{DigestCredential, DigestStore, StoreError, Timestamp, TokenDigest, UserId};
use sqlx::sqlite::SqliteRow;

use super::rows::{Id, Table, id_from_row};
use super::{SqliteStore, purge};
use crate::own::store_error;

const TABLE: Table = Table("gatekit_digests");

#[async_trait]
impl DigestStore for SqliteStore {
    async fn put_digest(&self, credential: &DigestCredential) -> Result<(), StoreError> {
        let put = sqlx::query(
            "INSERT INTO gatekit_digests (user_type, user_id, realm, algorithm, sealed, userhash, updated) \
             VALUES (?, ?, ?, ?, ?, ?, ?) \
             ON CONFLICT (user_type, user_id, realm, algorithm) DO UPDATE \
             SET sealed = excluded.sealed, userhash = excluded.userhash, updated = excluded.updated",
        )
        .bind(&*credential.user_type)
        .bind(Id(&credential.user_id))
        .bind(&credential.realm)
        .bind(&credential.algorithm)
        .bind(&credential.sealed)
        .bind(&credential.userhash)
        .bind(credential.updated.0);
        self.change(put).await.map_err(store_error)?;
        Ok(())
    }

    async fn find_digest(
        &self,
        user_type: &str,
        user: &UserId,
        realm: &str,
        algorithm: &str,
    ) -> Result<Option<DigestCredential>, StoreError> {
        let query = sqlx::query(
            "SELECT user_type, user_id, realm, algorithm, sealed, userhash, updated FROM gatekit_digests \
             WHERE user_type = ? AND user_id = ? AND realm = ? AND algorithm = ?",
        )
        .bind(user_type)
        .bind(Id(user))
        .bind(realm)
        .bind(algorithm);
        self.find(query).await?.as_ref().map(from_row).transpose()
    }

    async fn find_digest_by_userhash(
        &self,
        user_type: &str,
        realm: &str,
        algorithm: &str,
        userhash: &str,
    ) -> Result<Option<DigestCredential>, StoreError> {
        let query = sqlx::query(
            "SELECT user_type, user_id, realm, algorithm, sealed, userhash, updated FROM gatekit_digests \
             WHERE userhash = ? AND user_type = ? AND realm = ? AND algorithm = ? ORDER BY updated DESC LIMIT 1",
        )
        .bind(userhash)
        .bind(user_type)
        .bind(realm)
        .bind(algorithm);
        self.find(query).await?.as_ref().map(from_row).transpose()
    }

    async fn delete_digests_of(&self, user_type: &str, user: &UserId) -> Result<u64, StoreError> {
        let delete = sqlx::query("DELETE FROM gatekit_digests WHERE user_type = ? AND user_id = ?")
            .bind(user_type)
            .bind(Id(user));
        Ok(self.change(delete).await.map_err(store_error)?.count)
    }

    async fn use_nonce(&self, nonce: &TokenDigest, count: u32, expires: Timestamp) -> Result<bool, StoreError> {
        // WHERE of the SELECT: none was used with 0. WHERE of the UPDATE: only a greater count than
        // before.
        let mark = sqlx::query(
            "INSERT INTO gatekit_digest_nonces (nonce, count, expires) SELECT ?1, ?2, ?3 WHERE ?2 > 0 \
             ON CONFLICT (nonce) DO UPDATE \
             SET count = excluded.count, expires = max(gatekit_digest_nonces.expires, excluded.expires) \
             WHERE excluded.count > gatekit_digest_nonces.count",
        )
        .bind(nonce.as_bytes().as_slice())
        .bind(count)
        .bind(expires.0);
        Ok(self.change(mark).await.map_err(store_error)?.count > 0)
    }

    async fn purge_nonces(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        purge::nonces(&self.inner.connections, now, limit).await
    }
}

fn from_row(row: &SqliteRow) -> Result<DigestCredential, StoreError> {
    Ok(DigestCredential {
        user_type: TABLE.get::<String>(row, "user_type")?.into(),
        user_id: id_from_row(row, TABLE, "user_id")?.ok_or_else(|| TABLE.corrupt("user_id"))?,
        realm: TABLE.get(row, "realm")?,
        algorithm: TABLE.get(row, "algorithm")?,
        sealed: TABLE.get(row, "sealed")?,
        userhash: TABLE.get(row, "userhash")?,
        updated: Timestamp(TABLE.get(row, "updated")?),
    })
}
