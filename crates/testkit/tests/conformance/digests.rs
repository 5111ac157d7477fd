//! Faults of what HTTP Digest needs.

use gatekit_core::{DigestCredential, DigestStore, StoreError, Timestamp, TokenDigest, UserId, async_trait};

use super::Fault::*;
use super::Faulty;

impl Faulty {
    /// What a credential is found by, where a fault leaves something out.
    fn credential(&self, credential: &DigestCredential) -> DigestCredential {
        let mut kept = credential.clone();
        kept.user_id = self.id(&kept.user_id);
        match self.fault {
            Some(DigestIgnoresTheType) => kept.user_type = "User".into(),
            Some(DigestIgnoresTheUser) => kept.user_id = UserId::Int(1),
            Some(DigestIgnoresTheRealm) => kept.realm = String::new(),
            Some(DigestIgnoresTheAlgorithm) => kept.algorithm = "SHA-256".into(),
            Some(DigestIsText) => kept.sealed = String::from_utf8_lossy(&kept.sealed).into_owned().into(),
            Some(DigestForgetsWhenItWasMade) => kept.updated = Timestamp(0),
            Some(UserhashIgnoresCase) => kept.userhash = kept.userhash.to_lowercase(),
            _ => {}
        }
        kept
    }

    /// All that were put and are not removed, also those that were replaced.
    fn all_put(&self) -> Vec<DigestCredential> {
        self.memory.lock().unwrap().digests.clone()
    }
}

#[async_trait]
impl DigestStore for Faulty {
    async fn put_digest(&self, credential: &DigestCredential) -> Result<(), StoreError> {
        let kept = self.credential(credential);
        self.memory.lock().unwrap().digests.push(credential.clone());
        let old = self.store.find_digest(&kept.user_type, &kept.user_id, &kept.realm, &kept.algorithm).await?;
        if self.has(DigestIsNeverReplaced) && old.is_some() {
            return Ok(());
        }
        if self.has(DigestIsReplacedInTwoSteps) {
            if old.is_none() {
                self.pause().await;
            }
            // As an insert without a unique index.
            let kept = match old {
                None => kept,
                Some(_) => DigestCredential { algorithm: format!("{}'", kept.algorithm), ..kept },
            };
            return self.store.put_digest(&kept).await;
        }
        let others = self.all_put().into_iter().filter(|other| {
            other.user_id == credential.user_id
                && (self.has(DigestReplacesThoseOfOtherRealms) && other.algorithm == credential.algorithm
                    || self.has(DigestReplacesThoseOfOtherAlgorithms) && other.realm == credential.realm)
        });
        if others.count() > 1 {
            self.store.delete_digests_of(&kept.user_type, &kept.user_id).await?;
        }
        self.store.put_digest(&kept).await
    }

    async fn find_digest(
        &self,
        user_type: &str,
        user: &UserId,
        realm: &str,
        algorithm: &str,
    ) -> Result<Option<DigestCredential>, StoreError> {
        let asked = DigestCredential {
            user_type: user_type.to_owned().into(),
            user_id: user.clone(),
            realm: realm.into(),
            algorithm: algorithm.into(),
            sealed: Vec::new(),
            userhash: String::new(),
            updated: Timestamp(0),
        };
        let by = self.credential(&asked);
        self.store.find_digest(&by.user_type, &by.user_id, &by.realm, &by.algorithm).await
    }

    async fn find_digest_by_userhash(
        &self,
        user_type: &str,
        realm: &str,
        algorithm: &str,
        userhash: &str,
    ) -> Result<Option<DigestCredential>, StoreError> {
        let all = self.all_put();
        let mut loose = all.iter().filter(|one| {
            one.userhash == userhash
                && (one.user_type == user_type || self.has(UserhashIgnoresTheType))
                && (one.realm == realm || self.has(UserhashIgnoresTheRealm))
                && (one.algorithm == algorithm || self.has(UserhashIgnoresTheAlgorithm))
        });
        match self.fault {
            Some(UserhashIgnoresTheType | UserhashIgnoresTheRealm | UserhashIgnoresTheAlgorithm) => {
                Ok(loose.next_back().cloned())
            }
            Some(UserhashOfTheOldCredentialFinds) => Ok(loose.next_back().cloned()),
            Some(UserhashFindsTheOldest) => Ok(loose.min_by_key(|one| one.updated).cloned()),
            Some(UserhashIgnoresCase) => {
                let userhash = userhash.to_lowercase();
                self.store.find_digest_by_userhash(user_type, realm, algorithm, &userhash).await
            }
            _ => self.store.find_digest_by_userhash(user_type, realm, algorithm, userhash).await,
        }
    }

