//! Users of the built-in type, each user type apart from the others.

use std::collections::{BTreeSet, HashMap};

use async_trait::async_trait;

use super::{Contents, KeyMap, MemoryStore};
use crate::{
    AccountStatus, CreateUserError, Identifier, IdentifierKind, ListedUser, Model, NewUser, PasswordHash, StoreError,
    StoreIdentity, StoredUser, TokenDigest, TokenOwner, TokenStore, User, UserChange, UserCursor, UserId,
    UserOperation, UserPage, UserQuery, UserStore, Where, find_token_owner_separately, normalize,
};

/// The most users that one address or name is compared with: [`UserStore::find_users_like`].
const MOST_ALIKE: usize = 16;

/// The greatest id that an importer may give: the greatest whole number that every reader of JSON
/// keeps exactly (RFC 8259 §6). Ids above it stay free for new users.
const MAX_GIVEN_ID: i64 = (1 << 53) - 1;

/// The users of one type.
pub(super) struct Users<P> {
    pub(super) by_id: KeyMap<i64, StoredUser<User<P>>>,
    /// Of each user.
    namespaces: KeyMap<i64, String>,
    /// The unique index over (namespace, kind, value).
    identifiers: HashMap<Key, i64>,
    /// Under its `normalize::key`: who has an address or a name whose spelling is another.
    respelled: HashMap<Key, BTreeSet<i64>>,
}

impl<P> Default for Users<P> {
    fn default() -> Self {
        Self {
            by_id: KeyMap::default(),
            namespaces: KeyMap::default(),
            identifiers: HashMap::new(),
            respelled: HashMap::new(),
        }
    }
}

impl<P> Users<P> {
    fn get(&self, id: &UserId) -> Option<&StoredUser<User<P>>> {
        match id {
            UserId::Int(id) => self.by_id.get(id),
            UserId::Text(_) => None,
        }
    }

    fn get_mut(&mut self, id: &UserId) -> Option<&mut StoredUser<User<P>>> {
        match id {
            UserId::Int(id) => self.by_id.get_mut(id),
            UserId::Text(_) => None,
        }
    }

    /// Enters a user's address and name, which are free.
    fn enter(&mut self, id: i64, keys: Vec<Key>) {
        for (namespace, kind, value) in keys {
            let folded = normalize::key(kind, &value);
            if folded != value {
                self.respelled.entry((namespace.clone(), kind, folded)).or_default().insert(id);
            }
            self.identifiers.insert((namespace, kind, value), id);
        }
    }

    /// Removes the entries of a user.
    fn remove(&mut self, id: i64) {
        for key in self.keys_of(id) {
            self.identifiers.remove(&key);
            let (namespace, kind, value) = key;
            let folded = (namespace, kind, normalize::key(kind, &value));
            if let Some(ids) = self.respelled.get_mut(&folded) {
                ids.remove(&id);
                if ids.is_empty() {
                    self.respelled.remove(&folded);
                }
            }
        }
    }

    /// The ids of those who may have this address or name, those that are spelled like this first.
    fn like(&self, wanted: &Identifier, typed: &str) -> Vec<i64> {
        let key = |value: &str| (wanted.namespace.clone(), wanted.kind, value.to_owned());
        let folded = normalize::key(wanted.kind, &wanted.value);
        let spelled = [wanted.value.as_str(), typed, folded.as_str()];
        let mut ids: Vec<i64> = spelled.iter().filter_map(|value| self.identifiers.get(&key(value))).copied().collect();
        ids.extend(self.respelled.get(&key(&folded)).into_iter().flatten());
        let mut seen = BTreeSet::new();
        ids.retain(|id| seen.insert(*id));
        ids.truncate(MOST_ALIKE);
        ids
    }

    /// The entries of a user in the unique index.
    fn keys_of(&self, id: i64) -> Vec<Key> {
        match (self.by_id.get(&id), self.namespaces.get(&id)) {
            (Some(stored), Some(namespace)) => {
                keys(namespace, stored.user.email.as_ref(), stored.user.username.as_ref())
            }
            _ => Vec::new(),
        }
    }
}

impl Contents {
    /// The users of the type with this profile; `None` if there never was one.
    pub(super) fn users<P: Model>(&self) -> Result<Option<&Users<P>>, StoreError> {
        self.users.get(P::NAME).map(|users| users.downcast_ref().ok_or_else(two_of_one_name::<P>)).transpose()
    }

