//! Faults of secrets that work once.

use gatekit_core::{
    OneTimeLimit, OneTimePurpose, OneTimeRecord, OneTimeStore, StoreError, Timestamp, TokenDigest, UserId, async_trait,
};

use super::Fault::*;
use super::Faulty;

const PURPOSES: [OneTimePurpose; 4] = [
    OneTimePurpose::ResetPassword,
    OneTimePurpose::VerifyEmail,
    OneTimePurpose::ChangeEmail,
    OneTimePurpose::Other("club_invitation"),
];

#[async_trait]
impl OneTimeStore for Faulty {
    async fn insert_one_time(&self, record: &OneTimeRecord) -> Result<(), StoreError> {
        let mut record = record.clone();
        if self.has(DecoyBecomesAUser) {
            record.user_id = record.user_id.or(Some(UserId::Int(0)));
        }
        if self.has(OneTimeAddressIsLost) {
            record.email = None;
        }
        if self.has(OneTimeDataIsLost) {
            record.data = None;
        }
        if record.user_id.is_none() {
            self.memory.lock().unwrap().decoys.push((record.purpose, record.digest));
        }
        self.store.insert_one_time(&record).await
    }

    async fn find_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        if self.has(OneTimeIsFoundAndRemoved) {
            return self.store.take_one_time(purpose, digest).await;
        }
        self.store.find_one_time(purpose, digest).await
    }

    async fn take_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        match self.fault {
            Some(OneTimeStays) => self.store.find_one_time(purpose, digest).await,
            Some(OneTimeChecksFirst) => {
                let found = self.store.find_one_time(purpose, digest).await?;
                self.pause().await;
                self.store.take_one_time(purpose, digest).await?;
                Ok(found)
            }
            Some(OneTimePurposeIsIgnored) => {
                for any in PURPOSES {
                    if let Some(taken) = self.store.take_one_time(any, digest).await? {
                        return Ok(Some(taken));
                    }
                }
                Ok(None)
            }
            _ => self.store.take_one_time(purpose, digest).await,
        }
    }

    async fn insert_one_time_within(
        &self,
        record: &OneTimeRecord,
        limits: &[OneTimeLimit],
        decoy: &OneTimeRecord,
    ) -> Result<bool, StoreError> {
        match self.fault {
            Some(OneTimeLimitIsIgnored) => self.store.insert_one_time_within(record, &[], decoy).await,
            Some(NoDecoyBeyondALimit) => {
                let stored = self.store.insert_one_time_within(record, limits, decoy).await?;
                if !stored {
                    self.store.take_one_time(decoy.purpose, &decoy.digest).await?;
                }
                Ok(stored)
            }
            _ => self.store.insert_one_time_within(record, limits, decoy).await,
        }
    }

    async fn replace_one_time(&self, old: &OneTimeRecord, new: &OneTimeRecord) -> Result<bool, StoreError> {
        match self.fault {
            Some(OneTimeUpdateOverwrites) => {
                let Some(now) = self.store.find_one_time(old.purpose, &old.digest).await? else { return Ok(false) };
                self.pause().await;
                self.store.replace_one_time(&now, new).await?;
                Ok(true)
            }
            Some(OneTimeUpdateKeepsTheEnd) => {
                self.store.replace_one_time(old, &OneTimeRecord { expires: old.expires, ..new.clone() }).await
            }
            _ => self.store.replace_one_time(old, new).await,
        }
    }

    async fn spend_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
        used: OneTimePurpose,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        match self.fault {
            Some(SpentIsNotKept) => self.store.take_one_time(purpose, digest).await,
            Some(SpentIsSpentAgain) => {
                let found = self.store.find_one_time(purpose, digest).await?;
                self.pause().await;
                self.store.spend_one_time(purpose, digest, used).await?;
                Ok(found)
            }
            Some(OnlyOneIsSpent) => {
                let taken = self.store.take_one_time(purpose, digest).await?;
                if let Some(taken) = &taken {
                    self.store.insert_one_time(&OneTimeRecord { purpose: used, ..taken.clone() }).await?;
                }
                Ok(taken)
            }
            _ => self.store.spend_one_time(purpose, digest, used).await,
        }
    }

    async fn delete_one_time_of(
        &self,
        purpose: OneTimePurpose,
        user_type: &str,
        user: &UserId,
    ) -> Result<u64, StoreError> {
        let user = &self.id(user);
        let mut removed = self.store.delete_one_time_of(purpose, user_type, user).await?;
        match self.fault {
            Some(OneTimeRemovalIgnoresThePurpose) => {
                for any in PURPOSES {
                    self.store.delete_one_time_of(any, user_type, user).await?;
                }
            }
            Some(OneTimeRemovalIgnoresTheType) => {
                for any in ["User", "Member"] {
                    self.store.delete_one_time_of(purpose, any, user).await?;
                }
            }
            Some(OneTimeRemovalTakesDecoys) => {
                let decoys = std::mem::take(&mut self.memory.lock().unwrap().decoys);
                for (purpose, digest) in decoys {
                    self.store.take_one_time(purpose, &digest).await?;
                }
            }
            Some(OneTimeRemovalCountsNothing) => removed = 0,
            _ => {}
        }
        Ok(removed)
    }

    async fn purge_one_time(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let limit = if self.has(OneTimePurgeIgnoresTheLimit) { u32::MAX } else { limit };
        self.store.purge_one_time(now, limit).await
    }
}
