//! From which devices users have logged in.

use async_trait::async_trait;

use super::contents::{removed, take_one};
use super::store::MemoryStore;
use crate::{DeviceSeen, DeviceStore, Profile, StoreError, Timestamp, TokenDigest, UserId};

#[async_trait]
impl<P: Profile> DeviceStore for MemoryStore<P> {
    async fn remember_device(
        &self,
        user_type: &str,
        user: &UserId,
        device: &TokenDigest,
        now: Timestamp,
    ) -> Result<DeviceSeen, StoreError> {
        let mut contents = self.write();
        contents.make_room(self.clock.now());
        let devices = contents.devices.entry((user_type.to_owned(), user.clone())).or_default();
        let first = devices.is_empty();
        Ok(match devices.insert(*device, now) {
            Some(_) => DeviceSeen::Known,
            None if first => DeviceSeen::First,
            None => DeviceSeen::New,
        })
    }

    async fn forget_devices_of(&self, user_type: &str, user: &UserId) -> Result<u64, StoreError> {
        let devices = self.write().devices.remove(&(user_type.to_owned(), user.clone()));
        Ok(devices.map_or(0, |devices| removed(devices.len(), 0)))
    }

    async fn purge_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut contents = self.write();
        let mut left = limit;
        let mut purged = 0_u64;
        contents.devices.retain(|_, devices| {
            let count = devices.len();
            devices.retain(|_, seen| !(*seen < before && take_one(&mut left)));
            purged = purged.saturating_add(removed(count, devices.len()));
            !devices.is_empty()
        });
        Ok(purged)
    }
}