    fn users_mut<P: Model>(&mut self) -> Result<&mut Users<P>, StoreError> {
        let users = self.users.entry(P::NAME).or_insert_with(|| Box::new(Users::<P>::default()));
        users.downcast_mut().ok_or_else(two_of_one_name::<P>)
    }
}

/// `Builder::build` refuses this; a caller of the store's own methods meets it here.
fn two_of_one_name<P: Model>() -> StoreError {
    StoreError::failed(format!("two profiles have the `Model::NAME` {:?}", P::NAME))
}

#[async_trait]
impl<P: Model> UserStore<User<P>> for MemoryStore<P> {
    async fn create_user(&self, new: NewUser<P>) -> Result<StoredUser<User<P>>, CreateUserError> {
        let mut contents = self.write();
        let id = match new.id {
            None => contents.last_id.checked_add(1).ok_or_else(|| StoreError::failed("all ids are given out"))?,
            Some(UserId::Int(id @ 1..=MAX_GIVEN_ID)) if contents.ids.contains(&id) => {
                return Err(CreateUserError::IdTaken(id.into()));
            }
            Some(UserId::Int(id @ 1..=MAX_GIVEN_ID)) => id,
            Some(id) => return Err(CreateUserError::InvalidId(id)),
        };
        let users = contents.users_mut()?;
        let keys = keys(&new.namespace, new.email.as_ref(), new.username.as_ref());
        if let Some((_, kind, _)) = keys.iter().find(|key| users.identifiers.contains_key(*key)) {
            return Err(CreateUserError::Taken(*kind));
        }
        let user = User {
            realm: new.realm,
            username: new.username,
            email: new.email,
            email_verified: new.email_verified,
            id: id.into(),
            profile: new.profile,
        };
        let stored = StoredUser { user, rev: 0, password: new.password, status: new.status };
        users.enter(id, keys);
        users.namespaces.insert(id, new.namespace);
        users.by_id.insert(id, stored.clone());
        contents.last_id = contents.last_id.max(id);
        contents.ids.insert(id);
        Ok(stored)
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<User<P>>>, StoreError> {
        Ok(self.read().users()?.and_then(|users: &Users<P>| users.get(id)).cloned())
    }

    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<User<P>>>, StoreError> {
        let Identifier { namespace, kind, value } = identifier.clone();
        let contents = self.read();
        let Some(users) = contents.users::<P>()? else { return Ok(None) };
        let id = users.identifiers.get(&(namespace, kind, value));
        Ok(id.and_then(|id| users.by_id.get(id)).cloned())
    }

    async fn find_users_like(&self, wanted: &Identifier, typed: &str) -> Result<Vec<StoredUser<User<P>>>, StoreError> {
        let contents = self.read();
        let Some(users) = contents.users::<P>()? else { return Ok(Vec::new()) };
        Ok(users.like(wanted, typed).iter().filter_map(|id| users.by_id.get(id)).cloned().collect())
    }

    async fn list_users(&self, after: Option<&UserId>, limit: u32) -> Result<Vec<ListedUser<User<P>>>, StoreError> {
        let contents = self.read();
        let Some(users) = contents.users::<P>()? else { return Ok(Vec::new()) };
        let is_later = |id: &&i64| after.is_none_or(|after| *after < UserId::Int(**id));
        let mut ids: Vec<i64> = users.by_id.keys().filter(is_later).copied().collect();
        ids.sort_unstable();
        ids.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        let listed = |id: i64| {
            let namespace = users.namespaces.get(&id).cloned().unwrap_or_default();
            Some(ListedUser::readable(namespace, users.by_id.get(&id)?.clone()))
        };
        Ok(ids.into_iter().filter_map(listed).collect())
    }

    async fn set_password(&self, id: &UserId, rev: i64, hash: &PasswordHash) -> Result<Option<i64>, StoreError> {
        let mut contents = self.write();
        Ok(contents.users_mut::<P>()?.get_mut(id).filter(|stored| stored.rev == rev).map(|stored| {
            stored.password = Some(hash.clone());
            stored.rev += 1;
            if stored.status == AccountStatus::PasswordReset {
                stored.status = AccountStatus::Active;
            }
            stored.rev
        }))
    }

    async fn rehash_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, StoreError> {
        let mut contents = self.write();
        let stored = contents.users_mut::<P>()?.get_mut(id).filter(|stored| stored.password.as_ref() == Some(old));
        Ok(stored.map(|stored| stored.password = Some(new.clone())).is_some())
    }

    async fn bump_rev(&self, id: &UserId) -> Result<Option<i64>, StoreError> {
        Ok(self.write().users_mut::<P>()?.get_mut(id).map(|stored| {
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
            let Some(users) = contents.users::<P>()? else { return Ok(None) };
            let token = contents.tokens.get(digest).filter(|token| token.user_type == P::NAME);
            return Ok(token.and_then(|token| {
                let stored = users.get(&token.user_id)?;
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

    fn users_identity(&self) -> Option<&StoreIdentity> {
        Some(&self.identity)
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
        let users = contents.users_mut::<P>()?;
        let Some(stored) = users.by_id.get(&id) else { return Ok(None) };
        if stored.rev != old.rev || json(&stored.user)? != json(&old.user)? {
            return Ok(None);
        }
        let mut new = stored.clone();
        new.user.realm = change.realm.unwrap_or(new.user.realm);
        new.user.username = change.username.unwrap_or(new.user.username);
        new.user.email = change.email.unwrap_or(new.user.email);
        new.user.email_verified = change.email_verified.unwrap_or(new.user.email_verified);
        new.user.profile = change.profile.unwrap_or(new.user.profile);
        if change.password.is_some() && new.status == AccountStatus::PasswordReset {
            new.status = AccountStatus::Active;
        }
        new.password = change.password.or(new.password);
        new.rev += i64::from(change.bump_rev);

        let namespace = change.namespace.or_else(|| users.namespaces.get(&id).cloned()).unwrap_or_default();
        let wanted = keys(&namespace, new.user.email.as_ref(), new.user.username.as_ref());
        let taken = |key: &&Key| users.identifiers.get(*key).is_some_and(|of| *of != id);
        if let Some((_, kind, _)) = wanted.iter().find(taken) {
            return Err(CreateUserError::Taken(*kind));
        }
        users.remove(id);
        users.enter(id, wanted);
        users.namespaces.insert(id, namespace);
        users.by_id.insert(id, new.clone());
        Ok(Some(new))
    }

    async fn delete_user(&self, id: &UserId) -> Result<bool, StoreError> {
        let UserId::Int(id) = id else { return Ok(false) };
        let mut contents = self.write();
        let users = contents.users_mut::<P>()?;
        users.remove(*id);
        users.namespaces.remove(id);
        let was_there = users.by_id.remove(id).is_some();
        if was_there {
            contents.ids.remove(id);
        }
        Ok(was_there)
    }

    async fn find_users(&self, query: &UserQuery) -> Result<Vec<User<P>>, StoreError> {
        let mut page = self.page(query, None).await?;
        let mut users = page.users;
        while let Some(next) = page.next {
            page = self.page(query, Some(next)).await?;
            users.append(&mut page.users);
        }
        Ok(users)
    }

    async fn find_users_page(
        &self,
        query: &UserQuery,
        from: Option<UserCursor>,
    ) -> Result<UserPage<User<P>>, StoreError> {
        self.page(query, from).await
    }

    async fn count_users(&self, condition: &Where) -> Result<u64, StoreError> {
        self.count(condition).await
    }

    async fn users_with_status(
        &self,
        status: AccountStatus,
        after: Option<&UserId>,
        limit: u32,
    ) -> Result<Vec<StoredUser<User<P>>>, StoreError> {
        let contents = self.read();
        let Some(users) = contents.users::<P>()? else { return Ok(Vec::new()) };
        let is_later = |id: &i64| after.is_none_or(|after| *after < UserId::Int(*id));
        let wanted = |(id, stored): &(&i64, &StoredUser<User<P>>)| stored.status == status && is_later(id);
        let mut found: Vec<_> = users.by_id.iter().filter(wanted).collect();
        found.sort_unstable_by_key(|(id, _)| **id);
        found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(found.into_iter().map(|(_, stored)| stored.clone()).collect())
    }

    async fn set_status(&self, id: &UserId, status: AccountStatus) -> Result<Option<i64>, StoreError> {
        Ok(self.write().users_mut::<P>()?.get_mut(id).map(|stored| {
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

pub(super) fn json<P: Model>(user: &User<P>) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(user).map_err(|_| StoreError::failed("the profile cannot be written as JSON"))
}
