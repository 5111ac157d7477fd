//! Users and tokens in memory: the reference for every other store, for tests and for apps that start afresh each time.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;

use crate::{
    CreateUserError, Identifier, IdentifierKind, NewUser, NoProfile, OneTimePurpose, OneTimeRecord, OneTimeStore,
    PasswordHash, Profile, StoreError, StoreIdentity, StoredUser, Timestamp, TokenDigest, TokenOwner, TokenRecord,
    TokenStore, User, UserId, UserStore, find_token_owner_separately,
};

/// A store that forgets everything when the process ends.
///
/// Clones share their contents. It keeps users of the built-in type, with the profile `P`.
///
/// ```
/// use gatekit_core::{Auth, MemoryStore};
///
/// let auth = Auth::new(MemoryStore::new());
/// ```
#[derive(Debug)]
pub struct MemoryStore<P = NoProfile> {
    inner: Arc<RwLock<Contents<P>>>,
    identity: StoreIdentity,
}

#[derive(Debug)]
struct Contents<P> {
    last_id: i64,
    users: KeyMap<i64, StoredUser<User<P>>>,
    /// The unique index over (namespace, kind, value).
    identifiers: HashMap<(String, IdentifierKind, String), i64>,
    tokens: KeyMap<TokenDigest, TokenRecord>,
    one_time: KeyMap<TokenDigest, OneTimeRecord>,
}

/// A map whose keys nobody can choose: ids given out by the store, and SHA-256 digests of secrets it made. So it needs no hash
/// that withstands chosen keys, which would be a good part of what a protected request costs.
type KeyMap<K, V> = HashMap<K, V, BuildHasherDefault<KeyHasher>>;

#[derive(Clone, Copy, Debug, Default)]
struct KeyHasher(u64);

