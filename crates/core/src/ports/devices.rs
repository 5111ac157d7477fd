//! Where the devices of users are kept: [`DeviceStore`].

use async_trait::async_trait;

use crate::{StoreError, Timestamp, TokenDigest, UserId};

/// Where it is kept from which devices users have logged in, for
/// `policy.mail.notify_unknown_device`. A device is known by the SHA-256 of what it presents. Those
/// of a user who is removed are removed by the flow.
#[async_trait]
pub trait DeviceStore: Send + Sync + 'static {
    /// In one atomic step: notes that the user of this type with this id was seen at `now` on this
    /// device. Returns what was known before: of many at the same time exactly one is told that the
    /// device is new.
    async fn remember_device(
        &self,
        user_type: &str,
        user: &UserId,
        device: &TokenDigest,
        now: Timestamp,
    ) -> Result<DeviceSeen, StoreError>;

    /// Removes all devices of the user. Returns how many.
    async fn forget_devices_of(&self, user_type: &str, user: &UserId) -> Result<u64, StoreError>;

    /// Removes at most `limit` devices that were last seen before `before`. Returns how many.
    async fn purge_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}

/// What was known of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeviceSeen {
    /// The user was seen on it before.
    Known,
    /// The user was never seen on any.
    First,
    /// The user was seen on others only.
    New,
}
