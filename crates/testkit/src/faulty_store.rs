//! A store that goes wrong when a test wants it to.

mod counters;
mod digests;
mod permissions;

use std::sync::Arc;

use async_trait::async_trait;
use gatekit_core::{
    Account, AccountStatus, Clock, CreateUserError, DeviceSeen, DeviceStore, Identifier, ListedUser, NewUser,
    OneTimeLimit, OneTimePurpose, OneTimeRecord, OneTimeStore, PasswordHash, RoleStore, StoreError, StoreIdentity,
    StoredUser, Timestamp, TokenDigest, TokenOwner, TokenRecord, TokenStore, UserChange, UserCursor, UserId,
    UserOperation, UserPage, UserQuery, UserStore, Where,
};

use crate::Faults;

/// Any store, with [`Faults`] in between. It implements whichever of the store traits the inner one
/// does, and has its identity, so that a store which joins users and tokens in one query still
/// does.
///
/// See [`Faults`] for an example.
#[derive(Clone, Debug)]
pub struct FaultyStore<S> {
    inner: S,
    faults: Faults,
}

impl<S> FaultyStore<S> {
    /// With a plan of its own, in which nothing goes wrong yet.
    #[must_use]
    pub fn new(inner: S) -> Self {
        Self::with(inner, Faults::new())
    }

    /// With a plan that several stores share.
    #[must_use]
    pub fn with(inner: S, faults: Faults) -> Self {
        Self { inner, faults }
    }

    /// The plan.
    #[must_use]
    pub fn faults(&self) -> Faults {
        self.faults.clone()
    }

    /// The store itself, to look behind the faults.
    pub fn inner(&self) -> &S {
        &self.inner
    }
}

#[async_trait]
impl<U: Account, S: UserStore<U>> UserStore<U> for FaultyStore<S> {
    async fn create_user(&self, new: NewUser<U::Profile>) -> Result<StoredUser<U>, CreateUserError> {
        self.faults.call("create_user", self.inner.create_user(new)).await
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<U>>, StoreError> {
        self.faults.call("find_user", self.inner.find_user(id)).await
    }

    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<U>>, StoreError> {
        self.faults.call("find_user_by", self.inner.find_user_by(identifier)).await
    }

    /// A lookup by address or name, like `find_user_by`: faults and calls have that name for both.
    async fn find_users_like(&self, wanted: &Identifier, typed: &str) -> Result<Vec<StoredUser<U>>, StoreError> {
        self.faults.call("find_user_by", self.inner.find_users_like(wanted, typed)).await
    }

    async fn list_users(&self, after: Option<&UserId>, limit: u32) -> Result<Vec<ListedUser<U>>, StoreError> {
        self.faults.call("list_users", self.inner.list_users(after, limit)).await
    }

    async fn set_password(&self, id: &UserId, rev: i64, hash: &PasswordHash) -> Result<Option<i64>, StoreError> {
        self.faults.call("set_password", self.inner.set_password(id, rev, hash)).await
    }

    async fn rehash_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, StoreError> {
        self.faults.call("rehash_password", self.inner.rehash_password(id, old, new)).await
    }

    async fn bump_rev(&self, id: &UserId) -> Result<Option<i64>, StoreError> {
        self.faults.call("bump_rev", self.inner.bump_rev(id)).await
    }

    async fn find_token_owner(
        &self,
        tokens: &dyn TokenStore,
        digest: &TokenDigest,
    ) -> Result<Option<TokenOwner<U>>, StoreError> {
        self.faults.call("find_token_owner", self.inner.find_token_owner(tokens, digest)).await
    }

    fn users_identity(&self) -> Option<&StoreIdentity> {
        self.inner.users_identity()
    }

    fn supports(&self, operation: UserOperation) -> bool {
        self.inner.supports(operation)
    }

    async fn update_user(
        &self,
        old: &StoredUser<U>,
        change: UserChange<U::Profile>,
    ) -> Result<Option<StoredUser<U>>, CreateUserError> {
        self.faults.call("update_user", self.inner.update_user(old, change)).await
    }

    async fn delete_user(&self, id: &UserId) -> Result<bool, StoreError> {
        self.faults.call("delete_user", self.inner.delete_user(id)).await
    }

    async fn find_users(&self, query: &UserQuery) -> Result<Vec<U>, StoreError> {
        self.faults.call("find_users", self.inner.find_users(query)).await
    }

    async fn find_users_page(&self, query: &UserQuery, from: Option<UserCursor>) -> Result<UserPage<U>, StoreError> {
        self.faults.call("find_users", self.inner.find_users_page(query, from)).await
    }

    async fn count_users(&self, condition: &Where) -> Result<u64, StoreError> {
        self.faults.call("count_users", self.inner.count_users(condition)).await
    }

    async fn users_with_status(
        &self,
        status: AccountStatus,
        after: Option<&UserId>,
        limit: u32,
    ) -> Result<Vec<StoredUser<U>>, StoreError> {
        self.faults.call("users_with_status", self.inner.users_with_status(status, after, limit)).await
    }

    async fn set_status(&self, id: &UserId, status: AccountStatus) -> Result<Option<i64>, StoreError> {
        self.faults.call("set_status", self.inner.set_status(id, status)).await
    }
}

#[async_trait]
impl<S: TokenStore> TokenStore for FaultyStore<S> {
    async fn insert_token(&self, token: &TokenRecord) -> Result<(), StoreError> {
        self.faults.call("insert_token", self.inner.insert_token(token)).await
    }

