//! What do the tests of Digest log in to?

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::routing::get;
use axum::{Json, Router};
use gatekit::cmwell::{CmWell, ForgetDigests, Legacy, LoginNames, SealingKey, SigningKey};
use gatekit::core::{AccountStatus, DigestStore, PasswordHash, UserId};
use gatekit::{
    Auth, AuthLayer, AuthUser, ChangePassword, CounterStore, DeviceStore, MemoryStore, NewUser, NoProfile,
    OneTimeStore, Policy, Register, RoleStore, SqliteStore, TokenStore, User, UserStore,
};
use gatekit_testkit::{EventLog, Faults, FaultyStore, FrozenClock, fast_hasher};
use gatekit_tests::{Call, Folder, Store};

pub(crate) const NAME: &str = "myUser";
pub(crate) const PASSWORD: &str = "marker-password-of-myUser";
/// A user who has not turned Digest on.
pub(crate) const BASIC_NAME: &str = "basicUser";
/// A user nobody has signed up.
pub(crate) const NOBODY: &str = "noSuchUser";

pub(crate) const SIGNING_KEY: &str = "conformance-test-key-0123456789abcdef";

/// One of several keys. A site's is the second.
fn sealing_key(number: u8) -> SealingKey {
    SealingKey::new(format!("{number:03}-another-test-key-fedcba9876543210")).unwrap()
}

/// What is told apart between sites.
#[derive(Default)]
pub(crate) struct Wishes {
    pub(crate) legacy: Legacy,
    pub(crate) userhash: bool,
    pub(crate) digest_alone: bool,
    pub(crate) names: LoginNames,
    pub(crate) public_url: Option<&'static str>,
}

/// Makes a site out of the numbers of its keys.
type Rekeyed = Box<dyn Fn(&[u8]) -> Router + Send + Sync>;

/// An app with CM-Well's login.
pub(crate) struct Site {
    pub(crate) auth: Auth,
    pub(crate) cmwell: CmWell<User>,
    pub(crate) router: Router,
    pub(crate) clock: FrozenClock,
    pub(crate) events: EventLog,
    pub(crate) faults: Faults,
    /// The store itself, past all faults.
    pub(crate) digests: Arc<dyn DigestStore>,
    users: Arc<dyn UserStore<User>>,
    /// Another site over the same accounts and credentials, with these keys.
    pub(crate) rekeyed: Rekeyed,
    signed_up: AtomicU32,
    _folder: Option<Folder>,
}

impl Site {
    pub(crate) async fn with_digest(store: Store) -> Self {
        Self::with(store, Wishes::default()).await
    }

    pub(crate) async fn with_md5(store: Store) -> Self {
        Self::with(store, Wishes { legacy: Legacy { md5: true, ..Legacy::default() }, ..Wishes::default() }).await
    }

    pub(crate) async fn with_rfc2069(store: Store) -> Self {
        Self::with(store, Wishes { legacy: Legacy { rfc2069: true, ..Legacy::default() }, ..Wishes::default() }).await
    }

    pub(crate) async fn with_userhash(store: Store) -> Self {
        Self::with(store, Wishes { userhash: true, ..Wishes::default() }).await
    }

    pub(crate) async fn with(store: Store, wishes: Wishes) -> Self {
        let site = match store {
            Store::Memory => Self::assemble(MemoryStore::new(), wishes, None),
            Store::Sqlite => {
                let folder = Folder::new();
                let store = SqliteStore::open(folder.database()).await.unwrap();
                Self::assemble(store, wishes, Some(folder))
            }
        };
        site.sign_up(NAME).await;
        site.cmwell.enable_digest(&site.id(NAME).await, PASSWORD).await.unwrap();
        site.sign_up(BASIC_NAME).await;
        site.faults.reset();
        site
    }

