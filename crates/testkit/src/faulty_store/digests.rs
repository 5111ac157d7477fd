//! What HTTP Digest needs.

use async_trait::async_trait;
use gatekit_core::{DigestCredential, DigestStore, StoreError, Timestamp, TokenDigest, UserId};

use super::FaultyStore;

#[async_trait]
impl<S: DigestStore> DigestStore for FaultyStore<S> {
    async fn put_digest(&self, credential: &DigestCredential) -> Result<(), StoreError> {
        self.faults.call("put_digest", self.inner.put_digest(credential)).await
    }

    async fn find_digest(
        &self,
        user_type: &str,
        user: &UserId,
        realm: &str,
        algorithm: &str,
    ) -> Result<Option<DigestCredential>, StoreError> {
        self.faults.call("find_digest", self.inner.find_digest(user_type, user, realm, algorithm)).await
    }

    async fn find_digest_by_userhash(
        &self,
        user_type: &str,
        realm: &str,
        algorithm: &str,
        userhash: &str,
    ) -> Result<Option<DigestCredential>, StoreError> {
        let find = self.inner.find_digest_by_userhash(user_type, realm, algorithm, userhash);
        self.faults.call("find_digest_by_userhash", find).await
    }

    async fn delete_digests_of(&self, user_type: &str, user: &UserId) -> Result<u64, StoreError> {
        self.faults.call("delete_digests_of", self.inner.delete_digests_of(user_type, user)).await
    }

    async fn use_nonce(&self, nonce: &TokenDigest, count: u32, expires: Timestamp) -> Result<bool, StoreError> {
        self.faults.call("use_nonce", self.inner.use_nonce(nonce, count, expires)).await
    }

    async fn purge_nonces(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.faults.call("purge_nonces", self.inner.purge_nonces(now, limit)).await
    }
}
