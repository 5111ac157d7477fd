//! An app with CM-Well's login, as an author would mount it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::routing::{any, get};
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use gatekit::cmwell::{CmWell, CmWellBuilder, CmWellToken, FilterLayer, SigningKey};
use gatekit::core::{
    Builder, Clock, DigestStore, PasswordHash, PathLevels, PathPermission, PermissionHolder, PermissionStore,
    Permissions,
};
use gatekit::{
    Auth, AuthLayer, AuthUser, CounterStore, DeviceStore, MemoryStore, NewUser, NoProfile, OneTimeStore, Policy,
    Register, RoleStore, SqliteStore, Timestamp, TokenSecret, TokenStore, User, UserStore,
};
use gatekit_testkit::{EventLog, Faults, FaultyStore, FrozenClock, MailSink, fast_hasher};
use gatekit_tests::{Answer, Call, Folder, Store};
use serde_json::Value;

pub(crate) const NAME: &str = "myUser";
pub(crate) const PASSWORD: &str = "correct horse battery";
pub(crate) const KEY: &str = "conformance-test-key-0123456789abcdef";
pub(crate) const OTHER_KEY: &str = "another-test-key-fedcba9876543210fedc";

/// What is answered to who is not let in.
pub(crate) const NOT_AUTHENTICATED: &str = "Not authenticated.\n";
pub(crate) const PROVIDE_CREDENTIALS: &str = "Please provide your credentials.\n";
pub(crate) const BASIC: &str = r#"Basic realm="cmwell", charset="UTF-8""#;

/// An app with a page for users at `/me`, one for everybody at `/open`, one for both at `/maybe`,
/// and one for any method below `/docs`.
pub(crate) struct Site {
    pub(crate) auth: Auth,
    pub(crate) cmwell: CmWell,
    pub(crate) clock: FrozenClock,
    pub(crate) mails: MailSink,
    pub(crate) events: EventLog,
    pub(crate) faults: Faults,
    /// Behind an `AuthLayer`.
    pub(crate) router: Router,
    /// The same routes behind the filter.
    pub(crate) filtered: Router,
    users: Arc<dyn UserStore<User>>,
    /// How many have registered: no two have the same address.
    registered: AtomicU32,
    _folder: Option<Folder>,
}

type OfCmWell = Box<dyn FnOnce(CmWellBuilder<User>) -> CmWellBuilder<User> + Send>;
type OfAuth = Box<dyn FnOnce(Builder<User>) -> Builder<User> + Send>;
type OfFilter = Box<dyn FnOnce(FilterLayer<User>) -> FilterLayer<User> + Send>;

/// A site that is not yet there.
pub(crate) struct Setup {
    policy: Policy,
    auth: OfAuth,
    cmwell: OfCmWell,
    filter: OfFilter,
}

impl Setup {
    pub(crate) fn policy(mut self, policy: Policy) -> Self {
        self.policy = policy;
        self
    }

    pub(crate) fn auth(mut self, auth: impl FnOnce(Builder<User>) -> Builder<User> + Send + 'static) -> Self {
        self.auth = Box::new(auth);
        self
    }

    pub(crate) fn cmwell(
        mut self,
        cmwell: impl FnOnce(CmWellBuilder<User>) -> CmWellBuilder<User> + Send + 'static,
    ) -> Self {
        self.cmwell = Box::new(cmwell);
        self
    }

    pub(crate) fn filter(
        mut self,
        filter: impl FnOnce(FilterLayer<User>) -> FilterLayer<User> + Send + 'static,
    ) -> Self {
        self.filter = Box::new(filter);
        self
    }

    pub(crate) async fn start(self, store: Store) -> Site {
        match store {
            Store::Memory => self.assemble(MemoryStore::new(), None),
            Store::Sqlite => {
                let folder = Folder::new();
                let store = SqliteStore::open(folder.database()).await.unwrap();
                self.assemble(store, Some(folder))
            }
        }
    }

    fn assemble<S>(self, store: S, folder: Option<Folder>) -> Site
    where
        S: UserStore<User>
            + TokenStore
            + OneTimeStore
            + RoleStore
            + DeviceStore
            + CounterStore
            + PermissionStore
            + DigestStore
            + Clone,
    {
        let (clock, mails, events) = (FrozenClock::now(), MailSink::new(), EventLog::new());
        let store = FaultyStore::new(store);
        let faults = store.faults();
        let users: Arc<dyn UserStore<User>> = Arc::new(store.clone());
        let auth = Auth::builder(store.clone())
            .policy(self.policy)
            .hasher(fast_hasher())
            .clock(clock.clone())
            .hooks(events.clone())
            .mailer(mails.clone());
        let auth = (self.auth)(auth).build().unwrap();
        let cmwell = CmWell::builder(auth.clone(), SigningKey::new(KEY).unwrap()).permissions(store);
        let cmwell = (self.cmwell)(cmwell).build().unwrap();
        let layer = AuthLayer::new(cmwell.authenticator()).sources(cmwell.token_sources());
        let router = routes().merge(cmwell.router()).layer(layer);
        let filtered = routes().merge(cmwell.router()).layer((self.filter)(cmwell.filter()));
        Site {
            auth,
            cmwell,
            clock,
            mails,
            events,
            faults,
            router,
            filtered,
            users,
            registered: AtomicU32::new(0),
            _folder: folder,
        }
    }
}

