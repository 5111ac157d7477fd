//! The app that exchanges are run against: the routes, mounted as for LoopBack's clients.

use std::sync::Arc;

use axum::Router;
use gatekit::core::{Acl, CounterStore, DeviceStore, RoleStore, VerifyOptions};
use gatekit::{
    Account, Auth, AuthLayer, MemoryStore, OneTimeStore, Policy, SqliteStore, Timestamp, TokenSources, TokenStore,
    User, UserStore, routes,
    routes::{Answers, ResponseFormatLayer, UserApi},
};
use gatekit_testkit::{EventLog, FrozenClock, MailSink, fast_hasher};
use gatekit_tests::{Folder, Store};
use serde_json::{Map, Value};

use super::customer::Customer;

/// LoopBack's User, which keeps what it does not know (`strict: false`).
pub(super) type Person = User<Map<String, Value>>;

/// What the server of a section was told.
pub(super) struct Settings {
    pub(super) policy: Policy,
    pub(super) answers: Answers,
    pub(super) sources: TokenSources,
    pub(super) verify: VerifyOptions,
    pub(super) public_url: &'static str,
    pub(super) has_mailer: bool,
    /// Rows beside the built-in ones, as in LoopBack's model definitions.
    pub(super) acls: Vec<Value>,
    /// Everything is allowed to everybody.
    pub(super) no_acl: bool,
    /// Error bodies as with `NODE_ENV=development`.
    pub(super) debug: bool,
}

impl Default for Settings {
    fn default() -> Self {
        let mut verify = VerifyOptions::default();
        verify.from = Some("noreply@example.com".into());
        let mut policy = Policy::loopback();
        // What was recorded asked for many mails at one moment.
        (policy.mail.per_hour, policy.mail.per_day) = (u32::MAX, u32::MAX);
        Self {
            policy,
            answers: Answers::loopback(),
            sources: TokenSources::loopback(),
            verify,
            public_url: "http://127.0.0.1:4400",
            has_mailer: true,
            acls: Vec::new(),
            no_acl: false,
            debug: false,
        }
    }
}

/// A server, and its database.
pub(super) struct App {
    pub(super) router: Router,
    pub(super) clock: FrozenClock,
    pub(super) mails: MailSink,
    /// How many mails were looked at.
    pub(super) mails_read: usize,
    pub(super) tokens: Arc<dyn TokenStore>,
    pub(super) debug: bool,
    /// `None` where users are of another type.
    pub(super) people: Option<People>,
    _folder: Option<Folder>,
}

pub(super) struct People {
    pub(super) auth: Auth<Person>,
    pub(super) users: Arc<dyn UserStore<Person>>,
    pub(super) roles: Arc<dyn RoleStore>,
    pub(super) events: EventLog<Person>,
}

impl App {
    /// With the built-in users.
    pub(super) async fn start(store: Store, settings: Settings) -> Self {
        match store {
            Store::Memory => people(MemoryStore::new(), settings, None),
            Store::Sqlite => {
                let (store, folder) = database().await;
                people(store, settings, Some(folder))
            }
        }
    }

    /// With users of a type that has another name.
    pub(super) async fn start_with_customers(store: Store) -> Self {
        match store {
            Store::Memory => customers(MemoryStore::new(), None),
            Store::Sqlite => {
                let (store, folder) = database().await;
                customers(store, Some(folder))
            }
        }
    }
}

async fn database() -> (SqliteStore, Folder) {
    let folder = Folder::new();
    (SqliteStore::open(folder.database()).await.unwrap(), folder)
}

/// The list with more rows, in LoopBack's notation.
pub(super) fn with_rows(acl: Acl, rows: impl IntoIterator<Item = Value>) -> Acl {
    rows.into_iter().fold(acl, |acl, row| acl.row(serde_json::from_value(row).unwrap()))
}

fn people<S>(store: S, settings: Settings, folder: Option<Folder>) -> App
where
    S: UserStore<Person> + TokenStore + OneTimeStore + RoleStore + DeviceStore + CounterStore + Clone,
{
    let (clock, mails, events) = (clock(), MailSink::new(), EventLog::new());
    let mut auth = Auth::builder(store.clone())
        .policy(settings.policy)
        .acl(with_rows(if settings.no_acl { Acl::empty() } else { Acl::user() }, settings.acls))
        .hasher(fast_hasher())
        .clock(clock.clone())
        .hooks(events.clone())
        .verify_options(settings.verify)
        .public_url(settings.public_url);
    if settings.has_mailer {
        auth = auth.mailer(mails.clone());
    }
    let auth = auth.build().unwrap();
    let router = mount("/users", &auth, settings.answers, settings.sources, settings.debug);
    let tokens = Arc::new(store.clone());
    let people = Some(People { auth, users: Arc::new(store.clone()), roles: Arc::new(store), events });
    App { router, clock, mails, mails_read: 0, tokens, debug: settings.debug, people, _folder: folder }
}

fn customers<S>(store: S, folder: Option<Folder>) -> App
where
    S: UserStore<Customer> + TokenStore + OneTimeStore + RoleStore + DeviceStore + CounterStore + Clone,
{
    let (clock, mails, settings) = (clock(), MailSink::new(), Settings::default());
    let auth: Auth<Customer> = Auth::builder(store.clone())
        .policy(settings.policy)
        .hasher(fast_hasher())
        .clock(clock.clone())
        .verify_options(settings.verify)
        .mailer(mails.clone())
        .public_url(settings.public_url)
        .build()
        .unwrap();
    let router = mount("/customers", &auth, settings.answers, settings.sources, false);
    App { router, clock, mails, mails_read: 0, tokens: Arc::new(store), debug: false, people: None, _folder: folder }
}

/// When the recordings were made.
fn clock() -> FrozenClock {
    FrozenClock::at(Timestamp(1_795_297_770_583))
}

/// The routes as an app mounts them that has LoopBack's clients.
fn mount<U: Account>(collection: &str, auth: &Auth<U>, answers: Answers, sources: TokenSources, debug: bool) -> Router {
    let users = routes::all(UserApi::new(auth).answers(answers)).fallback(routes::user_url_not_found::<U>);
    let rest = Router::new().nest(collection, users).fallback(routes::rest_url_not_found);
    let app = Router::new()
        .nest("/api", rest)
        .fallback(routes::url_not_found)
        .layer(AuthLayer::new(auth.clone()).sources(sources))
        .layer(ResponseFormatLayer::new().debug(debug));
    routes::ignore_case(&format!("/api{collection}"), app)
}
