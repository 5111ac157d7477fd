//! Users of the built-in type, each user type apart from the others.

use async_trait::async_trait;

use super::store::MemoryStore;
use super::user_table::{IdentifierKey, UserTable, identifier_keys, user_as_json};
use crate::{
    AccountStatus, CreateUserError, Identifier, ListedUser, Model, NewUser, PasswordHash, StoreError, StoreIdentity,
    StoredUser, TokenDigest, TokenOwner, TokenStore, User, UserChange, UserCursor, UserId, UserOperation, UserPage,
    UserQuery, UserStore, Where, find_token_owner_separately,
};

/// The greatest id that an importer may give: the greatest whole number that every reader of JSON
/// keeps exactly (RFC 8259 §6). Ids above it stay free for new users.
const MAX_GIVEN_ID: i64 = (1 << 53) - 1;

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
        let keys = identifier_keys(&new.namespace, new.email.as_ref(), new.username.as_ref());
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
        Ok(self.read().users()?.and_then(|users: &UserTable<P>| users.get(id)).cloned())
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
        if stored.rev != old.rev || user_as_json(&stored.user)? != user_as_json(&old.user)? {
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
        let wanted = identifier_keys(&namespace, new.user.email.as_ref(), new.user.username.as_ref());
        let taken = |key: &&IdentifierKey| users.identifiers.get(*key).is_some_and(|of| *of != id);
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
