//! What cannot work is refused when it is put together.

use gatekit_core::{
    Auth, ConfigError, CreateUserError, Identifier, MemoryStore, NewUser, NoProfile, PasswordHash, Policy, StoreError,
    StoredUser, User, UserId, UserStore, async_trait,
};

/// A store with the six methods that every one has, and no more.
pub(crate) struct Six(pub(crate) MemoryStore);

#[async_trait]
impl UserStore<User> for Six {
    async fn create_user(&self, new: NewUser<NoProfile>) -> Result<StoredUser<User>, CreateUserError> {
        self.0.create_user(new).await
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<User>>, StoreError> {
        self.0.find_user(id).await
    }

    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<User>>, StoreError> {
        self.0.find_user_by(identifier).await
    }

    async fn set_password(&self, id: &UserId, rev: i64, hash: &PasswordHash) -> Result<Option<i64>, StoreError> {
        self.0.set_password(id, rev, hash).await
    }

    async fn rehash_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, StoreError> {
        self.0.rehash_password(id, old, new).await
    }

    async fn bump_rev(&self, id: &UserId) -> Result<Option<i64>, StoreError> {
        self.0.bump_rev(id).await
    }
}

#[tokio::test]
async fn where_nobody_could_prove_an_address_nobody_may_be_asked_to() {
    let build = |required| {
        let mut policy = Policy::default();
        policy.email_verification_required = required;
        let store: MemoryStore = MemoryStore::new();
        Auth::<User>::builder(Six(store.clone())).tokens(store).policy(policy).build()
    };
    assert!(build(false).is_ok());
    let error = build(true).unwrap_err();
    assert!(matches!(error, ConfigError::NobodyCanVerify));
    assert!(error.to_string().contains("update_user"), "{error}");
}
