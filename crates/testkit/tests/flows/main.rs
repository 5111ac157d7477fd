//! The flows as code calls them, on the store in memory: the rules that no single function of core
//! shows.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

mod account_status;
mod audit;
mod configuration;
mod credentials;
mod decoys;
mod devices;
mod email_code;
mod ended;
mod hashes;
mod hooks;
mod imported_hashes;
mod imported_users;
mod last_used;
mod mail_links;
mod mails;
mod missing_ports;
mod notices;
mod parallel;
mod profiles;
mod proofs;
mod queue;
mod realms;
mod roles;
mod secrets;
mod set_password;
mod step_up;
mod tokens;

use gatekit_core::{Auth, Login, LoginError, MemoryStore, Policy, Register, User};
use gatekit_testkit::{EventLog, Faults, FaultyStore, FrozenClock, MailSink, fast_hasher};

const EMAIL: &str = "ada@example.com";
const OLD: &str = "correct horse battery";
const NEW: &str = "orbital marzipan 74";

/// An app, and everything it can be looked at with.
struct World {
    auth: Auth,
    store: MemoryStore,
    calls: Faults,
    clock: FrozenClock,
    mails: MailSink,
    events: EventLog,
}

impl World {
    fn new() -> Self {
        Self::with(Policy::default())
    }

    fn with(policy: Policy) -> Self {
        let (store, clock, mails, events) = (MemoryStore::new(), FrozenClock::now(), MailSink::new(), EventLog::new());
        let counted = FaultyStore::new(store.clone());
        let calls = counted.faults();
        let auth: Auth = Auth::builder(counted)
            .policy(policy)
            .clock(clock.clone())
            .mailer(mails.clone())
            .hooks(events.clone())
            .hasher(fast_hasher())
            .public_url("https://app.example.com")
            .build()
            .unwrap();
        Self { auth, store, calls, clock, mails, events }
    }

    async fn ada(&self) -> User {
        self.auth.register(Register::email(EMAIL, OLD)).await.unwrap()
    }

    async fn logs_in_with(&self, password: &str) -> bool {
        match self.auth.login(Login::email(EMAIL, password)).await {
            Ok(_) => true,
            Err(LoginError::InvalidCredentials) => false,
            Err(error) => panic!("{error:?}"),
        }
    }
}
