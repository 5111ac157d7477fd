//! Secrets that work once.

use async_trait::async_trait;
use gatekit_core::{
    OneTimeLimit, OneTimePurpose, OneTimeRecord, OneTimeStore, StoreError, Timestamp, TokenDigest, UserId,
};
use sqlx::AssertSqlSafe;
use sqlx::sqlite::SqliteRow;

use super::rows::{Id, Table, id_from_row};
use super::{SqliteStore, purge};
use crate::own::store_error;

const TABLE: Table = Table("gatekit_one_time");

#[async_trait]
impl OneTimeStore for SqliteStore {
    async fn insert_one_time(&self, record: &OneTimeRecord) -> Result<(), StoreError> {
        let insert = sqlx::query(
            "INSERT INTO gatekit_one_time (digest, purpose, user_type, user_id, rev, expires, email, data) \
             VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(record.digest.as_bytes().as_slice())
        .bind(record.purpose.as_str())
        .bind(&*record.user_type)
        .bind(record.user_id.as_ref().map(Id))
        .bind(record.rev)
        .bind(record.expires.0)
        .bind(&record.email)
        .bind(&record.data);
        self.change(insert).await.map_err(store_error)?;
        Ok(())
    }

    async fn find_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        let query = sqlx::query(
            "SELECT user_type, user_id, rev, expires, email, data FROM gatekit_one_time WHERE digest = ? AND purpose = ?",
        )
        .bind(digest.as_bytes().as_slice())
        .bind(purpose.as_str());
        self.find(query).await?.map(|row| from_row(&row, purpose, digest)).transpose()
    }

    async fn take_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        let take = sqlx::query(
            "DELETE FROM gatekit_one_time WHERE digest = ? AND purpose = ? \
             RETURNING user_type, user_id, rev, expires, email, data",
        )
        .bind(digest.as_bytes().as_slice())
        .bind(purpose.as_str());
        self.change(take).await.map_err(store_error)?.rows.first().map(|row| from_row(row, purpose, digest)).transpose()
    }

    async fn insert_one_time_within(
        &self,
        record: &OneTimeRecord,
        limits: &[OneTimeLimit],
        decoy: &OneTimeRecord,
    ) -> Result<bool, StoreError> {
        // A statement that counts and inserts is atomic: there is one writer.
        const KEPT: &str = " AND (SELECT count(*) FROM gatekit_one_time WHERE user_id = ? AND user_type = ? \
                            AND purpose = ? AND rev = ? AND expires > ?) < ?";
        let statement = format!(
            "WITH kept (ok) AS (SELECT true{}) \
             INSERT INTO gatekit_one_time (digest, purpose, user_type, user_id, rev, expires, email, data) \
             SELECT iif(ok, ?, ?), iif(ok, ?, ?), iif(ok, ?, ?), iif(ok, ?, ?), iif(ok, ?, ?), iif(ok, ?, ?), iif(ok, ?, ?), \
             iif(ok, ?, ?) FROM kept WHERE true \
             ON CONFLICT (digest) DO UPDATE SET purpose = excluded.purpose, user_type = excluded.user_type, \
             rev = excluded.rev, expires = excluded.expires, email = excluded.email, data = excluded.data \
             WHERE gatekit_one_time.user_id IS NULL AND excluded.user_id IS NULL \
             RETURNING digest",
            KEPT.repeat(limits.len())
        );
        // Made of constants alone.
        let mut insert = sqlx::query(AssertSqlSafe(statement));
        for limit in limits {
            insert = insert
                .bind(record.user_id.as_ref().map(Id))
                .bind(&*record.user_type)
                .bind(record.purpose.as_str())
                .bind(record.rev)
                .bind(limit.expires_after.0)
                .bind(limit.max);
        }
        let insert = insert
            .bind(record.digest.as_bytes().as_slice())
            .bind(decoy.digest.as_bytes().as_slice())
            .bind(record.purpose.as_str())
            .bind(decoy.purpose.as_str())
            .bind(&*record.user_type)
            .bind(&*decoy.user_type)
            .bind(record.user_id.as_ref().map(Id))
            .bind(decoy.user_id.as_ref().map(Id))
            .bind(record.rev)
            .bind(decoy.rev)
            .bind(record.expires.0)
            .bind(decoy.expires.0)
            .bind(&record.email)
            .bind(&decoy.email)
            .bind(&record.data)
            .bind(&decoy.data);
        match self.change(insert).await.map_err(store_error)?.rows.first() {
            Some(row) => Ok(TABLE.get::<&[u8]>(row, "digest")? == record.digest.as_bytes().as_slice()),
            None => Err(StoreError::failed("there is already a one-time secret with this digest")),
        }
    }

    async fn update_one_time(&self, old: &OneTimeRecord, new: &OneTimeRecord) -> Result<bool, StoreError> {
        let update = sqlx::query(
            "UPDATE gatekit_one_time SET data = ?, expires = ? \
             WHERE digest = ? AND purpose = ? AND data IS ? AND expires = ?",
        )
        .bind(&new.data)
        .bind(new.expires.0)
        .bind(old.digest.as_bytes().as_slice())
        .bind(old.purpose.as_str())
        .bind(&old.data)
        .bind(old.expires.0);
        Ok(self.change(update).await.map_err(store_error)?.count > 0)
    }

    async fn spend_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
        used: OneTimePurpose,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        // What is spent is read once, before anything is changed.
        let spend = sqlx::query(
            "WITH spent AS MATERIALIZED (SELECT user_type, user_id FROM gatekit_one_time WHERE digest = ?1 AND purpose = ?2) \
             UPDATE gatekit_one_time SET purpose = ?3 WHERE purpose = ?2 AND EXISTS (SELECT 1 FROM spent) \
             AND (digest = ?1 OR (user_id = (SELECT user_id FROM spent) AND user_type = (SELECT user_type FROM spent))) \
             RETURNING digest = ?1 AS wanted, user_type, user_id, rev, expires, email, data",
        )
        .bind(digest.as_bytes().as_slice())
        .bind(purpose.as_str())
        .bind(used.as_str());
        for row in &self.change(spend).await.map_err(store_error)?.rows {
            if TABLE.get(row, "wanted")? {
                return from_row(row, purpose, digest).map(Some);
            }
        }
        Ok(None)
    }

    async fn delete_one_time_of(
        &self,
        purpose: OneTimePurpose,
        user_type: &str,
        user: &UserId,
    ) -> Result<u64, StoreError> {
        let delete = sqlx::query("DELETE FROM gatekit_one_time WHERE user_id = ? AND user_type = ? AND purpose = ?")
            .bind(Id(user))
            .bind(user_type)
            .bind(purpose.as_str());
        Ok(self.change(delete).await.map_err(store_error)?.count)
    }

    async fn purge_one_time(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        purge::one_time(&self.inner.connections, now, limit).await
    }
}

fn from_row(row: &SqliteRow, purpose: OneTimePurpose, digest: &TokenDigest) -> Result<OneTimeRecord, StoreError> {
    Ok(OneTimeRecord {
        purpose,
        digest: *digest,
        user_type: TABLE.get::<String>(row, "user_type")?.into(),
        user_id: id_from_row(row, TABLE, "user_id")?,
        rev: TABLE.get(row, "rev")?,
        expires: Timestamp(TABLE.get(row, "expires")?),
        email: TABLE.get(row, "email")?,
        data: TABLE.get(row, "data")?,
    })
}
