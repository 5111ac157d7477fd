//! The app under test.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::{OriginalUri, Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::get;
use axum::{Json, Router};
use gatekit::core::{MailKind, PasswordHash};
use gatekit::routes::{self, Answers, UserApi};
use gatekit::{
    Auth, AuthLayer, AuthUser, CounterStore, DeviceStore, Hasher, MemoryStore, NewUser, NoProfile, OneTimeStore,
    Policy, RoleStore, SqliteStore, TokenSources, TokenStore, User, UserId, UserStore,
};
use gatekit_testkit::{EventLog, Faults, FaultyStore, FrozenClock, MailBehavior, MailSink, fast_hasher};
use serde_json::json;

use crate::{Answer, Call, Folder};

/// The address of the user that [`App::sign_up`] makes.
pub const EMAIL: &str = "foo@bar.com";
/// Its password, which every policy takes.
pub const PASSWORD: &str = "correct horse battery";

/// Where the app keeps its accounts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Store {
    /// In memory.
    Memory,
    /// In an SQLite file.
    Sqlite,
}

/// An app with accounts at `/api/users`, a page for everyone at `/open`, one for users at `/me`,
/// and one for both at `/maybe`.
pub struct App {
    /// The kit.
    pub auth: Auth,
    /// What its routes are built from.
    pub api: UserApi<User>,
    /// Its clock.
    pub clock: FrozenClock,
    /// The mails it sent.
    pub mails: MailSink,
    /// The events it raised.
    pub events: EventLog,
    /// What goes wrong with its store, and the calls that were made to it.
    pub faults: Faults,
    /// The router, to be changed by a test that mounts something else.
    pub router: Router,
    /// The folder of the SQLite file, if there is one.
    pub folder: Option<Folder>,
    users: Arc<dyn UserStore<User>>,
    rows: Rows,
    seen: Seen,
}

impl std::fmt::Debug for App {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("App").field("auth", &self.auth).finish_non_exhaustive()
    }
}

impl App {
    /// With [`Policy::loopback`].
    pub async fn loopback(store: Store) -> Self {
        Self::with(Policy::loopback()).start(store).await
    }

    /// With [`Policy::default`].
    pub async fn new(store: Store) -> Self {
        Self::with(Policy::default()).start(store).await
    }

    /// With these rules, and more to say.
    pub fn with(rules: impl Into<Rules>) -> Setup {
        Setup {
            rules: rules.into(),
            hasher: fast_hasher(),
            sources: TokenSources::default(),
            trusted_origin: None,
            prefix: "/api/users".into(),
            public_url: Some("https://app.example.com".into()),
            configure: None,
        }
    }

    /// A GET.
    pub fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    /// A POST.
    pub fn post(&self, path: &str) -> Call {
        self.call("POST", path)
    }

    /// A PATCH.
    pub fn patch(&self, path: &str) -> Call {
        self.call("PATCH", path)
    }

    /// A PUT.
    pub fn put(&self, path: &str) -> Call {
        self.call("PUT", path)
    }

    /// A DELETE.
    pub fn delete(&self, path: &str) -> Call {
        self.call("DELETE", path)
    }

    /// A request of any method.
    pub fn call(&self, method: &str, path: &str) -> Call {
        Call::new(&self.router, method, path)
    }

