//! From which devices users have logged in.

use async_trait::async_trait;
use gatekit_core::{DeviceSeen, DeviceStore, StoreError, Timestamp, TokenDigest, UserId};

use crate::database::Database;
use crate::error::store_error;
use crate::purge;
use crate::row::Table;
use crate::statement::Statement;
use crate::store::SqlStore;

const TABLE: Table = Table("gatekit_devices");

static SEE_AGAIN: Statement =
    Statement::new("UPDATE gatekit_devices SET seen = ? WHERE user_type = ? AND user_key = ? AND device = ?");

/// The subquery counts the other devices that were there before this statement.
static SEE_FIRST: Statement = Statement::new(
    "INSERT INTO gatekit_devices (user_type, user_key, device, seen) VALUES (?, ?, ?, ?) \
     {ignore_conflict(user_type, user_key, device)} \
     RETURNING (SELECT count(*) FROM gatekit_devices WHERE user_type = ? AND user_key = ? AND device <> ?) AS others",
);

static FORGET_OF_USER: Statement = Statement::new("DELETE FROM gatekit_devices WHERE user_type = ? AND user_key = ?");

#[async_trait]
impl<D: Database> DeviceStore for SqlStore<D> {
    async fn remember_device(
        &self,
        user_type: &str,
        user: &UserId,
        device: &TokenDigest,
        now: Timestamp,
    ) -> Result<DeviceSeen, StoreError> {
        // Most logins are from where the last one was.
        let again = SEE_AGAIN.on(self.database()).bind(now).bind(user_type).bind(user).bind(device);
        if again.change().await.map_err(store_error)?.count > 0 {
            return Ok(DeviceSeen::Known);
        }
        let first = SEE_FIRST
            .on(self.database())
            .bind(user_type)
            .bind(user)
            .bind(device)
            .bind(now)
            .bind(user_type)
            .bind(user)
            .bind(device);
        let inserted = first.change_alone("gatekit_devices").await.map_err(store_error)?;
        let Some(row) = inserted.rows.first() else { return Ok(DeviceSeen::Known) };
        let others: i64 = TABLE.get(row, "others")?;
        Ok(if others == 0 { DeviceSeen::First } else { DeviceSeen::New })
    }

    async fn forget_devices_of(&self, user_type: &str, user: &UserId) -> Result<u64, StoreError> {
        let forgotten = FORGET_OF_USER.on(self.database()).bind(user_type).bind(user).change().await;
        Ok(forgotten.map_err(store_error)?.count)
    }

    async fn purge_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        purge::DEVICES.delete(self.database(), before, limit).await
    }
}
