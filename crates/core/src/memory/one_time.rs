//! One-time records: what a secret that was mailed is for.

use async_trait::async_trait;

use super::contents::{removed, take_one};
use super::store::MemoryStore;
use crate::{
    OneTimeLimit, OneTimePurpose, OneTimeRecord, OneTimeStore, Profile, StoreError, Timestamp, TokenDigest, UserId,
};

#[async_trait]
impl<P: Profile> OneTimeStore for MemoryStore<P> {
    async fn insert_one_time(&self, record: &OneTimeRecord) -> Result<(), StoreError> {
        let mut contents = self.write();
        contents.make_room(self.clock.now());
        if contents.one_time.contains_key(&record.digest) {
            return Err(StoreError::failed("there is already a one-time secret with this digest"));
        }
        contents.one_time.insert(record.digest, record.clone());
        Ok(())
    }

    async fn find_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        Ok(self.read().one_time.get(digest).filter(|record| record.purpose == purpose).cloned())
    }

    async fn take_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        let mut contents = self.write();
        match contents.one_time.get(digest) {
            Some(record) if record.purpose == purpose => Ok(contents.one_time.remove(digest)),
            _ => Ok(None),
        }
    }

    async fn insert_one_time_within(
        &self,
        record: &OneTimeRecord,
        limits: &[OneTimeLimit],
        decoy: &OneTimeRecord,
    ) -> Result<bool, StoreError> {
        let mut contents = self.write();
        contents.make_room(self.clock.now());
        let of_user = |stored: &&OneTimeRecord| {
            (stored.purpose, &stored.user_type, &stored.user_id, stored.rev)
                == (record.purpose, &record.user_type, &record.user_id, record.rev)
        };
        // Also without limits, so that it takes as long.
        let ends: Vec<Timestamp> = contents.one_time.values().filter(of_user).map(|stored| stored.expires).collect();
        let is_kept = |limit: &OneTimeLimit| {
            let counted = ends.iter().filter(|end| **end > limit.expires_after).count();
            u32::try_from(counted).is_ok_and(|counted| counted < limit.max)
        };
        let fits = record.user_id.is_none() || limits.iter().all(is_kept);
        let stored = if fits { record } else { decoy };
        let old = contents.one_time.get(&stored.digest);
        if old.is_some_and(|old| old.user_id.is_some() || stored.user_id.is_some()) {
            return Err(StoreError::failed("there is already a one-time secret with this digest"));
        }
        contents.one_time.insert(stored.digest, stored.clone());
        Ok(fits)
    }

    async fn replace_one_time(&self, old: &OneTimeRecord, new: &OneTimeRecord) -> Result<bool, StoreError> {
        let mut contents = self.write();
        let stored = contents
            .one_time
            .get_mut(&old.digest)
            .filter(|stored| stored.purpose == old.purpose && stored.data == old.data && stored.expires == old.expires);
        let Some(stored) = stored else { return Ok(false) };
        (stored.data, stored.expires) = (new.data.clone(), new.expires);
        Ok(true)
    }

    async fn spend_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
        used: OneTimePurpose,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        let mut contents = self.write();
        let found = contents.one_time.get(digest).filter(|record| record.purpose == purpose).cloned();
        let Some(found) = found else { return Ok(None) };
        for record in contents.one_time.values_mut().filter(|record| record.purpose == purpose) {
            let of_user =
                found.user_id.is_some() && (&record.user_type, &record.user_id) == (&found.user_type, &found.user_id);
            if of_user || record.digest == found.digest {
                record.purpose = used;
            }
        }
        Ok(Some(found))
    }

    async fn delete_one_time_of(
        &self,
        purpose: OneTimePurpose,
        user_type: &str,
        user: &UserId,
    ) -> Result<u64, StoreError> {
        let mut contents = self.write();
        let before = contents.one_time.len();
        contents.one_time.retain(|_, record| {
            record.purpose != purpose || record.user_type != user_type || record.user_id.as_ref() != Some(user)
        });
        Ok(removed(before, contents.one_time.len()))
    }

    async fn purge_one_time(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut contents = self.write();
        let before = contents.one_time.len();
        let mut left = limit;
        contents.one_time.retain(|_, record| !(record.expires <= now && take_one(&mut left)));
        Ok(removed(before, contents.one_time.len()))
    }
}