    /// Registers [`EMAIL`] with [`PASSWORD`] and the name `Foo`.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub async fn sign_up(&self) {
        let body = json!({"email": EMAIL, "password": PASSWORD, "username": "Foo"});
        self.post("/api/users").json(body).await.expect_status(200);
    }

    /// Registers another user.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub async fn sign_up_as(&self, email: &str) {
        self.post("/api/users").json(json!({"email": email, "password": PASSWORD})).await.expect_status(200);
    }

    /// Registers [`EMAIL`] and logs in: the token.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub async fn signed_up(&self) -> String {
        self.sign_up().await;
        self.token_of(EMAIL).await
    }

    /// Stores a user as an importer does: with a hash that was made elsewhere.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub async fn import(&self, email: &str, hash: &str) {
        let mut new = NewUser::new(email, NoProfile {});
        new.password = Some(PasswordHash::from_stored(hash));
        self.users.create_user(new).await.expect("an address that is free");
    }

    /// A token of the user with this address.
    ///
    /// # Panics
    ///
    /// If it cannot log in.
    pub async fn token_of(&self, email: &str) -> String {
        self.login(email, PASSWORD).await.expect_status(200).text("id")
    }

    /// Logs in.
    pub fn login(&self, email: &str, password: &str) -> Call {
        self.post("/api/users/login").json(json!({"email": email, "password": password}))
    }

    /// Asks for a reset mail: the secret in it.
    ///
    /// # Panics
    ///
    /// If none comes.
    pub async fn reset_token(&self) -> String {
        let before = self.mailed(MailKind::ResetPassword);
        self.post("/api/users/reset").json(json!({"email": EMAIL})).await.expect_no_content();
        self.secret_mailed(MailKind::ResetPassword, before + 1).await
    }

    /// Chooses a new password with a secret from a mail.
    pub fn reset_password(&self, secret: &str, new: &str) -> Call {
        self.post("/api/users/reset-password").token(secret).json(json!({"newPassword": new}))
    }

    /// Asks for the verification mail of the user with this id: the secret in it.
    ///
    /// # Panics
    ///
    /// If none comes.
    pub async fn verification_token(&self, id: i64) -> String {
        let before = self.mailed(MailKind::VerifyEmail);
        self.post(&format!("/api/users/{id}/verify")).await.expect_no_content();
        self.secret_mailed(MailKind::VerifyEmail, before + 1).await
    }

    fn mailed(&self, kind: MailKind) -> usize {
        self.mails.mails().iter().filter(|mail| mail.kind == kind).count()
    }

    async fn secret_mailed(&self, kind: MailKind, count: usize) -> String {
        let mails = self.mails.wait_for_kind(kind, count).await;
        mails.last().and_then(MailSink::token_in).expect("the mail has a secret")
    }

    /// Waits until the mailer was asked to send this many mails, whether or not it did.
    ///
    /// # Panics
    ///
    /// If it is not within a minute.
    pub async fn wait_for_attempts(&self, count: usize) {
        let begun = std::time::Instant::now();
        while self.mails.attempts() < count {
            assert!(begun.elapsed().as_secs() < 60, "{} mails and not {count}", self.mails.attempts());
            tokio::task::yield_now().await;
        }
    }

    /// Verifies the address of the user with this id, with a secret from a mail, in the way of the
    /// policy.
    pub fn confirm(&self, id: i64, secret: &str) -> Call {
        match self.auth.policy().email.confirm_by_get {
            true => self.get(&format!("/api/users/confirm?uid={id}&token={secret}")),
            false => self.post("/api/users/confirm").json(json!({"uid": id.to_string(), "token": secret})),
        }
    }

    /// Asks for another address for the user whose token this is.
    pub fn change_email(&self, token: &str, email: &str) -> Call {
        self.post("/api/users/change-email").token(token).json(json!({"password": PASSWORD, "email": email}))
    }

    /// Asks for another address for the user whose token this is: the secret in the mail.
    ///
    /// # Panics
    ///
    /// If none comes.
    pub async fn change_email_token(&self, token: &str, email: &str) -> String {
        let before = self.mailed(MailKind::ChangeEmail);
        self.change_email(token, email).await.expect_no_content();
        self.secret_mailed(MailKind::ChangeEmail, before + 1).await
    }

    /// Proves a new address with a secret from a mail.
    pub fn confirm_email_change(&self, secret: &str) -> Call {
        self.post("/api/users/confirm-email-change").json(json!({"token": secret}))
    }

    /// How many rows of tokens and of roles there are of the user with this id, also of tokens that
    /// are dead.
    ///
    /// # Panics
    ///
    /// If the store fails.
    pub async fn rows_of(&self, id: i64) -> (usize, usize) {
        let id = UserId::Int(id);
        let tokens = self.rows.tokens.list_tokens_of("User", &id).await.expect("tokens");
        let roles = self.rows.roles.roles_of("User", &id).await.expect("roles");
        (tokens.len(), roles.len())
    }

    /// What a request to `/me` with this token is answered.
    pub async fn me(&self, token: &str) -> Answer {
        self.get("/me").token(token).await
    }

    /// The URIs that services inside of the layer have seen since this was last asked: the
    /// request's and axum's original one.
    #[must_use]
    pub fn seen(&self) -> Vec<String> {
        std::mem::take(&mut *self.seen.lock())
    }
}

/// The stores behind the faults.
struct Rows {
    tokens: Arc<dyn TokenStore>,
    roles: Arc<dyn RoleStore>,
}

/// More to say to the builder.
type Configure = Box<dyn FnOnce(gatekit::core::Builder<User>) -> gatekit::core::Builder<User> + Send>;

/// What an app's accounts and its routes keep to. A [`Policy`] alone brings its own answers along:
/// LoopBack's preset brings LoopBack's.
#[derive(Clone, Debug)]
pub struct Rules {
    policy: Policy,
    answers: Answers,
}

impl From<Policy> for Rules {
    fn from(policy: Policy) -> Self {
        // No other preset keeps addresses as they are typed.
        let answers = if policy.identifiers.normalize { Answers::default() } else { Answers::loopback() };
        Self { policy, answers }
    }
}

/// This policy, with other answers.
pub fn answering(policy: Policy, change: impl FnOnce(&mut Answers)) -> Rules {
    let mut rules = Rules::from(policy);
    change(&mut rules.answers);
    rules
}

