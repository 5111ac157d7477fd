//! Secrets that work once.

use async_trait::async_trait;
use gatekit_core::{
    OneTimeLimit, OneTimePurpose, OneTimeRecord, OneTimeStore, StoreError, Timestamp, TokenDigest, UserId,
};

use crate::database::{Bound, Database};
use crate::error::store_error;
use crate::purge;
use crate::row::{Row, Table};
use crate::statement::Statement;
use crate::store::SqlStore;

const TABLE: Table = Table("gatekit_one_time");

static INSERT: Statement = Statement::new(
    "INSERT INTO gatekit_one_time (digest, purpose, user_type, user_key, rev, expires, email, data) \
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
);

static FIND: Statement = Statement::new(
    "SELECT user_type, user_key, rev, expires, email, data FROM gatekit_one_time WHERE digest = ? AND purpose = ?",
);

static TAKE: Statement = Statement::new(
    "DELETE FROM gatekit_one_time WHERE digest = ? AND purpose = ? \
     RETURNING user_type, user_key, rev, expires, email, data",
);

static REPLACE: Statement = Statement::new(
    "UPDATE gatekit_one_time SET data = ?, expires = ? \
     WHERE digest = ? AND purpose = ? AND data {same} ? AND expires = ?",
);

/// What is spent is read once, before anything is changed.
static SPEND: Statement = Statement::new(
    "WITH spent AS MATERIALIZED (SELECT user_type, user_key FROM gatekit_one_time WHERE digest = ? AND purpose = ?) \
     UPDATE gatekit_one_time SET purpose = ? WHERE purpose = ? AND EXISTS (SELECT 1 FROM spent) \
     AND (digest = ? OR (user_key = (SELECT user_key FROM spent) AND user_type = (SELECT user_type FROM spent))) \
     RETURNING digest = ? AS wanted, user_type, user_key, rev, expires, email, data",
);

static DELETE_OF_USER: Statement =
    Statement::new("DELETE FROM gatekit_one_time WHERE user_key = ? AND user_type = ? AND purpose = ?");

/// Counts what is kept by each limit, and inserts the record if there is room by all of them, or
/// else the decoy.
macro_rules! insert_within {
    ($($limits:tt)*) => {
        concat!(
            "WITH kept (ok) AS (SELECT TRUE",
            $($limits)*
            ") INSERT INTO gatekit_one_time (digest, purpose, user_type, user_key, rev, expires, email, data) \
             SELECT CASE WHEN ok THEN ? ELSE ? END, CASE WHEN ok THEN ? ELSE ? END, CASE WHEN ok THEN ? ELSE ? END, \
             CASE WHEN ok THEN ? ELSE ? END, CASE WHEN ok THEN ? ELSE ? END, CASE WHEN ok THEN ? ELSE ? END, \
             CASE WHEN ok THEN ? ELSE ? END, CASE WHEN ok THEN ? ELSE ? END FROM kept WHERE TRUE \
             {on_conflict(digest)} purpose = {new(purpose)}, user_type = {new(user_type)}, rev = {new(rev)}, \
             expires = {new(expires)}, email = {new(email)}, data = {new(data)} \
             WHERE gatekit_one_time.user_key IS NULL AND {new(user_key)} IS NULL \
             RETURNING digest"
        )
    };
}
macro_rules! limit {
    () => {
        " AND (SELECT count(*) FROM gatekit_one_time WHERE user_key = ? AND user_type = ? \
         AND purpose = ? AND rev = ? AND expires > ?) < ?"
    };
}
static INSERT_WITHIN: [Statement; 3] = [
    Statement::new(insert_within!()),
    Statement::new(insert_within!(limit!(),)),
    Statement::new(insert_within!(limit!(), limit!(),)),
];

fn insert_within<D: Database>(database: &D, limits: usize) -> Bound<'_, D> {
    match INSERT_WITHIN.get(limits) {
        Some(insert) => insert.on(database),
        // No flow has so many.
        None => Bound::once(database, &insert_within!().replace("TRUE)", &format!("TRUE{})", limit!().repeat(limits)))),
    }
}

