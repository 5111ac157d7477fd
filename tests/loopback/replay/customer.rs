//! A user type with a name of its own, over a store of the built-in one: LoopBack's `customer`, whose base is `User`.

use gatekit::core::{
    AccountStatus, CreateUserError, Identifier, PasswordHash, TokenDigest, TokenOwner, UserChange, UserOperation,
    UserQuery, Where,
};
use gatekit::{Account, NewUser, StoreError, StoredUser, TokenStore, UserId, UserStore, async_trait};
use serde::Serialize;
use serde_json::{Map, Value};

use super::app::Person;

#[derive(Clone, Serialize)]
pub(super) struct Customer(Person);

impl Account for Customer {
    type Profile = Map<String, Value>;

    fn model_name() -> &'static str {
        "customer"
    }

    fn id(&self) -> UserId {
        self.0.id()
    }

    fn email(&self) -> Option<&str> {
        self.0.email()
    }

    fn email_verified(&self) -> Option<bool> {
        self.0.email_verified()
    }

    fn username(&self) -> Option<&str> {
        self.0.username()
    }

    fn realm(&self) -> Option<&str> {
        self.0.realm()
    }
}

/// Keeps customers where people are kept.
pub(super) struct Customers<S>(pub(super) S);

type Profile = Map<String, Value>;

fn customer(stored: StoredUser<Person>) -> StoredUser<Customer> {
    StoredUser { user: Customer(stored.user), rev: stored.rev, password: stored.password, status: stored.status }
}

#[async_trait]
impl<S: UserStore<Person>> UserStore<Customer> for Customers<S> {
    async fn create_user(&self, new: NewUser<Profile>) -> Result<StoredUser<Customer>, CreateUserError> {
        self.0.create_user(new).await.map(customer)
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<Customer>>, StoreError> {
        Ok(self.0.find_user(id).await?.map(customer))
    }

    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<Customer>>, StoreError> {
        Ok(self.0.find_user_by(identifier).await?.map(customer))
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

    async fn find_token_owner(
        &self,
        tokens: &dyn TokenStore,
        digest: &TokenDigest,
    ) -> Result<Option<TokenOwner<Customer>>, StoreError> {
        let found = self.0.find_token_owner(tokens, digest).await?;
        Ok(found.map(|TokenOwner { token, user, rev, roles }| TokenOwner { token, user: Customer(user), rev, roles }))
    }

    fn supports(&self, operation: UserOperation) -> bool {
        self.0.supports(operation)
    }

    async fn update_user(
        &self,
        old: &StoredUser<Customer>,
        change: UserChange<Profile>,
    ) -> Result<Option<StoredUser<Customer>>, CreateUserError> {
        let (rev, password, status) = (old.rev, old.password.clone(), old.status);
        let old = StoredUser { user: old.user.0.clone(), rev, password, status };
        Ok(self.0.update_user(&old, change).await?.map(customer))
    }

    async fn delete_user(&self, id: &UserId) -> Result<bool, StoreError> {
        self.0.delete_user(id).await
    }

    async fn find_users(&self, query: &UserQuery) -> Result<Vec<Customer>, StoreError> {
        Ok(self.0.find_users(query).await?.into_iter().map(Customer).collect())
    }

    async fn count_users(&self, condition: &Where) -> Result<u64, StoreError> {
        self.0.count_users(condition).await
    }

    async fn set_status(&self, id: &UserId, status: AccountStatus) -> Result<Option<i64>, StoreError> {
        self.0.set_status(id, status).await
    }
}