    async fn delete_digests_of(&self, user_type: &str, user: &UserId) -> Result<u64, StoreError> {
        let all = self.all_put();
        self.memory.lock().unwrap().digests.retain(|one| one.user_type != user_type || one.user_id != *user);
        let user = &self.id(user);
        match self.fault {
            Some(DigestRemovalDoesNothing) => Ok(0),
            Some(DigestRemovalCountsNothing) => self.store.delete_digests_of(user_type, user).await.map(|_| 0),
            Some(DigestRemovalTakesEverybodys) => {
                for one in all.iter().filter(|one| one.user_type == user_type && one.user_id != *user) {
                    self.store.delete_digests_of(&one.user_type, &one.user_id).await?;
                }
                self.store.delete_digests_of(user_type, user).await
            }
            Some(DigestRemovalLeavesOtherAlgorithms) => {
                let removed = self.store.delete_digests_of(user_type, user).await?;
                let others = all.iter().filter(|one| one.user_type == user_type && one.user_id == *user);
                let others: Vec<_> = others.filter(|one| one.algorithm == "MD5").collect();
                for one in &others {
                    self.store.put_digest(one).await?;
                }
                Ok(removed)
            }
            Some(DigestIgnoresTheType) => self.store.delete_digests_of("User", user).await,
            _ => self.store.delete_digests_of(user_type, user).await,
        }
    }

    async fn use_nonce(&self, nonce: &TokenDigest, count: u32, expires: Timestamp) -> Result<bool, StoreError> {
        let first = *self.memory.lock().unwrap().nonces.entry(*nonce).or_insert((0, expires));
        let seen = first.0;
        match self.fault {
            Some(NonceTakesNoGaps) if count > seen + 1 && seen > 0 => return Ok(false),
            Some(NonceTakesCountsOnce) if count > 0 && count < seen && count != seen => return Ok(true),
            Some(NonceStartsAtZero) if count == 0 && seen == 0 => return Ok(true),
            Some(NonceChecksFirst) => {
                if count <= seen {
                    return Ok(false);
                }
                self.pause().await;
                self.memory.lock().unwrap().nonces.insert(*nonce, (count, expires));
                self.store.use_nonce(nonce, count, expires).await?;
                return Ok(true);
            }
            Some(NonceIsAnyOther) => {
                let mut bytes = *nonce.as_bytes();
                bytes[31] = 0;
                return self.store.use_nonce(&TokenDigest::from_bytes(bytes), count, expires).await;
            }
            _ => {}
        }
        let expires = match self.fault {
            Some(NonceUseNeverProlongs) => first.1,
            _ => expires,
        };
        let taken = self.store.use_nonce(nonce, count, expires).await?;
        if taken {
            self.memory.lock().unwrap().nonces.insert(*nonce, (count, expires));
        }
        Ok(taken || self.has(NonceMayBeUsedAgain) && count == seen && seen > 0)
    }

    async fn purge_nonces(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        match self.fault {
            Some(NoncePurgeIgnoresTheLimit) => self.store.purge_nonces(now, u32::MAX).await,
            Some(NoncePurgeSparesWhatEndsNow) => {
                self.store.purge_nonces(Timestamp(now.0.saturating_sub(1)), limit).await
            }
            Some(NoncePurgeTakesAll) => self.store.purge_nonces(Timestamp(i64::MAX), limit).await,
            Some(NonceUseShortensIt) => {
                // As a store that keeps the end of the last use.
                let ended = |end: &(u32, Timestamp)| end.1 <= now;
                let early = self.memory.lock().unwrap().nonces.values().any(ended);
                self.store.purge_nonces(if early { Timestamp(i64::MAX) } else { now }, limit).await
            }
            _ => self.store.purge_nonces(now, limit).await,
        }
    }
}
