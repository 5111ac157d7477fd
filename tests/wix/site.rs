//! A site with members, its routes at `/wix`, and a page for members at `/me`.
#![expect(clippy::expect_used, clippy::panic, reason = "a test stops at the first surprise")]

use axum::routing::get;
use axum::{Json, Router};
use gatekit::core::{Builder, MailKind, Timestamp};
use gatekit::wix::{MemberUser, SiteId, TokenKeys, WixMembers, WixMembersBuilder};
use gatekit::{
    Auth, AuthLayer, AuthUser, CounterStore, DeviceStore, MemoryStore, OneTimeStore, Policy, RoleStore, SqliteStore,
    TokenStore, UserStore,
};
use gatekit_testkit::{EventLog, Faults, FaultyStore, FrozenClock, MailSink, fast_hasher};
use gatekit_tests::{Answer, Call, Folder, Store};
use serde_json::{Value, json};

pub(crate) const EMAIL: &str = "ada@example.com";
pub(crate) const PASSWORD: &str = "correct horse battery";
/// Where the site is, for the browser.
pub(crate) const ORIGIN: &str = "https://app.example.com";
pub(crate) const SITE: &str = "1ff46a96-dea6-49da-83ba-5164fb62d839";
pub(crate) const COLLECTION: &str = "9bec58e6-6411-4991-8e5d-0ada9182b95e";
pub(crate) const NOW: Timestamp = Timestamp(1_622_415_113_266);

pub(crate) fn session_keys() -> TokenKeys {
    TokenKeys::new("testKid1", "wix-conformance-key-0123456789ab").expect("a key")
}

pub(crate) fn approval_keys() -> TokenKeys {
    TokenKeys::new("testApprove1", "wix-approval-key-0123456789abcdef").expect("a key")
}

pub(crate) fn site_id() -> SiteId {
    SiteId::new(SITE).expect("a GUID")
}

pub(crate) struct Site {
    pub(crate) auth: Auth<MemberUser>,
    pub(crate) members: WixMembers,
    pub(crate) clock: FrozenClock,
    pub(crate) mails: MailSink,
    pub(crate) events: EventLog<MemberUser>,
    pub(crate) faults: Faults,
    pub(crate) router: Router,
    pub(crate) folder: Option<Folder>,
}

type ForAuth = Box<dyn FnOnce(Builder<MemberUser>) -> Builder<MemberUser> + Send>;
type ForMembers = Box<dyn FnOnce(WixMembersBuilder) -> WixMembersBuilder + Send>;

/// A site that is not there yet.
#[must_use]
pub(crate) struct Setup {
    policy: Policy,
    auth: ForAuth,
    members: ForMembers,
}

impl Setup {
    pub(crate) fn new(policy: Policy) -> Self {
        Self { policy, auth: Box::new(|auth| auth), members: Box::new(|members| members) }
    }

    pub(crate) fn auth(
        mut self,
        configure: impl FnOnce(Builder<MemberUser>) -> Builder<MemberUser> + Send + 'static,
    ) -> Self {
        self.auth = Box::new(configure);
        self
    }

    pub(crate) fn members(
        mut self,
        configure: impl FnOnce(WixMembersBuilder) -> WixMembersBuilder + Send + 'static,
    ) -> Self {
        self.members = Box::new(configure);
        self
    }

    pub(crate) async fn start(self, store: Store) -> Site {
        match store {
            Store::Memory => self.assemble(MemoryStore::new(), None),
            Store::Sqlite => {
                let folder = Folder::new();
                let store = SqliteStore::open(folder.database()).await.expect("a database can be made");
                self.assemble(store, Some(folder))
            }
        }
    }

    fn assemble<S>(self, store: S, folder: Option<Folder>) -> Site
    where
        S: UserStore<MemberUser> + TokenStore + OneTimeStore + RoleStore + DeviceStore + CounterStore + Clone,
    {
        let (clock, mails, events) = (FrozenClock::at(NOW), MailSink::new(), EventLog::new());
        let store = FaultyStore::new(store);
        let faults = store.faults();
        let auth = Auth::builder(store)
            .policy(self.policy)
            .hasher(fast_hasher())
            .clock(clock.clone())
            .hooks(events.clone())
            .mailer(mails.clone())
            .public_url(ORIGIN);
        let auth = (self.auth)(auth).build().expect("a sound configuration");
        let members = WixMembers::builder(auth.clone(), site_id(), session_keys(), approval_keys());
        let members = members.collection_id(COLLECTION).set_password_page("/choose-password#{token}");
        let members = (self.members)(members).build().expect("a sound configuration");
        let router = Router::new()
            .route("/me", get(|AuthUser(user): AuthUser<MemberUser>| async move { Json(user) }))
            .nest("/wix", members.router())
            .layer(AuthLayer::new(auth.clone()));
        Site { auth, members, clock, mails, events, faults, router, folder }
    }
}

