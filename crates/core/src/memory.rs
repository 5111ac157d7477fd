//! Users and tokens in memory: the reference for every other store, for tests and for apps that
//! start afresh each time.

mod counters;
mod devices;
mod digests;
mod find;
mod permissions;
mod purge;
mod users;

use std::any::Any;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fmt;
use std::hash::{BuildHasherDefault, Hasher};
use std::marker::PhantomData;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;

use crate::{
    Clock, NoProfile, OneTimeLimit, OneTimePurpose, OneTimeRecord, OneTimeStore, PermissionHolder, Permissions,
    Profile, RoleStore, StoreError, StoreIdentity, Timestamp, TokenDigest, TokenRecord, TokenStore, UserId,
};

/// A store that forgets everything when the process ends.
///
/// Clones share their contents. It keeps users of the built-in type, with the profile `P`;
/// [`with_profile`](Self::with_profile) is for an app with several user types.
///
/// ```
/// use gatekit_core::{Auth, MemoryStore};
///
/// let auth = Auth::new(MemoryStore::new());
/// ```
pub struct MemoryStore<P = NoProfile> {
    inner: Arc<RwLock<Contents>>,
    identity: StoreIdentity,
    profile: PhantomData<fn() -> P>,
    clock: purge::StoreClock,
}

struct Contents {
    /// The greatest id that a user of any type ever had.
    last_id: i64,
    /// The ids of the users of all types.
    ids: HashSet<i64>,
    /// The `Users<P>` of each user type, by `Model::NAME`.
    users: HashMap<&'static str, Box<dyn Any + Send + Sync>>,
    tokens: KeyMap<TokenDigest, TokenRecord>,
    one_time: KeyMap<TokenDigest, OneTimeRecord>,
    /// Of a user's type and id.
    roles: HashMap<(String, UserId), BTreeSet<String>>,
    /// Of a user's type and id: when it was last seen on which.
    devices: HashMap<(String, UserId), HashMap<TokenDigest, Timestamp>>,
    counters: KeyMap<TokenDigest, counters::Counter>,
    digests: digests::Digests,
    /// Of a user's type and a holder.
    permissions: HashMap<(String, PermissionHolder), Permissions>,
    /// How many of what ends by itself there must be before it is looked through again.
    purge_at: usize,
}

/// A map whose keys nobody can choose: ids given out by the store, and SHA-256 digests of secrets
/// it made. So it needs no hash that withstands chosen keys, which would be a good part of what a
/// protected request costs.
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

impl Contents {
    fn roles_of(&self, user_type: &str, id: &UserId) -> Vec<String> {
        if self.roles.is_empty() {
            return Vec::new();
        }
        self.roles.get(&(user_type.to_owned(), id.clone())).into_iter().flatten().cloned().collect()
    }
}

impl<P: Profile> MemoryStore<P> {
    /// An empty store.
    #[must_use]
    pub fn new() -> Self {
        let contents = Contents {
            last_id: 0,
            ids: HashSet::new(),
            users: HashMap::new(),
            tokens: KeyMap::default(),
            one_time: KeyMap::default(),
            roles: HashMap::new(),
            devices: HashMap::new(),
            counters: KeyMap::default(),
            digests: digests::Digests::default(),
            permissions: HashMap::new(),
            purge_at: 0,
        };
        Self {
            inner: Arc::new(RwLock::new(contents)),
            identity: StoreIdentity::new(),
            profile: PhantomData,
            clock: purge::StoreClock::default(),
        }
    }

    /// A handle to the same store, for the users of another type. The two types need different
    /// names: see [`Model`](crate::Model), which has an example.
    #[must_use]
    pub fn with_profile<Q: Profile>(&self) -> MemoryStore<Q> {
        MemoryStore {
            inner: Arc::clone(&self.inner),
            identity: self.identity.clone(),
            profile: PhantomData,
            clock: self.clock.clone(),
        }
    }

    // No step below can panic half-way through a change, so what a poisoned lock guards is whole.
    fn read(&self) -> RwLockReadGuard<'_, Contents> {
        self.inner.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Contents> {
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
        Self {
            inner: Arc::clone(&self.inner),
            identity: self.identity.clone(),
            profile: PhantomData,
            clock: self.clock.clone(),
        }
    }
}

impl<P> fmt::Debug for MemoryStore<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}

#[async_trait]
impl<P: Profile> TokenStore for MemoryStore<P> {
    async fn insert_token(&self, token: &TokenRecord) -> Result<(), StoreError> {
        let mut contents = self.write();
        contents.make_room(self.clock.now());
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

    async fn list_tokens_of(&self, user_type: &str, user: &UserId) -> Result<Vec<TokenRecord>, StoreError> {
        let contents = self.read();
        let of_user = |token: &&TokenRecord| token.user_type == user_type && token.user_id == *user;
        let mut tokens: Vec<TokenRecord> = contents.tokens.values().filter(of_user).cloned().collect();
        tokens.sort_by_key(|token| (token.created, token.digest));
        Ok(tokens)
    }

    async fn update_token(&self, old: &TokenRecord, new: &TokenRecord) -> Result<bool, StoreError> {
        let mut contents = self.write();
        let token = contents.tokens.get_mut(&old.digest).filter(|token| **token == *old);
        Ok(token
            .map(|token| {
                token.ttl = new.ttl;
                token.renewed = new.renewed;
                token.scopes = new.scopes.clone();
                token.last_used = new.last_used;
            })
            .is_some())
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

    fn use_clock(&self, clock: &Arc<dyn Clock>) {
        self.clock.set(clock);
    }
}

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

#[async_trait]
impl<P: Profile> RoleStore for MemoryStore<P> {
    async fn assign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError> {
        let mut contents = self.write();
        Ok(contents.roles.entry((user_type.to_owned(), user.clone())).or_default().insert(role.to_owned()))
    }

    async fn unassign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError> {
        let mut contents = self.write();
        let roles = contents.roles.get_mut(&(user_type.to_owned(), user.clone()));
        Ok(roles.is_some_and(|roles| roles.remove(role)))
    }

    async fn roles_of(&self, user_type: &str, user: &UserId) -> Result<Vec<String>, StoreError> {
        Ok(self.read().roles_of(user_type, user))
    }

    async fn users_in_role(&self, user_type: &str, role: &str) -> Result<Vec<UserId>, StoreError> {
        let contents = self.read();
        let in_role = contents.roles.iter().filter(|((of, _), roles)| of == user_type && roles.contains(role));
        let mut users: Vec<UserId> = in_role.map(|((_, user), _)| user.clone()).collect();
        users.sort();
        Ok(users)
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
