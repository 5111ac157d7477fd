//! Users and tokens in memory: the reference for every other store, for tests and for apps that start afresh each time.

mod counters;
mod devices;
mod digests;
mod permissions;

use std::collections::{BTreeSet, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use async_trait::async_trait;

use crate::{
    AccountStatus, CreateUserError, Identifier, IdentifierKind, NewUser, NoProfile, OneTimePurpose, OneTimeRecord,
    OneTimeStore, PasswordHash, PermissionHolder, Permissions, Profile, RoleStore, StoreError, StoreIdentity,
    StoredUser, Timestamp, TokenDigest, TokenOwner, TokenRecord, TokenStore, User, UserChange, UserId, UserOperation,
    UserQuery, UserStore, Where, find_token_owner_separately,
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
    /// Of each user.
    namespaces: KeyMap<i64, String>,
    /// The unique index over (namespace, kind, value).
    identifiers: HashMap<Key, i64>,
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

    /// What a user holds of the unique index.
    fn keys_of(&self, id: i64) -> Vec<Key> {
        match (self.users.get(&id), self.namespaces.get(&id)) {
            (Some(stored), Some(namespace)) => {
                keys(namespace, stored.user.email.as_ref(), stored.user.username.as_ref())
            }
            _ => Vec::new(),
        }
    }

    fn roles_of(&self, user_type: &str, id: &UserId) -> Vec<String> {
        if self.roles.is_empty() {
            return Vec::new();
        }
        self.roles.get(&(user_type.to_owned(), id.clone())).into_iter().flatten().cloned().collect()
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
            namespaces: KeyMap::default(),
            identifiers: HashMap::new(),
            tokens: KeyMap::default(),
            one_time: KeyMap::default(),
            roles: HashMap::new(),
            devices: HashMap::new(),
            counters: KeyMap::default(),
            digests: digests::Digests::default(),
            permissions: HashMap::new(),
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
        let keys = keys(&new.namespace, new.email.as_ref(), new.username.as_ref());
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
        let stored = StoredUser { user, rev: 0, password: new.password, status: new.status };
        contents.identifiers.extend(keys.into_iter().map(|key| (key, id)));
        contents.namespaces.insert(id, new.namespace);
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
                let roles = contents.roles_of(&token.user_type, &token.user_id);
                Some(TokenOwner {
                    token: token.clone(),
                    user: stored.user.clone(),
                    rev: stored.rev,
                    roles: Some(roles),
                })
            }));
        }
        find_token_owner_separately(self, tokens, digest).await
    }

    fn supports(&self, _: UserOperation) -> bool {
        true
    }

    async fn update_user(
        &self,
        old: &StoredUser<User<P>>,
        change: UserChange<P>,
    ) -> Result<Option<StoredUser<User<P>>>, CreateUserError> {
        let UserId::Int(id) = old.user.id else { return Ok(None) };
        let mut contents = self.write();
        let Some(stored) = contents.users.get(&id) else { return Ok(None) };
        if stored.rev != old.rev || json(&stored.user)? != json(&old.user)? {
            return Ok(None);
        }
        let mut new = stored.clone();
        new.user.realm = change.realm.unwrap_or(new.user.realm);
        new.user.username = change.username.unwrap_or(new.user.username);
        new.user.email = change.email.unwrap_or(new.user.email);
        new.user.email_verified = change.email_verified.unwrap_or(new.user.email_verified);
        new.user.profile = change.profile.unwrap_or(new.user.profile);
        new.password = change.password.or(new.password);
        new.rev += i64::from(change.bump_rev);

        let held = contents.keys_of(id);
        let namespace = change.namespace.or_else(|| contents.namespaces.get(&id).cloned()).unwrap_or_default();
        let wanted = keys(&namespace, new.user.email.as_ref(), new.user.username.as_ref());
        let taken = |key: &&Key| contents.identifiers.get(*key).is_some_and(|of| *of != id);
        if let Some((_, kind, _)) = wanted.iter().find(taken) {
            return Err(CreateUserError::Taken(*kind));
        }
        for key in held {
            contents.identifiers.remove(&key);
        }
        contents.identifiers.extend(wanted.into_iter().map(|key| (key, id)));
        contents.namespaces.insert(id, namespace);
        contents.users.insert(id, new.clone());
        Ok(Some(new))
    }

    async fn delete_user(&self, id: &UserId) -> Result<bool, StoreError> {
        let UserId::Int(id) = id else { return Ok(false) };
        let mut contents = self.write();
        for key in contents.keys_of(*id) {
            contents.identifiers.remove(&key);
        }
        contents.namespaces.remove(id);
        Ok(contents.users.remove(id).is_some())
    }

    async fn find_users(&self, query: &UserQuery) -> Result<Vec<User<P>>, StoreError> {
        let mut found = Vec::new();
        for stored in self.read().users.values() {
            let value = json(&stored.user)?;
            if query.condition.matches(&value) {
                found.push((value, stored.user.clone()));
            }
        }
        found.sort_by(|(a, first), (b, second)| query.compare(a, b).then_with(|| first.id.cmp(&second.id)));
        let skip = usize::try_from(query.skip).unwrap_or(usize::MAX);
        let limit = query.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found.into_iter().skip(skip).take(limit).map(|(_, user)| user).collect())
    }

    async fn count_users(&self, condition: &Where) -> Result<u64, StoreError> {
        let mut count = 0;
        for stored in self.read().users.values() {
            count += u64::from(condition.matches(&json(&stored.user)?));
        }
        Ok(count)
    }

    async fn set_status(&self, id: &UserId, status: AccountStatus) -> Result<Option<i64>, StoreError> {
        Ok(self.write().user_mut(id).map(|stored| {
            stored.status = status;
            stored.rev += 1;
            stored.rev
        }))
    }
}

/// Under what a user is looked up: namespace, kind, value.
type Key = (String, IdentifierKind, String);

fn keys(namespace: &str, email: Option<&String>, username: Option<&String>) -> Vec<Key> {
    [(IdentifierKind::Email, email), (IdentifierKind::Username, username)]
        .into_iter()
        .filter_map(|(kind, value)| Some((namespace.to_owned(), kind, value?.clone())))
        .collect()
}

fn json<P: Profile>(user: &User<P>) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(user).map_err(|_| StoreError::failed("the profile cannot be written as JSON"))
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
