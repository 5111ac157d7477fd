//! Secrets that work once.

use async_trait::async_trait;
use gatekit_core::{OneTimePurpose, OneTimeRecord, OneTimeStore, StoreError, Timestamp, TokenDigest, UserId};
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
