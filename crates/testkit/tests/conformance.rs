//! The reference store keeps every rule of the suite, and a store with any one fault breaks one.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::panic::{AssertUnwindSafe, catch_unwind};

use gatekit_core::{
    CreateUserError, Identifier, MemoryStore, NewUser, NoProfile, OneTimePurpose, OneTimeRecord, OneTimeStore,
    PasswordHash, StoreError, StoreIdentity, StoredUser, Timestamp, TokenDigest, TokenOwner, TokenRecord, TokenStore,
    User, UserId, UserStore, async_trait,
};
use gatekit_testkit::conformance::{self, Identifiers};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_memory_store_conforms() {
    all(None).await;
}

async fn all(fault: Option<Fault>) {
    let make = || async move { Faulty { store: MemoryStore::new(), fault } };
    let new_user = |email: &str| NewUser::new(email, NoProfile {});
    conformance::user_store::<User, _, _>(Identifiers::ALL, make, new_user).await;
    conformance::token_store(make).await;
    conformance::one_time_store(make).await;
    let make_both = || async move {
        let store = MemoryStore::new();
        (Faulty { store: store.clone(), fault }, store)
    };
    conformance::token_owner::<User, _, _, _>(make_both, new_user).await;
}

/// What a careless implementation gets wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    NewUserHasRevOne,
    TakenIsAnotherError,
    TakenNamesTheWrongIdentifier,
    TakenReturnsWhoIsThere,
    NamespaceIsIgnored,
    IdentifiersAreTrimmed,
    IdentifiersIgnoreCase,
    IdsAreComparedAsText,
    PasswordIgnoresRev,
    PasswordLeavesRev,
    PasswordChecksFirst,
    RehashIgnoresTheOldHash,
    RehashBumps,
    BumpReturnsTheOldRev,
    TokenIsReplaced,
    EmptyScopesAreNone,
    EndedTokenIsHidden,
    DeleteIsAlwaysTrue,
    DeleteChecksFirst,
    CarryOverIgnoresRev,
    BeforeRevIsIgnored,
    UserTypeIsIgnored,
    PurgeIgnoresTheLimit,
    PurgeSparesWhatEndsNow,
    OneTimeIsFoundAndRemoved,
    OneTimeStays,
    OneTimeChecksFirst,
    OneTimePurgeIgnoresTheLimit,
    DecoyBecomesAUser,
    OwnerHasTheTokensRev,
    OwnerIgnoresWhichTokens,
}
use Fault::*;

const FAULTS: [Fault; 31] = [
    NewUserHasRevOne,
    TakenIsAnotherError,
    TakenNamesTheWrongIdentifier,
    TakenReturnsWhoIsThere,
    NamespaceIsIgnored,
    IdentifiersAreTrimmed,
    IdentifiersIgnoreCase,
    IdsAreComparedAsText,
    PasswordIgnoresRev,
    PasswordLeavesRev,
    PasswordChecksFirst,
    RehashIgnoresTheOldHash,
    RehashBumps,
    BumpReturnsTheOldRev,
    TokenIsReplaced,
    EmptyScopesAreNone,
    EndedTokenIsHidden,
    DeleteIsAlwaysTrue,
    DeleteChecksFirst,
    CarryOverIgnoresRev,
    BeforeRevIsIgnored,
    UserTypeIsIgnored,
    PurgeIgnoresTheLimit,
    PurgeSparesWhatEndsNow,
    OneTimeIsFoundAndRemoved,
    OneTimeStays,
    OneTimeChecksFirst,
    OneTimePurgeIgnoresTheLimit,
    DecoyBecomesAUser,
    OwnerHasTheTokensRev,
    OwnerIgnoresWhichTokens,
];

#[test]
fn a_store_with_any_one_fault_breaks_a_rule() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let passed: Vec<_> = FAULTS
        .into_iter()
        .filter(|fault| catch_unwind(AssertUnwindSafe(|| runtime.block_on(all(Some(*fault))))).is_ok())
        .collect();
    assert!(passed.is_empty(), "the suite does not see these faults: {passed:?}");
}

struct Faulty {
    store: MemoryStore,
    fault: Option<Fault>,
}

impl Faulty {
    fn has(&self, fault: Fault) -> bool {
        self.fault == Some(fault)
    }

    /// What a race needs: everybody else gets to the same point.
    async fn pause(&self) {
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
    }

    fn text(&self, text: &str) -> String {
        match self.fault {
            Some(IdentifiersAreTrimmed) => text.trim().to_owned(),
            Some(IdentifiersIgnoreCase) => text.to_lowercase(),
            _ => text.to_owned(),
        }
    }

    fn id(&self, id: &UserId) -> UserId {
        match id {
            UserId::Text(text) if self.has(IdsAreComparedAsText) => text.parse().map_or(id.clone(), UserId::Int),
            _ => id.clone(),
        }
    }

    async fn user(&self, id: &UserId) -> Option<StoredUser<User>> {
        self.store.find_user(id).await.unwrap()
    }
}