/// The app's own routes.
pub(crate) fn routes() -> Router {
    Router::new()
        .route("/open", get(|| async { "open to everyone" }))
        .route(
            "/me",
            get(|AuthUser(user): AuthUser| async move { Json(user) })
                .post(|AuthUser(user): AuthUser| async move { Json(user) }),
        )
        .route(
            "/maybe",
            get(|user: Option<AuthUser>| async move { if user.is_some() { "a user" } else { "anonymous" } }),
        )
        .route("/docs", any(|| async { "a document" }))
        .route("/docs/{*path}", any(|| async { "a document" }))
        .route("/documents", any(|| async { "not a document" }))
}

impl Site {
    pub(crate) fn with() -> Setup {
        Setup {
            policy: Policy::default(),
            auth: Box::new(|auth| auth),
            cmwell: Box::new(|cmwell| cmwell),
            filter: Box::new(|filter| filter),
        }
    }

    /// With [`NAME`] registered.
    pub(crate) async fn new(store: Store) -> Self {
        Self::with().start(store).await.registered().await
    }

    /// With [`NAME`] registered: user 1.
    pub(crate) async fn registered(self) -> Self {
        self.register(NAME).await;
        self
    }

    /// Another user, with [`PASSWORD`].
    pub(crate) async fn register(&self, name: &str) -> User {
        let email = format!("{}@example.com", self.registered.fetch_add(1, Ordering::Relaxed));
        self.auth.register(Register::email(email, PASSWORD).username(name)).await.unwrap()
    }

    /// A user as an import makes one: with the hash of a password, or with none.
    pub(crate) async fn import(&self, name: &str, hash: Option<&str>) {
        let mut user = NewUser::new(format!("{name}@example.com"), NoProfile::default());
        user.username = Some(name.to_owned());
        user.password = hash.map(PasswordHash::from_stored);
        self.users.create_user(user).await.unwrap();
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        Call::new(&self.router, method, path)
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    /// A login with Basic.
    pub(crate) fn login(&self, name: &str, password: &str) -> Call {
        self.login_at("/_login", name, password)
    }

    pub(crate) fn login_at(&self, path: &str, name: &str, password: &str) -> Call {
        self.get(path).header("authorization", basic(name, password))
    }

    /// A token of [`NAME`].
    pub(crate) async fn token(&self) -> String {
        self.token_of(NAME).await
    }

    pub(crate) async fn token_of(&self, name: &str) -> String {
        self.login(name, PASSWORD).await.expect_status(200).text("token")
    }

    /// What `/me` says to who has this token.
    pub(crate) async fn me(&self, token: &str) -> Answer {
        self.get("/me").header("x-cm-well-token", token).await
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// Gives these entries to a holder, and no operations.
    pub(crate) async fn permit(&self, holder: PermissionHolder, paths: &[(&str, &str)]) {
        self.cmwell.set_permissions(&holder, Some(&Permissions::paths(entries(paths)))).await.unwrap();
    }

    /// Gives [`NAME`] this operation, and no paths.
    pub(crate) async fn permit_operation(&self, operation: &str) {
        let holder = PermissionHolder::User(1.into());
        self.cmwell.set_permissions(&holder, Some(&Permissions::default().operation(operation))).await.unwrap();
    }
}

/// Entries such as `("+ /docs", "r")`, `("- /docs/secret", "rw")`, and `("+ /docs/", "r")` for all
/// that is below too.
fn entries(paths: &[(&str, &str)]) -> Vec<PathPermission> {
    let entry = |(path, levels): &(&str, &str)| {
        let levels: PathLevels = levels.parse().unwrap();
        let (sign, path) = path.split_once(' ').unwrap();
        let make = if sign == "+" { PathPermission::allow } else { PathPermission::deny };
        make(path, levels).recursive(path.ends_with('/'))
    };
    paths.iter().map(entry).collect()
}

/// The value of a Basic header.
pub(crate) fn basic(name: &str, password: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{name}:{password}")))
}

/// The claims of a token, believed as they are.
pub(crate) fn claims(token: &str) -> Value {
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).unwrap()).unwrap()
}

/// A token as CM-Well would make it, without what we add.
pub(crate) fn forged(key: &str, token: &CmWellToken) -> TokenSecret {
    token.sign(&SigningKey::new(key).unwrap()).unwrap()
}

/// All values of a header, in order.
pub(crate) fn all(answer: &Answer, name: &str) -> Vec<String> {
    answer.headers.get_all(name).iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}
