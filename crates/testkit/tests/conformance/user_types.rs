//! Two user types over one store are apart, and the suite sees it where a method forgets the type.

use std::panic::{AssertUnwindSafe, catch_unwind};

use gatekit_core::{
    AccountStatus, CreateUserError, Identifier, ListedUser, MemoryStore, Model, NewUser, PasswordHash, StoreError,
    StoredUser, TokenDigest, TokenOwner, TokenStore, User, UserChange, UserCursor, UserId, UserOperation, UserPage,
    UserQuery, UserStore, Where, async_trait,
};
use gatekit_testkit::conformance::{self, Identifiers};
use serde::{Deserialize, Serialize};

use super::{Person, Profile};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Shop {
    shop: String,
}

impl Model for Shop {
    const NAME: &'static str = "Seller";
}

type Seller = User<Shop>;

/// The methods of a store that can forget the type of its users.
const METHODS: [&str; 15] = [
    "create_user",
    "find_user",
    "find_user_by",
    "find_users_like",
    "list_users",
    "find_users_page",
    "set_password",
    "rehash_password",
    "bump_rev",
    "find_token_owner",
    "delete_user",
    "find_users",
    "count_users",
    "set_status",
    "users_with_status",
];

/// Sellers, apart from people but for one method.
struct Sellers {
    sellers: MemoryStore<Shop>,
    people: MemoryStore<Profile>,
    mixed: Option<&'static str>,
}

fn seller(person: Person) -> Seller {
    let shop = Shop { shop: person.profile.city };
    let mut seller = User::new(person.id, shop);
    (seller.email, seller.username) = (person.email, person.username);
    seller
}

fn stored(found: StoredUser<Person>) -> StoredUser<Seller> {
    StoredUser { user: seller(found.user), rev: found.rev, password: found.password, status: found.status }
}

impl Sellers {
    fn mixes(&self, method: &str) -> bool {
        self.mixed == Some(method)
    }
}

#[async_trait]
impl UserStore<Seller> for Sellers {
    async fn create_user(&self, new: NewUser<Shop>) -> Result<StoredUser<Seller>, CreateUserError> {
        let by = |kind, value: &Option<String>| {
            value.clone().map(|value| Identifier { namespace: new.namespace.clone(), kind, value })
        };
        let kinds = [gatekit_core::IdentifierKind::Email, gatekit_core::IdentifierKind::Username];
        if self.mixes("create_user") {
            for by in [by(kinds[0], &new.email), by(kinds[1], &new.username)].into_iter().flatten() {
                if self.people.find_user_by(&by).await?.is_some() {
                    return Err(CreateUserError::Taken(by.kind));
                }
            }
        }
        self.sellers.create_user(new).await
    }

    async fn find_user(&self, id: &UserId) -> Result<Option<StoredUser<Seller>>, StoreError> {
        let found = self.sellers.find_user(id).await?;
        if found.is_none() && self.mixes("find_user") {
            return Ok(self.people.find_user(id).await?.map(stored));
        }
        Ok(found)
    }

    async fn find_user_by(&self, identifier: &Identifier) -> Result<Option<StoredUser<Seller>>, StoreError> {
        let found = self.sellers.find_user_by(identifier).await?;
        if found.is_none() && self.mixes("find_user_by") {
            return Ok(self.people.find_user_by(identifier).await?.map(stored));
        }
        Ok(found)
    }

    async fn find_users_like(&self, wanted: &Identifier, typed: &str) -> Result<Vec<StoredUser<Seller>>, StoreError> {
        let found = self.sellers.find_users_like(wanted, typed).await?;
        if found.is_empty() && self.mixes("find_users_like") {
            return Ok(self.people.find_users_like(wanted, typed).await?.into_iter().map(stored).collect());
        }
        Ok(found)
    }

    async fn list_users(&self, after: Option<&UserId>, limit: u32) -> Result<Vec<ListedUser<Seller>>, StoreError> {
        let listed = self.sellers.list_users(after, limit).await?;
        if listed.is_empty() && self.mixes("list_users") {
            let people = self.people.find_users(&UserQuery::default()).await?;
            let stored =
                |user: Person| StoredUser { user: seller(user), rev: 0, password: None, status: AccountStatus::Active };
            return Ok(people.into_iter().map(|user| ListedUser::readable(String::new(), stored(user))).collect());
        }
        Ok(listed)
    }

    async fn find_users_page(
        &self,
        query: &UserQuery,
        from: Option<UserCursor>,
    ) -> Result<UserPage<Seller>, StoreError> {
        if self.mixes("find_users_page") {
            let page = self.people.find_users_page(query, from).await?;
            return Ok(UserPage { users: page.users.into_iter().map(seller).collect(), next: page.next });
        }
        self.sellers.find_users_page(query, from).await
    }

