//! A login on a device that was not seen before. ASVS 6.3.5.

use std::time::Duration;

use gatekit_core::{Client, DeviceStore, Login, MailKind, MailOptions, Policy, Register, User};
use gatekit_testkit::Fault::{Fail, FailAfter, Hang, Late};

use crate::{EMAIL, NEW, OLD, World};

const MANY: usize = 20;
const BOB: &str = "bob@example.com";

fn watching() -> World {
    let mut policy = Policy::default();
    policy.mail.notify_unknown_device = true;
    World::with(policy)
}

fn device(secret: &str) -> Client {
    Client::default().user_agent("Mozilla/5.0").ip([203, 0, 113, 7]).device(secret)
}

fn browser(user_agent: &str) -> Client {
    Client::default().user_agent(user_agent)
}

impl World {
    async fn log_in_on(&self, client: Client) {
        self.auth.login(Login::email(EMAIL, OLD).client(client)).await.unwrap();
    }

    /// To whom a login on an unknown device was told.
    fn told(&self) -> Vec<String> {
        let mails = self.mails.mails().into_iter();
        mails.filter(|mail| mail.kind == MailKind::UnknownDevice).map(|mail| mail.to).collect()
    }

    /// How often it was told, once whatever is under way has been sent.
    async fn told_in_the_end(&self) -> usize {
        // Each mail is sent on a task of its own, which needs to be polled once.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        self.told().len()
    }
}

#[tokio::test]
async fn a_device_is_told_of_that_was_not_seen_before_and_not_the_first_one() {
    let world = watching();
    world.ada().await;
    for (client, told, case) in [
        (device("laptop"), 0, "the first one"),
        (device("laptop"), 0, "known"),
        (device("phone"), 1, "new"),
        (device("phone"), 1, "known by now"),
        (device("laptop"), 1, "still known"),
        (device("tablet"), 2, "another"),
    ] {
        world.log_in_on(client).await;
        assert_eq!(world.told_in_the_end().await, told, "{case}");
    }
    assert_eq!(world.told(), [EMAIL, EMAIL]);
    let mail = world.mails.mails().pop().unwrap();
    for secret in ["tablet", OLD, "203.0.113.7"] {
        assert!(!mail.text.contains(secret), "{}", mail.text);
    }
    assert_eq!(mail.link, None, "there is nothing to be clicked");
}

#[tokio::test]
async fn a_device_without_a_secret_is_known_by_its_user_agent_and_never_by_its_address() {
    let world = watching();
    world.ada().await;
    for (client, told, case) in [
        (browser("Firefox"), 0, "the first one"),
        (browser("Firefox").ip([198, 51, 100, 7]), 0, "the same, elsewhere"),
        (browser("Chromium"), 1, "another browser"),
        (device("secret"), 2, "one with a secret"),
        (browser("Firefox").device("secret"), 2, "whose browser was updated"),
        (browser("Firefox").device("another"), 3, "a secret is more than the name of a browser"),
        (Client::default(), 4, "one that says nothing of itself"),
        (browser(""), 4, "which is the same as an empty name"),
        (Client::default().ip([192, 0, 2, 1]), 4, "wherever it is"),
        (browser("Firefox"), 4, "the first one again"),
    ] {
        world.log_in_on(client).await;
        assert_eq!(world.told_in_the_end().await, told, "{case}");
    }
}

#[tokio::test]
async fn it_is_off_by_default_and_asks_the_store_nothing_then() {
    for policy in [Policy::default(), Policy::strict(), Policy::loopback()] {
        assert!(!policy.mail.notify_unknown_device);
    }
    let world = World::new();
    world.ada().await;
    world.calls.reset();
    for secret in ["laptop", "phone"] {
        world.log_in_on(device(secret)).await;
    }
    assert_eq!(world.calls.calls(), ["find_user_by", "insert_token"].repeat(2));
    assert_eq!(world.told_in_the_end().await, 0);
}

