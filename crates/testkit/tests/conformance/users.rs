//! Faults of users, and of the query that finds a token with its user.

use gatekit_core::{
    AccountStatus, CreateUserError, Identifier, IdentifierKind, ListedUser, NewUser, PasswordHash, Proofs, RoleStore,
    StoreError, StoredUser, TokenDigest, TokenOwner, TokenStore, UserChange, UserId, UserOperation, UserQuery,
    UserStore, Where, async_trait,
};

use super::Fault::*;
use super::{Faulty, Person, Profile};

fn the_other(kind: IdentifierKind) -> IdentifierKind {
    match kind {
        IdentifierKind::Email => IdentifierKind::Username,
        IdentifierKind::Username => IdentifierKind::Email,
    }
}

impl Faulty {
    /// Which the store in memory does not do.
    fn set_without_rev(&self, id: &UserId, status: AccountStatus) {
        self.memory.lock().unwrap().statuses.insert(id.clone(), status);
    }

    /// As it was set so, and active if that is what is wrong with this way of finding it.
    fn with_status(&self, mut found: StoredUser<Person>, always_active: super::Fault) -> StoredUser<Person> {
        let set = self.memory.lock().unwrap().statuses.get(&found.user.id).copied();
        found.status = if self.has(always_active) { AccountStatus::Active } else { set.unwrap_or(found.status) };
        found
    }
}