    async fn set_password(&self, id: &UserId, rev: i64, hash: &PasswordHash) -> Result<Option<i64>, StoreError> {
        match self.mixes("set_password") {
            true => self.people.set_password(id, rev, hash).await,
            false => self.sellers.set_password(id, rev, hash).await,
        }
    }

    async fn rehash_password(&self, id: &UserId, old: &PasswordHash, new: &PasswordHash) -> Result<bool, StoreError> {
        match self.mixes("rehash_password") {
            true => self.people.rehash_password(id, old, new).await,
            false => self.sellers.rehash_password(id, old, new).await,
        }
    }

    async fn bump_rev(&self, id: &UserId) -> Result<Option<i64>, StoreError> {
        match self.mixes("bump_rev") {
            true => self.people.bump_rev(id).await,
            false => self.sellers.bump_rev(id).await,
        }
    }

    async fn find_token_owner(
        &self,
        tokens: &dyn TokenStore,
        digest: &TokenDigest,
    ) -> Result<Option<TokenOwner<Seller>>, StoreError> {
        let found = self.sellers.find_token_owner(tokens, digest).await?;
        if found.is_none() && self.mixes("find_token_owner") {
            let found = self.people.find_token_owner(tokens, digest).await?;
            return Ok(found.map(|TokenOwner { token, user, rev, roles }| TokenOwner {
                token,
                user: seller(user),
                rev,
                roles,
            }));
        }
        Ok(found)
    }

    fn supports(&self, _: UserOperation) -> bool {
        true
    }

    async fn update_user(
        &self,
        old: &StoredUser<Seller>,
        change: UserChange<Shop>,
    ) -> Result<Option<StoredUser<Seller>>, CreateUserError> {
        self.sellers.update_user(old, change).await
    }

    async fn delete_user(&self, id: &UserId) -> Result<bool, StoreError> {
        match self.mixes("delete_user") {
            true => self.people.delete_user(id).await,
            false => self.sellers.delete_user(id).await,
        }
    }

    async fn find_users(&self, query: &UserQuery) -> Result<Vec<Seller>, StoreError> {
        match self.mixes("find_users") {
            true => Ok(self.people.find_users(query).await?.into_iter().map(seller).collect()),
            false => self.sellers.find_users(query).await,
        }
    }

    async fn count_users(&self, condition: &Where) -> Result<u64, StoreError> {
        match self.mixes("count_users") {
            true => self.people.count_users(condition).await,
            false => self.sellers.count_users(condition).await,
        }
    }

    async fn users_with_status(
        &self,
        status: AccountStatus,
        after: Option<&UserId>,
        limit: u32,
    ) -> Result<Vec<StoredUser<Seller>>, StoreError> {
        match self.mixes("users_with_status") {
            true => Ok(self.people.users_with_status(status, after, limit).await?.into_iter().map(stored).collect()),
            false => self.sellers.users_with_status(status, after, limit).await,
        }
    }

    async fn set_status(&self, id: &UserId, status: AccountStatus) -> Result<Option<i64>, StoreError> {
        match self.mixes("set_status") {
            true => self.people.set_status(id, status).await,
            false => self.sellers.set_status(id, status).await,
        }
    }
}

async fn all(mixed: Option<&'static str>) {
    let make = || async move {
        let people = MemoryStore::<Profile>::new();
        (Sellers { sellers: people.with_profile(), people: people.clone(), mixed }, people.clone(), people)
    };
    let seller = |email: &str| NewUser::new(email, Shop { shop: format!("the shop of {email}") });
    let person = |email: &str| NewUser::new(email, Profile { city: format!("the city of {email}") });
    conformance::user_types::<Seller, Person, _, _, _, _>(Identifiers::ALL, make, seller, person).await;
}

/// V-80
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_user_types_over_one_memory_store_are_apart() {
    all(None).await;
}

#[test]
fn a_store_that_forgets_the_type_in_any_one_method_breaks_a_rule() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).build().unwrap();
    let passed: Vec<_> = METHODS
        .into_iter()
        .filter(|method| catch_unwind(AssertUnwindSafe(|| runtime.block_on(all(Some(*method))))).is_ok())
        .collect();
    assert!(passed.is_empty(), "the suite does not see that these forget the type: {passed:?}");
}

/// A caller of the store itself meets an error, and no user of the other profile.
#[tokio::test]
async fn two_profiles_of_one_name_are_an_error_of_the_memory_store() {
    let store = MemoryStore::<Profile>::new();
    store.create_user(NewUser::new("ada@example.com", Profile::default())).await.unwrap();
    let other = store.with_profile::<gatekit_core::NoProfile>();
    let error = other.find_user(&UserId::Int(1)).await.unwrap_err();
    assert!(error.to_string().contains("Model::NAME"), "{error}");
}