#[async_trait]
impl<D: Database> OneTimeStore for SqlStore<D> {
    async fn insert_one_time(&self, record: &OneTimeRecord) -> Result<(), StoreError> {
        let insert = INSERT
            .on(self.database())
            .bind(&record.digest)
            .bind(record.purpose.as_str())
            .bind(&*record.user_type)
            .bind(record.user_id.as_ref())
            .bind(record.rev)
            .bind(record.expires)
            .bind(&record.email)
            .bind(&record.data);
        insert.change().await.map_err(store_error)?;
        Ok(())
    }

    async fn find_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        let row = FIND.on(self.database()).bind(digest).bind(purpose.as_str()).find().await?;
        row.map(|row| from_row(&row, purpose, digest)).transpose()
    }

    async fn take_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        let taken = TAKE.on(self.database()).bind(digest).bind(purpose.as_str()).change().await.map_err(store_error)?;
        taken.rows.first().map(|row| from_row(row, purpose, digest)).transpose()
    }

    async fn insert_one_time_within(
        &self,
        record: &OneTimeRecord,
        limits: &[OneTimeLimit],
        decoy: &OneTimeRecord,
    ) -> Result<bool, StoreError> {
        let mut insert = insert_within(self.database(), limits.len());
        for limit in limits {
            insert = insert
                .bind(record.user_id.as_ref())
                .bind(&*record.user_type)
                .bind(record.purpose.as_str())
                .bind(record.rev)
                .bind(limit.expires_after)
                .bind(limit.max);
        }
        let insert = insert
            .bind(&record.digest)
            .bind(&decoy.digest)
            .bind(record.purpose.as_str())
            .bind(decoy.purpose.as_str())
            .bind(&*record.user_type)
            .bind(&*decoy.user_type)
            .bind(record.user_id.as_ref())
            .bind(decoy.user_id.as_ref())
            .bind(record.rev)
            .bind(decoy.rev)
            .bind(record.expires)
            .bind(decoy.expires)
            .bind(&record.email)
            .bind(&decoy.email)
            .bind(&record.data)
            .bind(&decoy.data);
        // It counts and inserts, which must be one step for all that insert for this user.
        let inserted = insert.change_alone("gatekit_one_time").await.map_err(store_error)?;
        match inserted.rows.first() {
            Some(row) => Ok(TABLE.get::<&[u8]>(row, "digest")? == record.digest.as_bytes().as_slice()),
            None => Err(StoreError::failed("there is already a one-time secret with this digest")),
        }
    }

    async fn replace_one_time(&self, old: &OneTimeRecord, new: &OneTimeRecord) -> Result<bool, StoreError> {
        let replace = REPLACE
            .on(self.database())
            .bind(&new.data)
            .bind(new.expires)
            .bind(&old.digest)
            .bind(old.purpose.as_str())
            .bind(&old.data)
            .bind(old.expires);
        Ok(replace.change().await.map_err(store_error)?.count > 0)
    }

    async fn spend_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
        used: OneTimePurpose,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        let spend = SPEND
            .on(self.database())
            .bind(digest)
            .bind(purpose.as_str())
            .bind(used.as_str())
            .bind(purpose.as_str())
            .bind(digest)
            .bind(digest);
        for row in &spend.change().await.map_err(store_error)?.rows {
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
        let delete = DELETE_OF_USER.on(self.database()).bind(user).bind(user_type).bind(purpose.as_str());
        Ok(delete.change().await.map_err(store_error)?.count)
    }

    async fn purge_one_time(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        purge::ONE_TIME.delete(self.database(), now, limit).await
    }
}

fn from_row(row: &impl Row, purpose: OneTimePurpose, digest: &TokenDigest) -> Result<OneTimeRecord, StoreError> {
    Ok(OneTimeRecord {
        purpose,
        digest: *digest,
        user_type: TABLE.get::<String>(row, "user_type")?.into(),
        user_id: TABLE.get_user_id(row, "user_key")?,
        rev: TABLE.get(row, "rev")?,
        expires: Timestamp(TABLE.get(row, "expires")?),
        email: TABLE.get_nullable(row, "email")?,
        data: TABLE.get_nullable(row, "data")?,
    })
}