#[async_trait]
impl UserStore<User> for Faulty {
    async fn create_user(&self, mut new: NewUser<NoProfile>) -> Result<StoredUser<User>, CreateUserError> {
        if self.has(NamespaceIsIgnored) {
            new.namespace = String::new();
        }
        new.email = new.email.map(|email| self.text(&email));
        let email = new.email.clone();
        let namespace = new.namespace.clone();
        match self.store.create_user(new).await {
            Ok(mut created) => {
                if self.has(NewUserHasRevOne) {
                    created.rev = self.store.bump_rev(&created.user.id).await?.unwrap();
                }
                Ok(created)
            }
            Err(CreateUserError::Taken(_)) if self.has(TakenIsAnotherError) => {
                Err(CreateUserError::Store(StoreError::failed("unique")))
            }
            Err(CreateUserError::Taken(kind)) if self.has(TakenNamesTheWrongIdentifier) => {
                use gatekit_core::IdentifierKind::{Email, Username};
                Err(CreateUserError::Taken(if kind == Email { Username } else { Email }))
            }
            Err(CreateUserError::Taken(kind)) if self.has(TakenReturnsWhoIsThere) => {
                let identifier = Identifier { namespace, kind, value: email.unwrap() };
                Ok(self.store.find_user_by(&identifier).await?.ok_or(CreateUserError::Taken(kind))?)
            }
            Err(error) => Err(error),
        }
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<User>>, StoreError> {
        self.store.find_user(&self.id(id)).await
    }

    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<User>>, StoreError> {
        let mut identifier = identifier.clone();
        if self.has(NamespaceIsIgnored) {
            identifier.namespace = String::new();
        }
        identifier.value = self.text(&identifier.value);
        self.store.find_user_by(&identifier).await
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
    ) -> Result<Option<TokenOwner<User>>, StoreError> {
        let tokens = if self.has(OwnerIgnoresWhichTokens) { &self.store } else { tokens };
        let mut owner = self.store.find_token_owner(tokens, digest).await?;
        if self.has(OwnerHasTheTokensRev)
            && let Some(owner) = &mut owner
        {
            owner.rev = owner.token.rev;
        }
        Ok(owner)
    }
}

#[async_trait]
impl TokenStore for Faulty {
    async fn insert_token(&self, token: &TokenRecord) -> Result<(), StoreError> {
        if self.has(TokenIsReplaced) {
            self.store.delete_token(&token.digest).await?;
        }
        let mut token = token.clone();
        if self.has(EmptyScopesAreNone) {
            token.scopes = token.scopes.filter(|scopes| !scopes.is_empty());
        }
        self.store.insert_token(&token).await
    }

    async fn find_token(&self, digest: &TokenDigest) -> Result<Option<TokenRecord>, StoreError> {
        let found = self.store.find_token(digest).await?;
        Ok(found.filter(|token| !self.has(EndedTokenIsHidden) || token.created > Timestamp(0)))
    }

    async fn delete_token(&self, digest: &TokenDigest) -> Result<bool, StoreError> {
        if self.has(DeleteChecksFirst) {
            let there = self.store.find_token(digest).await?.is_some();
            self.pause().await;
            self.store.delete_token(digest).await?;
            return Ok(there);
        }
        Ok(self.store.delete_token(digest).await? || self.has(DeleteIsAlwaysTrue))
    }

    async fn carry_token_over(&self, digest: &TokenDigest, from: i64, to: i64) -> Result<bool, StoreError> {
        if self.has(CarryOverIgnoresRev) {
            let Some(token) = self.store.find_token(digest).await? else { return Ok(false) };
            return self.store.carry_token_over(digest, token.rev, to).await;
        }
        self.store.carry_token_over(digest, from, to).await
    }

    async fn delete_tokens_of(&self, user_type: &str, user: &UserId, before_rev: i64) -> Result<u64, StoreError> {
        let before_rev = if self.has(BeforeRevIsIgnored) { i64::MAX } else { before_rev };
        let user_type = if self.has(UserTypeIsIgnored) { "User" } else { user_type };
        self.store.delete_tokens_of(user_type, &self.id(user), before_rev).await
    }

    async fn purge_tokens(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let limit = if self.has(PurgeIgnoresTheLimit) { u32::MAX } else { limit };
        let now = if self.has(PurgeSparesWhatEndsNow) { Timestamp(now.0 - 1) } else { now };
        self.store.purge_tokens(now, limit).await
    }

    fn identity(&self) -> Option<&StoreIdentity> {
        self.store.identity()
    }
}

#[async_trait]
impl OneTimeStore for Faulty {
    async fn insert_one_time(&self, record: &OneTimeRecord) -> Result<(), StoreError> {
        let mut record = record.clone();
        if self.has(DecoyBecomesAUser) {
            record.user_id = record.user_id.or(Some(UserId::Int(0)));
        }
        self.store.insert_one_time(&record).await
    }

    async fn find_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        if self.has(OneTimeIsFoundAndRemoved) {
            return self.store.take_one_time(purpose, digest).await;
        }
        self.store.find_one_time(purpose, digest).await
    }

    async fn take_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        match self.fault {
            Some(OneTimeStays) => self.store.find_one_time(purpose, digest).await,
            Some(OneTimeChecksFirst) => {
                let found = self.store.find_one_time(purpose, digest).await?;
                self.pause().await;
                self.store.take_one_time(purpose, digest).await?;
                Ok(found)
            }
            _ => self.store.take_one_time(purpose, digest).await,
        }
    }

    async fn purge_one_time(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let limit = if self.has(OneTimePurgeIgnoresTheLimit) { u32::MAX } else { limit };
        self.store.purge_one_time(now, limit).await
    }
}