    fn assemble<S>(store: S, wishes: Wishes, folder: Option<Folder>) -> Self
    where
        S: UserStore<User> + TokenStore + OneTimeStore + RoleStore + DeviceStore + CounterStore + DigestStore + Clone,
    {
        let (clock, events) = (FrozenClock::now(), EventLog::new());
        let (digests, users) = (Arc::new(store.clone()), Arc::new(store.clone()));
        let store = FaultyStore::new(store);
        let faults = store.faults();
        let auth = Auth::builder(store.clone())
            .policy(Policy::default())
            .hasher(fast_hasher())
            .clock(clock.clone())
            .hooks(events.clone())
            .hooks(ForgetDigests::new(store.clone()));
        let auth = match wishes.public_url {
            Some(url) => auth.public_url(url),
            None => auth,
        };
        let auth: Auth = auth.build().unwrap();
        let cmwell = CmWell::builder(auth.clone(), SigningKey::new(SIGNING_KEY).unwrap())
            .digest(store.clone(), sealing_key(2))
            .digest_userhash(wishes.userhash)
            .basic(!wishes.digest_alone)
            .login_names(wishes.names)
            .legacy(wishes.legacy)
            .build()
            .unwrap();
        let router = router(&cmwell);
        let rekeyed = {
            let auth = auth.clone();
            Box::new(move |keys: &[u8]| {
                let mut keys = keys.iter().map(|number| sealing_key(*number));
                let mut site = CmWell::builder(auth.clone(), SigningKey::new(SIGNING_KEY).unwrap())
                    .digest(store.clone(), keys.next().unwrap());
                for additional in keys {
                    site = site.additional_sealing_key(additional);
                }
                self::router(&site.build().unwrap())
            })
        };
        Self {
            auth,
            cmwell,
            router,
            clock,
            events,
            faults,
            digests,
            users,
            rekeyed,
            signed_up: AtomicU32::new(1),
            _folder: folder,
        }
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        Call::new(&self.router, "GET", path)
    }

    /// The same accounts behind another router.
    pub(crate) fn behind(mut self, router: Router) -> Self {
        self.router = router;
        self
    }

    pub(crate) async fn sign_up(&self, name: &str) -> UserId {
        let email = format!("user{}@example.com", self.signed_up.fetch_add(1, Ordering::Relaxed));
        let user = self.auth.register(Register::email(email, PASSWORD).username(name)).await.unwrap();
        user.id
    }

    /// Signs up a user who turns Digest on.
    pub(crate) async fn sign_up_with_digest(&self, name: &str) -> UserId {
        let id = self.sign_up(name).await;
        self.cmwell.enable_digest(&id, PASSWORD).await.unwrap();
        id
    }

    /// Stores a user as an importer does: with a hash that was made elsewhere.
    pub(crate) async fn import(&self, name: &str, hash: &str) -> UserId {
        let mut new = NewUser::new(format!("{name}@example.com"), NoProfile {});
        new.username = Some(name.to_owned());
        new.password = Some(PasswordHash::from_stored(hash));
        self.users.create_user(new).await.unwrap().user.id
    }

    pub(crate) async fn id(&self, name: &str) -> UserId {
        let name = gatekit::core::AccountName::username(name);
        self.auth.find_account(&name).await.unwrap().unwrap().user.id
    }

    pub(crate) async fn change_password(&self, name: &str, old: &str, new: &str) {
        let id = self.id(name).await;
        self.auth.change_password(ChangePassword::new(id, old, new)).await.unwrap();
        // What hooks do with the event is done on a task.
        self.auth.settled().await;
    }

    pub(crate) async fn set_status(&self, name: &str, status: AccountStatus) {
        let id = self.id(name).await;
        self.auth.set_account_status(&id, status).await.unwrap();
    }

    /// What the store has of a user.
    pub(crate) async fn credential(&self, name: &str, algorithm: &str) -> Option<gatekit::core::DigestCredential> {
        // What a hook does with an event is done on a task.
        self.auth.settled().await;
        let id = self.id(name).await;
        self.digests.find_digest("User", &id, "cmwell", algorithm).await.unwrap()
    }
}

fn router(cmwell: &CmWell<User>) -> Router {
    Router::new()
        .route("/me", get(|AuthUser(user): AuthUser| async move { Json(user) }))
        .merge(cmwell.router())
        .layer(AuthLayer::new(cmwell.authenticator()).sources(cmwell.token_sources()))
}
