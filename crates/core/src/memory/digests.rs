//! Who may log in by HTTP Digest, and how often each nonce was used.

use async_trait::async_trait;

use super::contents::{removed, take_one};
use super::store::MemoryStore;
use crate::{DigestCredential, DigestStore, Profile, StoreError, Timestamp, TokenDigest, UserId};

#[async_trait]
impl<P: Profile> DigestStore for MemoryStore<P> {
    async fn put_digest(&self, credential: &DigestCredential) -> Result<(), StoreError> {
        let credentials = &mut self.write().digests.credentials;
        let key = |c: &DigestCredential| (c.user_type.clone(), c.user_id.clone(), c.realm.clone(), c.algorithm.clone());
        let own = key(credential);
        credentials.retain(|other| key(other) != own);
        credentials.push(credential.clone());
        Ok(())
    }

    async fn find_digest(
        &self,
        user_type: &str,
        user: &UserId,
        realm: &str,
        algorithm: &str,
    ) -> Result<Option<DigestCredential>, StoreError> {
        let contents = self.read();
        let found = contents.digests.credentials.iter().find(|credential| {
            credential.user_type == user_type
                && credential.user_id == *user
                && credential.realm == realm
                && credential.algorithm == algorithm
        });
        Ok(found.cloned())
    }

    async fn find_digest_by_userhash(
        &self,
        user_type: &str,
        realm: &str,
        algorithm: &str,
        userhash: &str,
    ) -> Result<Option<DigestCredential>, StoreError> {
        let contents = self.read();
        let found = contents.digests.credentials.iter().filter(|credential| {
            credential.user_type == user_type
                && credential.realm == realm
                && credential.algorithm == algorithm
                && credential.userhash == userhash
        });
        Ok(found.max_by_key(|credential| credential.updated).cloned())
    }

    async fn delete_digests_of(&self, user_type: &str, user: &UserId) -> Result<u64, StoreError> {
        let credentials = &mut self.write().digests.credentials;
        let before = credentials.len();
        credentials.retain(|credential| credential.user_type != user_type || credential.user_id != *user);
        Ok(removed(before, credentials.len()))
    }

    async fn use_nonce(&self, nonce: &TokenDigest, count: u32, expires: Timestamp) -> Result<bool, StoreError> {
        let mut contents = self.write();
        contents.make_room(self.clock.now());
        let nonces = &mut contents.digests.nonces;
        let (seen, until) = nonces.get(nonce).copied().unwrap_or((0, expires));
        if count <= seen {
            return Ok(false);
        }
        nonces.insert(*nonce, (count, until.max(expires)));
        Ok(true)
    }

    async fn purge_nonces(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let nonces = &mut self.write().digests.nonces;
        let before = nonces.len();
        let mut left = limit;
        nonces.retain(|_, (_, expires)| !(*expires <= now && take_one(&mut left)));
        Ok(removed(before, nonces.len()))
    }
}