impl Hasher for KeyHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    /// A digest: eight of its bytes are as random as all of them.
    fn write(&mut self, bytes: &[u8]) {
        if let Some(head) = bytes.first_chunk() {
            self.0 = u64::from_ne_bytes(*head);
        }
    }

    /// The length of a digest says nothing.
    fn write_usize(&mut self, _: usize) {}

    /// An id: spread over all bits, since a map looks at the topmost ones too.
    fn write_i64(&mut self, id: i64) {
        self.0 = id.cast_unsigned().wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

impl<P> Contents<P> {
    fn user(&self, id: &UserId) -> Option<&StoredUser<User<P>>> {
        match id {
            UserId::Int(id) => self.users.get(id),
            UserId::Text(_) => None,
        }
    }

    fn user_mut(&mut self, id: &UserId) -> Option<&mut StoredUser<User<P>>> {
        match id {
            UserId::Int(id) => self.users.get_mut(id),
            UserId::Text(_) => None,
        }
    }
}

impl<P: Profile> MemoryStore<P> {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        let contents = Contents {
            last_id: 0,
            users: KeyMap::default(),
            identifiers: HashMap::new(),
            tokens: KeyMap::default(),
            one_time: KeyMap::default(),
        };
        Self { inner: Arc::new(RwLock::new(contents)), identity: StoreIdentity::new() }
    }

    // No step below can panic half-way through a change, so what a poisoned lock guards is whole.
    fn read(&self) -> RwLockReadGuard<'_, Contents<P>> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Contents<P>> {
        self.inner.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<P: Profile> Default for MemoryStore<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P> Clone for MemoryStore<P> {
    fn clone(&self) -> Self {
        Self { inner: Arc::clone(&self.inner), identity: self.identity.clone() }
    }
}

#[async_trait]
impl<P: Profile> UserStore<User<P>> for MemoryStore<P> {
    async fn create_user(&self, new: NewUser<P>) -> Result<StoredUser<User<P>>, CreateUserError> {
        let mut contents = self.write();
        let identifiers = [(IdentifierKind::Email, &new.email), (IdentifierKind::Username, &new.username)];
        let keys: Vec<_> = identifiers
            .into_iter()
            .filter_map(|(kind, value)| Some((new.namespace.clone(), kind, value.clone()?)))
            .collect();
        if let Some((_, kind, _)) = keys.iter().find(|key| contents.identifiers.contains_key(*key)) {
            return Err(CreateUserError::Taken(*kind));
        }
        contents.last_id += 1;
        let id = contents.last_id;
        let user = User {
            realm: new.realm,
            username: new.username,
            email: new.email,
            email_verified: new.email_verified,
            id: id.into(),
            profile: new.profile,
        };
        let stored = StoredUser { user, rev: 0, password: new.password };
        contents.identifiers.extend(keys.into_iter().map(|key| (key, id)));
        contents.users.insert(id, stored.clone());
        Ok(stored)
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<User<P>>>, StoreError> {
        Ok(self.read().user(id).cloned())
    }

    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<User<P>>>, StoreError> {
        let Identifier { namespace, kind, value } = identifier.clone();
        let contents = self.read();
        let id = contents.identifiers.get(&(namespace, kind, value));
        Ok(id.and_then(|id| contents.users.get(id)).cloned())
    }

    async fn set_password(&self, id: &UserId, rev: i64, hash: &PasswordHash) -> Result<Option<i64>, StoreError> {
        let mut contents = self.write();
        Ok(contents.user_mut(id).filter(|stored| stored.rev == rev).map(|stored| {
            stored.password = Some(hash.clone());
            stored.rev += 1;
            stored.rev
        }))
    }

    async fn rehash_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, StoreError> {
        let mut contents = self.write();
        let stored = contents.user_mut(id).filter(|stored| stored.password.as_ref() == Some(old));
        Ok(stored.map(|stored| stored.password = Some(new.clone())).is_some())
    }

    async fn bump_rev(&self, id: &UserId) -> Result<Option<i64>, StoreError> {
        Ok(self.write().user_mut(id).map(|stored| {
            stored.rev += 1;
            stored.rev
        }))
    }

    async fn find_token_owner(
        &self,
        tokens: &dyn TokenStore,
        digest: &TokenDigest,
    ) -> Result<Option<TokenOwner<User<P>>>, StoreError> {
        if tokens.identity() == Some(&self.identity) {
            let contents = self.read();
            return Ok(contents.tokens.get(digest).and_then(|token| {
                let stored = contents.user(&token.user_id)?;
                Some(TokenOwner { token: token.clone(), user: stored.user.clone(), rev: stored.rev })
            }));
        }
        find_token_owner_separately(self, tokens, digest).await
    }
}

#[async_trait]
impl<P: Profile> TokenStore for MemoryStore<P> {
    async fn insert_token(&self, token: &TokenRecord) -> Result<(), StoreError> {
        let mut contents = self.write();
        if contents.tokens.contains_key(&token.digest) {
            return Err(StoreError::failed("there is already a token with this digest"));
        }
        contents.tokens.insert(token.digest, token.clone());
        Ok(())
    }

    async fn find_token(&self, digest: &TokenDigest) -> Result<Option<TokenRecord>, StoreError> {
        Ok(self.read().tokens.get(digest).cloned())
    }

    async fn delete_token(&self, digest: &TokenDigest) -> Result<bool, StoreError> {
        Ok(self.write().tokens.remove(digest).is_some())
    }

    async fn carry_token_over(&self, digest: &TokenDigest, from: i64, to: i64) -> Result<bool, StoreError> {
        let mut contents = self.write();
        let token = contents.tokens.get_mut(digest).filter(|token| token.rev == from);
        Ok(token.map(|token| token.rev = to).is_some())
    }

    async fn delete_tokens_of(&self, user_type: &str, user: &UserId, before_rev: i64) -> Result<u64, StoreError> {
        let mut contents = self.write();
        let before = contents.tokens.len();
        contents
            .tokens
            .retain(|_, token| token.user_type != user_type || token.user_id != *user || token.rev >= before_rev);
        Ok(removed(before, contents.tokens.len()))
    }

    async fn purge_tokens(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut contents = self.write();
        let before = contents.tokens.len();
        let mut left = limit;
        contents.tokens.retain(|_, token| !(token.is_expired(now) && take_one(&mut left)));
        Ok(removed(before, contents.tokens.len()))
    }

    fn identity(&self) -> Option<&StoreIdentity> {
        Some(&self.identity)
    }
}

#[async_trait]
impl<P: Profile> OneTimeStore for MemoryStore<P> {
    async fn insert_one_time(&self, record: &OneTimeRecord) -> Result<(), StoreError> {
        let mut contents = self.write();
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

    async fn purge_one_time(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut contents = self.write();
        let before = contents.one_time.len();
        let mut left = limit;
        contents.one_time.retain(|_, record| !(record.expires <= now && take_one(&mut left)));
        Ok(removed(before, contents.one_time.len()))
    }
}

fn take_one(left: &mut u32) -> bool {
    let any = *left > 0;
    *left = left.saturating_sub(1);
    any
}

fn removed(before: usize, after: usize) -> u64 {
    u64::try_from(before - after).unwrap_or(u64::MAX)
}
