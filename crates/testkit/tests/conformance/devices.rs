//! Faults of known devices.

use gatekit_core::{DeviceSeen, DeviceStore, StoreError, Timestamp, TokenDigest, UserId, async_trait};

use super::Fault::*;
use super::Faulty;

impl Faulty {
    fn devices_of<'a>(&self, user_type: &'a str) -> &'a str {
        if self.has(DevicesIgnoreTheType) { "User" } else { user_type }
    }
}

#[async_trait]
impl DeviceStore for Faulty {
    async fn remember_device(
        &self,
        user_type: &str,
        user: &UserId,
        device: &TokenDigest,
        now: Timestamp,
    ) -> Result<DeviceSeen, StoreError> {
        let (user_type, user) = (self.devices_of(user_type), &self.id(user));
        let key = (user_type.to_owned(), user.clone(), *device);
        let known = self.memory.lock().unwrap().devices.contains(&key);
        if self.has(DeviceIsKnownAtOnce) && !known {
            self.memory.lock().unwrap().devices.push(key);
            self.store.remember_device(user_type, user, device, now).await?;
            return Ok(DeviceSeen::Known);
        }
        if self.has(DeviceChecksFirst) && !known {
            self.pause().await;
            self.memory.lock().unwrap().devices.push(key);
            let seen = self.store.remember_device(user_type, user, device, now).await?;
            return Ok(if seen == DeviceSeen::Known { DeviceSeen::New } else { seen });
        }
        if self.has(DeviceIsSeenOnlyOnce) && known {
            return Ok(DeviceSeen::Known);
        }
        self.memory.lock().unwrap().devices.push(key);
        let seen = self.store.remember_device(user_type, user, device, now).await?;
        Ok(match (self.fault, seen) {
            (Some(DeviceIsAlwaysNew), DeviceSeen::Known) => DeviceSeen::New,
            (Some(FirstDeviceIsNew), DeviceSeen::First) => DeviceSeen::New,
            (Some(NewDeviceIsFirst), DeviceSeen::New) => DeviceSeen::First,
            (Some(DeviceIsAnybodys), _) => {
                let everybody = self.memory.lock().unwrap();
                let count = everybody.devices.iter().filter(|(_, _, other)| other == device).count();
                if count > 1 { DeviceSeen::Known } else { seen }
            }
            _ => seen,
        })
    }

    async fn forget_devices_of(&self, user_type: &str, user: &UserId) -> Result<u64, StoreError> {
        let (user_type, user) = (self.devices_of(user_type), &self.id(user));
        match self.fault {
            Some(ForgettingDoesNothing) => Ok(0),
            Some(ForgettingCountsNothing) => self.store.forget_devices_of(user_type, user).await.map(|_| 0),
            Some(ForgettingTakesEverybodys) => self.store.purge_devices(Timestamp(i64::MAX), u32::MAX).await,
            _ => self.store.forget_devices_of(user_type, user).await,
        }
    }

    async fn purge_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let limit = if self.has(DevicePurgeIgnoresTheLimit) { u32::MAX } else { limit };
        let before = if self.has(DevicePurgeTakesThatMoment) { Timestamp(before.0.saturating_add(1)) } else { before };
        self.store.purge_devices(before, limit).await
    }
}