#[tokio::test]
async fn devices_are_known_to_each_user_apart() {
    let world = watching();
    world.ada().await;
    world.auth.register(Register::email(BOB, NEW)).await.unwrap();
    let bob = |client| Login::email(BOB, NEW).client(client);
    world.log_in_on(device("laptop")).await;
    world.auth.login(bob(device("kiosk"))).await.unwrap();
    assert_eq!(world.told_in_the_end().await, 0, "each has a first one");
    world.auth.login(bob(device("laptop"))).await.unwrap();
    assert_eq!(world.told_in_the_end().await, 1, "ada's is none of bob's");
    assert_eq!(world.told(), [BOB]);
}

/// Who does not know the password makes no device known, and nobody is troubled.
#[tokio::test]
async fn a_login_that_fails_makes_no_device_known() {
    let world = watching();
    world.ada().await;
    world.log_in_on(device("laptop")).await;
    world.calls.reset();
    assert!(world.auth.login(Login::email(EMAIL, NEW).client(device("phone"))).await.is_err());
    assert!(!world.calls.calls().contains(&"remember_device"));
    assert_eq!(world.told_in_the_end().await, 0);
    world.log_in_on(device("phone")).await;
    assert_eq!(world.told_in_the_end().await, 1);
}

#[tokio::test]
async fn a_user_who_goes_leaves_no_devices() {
    let world = watching();
    let ada: User = world.ada().await;
    world.log_in_on(device("laptop")).await;
    world.log_in_on(device("phone")).await;
    world.auth.delete_user(&ada.id).await.unwrap();
    assert_eq!(world.store.forget_devices_of("User", &ada.id).await.unwrap(), 0);
}

/// REL-2: also then the login is what counts.
#[tokio::test(start_paused = true)]
async fn a_store_that_fails_keeps_nobody_out_and_mails_nothing_it_does_not_know() {
    for fault in [Fail, FailAfter, Hang, Late(Duration::from_secs(10)), Late(Duration::from_secs(1))] {
        let world = watching();
        world.ada().await;
        world.log_in_on(device("laptop")).await;
        world.calls.every_call_of("remember_device", fault);
        let login = Login::email(EMAIL, OLD).client(device("phone"));
        let session = world.auth.login(login).await.unwrap();
        world.calls.reset();
        assert!(world.auth.authenticate(session.token.secret.expose()).await.is_ok(), "{fault:?}");
        let in_time = fault == Late(Duration::from_secs(1));
        assert_eq!(world.told_in_the_end().await, usize::from(in_time), "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_logins_at_once_on_one_new_device_are_told_once() {
    let world = watching();
    world.ada().await;
    world.log_in_on(device("laptop")).await;
    let tasks: Vec<_> = (0..MANY)
        .map(|_| {
            let auth = world.auth.clone();
            let login = Login::email(EMAIL, OLD).client(device("phone"));
            tokio::spawn(async move { auth.login(login).await.map(|_| ()) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    world.mails.wait_for(1).await;
    assert_eq!(world.told_in_the_end().await, 1);
}

/// Of twenty first ones at once one is the first, and of the others the same is known: nobody is
/// told.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_first_logins_at_once_on_one_device_are_not_told() {
    let world = watching();
    world.ada().await;
    let tasks: Vec<_> = (0..MANY)
        .map(|_| {
            let auth = world.auth.clone();
            tokio::spawn(async move { auth.login(Login::email(EMAIL, OLD).client(device("laptop"))).await.map(|_| ()) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(world.told_in_the_end().await, 0);
}

#[tokio::test]
async fn a_mailer_that_is_missing_is_no_reason_to_refuse_a_login() {
    let mut policy = Policy::default();
    policy.mail.notify_unknown_device = true;
    let store = gatekit_core::MemoryStore::new();
    let auth: gatekit_core::Auth =
        gatekit_core::Auth::builder(store).policy(policy).hasher(gatekit_testkit::fast_hasher()).build().unwrap();
    auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    for secret in ["laptop", "phone"] {
        let mut login = Login::email(EMAIL, OLD).client(device(secret));
        login.mails = MailOptions::mount("/api/users").language("de");
        auth.login(login).await.unwrap();
    }
}