#[async_trait]
impl UserStore<Person> for Faulty {
    async fn create_user(&self, mut new: NewUser<Profile>) -> Result<StoredUser<Person>, CreateUserError> {
        if self.has(NamespaceIsIgnored) {
            new.namespace = String::new();
        }
        if self.has(NewUserIsAlwaysActive) {
            new.status = AccountStatus::Active;
        }
        new.email = new.email.map(|email| self.text(&email));
        let email = new.email.clone();
        let namespace = new.namespace.clone();
        if self.has(GivenIdIsIgnored) {
            new.id = None;
        }
        match self.store.create_user(new).await {
            Ok(mut created) => {
                if self.has(NewUserHasRevOne) {
                    created.rev = self.store.bump_rev(&created.user.id).await?.unwrap();
                }
                if let Some(id) = self.memory.lock().unwrap().removed.pop()
                    && self.has(RemovalGivesTheIdAgain)
                {
                    created.user.id = id;
                }
                Ok(created)
            }
            Err(CreateUserError::IdTaken(_)) if self.has(GivenIdInUseIsAnotherError) => {
                Err(CreateUserError::Store(StoreError::failed("unique")))
            }
            Err(CreateUserError::Taken(_)) if self.has(TakenIsAnotherError) => {
                Err(CreateUserError::Store(StoreError::failed("unique")))
            }
            Err(CreateUserError::Taken(kind)) if self.has(TakenNamesTheWrongIdentifier) => {
                Err(CreateUserError::Taken(the_other(kind)))
            }
            Err(CreateUserError::Taken(kind)) if self.has(TakenReturnsWhoIsThere) => {
                let identifier = Identifier { namespace, kind, value: email.unwrap() };
                Ok(self.store.find_user_by(&identifier).await?.ok_or(CreateUserError::Taken(kind))?)
            }
            Err(error) => Err(error),
        }
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<Person>>, StoreError> {
        let found = self.store.find_user(&self.id(id)).await?;
        Ok(found.map(|found| self.with_status(found, StatusIsReadAsActive)))
    }

    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<Person>>, StoreError> {
        let mut identifier = identifier.clone();
        if self.has(NamespaceIsIgnored) {
            identifier.namespace = String::new();
        }
        identifier.value = self.text(&identifier.value);
        let found = self.store.find_user_by(&identifier).await?;
        Ok(found.map(|found| self.with_status(found, StatusIsNotFoundByAddress)))
    }

    async fn set_password(&self, id: &UserId, rev: i64, hash: &PasswordHash) -> Result<Option<i64>, StoreError> {
        let id = &self.id(id);
        match self.fault {
            Some(PasswordIgnoresRev) => {
                let Some(user) = self.user(id).await else { return Ok(None) };
                self.store.set_password(id, user.rev, hash).await
            }
            Some(PasswordLeavesRev) => {
                let Some(user) = self.user(id).await.filter(|user| user.rev == rev) else { return Ok(None) };
                let old = user.password.unwrap_or_else(|| PasswordHash::from_stored(""));
                self.store.rehash_password(id, &old, hash).await?;
                Ok(Some(rev))
            }
            Some(PasswordChecksFirst) => {
                if self.user(id).await.is_none_or(|user| user.rev != rev) {
                    return Ok(None);
                }
                self.pause().await;
                let user = self.user(id).await.unwrap();
                self.store.set_password(id, user.rev, hash).await
            }
            Some(PasswordLeavesAReset) => {
                let reset = self.user(id).await.is_some_and(|user| user.status == AccountStatus::PasswordReset);
                let rev = self.store.set_password(id, rev, hash).await?;
                if reset && rev.is_some() {
                    self.set_without_rev(id, AccountStatus::PasswordReset);
                }
                Ok(rev)
            }
            Some(PasswordSetsActive) => {
                let rev = self.store.set_password(id, rev, hash).await?;
                self.set_without_rev(id, AccountStatus::Active);
                Ok(rev)
            }
            _ => self.store.set_password(id, rev, hash).await,
        }
    }

    async fn rehash_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, StoreError> {
        let id = &self.id(id);
        if self.has(RehashIgnoresTheOldHash) {
            let Some(present) = self.user(id).await.and_then(|user| user.password) else { return Ok(false) };
            return self.store.rehash_password(id, &present, new).await;
        }
        let done = self.store.rehash_password(id, old, new).await?;
        if done && self.has(RehashBumps) {
            self.store.bump_rev(id).await?;
        }
        Ok(done)
    }

    async fn bump_rev(&self, id: &UserId) -> Result<Option<i64>, StoreError> {
        let rev = self.store.bump_rev(&self.id(id)).await?;
        Ok(rev.map(|rev| if self.has(BumpReturnsTheOldRev) { rev - 1 } else { rev }))
    }

    async fn find_token_owner(
        &self,
        tokens: &dyn TokenStore,
        digest: &TokenDigest,
    ) -> Result<Option<TokenOwner<Person>>, StoreError> {
        if self.has(OwnerIsRemembered) {
            let seen = self.memory.lock().unwrap().owners.get(digest).cloned();
            if seen.is_some() {
                return Ok(seen);
            }
        }
        if self.has(OwnerIgnoresTheType) {
            let Some(token) = tokens.find_token(digest).await? else { return Ok(None) };
            let Some(found) = self.store.find_user(&token.user_id).await? else { return Ok(None) };
            return Ok(Some(TokenOwner { token, user: found.user, rev: found.rev, roles: None }));
        }
        let tokens = if self.has(OwnerIgnoresWhichTokens) { &self.store } else { tokens };
        let mut owner = self.store.find_token_owner(tokens, digest).await?;
        if let Some(owner) = &mut owner {
            match self.fault {
                Some(OwnerHasNoRoles) => owner.roles = Some(Vec::new()),
                Some(OwnerHasTheRolesOfAnotherType) => {
                    owner.roles = Some(self.store.roles_of("Users", &owner.token.user_id).await?);
                }
                _ => {}
            }
        }
        if self.has(OwnerHasNoProofs)
            && let Some(owner) = &mut owner
        {
            owner.token.proofs = Proofs::default();
        }
        if self.has(OwnerHasTheTokensRev)
            && let Some(owner) = &mut owner
        {
            owner.rev = owner.token.rev;
        }
        if let Some(owner) = &owner {
            self.memory.lock().unwrap().owners.insert(*digest, owner.clone());
        }
        Ok(owner)
    }

    fn supports(&self, _: UserOperation) -> bool {
        !self.has(UnsupportedIsTakenForDone)
    }

    async fn find_users_like(&self, wanted: &Identifier, typed: &str) -> Result<Vec<StoredUser<Person>>, StoreError> {
        if self.has(SpellingsAreExact) {
            return Ok(self.find_user_by(wanted).await?.into_iter().collect());
        }
        self.store.find_users_like(wanted, typed).await
    }

    async fn list_users(&self, after: Option<&UserId>, limit: u32) -> Result<Vec<ListedUser<Person>>, StoreError> {
        if self.has(UnsupportedIsTakenForDone) {
            return Ok(Vec::new());
        }
        self.store.list_users(after.filter(|_| !self.has(ListBeginsAnew)), limit).await
    }

    async fn find_users(&self, query: &UserQuery) -> Result<Vec<Person>, StoreError> {
        if self.has(UnsupportedIsTakenForDone) { Ok(Vec::new()) } else { self.store.find_users(query).await }
    }

    async fn count_users(&self, condition: &Where) -> Result<u64, StoreError> {
        if self.has(UnsupportedIsTakenForDone) { Ok(0) } else { self.store.count_users(condition).await }
    }

    async fn update_user(
        &self,
        old: &StoredUser<Person>,
        mut change: UserChange<Profile>,
    ) -> Result<Option<StoredUser<Person>>, CreateUserError> {
        let id = &old.user.id;
        let Some(present) = self.user(id).await else {
            if self.has(UpdateBringsBackWhoIsGone) {
                let email = change.email.flatten().unwrap_or_default();
                self.store.create_user(NewUser::new(email, old.user.profile.clone())).await?;
            }
            return Ok(None);
        };
        let mut old = old.clone();
        match self.fault {
            Some(UpdateIgnoresOld) => old = present,
            Some(UpdateComparesOnlyRev) => old.user = present.user,
            Some(UpdateDoesNotCompareTheAddress) => old.user.email = present.user.email,
            Some(UpdateDoesNotCompareTheName) => old.user.username = present.user.username,
            Some(UpdateDoesNotCompareTheRealm) => old.user.realm = present.user.realm,
            Some(UpdateDoesNotCompareEmailVerified) => old.user.email_verified = present.user.email_verified,
            Some(UpdateDoesNotCompareTheProfile) => old.user.profile = present.user.profile,
            Some(UpdateDoesNotCompareRev) => old.rev = present.rev,
            Some(UpdateComparesThePassword) if old.password != present.password => return Ok(None),
            Some(UpdateChecksFirst) => {
                if old.rev != present.rev || old.user != present.user {
                    return Ok(None);
                }
                self.pause().await;
                old = self.user(&old.user.id).await.unwrap_or(old);
            }
            Some(UpdateBumpsAfterwards) if change.bump_rev => {
                change.bump_rev = false;
                let Some(mut changed) = self.store.update_user(&old, change).await? else { return Ok(None) };
                self.pause().await;
                changed.rev = self.store.bump_rev(&old.user.id).await?.unwrap();
                return Ok(Some(changed));
            }
            Some(UpdateNeverBumps) => change.bump_rev = false,
            Some(UpdateAlwaysBumps) => change.bump_rev = true,
            Some(UpdateLeavesThePassword) => change.password = None,
            Some(UpdateLeavesTheProfile) => change.profile = None,
            Some(UpdateLeavesEmailVerified) => change.email_verified = None,
            Some(UpdateLosesTheProfile) => change.profile = change.profile.or(Some(Profile::default())),
            Some(UpdateOfTheAddressUnverifiesIt) if change.email.is_some() => {
                change.email_verified = change.email_verified.or(Some(None));
            }
            Some(UpdateCannotRemove) => {
                change.username = change.username.filter(Option::is_some);
                change.realm = change.realm.filter(Option::is_some);
                change.email = change.email.filter(Option::is_some);
                change.email_verified = change.email_verified.filter(Option::is_some);
            }
            Some(UpdateIsHalfDoneIfTaken) => {
                let mut first = UserChange::default();
                first.password = change.password.take();
                first.profile = change.profile.take();
                let Some(half) = self.store.update_user(&old, first).await? else { return Ok(None) };
                old = half;
            }
            Some(UpdateTakesOnesOwnAddressForTaken)
                if change.email.is_some() && change.email.as_ref() == Some(&old.user.email) =>
            {
                return Err(CreateUserError::Taken(IdentifierKind::Email));
            }
            Some(UpdateStaysInTheNamespace) => change.namespace = None,
            Some(UpdateForgetsTheNamespace) => change.namespace = change.namespace.or(Some(String::new())),
            _ => {}
        }
        if self.has(NamespaceIsIgnored) {
            change.namespace = None;
        }
        change.email = change.email.map(|email| email.map(|email| self.text(&email)));
        match self.store.update_user(&old, change).await {
            Err(CreateUserError::Taken(_)) if self.has(UpdateTakenIsAnotherError) => {
                Err(CreateUserError::Store(StoreError::failed("unique")))
            }
            Err(CreateUserError::Taken(kind)) if self.has(UpdateTakenNamesTheWrongIdentifier) => {
                Err(CreateUserError::Taken(the_other(kind)))
            }
            Ok(Some(changed)) if self.has(UpdateKeepsTheOldAddress) && changed.user.email != old.user.email => {
                let old = NewUser::new(old.user.email.unwrap_or_default(), old.user.profile);
                self.store.create_user(old).await?;
                Ok(Some(changed))
            }
            Ok(Some(_)) if self.has(UpdateReturnsTheOldUser) => Ok(Some(old)),
            Ok(Some(mut changed)) if self.has(UpdateSetsActive) => {
                changed.status = AccountStatus::Active;
                self.set_without_rev(&changed.user.id, changed.status);
                Ok(Some(changed))
            }
            answer => answer,
        }
    }

    async fn delete_user(&self, id: &UserId) -> Result<bool, StoreError> {
        let id = &self.id(id);
        match self.fault {
            Some(RemovalOfAUserDoesNothing) => return Ok(self.user(id).await.is_some()),
            Some(RemovalChecksFirst) => {
                let there = self.user(id).await.is_some();
                self.pause().await;
                self.store.delete_user(id).await?;
                return Ok(there);
            }
            Some(RemovalKeepsTheAddress) => {
                let Some(user) = self.user(id).await else { return Ok(false) };
                self.store.delete_user(id).await?;
                let kept = NewUser::new(user.user.email.unwrap_or_default(), user.user.profile);
                self.store.create_user(kept).await.map_err(StoreError::failed)?;
                return Ok(true);
            }
            _ => {}
        }
        let removed = self.store.delete_user(id).await?;
        if removed {
            self.memory.lock().unwrap().removed.push(id.clone());
        }
        Ok(removed || self.has(RemovalIsAlwaysTrue))
    }

    async fn users_with_status(
        &self,
        status: AccountStatus,
        after: Option<&UserId>,
        limit: u32,
    ) -> Result<Vec<StoredUser<Person>>, StoreError> {
        match self.fault {
            Some(StatusListIsOfEverybody) => {
                let mut all = Vec::new();
                for status in [AccountStatus::Active, AccountStatus::Pending, AccountStatus::Blocked] {
                    all.extend(self.store.users_with_status(status, after, limit).await?);
                }
                Ok(all)
            }
            _ => self.store.users_with_status(status, after, limit).await,
        }
    }

    async fn set_status(&self, id: &UserId, status: AccountStatus) -> Result<Option<i64>, StoreError> {
        let id = &self.id(id);
        let Some(user) = self.user(id).await else {
            return Ok(self.has(StatusOfAnUnknownIsSet).then_some(1));
        };
        match self.fault {
            Some(StatusLeavesRev) => {
                self.set_without_rev(id, status);
                Ok(Some(user.rev + 1))
            }
            Some(StatusReturnsTheOldRev) => Ok(self.store.set_status(id, status).await?.map(|rev| rev - 1)),
            Some(StatusIsNotStored) => self.store.bump_rev(id).await,
            Some(StatusIsStoredAfterwards) => {
                let rev = self.store.bump_rev(id).await?;
                self.pause().await;
                self.set_without_rev(id, status);
                Ok(rev)
            }
            Some(StatusOfTheSameIsNoChange) if user.status == status => Ok(Some(user.rev)),
            Some(StatusIsOfEverybody) => {
                for other in self.store.find_users(&UserQuery::default()).await? {
                    if other.id != *id {
                        self.store.set_status(&other.id, status).await?;
                    }
                }
                self.store.set_status(id, status).await
            }
            _ => self.store.set_status(id, status).await,
        }
    }
}
