//! Another process holds the write lock of the file: what is refused then does not happen later
//! (REL-17).
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests stop at the first surprise")]
#![allow(dead_code, reason = "not every test needs all of `common`")]

mod common;

use std::time::{Duration, Instant};

use common::Folder;
use gatekit_core::{
    Auth, ChangePassword, ChangePasswordError, Login, LoginError, MailKind, PasswordReset, Policy, Register,
    RegisterError, RequestPasswordReset, ResetPasswordError, StoreError, Unavailable, User,
};
use gatekit_sql::{SqliteStore, own};
use gatekit_testkit::{EventLog, MailSink, fast_hasher};

const EMAIL: &str = "ada@example.com";
const OLD: &str = "correct horse battery";
const NEW: &str = "orbital marzipan 74";

struct World {
    auth: Auth,
    store: SqliteStore,
    ada: User,
    mails: MailSink,
    events: EventLog,
    folder: Folder,
}

impl World {
    async fn new() -> Self {
        let (folder, mails, events) = (Folder::new(), MailSink::new(), EventLog::new());
        let store = SqliteStore::open(folder.file()).await.unwrap();
        let mut policy = Policy::default();
        policy.store.timeout = Duration::from_secs(1);
        let auth: Auth = Auth::builder(store.clone())
            .policy(policy)
            .mailer(mails.clone())
            .hooks(events.clone())
            .hasher(fast_hasher())
            .public_url("https://app.example.com")
            .build()
            .unwrap();
        let ada = auth.register(Register::email(EMAIL, OLD)).await.unwrap();
        Self { auth, store, ada, mails, events, folder }
    }

    /// Makes a call while another connection holds the lock, which is released when the call has
    /// been refused.
    async fn while_busy<T>(&self, call: impl Future<Output = T>) -> T {
        self.auth.settled().await;
        let _ = self.events.take();
        let other = SqliteStore::open(self.folder.file()).await.unwrap();
        let mut holder = other.writer().await.unwrap();
        sqlx::raw_sql("BEGIN IMMEDIATE").execute(&mut *holder).await.unwrap();
        let begun = Instant::now();
        let answer = call.await;
        assert!(begun.elapsed() < Duration::from_secs(20), "the limit is a second: {:?}", begun.elapsed());
        sqlx::raw_sql("ROLLBACK").execute(&mut *holder).await.unwrap();
        // Whatever still waited for the lock would come before this, which waits its turn at the
        // same connection.
        self.store.change(sqlx::query("UPDATE gatekit_users SET rev = rev WHERE id = 0")).await.unwrap();
        self.auth.settled().await;
        answer
    }

    async fn assert_nothing_happened(&self) {
        assert!(self.events.events().is_empty(), "{:?}", self.events.events());
        assert!(self.mails.mails().iter().all(|mail| mail.kind != MailKind::PasswordChanged));
        let with_new = self.auth.login(Login::email(EMAIL, NEW)).await;
        assert!(matches!(with_new, Err(LoginError::InvalidCredentials)), "{with_new:?}");
        self.auth.login(Login::email(EMAIL, OLD)).await.unwrap();
    }
}

fn assert_late(error: &Unavailable) {
    assert!(matches!(error, Unavailable::Store(StoreError::Timeout)), "{error:?}");
}

/// REL-17
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_could_not_be_changed_in_time_is_not_changed_later() {
    let world = World::new().await;
    let change = world.auth.change_password(ChangePassword::new(world.ada.id.clone(), OLD, NEW));
    match world.while_busy(change).await {
        Err(ChangePasswordError::Unavailable(error)) => assert_late(&error),
        other => panic!("{other:?}"),
    }
    world.assert_nothing_happened().await;
}

/// REL-17, REL-5: and the secret from the mail is as good as it was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_password_that_could_not_be_reset_in_time_is_not_reset_later() {
    let world = World::new().await;
    world.auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
    let secret = world.mails.last_token().await;
    match world.while_busy(world.auth.reset_password(PasswordReset::new(secret.as_str(), NEW))).await {
        Err(ResetPasswordError::Unavailable(error)) => assert_late(&error),
        other => panic!("{other:?}"),
    }
    world.assert_nothing_happened().await;
    world.auth.reset_password(PasswordReset::new(secret.as_str(), NEW)).await.unwrap();
}

/// REL-17
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_who_could_not_be_stored_in_time_is_not_stored_later() {
    let world = World::new().await;
    let bob = || Register::email("bob@example.com", OLD);
    match world.while_busy(world.auth.register(bob())).await {
        Err(RegisterError::Unavailable(error)) => assert_late(&error),
        other => panic!("{other:?}"),
    }
    assert!(world.events.events().is_empty(), "{:?}", world.events.events());
    world.auth.register(bob()).await.unwrap();
}

/// A statement that works for longer than there is time is interrupted, and what it has written is
/// undone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_statement_that_takes_too_long_is_interrupted_and_undone() {
    let world = World::new().await;
    let slow = "UPDATE gatekit_users SET rev = (WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) \
                SELECT count(*) FROM n)";
    let begun = Instant::now();
    let late: Result<_, StoreError> =
        world.auth.bounded(async { world.store.change(sqlx::query(slow)).await.map_err(own::store_error) }).await;
    assert!(matches!(late, Err(StoreError::Timeout)), "{late:?}");
    let endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    let late: Result<_, StoreError> = world.auth.bounded(world.store.find(sqlx::query(endless))).await.map(|_| ());
    assert!(matches!(late, Err(StoreError::Timeout)), "{late:?}");
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
    // The connections are free again.
    world.auth.login(Login::email(EMAIL, OLD)).await.unwrap();
}