impl Site {
    /// With [`Policy::default`] and a member.
    pub(crate) async fn new(store: Store) -> Self {
        let site = Setup::new(Policy::default()).start(store).await;
        site.sign_up(EMAIL).await;
        site
    }

    /// Where members prove their address.
    pub(crate) fn verifying() -> Policy {
        let mut policy = Policy::default();
        (policy.email.verification_required, policy.email.verify_on_register) = (true, false);
        policy
    }

    pub(crate) async fn sign_up(&self, email: &str) {
        self.post("/wix/register").json(json!({"email": email, "password": PASSWORD})).await.expect_status(200);
    }

    pub(crate) fn call(&self, method: &str, path: &str) -> Call {
        Call::new(&self.router, method, path)
    }

    pub(crate) fn post(&self, path: &str) -> Call {
        self.call("POST", path)
    }

    pub(crate) fn get(&self, path: &str) -> Call {
        self.call("GET", path)
    }

    pub(crate) fn login(&self, email: &str, password: &str) -> Call {
        self.post("/wix/login").json(json!({"email": email, "password": password}))
    }

    /// A session token of [`EMAIL`].
    pub(crate) async fn session_token(&self) -> String {
        self.login(EMAIL, PASSWORD).await.expect_status(200).text("sessionToken")
    }

    /// Applies a session token in a browser, from a page of the site.
    pub(crate) fn apply(&self, token: &str) -> Call {
        self.apply_at("", token).header("origin", ORIGIN).header("sec-fetch-site", "same-origin")
    }

    /// Applies a session token, with this query.
    pub(crate) fn apply_at(&self, query: &str, token: &str) -> Call {
        self.post(&format!("/wix/apply-session-token{query}")).json(json!({"sessionToken": token}))
    }

    /// An access token of [`EMAIL`].
    pub(crate) async fn access_token(&self) -> String {
        let token = self.session_token().await;
        self.apply_at("?cookie=false", &token).await.expect_status(200).text("accessToken")
    }

    /// The mails with a code so far.
    pub(crate) fn codes(&self) -> Vec<gatekit::core::Mail> {
        self.mails.mails().into_iter().filter(|mail| mail.kind == MailKind::EmailCode).collect()
    }

    /// The code in the last of this many mails that have one.
    pub(crate) async fn code(&self, count: usize) -> String {
        self.auth.settled().await;
        let mails = self.mails.wait_for_kind(MailKind::EmailCode, count).await;
        MailSink::code_in(mails.get(count - 1).expect("so many mails")).expect("a code")
    }

    /// How many passwords were hashed, what was asked of the store, and the answer.
    pub(crate) async fn cost(&self, call: Call) -> (Answer, u64, Vec<&'static str>) {
        self.faults.reset();
        let before = self.auth.hasher().hashes();
        let answer = call.await;
        (answer, self.auth.hasher().hashes() - before, self.faults.calls())
    }
}

/// What is asked of answers here.
pub(crate) trait WixAnswer: Sized {
    /// Panics unless it is an error of this status and code, in the envelope that Wix' clients
    /// read.
    fn refuses(self, status: u16, code: &str) -> Self;
    /// Panics unless the store's failure is told, and when to try again.
    fn tells_to_try_later(self) -> Self;
    /// The value of the token's cookie, with its attributes.
    fn cookie(&self) -> Option<String>;
}

impl WixAnswer for Answer {
    #[track_caller]
    fn refuses(self, status: u16, code: &str) -> Self {
        let answer = self.expect_status(status).expect_header("content-type", "application/json; charset=utf-8");
        let answer = answer.expect_header("cache-control", "no-store");
        let body = answer.value();
        let members: Vec<&String> = match &body {
            Value::Object(members) => members.keys().collect(),
            _ => panic!("no object: {body}"),
        };
        assert_eq!(members, ["message", "details"], "{body}");
        let error = &body["details"]["applicationError"];
        assert_eq!(error["code"], code, "{body}");
        assert_eq!(error["description"], body["message"], "{body}");
        assert!(error["data"].is_object() && body["message"].as_str().is_some_and(|text| !text.is_empty()), "{body}");
        assert_eq!(answer.header("www-authenticate"), if status == 401 { "Bearer" } else { "" });
        answer
    }

    #[track_caller]
    fn tells_to_try_later(self) -> Self {
        self.refuses(503, "SERVICE_UNAVAILABLE").expect_header("retry-after", "1")
    }

    fn cookie(&self) -> Option<String> {
        let lines = self.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
        let mut values = lines.filter_map(|line| line.strip_prefix("__Host-access_token="));
        values.next().map(str::to_owned)
    }
}
