//! What cannot work is refused when it is put together.

use gatekit_core::{
    Auth, ConfigError, CreateUserError, Identifier, MemoryStore, Model, Need, NewUser, NoProfile, PasswordHash, Policy,
    StoreError, StoredUser, User, UserId, UserOperation, UserStore, async_trait,
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
        policy.email.verification_required = required;
        let store: MemoryStore = MemoryStore::new();
        Auth::<User>::builder_with_users(Six(store.clone())).tokens(store).policy(policy).build()
    };
    assert!(build(false).is_ok());
    let error = build(true).unwrap_err();
    assert!(matches!(error, ConfigError::Missing { need: Need::Users(UserOperation::Update), .. }));
    assert!(error.to_string().contains("update_user"), "{error}");
}

#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
struct Shop {}

impl Model for Shop {}

#[derive(Clone, Default, serde::Serialize, serde::Deserialize)]
struct Seller {}

impl Model for Seller {
    const NAME: &'static str = "Seller";
}

/// V-80, V-133: two user types of one name could not be told apart in a store.
#[tokio::test]
async fn two_user_types_of_one_name_over_one_store_are_refused() {
    let store = MemoryStore::<NoProfile>::new();
    let users: Auth = Auth::builder(store.clone()).build().unwrap();
    let shops = || {
        let shops = store.with_profile::<Shop>();
        Auth::<User<Shop>>::builder(shops).build()
    };
    let error = shops().unwrap_err();
    assert!(matches!(error, ConfigError::ModelNameTaken { name: "User", .. }), "{error}");
    for part in ["Shop", "User`", "impl gatekit::Model for", "const NAME"] {
        assert!(error.to_string().contains(part), "{part}: {error}");
    }
    // Only the users or only the tokens in that store: as bad.
    let elsewhere = MemoryStore::<NoProfile>::new();
    let only_users =
        Auth::<User<Shop>>::builder_with_users(store.with_profile::<Shop>()).tokens(elsewhere.clone()).build();
    assert!(matches!(only_users, Err(ConfigError::ModelNameTaken { .. })));
    let only_tokens = Auth::<User<Shop>>::builder_with_users(MemoryStore::<Shop>::new()).tokens(store.clone()).build();
    assert!(matches!(only_tokens, Err(ConfigError::ModelNameTaken { .. })));
    // What was refused holds no name elsewhere.
    Auth::<User>::builder(elsewhere).build().unwrap();

    // The same type, and a type of another name.
    Auth::<User>::builder(store.clone()).build().unwrap();
    let sellers = store.with_profile::<Seller>();
    Auth::builder(sellers).build().unwrap();
    // The name is free when the last `Auth` of the type is gone.
    let handle = users.clone();
    drop(users);
    assert!(shops().is_err());
    drop(handle);
    shops().unwrap();
}

#[test]
#[should_panic(expected = "impl gatekit::Model for")]
fn the_short_way_names_the_fix_too() {
    let store = MemoryStore::<Shop>::new();
    let _shops: Auth<User<Shop>> = Auth::builder(store.clone()).build().unwrap();
    let _ = Auth::new(store.with_profile::<NoProfile>());
}