/// An app that is not yet there.
#[must_use = "nothing exists until it is started"]
pub struct Setup {
    rules: Rules,
    hasher: Hasher,
    sources: TokenSources,
    trusted_origin: Option<String>,
    prefix: String,
    public_url: Option<String>,
    configure: Option<Configure>,
}

impl std::fmt::Debug for Setup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Setup").field("rules", &self.rules).finish_non_exhaustive()
    }
}

impl Setup {
    /// With this hasher.
    pub fn hasher(mut self, hasher: Hasher) -> Self {
        self.hasher = hasher;
        self
    }

    /// Looks for tokens here.
    pub fn sources(mut self, sources: TokenSources) -> Self {
        self.sources = sources;
        self
    }

    /// Takes cookies from this origin too.
    pub fn trusted_origin(mut self, origin: &str) -> Self {
        self.trusted_origin = Some(origin.into());
        self
    }

    /// Mounted here.
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// With more to say to the builder.
    pub fn configure(
        mut self,
        configure: impl FnOnce(gatekit::core::Builder<User>) -> gatekit::core::Builder<User> + Send + 'static,
    ) -> Self {
        self.configure = Some(Box::new(configure));
        self
    }

    /// Not knowing where users reach it.
    pub fn no_public_url(mut self) -> Self {
        self.public_url = None;
        self
    }

    /// Starts it.
    ///
    /// # Panics
    ///
    /// If that fails.
    pub async fn start(self, store: Store) -> App {
        match store {
            Store::Memory => self.assemble(MemoryStore::new(), None),
            Store::Sqlite => {
                let folder = Folder::new();
                let store = SqliteStore::open(folder.database()).await.expect("a database can be made");
                self.assemble(store, Some(folder))
            }
        }
    }

    fn assemble<S>(self, store: S, folder: Option<Folder>) -> App
    where
        S: UserStore<User> + TokenStore + OneTimeStore + RoleStore + DeviceStore + CounterStore + Clone,
    {
        let (clock, mails, events, seen) = (FrozenClock::now(), MailSink::new(), EventLog::new(), Seen::default());
        let rows = Rows { tokens: Arc::new(store.clone()), roles: Arc::new(store.clone()) };
        let store = FaultyStore::new(store);
        let faults = store.faults();
        let users = Arc::new(store.clone());
        let mut auth = Auth::builder(store)
            .policy(self.rules.policy)
            .hasher(self.hasher)
            .clock(clock.clone())
            .hooks(events.clone())
            .mailer(mails.clone());
        if let Some(url) = self.public_url {
            auth = auth.public_url(url);
        }
        if let Some(configure) = self.configure {
            auth = configure(auth);
        }
        let auth = auth.build().expect("a sound configuration");
        let mut layer = AuthLayer::new(auth.clone()).sources(self.sources);
        if let Some(origin) = self.trusted_origin {
            layer = layer.trusted_origin(&origin).expect("an origin");
        }
        let api = UserApi::new(&auth).answers(self.rules.answers);
        let router = routes_of(&self.prefix, &api).layer(from_fn_with_state(seen.clone(), record)).layer(layer);
        let router = settled(router, &auth, &mails);
        App { auth, api, clock, mails, events, faults, router, folder, users, rows, seen }
    }
}

/// Answers when the mails of a request are sent. They are sent on tasks of their own: in the order
/// of the requests only if one request waits for the mails of the one before. A mailer that never
/// answers is not waited for.
pub fn settled(router: Router, auth: &Auth, mails: &MailSink) -> Router {
    router.layer(from_fn_with_state((auth.clone(), mails.clone()), settle))
}

async fn settle(State((auth, mails)): State<(Auth, MailSink)>, request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    if mails.behavior() != MailBehavior::Hang {
        auth.settled().await;
    }
    response
}

/// The routes every app here has. Layers go around them.
pub fn routes_of(prefix: &str, api: impl Into<UserApi<User>>) -> Router {
    Router::new()
        .route("/open", get(|| async { "open to everyone" }))
        .route("/me", get(|AuthUser(user): AuthUser| async move { Json(user) }))
        .route(
            "/maybe",
            get(|user: Option<AuthUser>| async move { if user.is_some() { "a user" } else { "anonymous" } }),
        )
        .nest(prefix, routes::all(api).fallback(routes::user_url_not_found::<User>))
}

/// URIs, in the order in which they were seen.
#[derive(Clone, Debug, Default)]
struct Seen(Arc<Mutex<Vec<String>>>);

impl Seen {
    fn lock(&self) -> MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What every service inside of the layer can see, and a tracing layer would print.
async fn record(State(seen): State<Seen>, request: Request, next: Next) -> Response {
    seen.lock().push(request.uri().to_string());
    if let Some(OriginalUri(uri)) = request.extensions().get() {
        seen.lock().push(uri.to_string());
    }
    next.run(request).await
}