    async fn find_token(&self, digest: &TokenDigest) -> Result<Option<TokenRecord>, StoreError> {
        self.faults.call("find_token", self.inner.find_token(digest)).await
    }

    async fn delete_token(&self, digest: &TokenDigest) -> Result<bool, StoreError> {
        self.faults.call("delete_token", self.inner.delete_token(digest)).await
    }

    async fn carry_token_over(&self, digest: &TokenDigest, from: i64, to: i64) -> Result<bool, StoreError> {
        self.faults.call("carry_token_over", self.inner.carry_token_over(digest, from, to)).await
    }

    async fn delete_tokens_of(&self, user_type: &str, user: &UserId, before_rev: i64) -> Result<u64, StoreError> {
        self.faults.call("delete_tokens_of", self.inner.delete_tokens_of(user_type, user, before_rev)).await
    }

    async fn list_tokens_of(&self, user_type: &str, user: &UserId) -> Result<Vec<TokenRecord>, StoreError> {
        self.faults.call("list_tokens_of", self.inner.list_tokens_of(user_type, user)).await
    }

    async fn update_token(&self, old: &TokenRecord, new: &TokenRecord) -> Result<bool, StoreError> {
        self.faults.call("update_token", self.inner.update_token(old, new)).await
    }

    async fn purge_tokens(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.faults.call("purge_tokens", self.inner.purge_tokens(now, limit)).await
    }

    fn identity(&self) -> Option<&StoreIdentity> {
        self.inner.identity()
    }

    fn use_clock(&self, clock: &Arc<dyn Clock>) {
        self.inner.use_clock(clock);
    }
}

#[async_trait]
impl<S: OneTimeStore> OneTimeStore for FaultyStore<S> {
    async fn insert_one_time(&self, record: &OneTimeRecord) -> Result<(), StoreError> {
        self.faults.call("insert_one_time", self.inner.insert_one_time(record)).await
    }

    async fn find_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        self.faults.call("find_one_time", self.inner.find_one_time(purpose, digest)).await
    }

    async fn take_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        self.faults.call("take_one_time", self.inner.take_one_time(purpose, digest)).await
    }

    async fn insert_one_time_within(
        &self,
        record: &OneTimeRecord,
        limits: &[OneTimeLimit],
        decoy: &OneTimeRecord,
    ) -> Result<bool, StoreError> {
        self.faults.call("insert_one_time_within", self.inner.insert_one_time_within(record, limits, decoy)).await
    }

    async fn replace_one_time(&self, old: &OneTimeRecord, new: &OneTimeRecord) -> Result<bool, StoreError> {
        self.faults.call("replace_one_time", self.inner.replace_one_time(old, new)).await
    }

    async fn spend_one_time(
        &self,
        purpose: OneTimePurpose,
        digest: &TokenDigest,
        used: OneTimePurpose,
    ) -> Result<Option<OneTimeRecord>, StoreError> {
        self.faults.call("spend_one_time", self.inner.spend_one_time(purpose, digest, used)).await
    }

    async fn delete_one_time_of(
        &self,
        purpose: OneTimePurpose,
        user_type: &str,
        user: &UserId,
    ) -> Result<u64, StoreError> {
        self.faults.call("delete_one_time_of", self.inner.delete_one_time_of(purpose, user_type, user)).await
    }

    async fn purge_one_time(&self, now: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.faults.call("purge_one_time", self.inner.purge_one_time(now, limit)).await
    }
}

#[async_trait]
impl<S: RoleStore> RoleStore for FaultyStore<S> {
    async fn assign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError> {
        self.faults.call("assign_role", self.inner.assign_role(user_type, user, role)).await
    }

    async fn unassign_role(&self, user_type: &str, user: &UserId, role: &str) -> Result<bool, StoreError> {
        self.faults.call("unassign_role", self.inner.unassign_role(user_type, user, role)).await
    }

    async fn roles_of(&self, user_type: &str, user: &UserId) -> Result<Vec<String>, StoreError> {
        self.faults.call("roles_of", self.inner.roles_of(user_type, user)).await
    }

    async fn users_in_role(&self, user_type: &str, role: &str) -> Result<Vec<UserId>, StoreError> {
        self.faults.call("users_in_role", self.inner.users_in_role(user_type, role)).await
    }
}

#[async_trait]
impl<S: DeviceStore> DeviceStore for FaultyStore<S> {
    async fn remember_device(
        &self,
        user_type: &str,
        user: &UserId,
        device: &TokenDigest,
        now: Timestamp,
    ) -> Result<DeviceSeen, StoreError> {
        self.faults.call("remember_device", self.inner.remember_device(user_type, user, device, now)).await
    }

    async fn forget_devices_of(&self, user_type: &str, user: &UserId) -> Result<u64, StoreError> {
        self.faults.call("forget_devices_of", self.inner.forget_devices_of(user_type, user)).await
    }

    async fn purge_devices(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.faults.call("purge_devices", self.inner.purge_devices(before, limit)).await
    }
}
