//! From which devices users have logged in.

use async_trait::async_trait;
use gatekit_core::{DeviceSeen, DeviceStore, StoreError, Timestamp, TokenDigest, UserId};

use super::rows::{Id, Table};
use super::{SqliteStore, purge};
use crate::own::store_error;

const TABLE: Table = Table("gatekit_devices");

#[async_trait]
impl DeviceStore for SqliteStore {
    async fn remember_device(
        &self,
        user_type: &str,
        user: &UserId,
        device: &TokenDigest,
        now: Timestamp,
    ) -> Result<DeviceSeen, StoreError> {
        // Most logins are from where the last one was.
        let seen =
            sqlx::query("UPDATE gatekit_devices SET seen = ? WHERE user_type = ? AND user_id = ? AND device = ?")
                .bind(now.0)
                .bind(user_type)
                .bind(Id(user))
                .bind(device.as_bytes().as_slice());
        if self.change(seen).await.map_err(store_error)?.count > 0 {
            return Ok(DeviceSeen::Known);
        }
        // SQLite writes one statement after the other, so what RETURNING counts is what was there
        // before this one and this one.
        let insert = sqlx::query(
            "INSERT INTO gatekit_devices (user_type, user_id, device, seen) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (user_type, user_id, device) DO NOTHING \
             RETURNING (SELECT count(*) FROM gatekit_devices WHERE user_type = ?1 AND user_id = ?2 AND device <> ?3) AS others",
        )
        .bind(user_type)
        .bind(Id(user))
        .bind(device.as_bytes().as_slice())
        .bind(now.0);
        let inserted = self.change(insert).await.map_err(store_error)?;
        let Some(row) = inserted.rows.first() else { return Ok(DeviceSeen::Known) };
        let others: i64 = TABLE.get(row, "others")?;
        Ok(if others == 0 { DeviceSeen::First } else { DeviceSeen::New })
    }

    async fn forget_devices_of(&self, user_type: &str, user: &UserId) -> Result<u64, StoreError> {
        let delete = sqlx::query("DELETE FROM gatekit_devices WHERE user_type = ? AND user_id = ?")
            .bind(user_type)
            .bind(Id(user));
        Ok(self.change(delete).await.map_err(store_error)?.count)
    }

    async fn purge_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        purge::devices(&self.inner.connections, before, limit).await
    }
}
