//! Where the credentials for HTTP Digest (RFC 7616) are kept: [`DigestStore`].
//!
//! Digest cannot use the argon2id hash of a password. It needs H(A1), which is worth as much as the
//! password in its realm. So H(A1) is kept apart from the users, sealed with a key of the app, and
//! only for users that asked for it. A user without H(A1) can never log in by Digest. The crate
//! that speaks HTTP verifies the responses of clients.

use std::borrow::Cow;
use std::fmt;

use async_trait::async_trait;

use crate::{StoreError, Timestamp, TokenDigest, UserId};

/// What lets one user log in by Digest in one realm with one algorithm.
#[derive(Clone, PartialEq, Eq)]
pub struct DigestCredential {
    /// What kind of user it is for; see [`TokenRecord::user_type`](crate::TokenRecord::user_type).
    pub user_type: Cow<'static, str>,
    /// Whose it is.
    pub user_id: UserId,
    /// The realm, as the challenge names it.
    pub realm: String,
    /// The algorithm, as the challenge names it: `SHA-256`, or `MD5`.
    pub algorithm: String,
    /// H(A1), sealed with a key the store does not have. A store keeps the bytes as they are.
    pub sealed: Vec<u8>,
    /// The hash of name and realm by which a client may call the user in place of the name (RFC
    /// 7616, section 3.4.4), in lower case hexadecimal digits.
    pub userhash: String,
    /// When it was made.
    pub updated: Timestamp,
}

impl fmt::Debug for DigestCredential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DigestCredential")
            .field("user_type", &self.user_type)
            .field("user_id", &self.user_id)
            .field("realm", &self.realm)
            .field("algorithm", &self.algorithm)
            .field("sealed", &format_args!("[redacted]"))
            .field("userhash", &format_args!("[redacted]"))
            .field("updated", &self.updated)
            .finish()
    }
}

/// Where it is kept who may log in by HTTP Digest, and how often each nonce was used.
///
/// Texts are compared byte for byte. What is kept of a user who is removed is of no use to anybody,
/// since no other user gets its id; it is removed with
/// [`delete_digests_of`](Self::delete_digests_of).
#[async_trait]
pub trait DigestStore: Send + Sync + 'static {
    /// In one atomic step: keeps this credential, in place of the one of the same user, realm and
    /// algorithm if there is one.
    async fn put_digest(&self, credential: &DigestCredential) -> Result<(), StoreError>;

    /// The credential of the user of this type with this id, for this realm and algorithm.
    async fn find_digest(
        &self,
        user_type: &str,
        user: &UserId,
        realm: &str,
        algorithm: &str,
    ) -> Result<Option<DigestCredential>, StoreError>;

    /// The credential with this `userhash`. If there are several, because a name went from one user
    /// to another, it is the one made last: its user is to be asked for its name all the same.
    async fn find_digest_by_userhash(
        &self,
        user_type: &str,
        realm: &str,
        algorithm: &str,
        userhash: &str,
    ) -> Result<Option<DigestCredential>, StoreError>;

    /// Removes all credentials of the user of this type with this id: of every realm and algorithm.
    /// Returns how many.
    async fn delete_digests_of(&self, user_type: &str, user: &UserId) -> Result<u64, StoreError>;

    /// In one atomic step, if `count` is greater than every count this nonce was used with (0 if it
    /// never was): remembers it until `expires`. Returns whether it did: of many at the same time
    /// with one count exactly one gets `true` (RFC 7616, section 5.12).
    ///
    /// A nonce goes by the SHA-256 of itself. What was remembered may be gone from `expires` on, so
    /// that must not be before the nonce is refused for its age. A later use with an earlier
    /// `expires` does not shorten it.
    async fn use_nonce(&self, nonce: &TokenDigest, count: u32, expires: Timestamp) -> Result<bool, StoreError>;

    /// Removes at most `limit` nonces that ended at or before `now`. Returns how many; fewer than
    /// `limit` means that none is left.
    async fn purge_nonces(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
