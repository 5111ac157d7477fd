//! What an app's own steps can do, and cannot.

use std::time::Duration;

use gatekit_core::{
    Auth, ChangePassword, Event, EventContext, HookError, HookVeto, Hooks, Login, LoginError, MemoryStore, NewUser,
    NoProfile, PasswordHash, Policy, Register, RegisterError, Unavailable, User, UserStore, async_trait,
};
use gatekit_testkit::{EventLog, FaultyStore, fast_hasher};

use crate::{EMAIL, NEW, OLD, World};

enum Step {
    Refuse,
    Panic,
    Hang,
}

#[async_trait]
impl Hooks<User> for Step {
    async fn before_register(&self, _: &mut NewUser<NoProfile>) -> Result<(), HookVeto> {
        self.take().await
    }

    async fn before_login(&self, _: &User) -> Result<(), HookVeto> {
        self.take().await
    }
}

impl Step {
    async fn take(&self) -> Result<(), HookVeto> {
        match self {
            Self::Refuse => Err(HookVeto::new("CLOSED", "We are closed")),
            Self::Panic => panic!("a bug in the app"),
            Self::Hang => std::future::pending().await,
        }
    }
}

/// REL-9, V-66: no hook that refuses, panics or never returns lets anybody in.
#[tokio::test(start_paused = true)]
async fn a_hook_that_does_not_agree_lets_nobody_in() {
    for step in [Step::Refuse, Step::Panic, Step::Hang] {
        let (store, events) = (FaultyStore::new(MemoryStore::new()), EventLog::new());
        let calls = store.faults();
        let plain: Auth = Auth::builder(store.clone()).hasher(fast_hasher()).build().unwrap();
        plain.register(Register::email(EMAIL, OLD)).await.unwrap();
        let failure = match step {
            Step::Refuse => None,
            Step::Panic => Some(HookError::Panicked),
            Step::Hang => Some(HookError::TimedOut),
        };
        let auth: Auth = Auth::builder(store).hasher(fast_hasher()).hooks(step).hooks(events.clone()).build().unwrap();
        calls.reset();

        let minute = Duration::from_secs(60);
        let login = tokio::time::timeout(minute, auth.login(Login::email(EMAIL, OLD))).await.unwrap().unwrap_err();
        let register = auth.register(Register::email("bob@example.com", OLD));
        let register = tokio::time::timeout(minute, register).await.unwrap().unwrap_err();
        match failure {
            None => {
                assert!(matches!(&login, LoginError::Refused(refusal) if refusal.code == "CLOSED"), "{login:?}");
                assert!(matches!(register, RegisterError::Refused(_)), "{register:?}");
                assert!(matches!(&events.take()[..], [Event::LoginFailed { user_id: Some(_), .. }]));
            }
            Some(expected) => {
                let (LoginError::Unavailable(login), RegisterError::Unavailable(register)) = (login, register) else {
                    panic!("the hook did not fail");
                };
                for error in [login, register] {
                    assert!(matches!(error, Unavailable::Hook(error) if error == expected), "{error:?}");
                    assert_eq!(error.is_fault(), expected == HookError::Panicked);
                }
                assert!(events.take().is_empty());
            }
        }
        assert_eq!(calls.calls(), ["find_user_by", "find_user_by"], "nothing was written");
    }
}

/// RACE-9, RACE-14: a password is changed after a login has verified the old one, and before it is
/// done.
#[tokio::test]
async fn a_login_with_a_password_that_is_changed_meanwhile_comes_to_nothing() {
    struct ChangeMeanwhile(Auth);

    #[async_trait]
    impl Hooks<User> for ChangeMeanwhile {
        async fn before_login(&self, user: &User) -> Result<(), HookVeto> {
            self.0.change_password(ChangePassword::new(user.id.clone(), OLD, NEW)).await.unwrap();
            Ok(())
        }
    }

    let world = World::new();
    let mut outdated = NewUser::new(EMAIL, NoProfile {});
    let bcrypt = bcrypt::hash_with_salt(OLD, 4, [7; 16]).unwrap().format_for_version(bcrypt::Version::TwoB);
    outdated.password = Some(PasswordHash::from_stored(bcrypt));
    world.store.create_user(outdated).await.unwrap();
    let auth: Auth = Auth::builder(world.store.clone())
        .hasher(fast_hasher())
        .hooks(ChangeMeanwhile(world.auth.clone()))
        .build()
        .unwrap();

    if let Ok(session) = auth.login(Login::email(EMAIL, OLD)).await {
        assert!(auth.authenticate(session.token.secret.expose()).await.is_err(), "begun with the old password");
    }
    assert!(world.logs_in_with(NEW).await, "the rehash did not bring the old one back");
    assert!(!world.logs_in_with(OLD).await);
}

/// Events are told once each, in order, after the fact.
#[tokio::test]
async fn events_tell_what_happened() {
    let world = World::new();
    let ada = world.ada().await;
    assert!(!world.logs_in_with("wrong").await);
    let session = world.auth.login(Login::email(EMAIL, OLD)).await.unwrap();
    let _ = world.auth.login(Login::email("nobody@example.com", OLD)).await;
    world
        .auth
        .change_password(ChangePassword::new(ada.id.clone(), OLD, NEW).keep(session.token.record.clone()))
        .await
        .unwrap();
    world.auth.logout(&session.token.record.digest).await.unwrap();
    let id = ada.id;
    match &world.events.take()[..] {
        [
            Event::Registered { user: registered },
            Event::LoginFailed { user_id: Some(known), .. },
            Event::LoggedIn { user: logged_in },
            Event::LoginFailed { user_id: None, .. },
            Event::PasswordChanged { user_id: changed, by_reset: false },
            Event::LoggedOut { user_id: logged_out },
        ] => assert!([&registered.id, known, &logged_in.id, changed, logged_out].into_iter().all(|told| *told == id)),
        other => panic!("{other:?}"),
    }
}

/// What a hook does with each event.
#[derive(Clone, Copy, Debug)]
enum OnEvent {
    Panic,
    Hang,
}

#[async_trait]
impl Hooks<User> for OnEvent {
    async fn on_event(&self, _: &Event<User>, _: &EventContext) {
        match self {
            Self::Panic => panic!("a bug in the app"),
            Self::Hang => std::future::pending().await,
        }
    }
}

/// REL-23: a hook that is told of a login neither delays nor loses it, whatever it does, and other
/// hooks are told too.
#[tokio::test(start_paused = true)]
async fn a_hook_that_panics_or_hangs_over_an_event_delays_and_loses_no_login() {
    for hook in [OnEvent::Panic, OnEvent::Hang] {
        let (store, events) = (MemoryStore::new(), EventLog::new());
        let auth: Auth = Auth::builder(store).hasher(fast_hasher()).hooks(hook).hooks(events.clone()).build().unwrap();
        auth.register(Register::email(EMAIL, OLD)).await.unwrap();
        let begun = tokio::time::Instant::now();
        let session = auth.login(Login::email(EMAIL, OLD)).await.unwrap();
        auth.authenticate(session.token.secret.expose()).await.unwrap();
        assert_eq!(begun.elapsed(), Duration::ZERO, "{hook:?}: nobody waits for the hook");
        assert!(matches!(&events.take()[..], [Event::Registered { .. }, Event::LoggedIn { .. }]), "{hook:?}");

        // Each has had its time.
        auth.settled().await;
        assert!(begun.elapsed() <= Duration::from_secs(6), "{hook:?}: {:?}", begun.elapsed());
        assert_eq!(auth.dropped_events(), 2, "{hook:?}");
    }
}

/// REL-23: the tasks of a hook that hangs are bounded, and what is dropped is counted.
#[tokio::test(start_paused = true)]
async fn events_that_a_hook_is_too_far_behind_with_are_dropped_and_counted() {
    let store = MemoryStore::new();
    let mut policy = Policy::default();
    policy.limits.max_pending_events = 3;
    let auth: Auth = Auth::builder(store).policy(policy).hasher(fast_hasher()).hooks(OnEvent::Hang).build().unwrap();
    auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    for _ in 0..4 {
        auth.login(Login::email(EMAIL, OLD)).await.unwrap();
    }
    assert_eq!(auth.dropped_events(), 2, "of five events three are pending");
    auth.settled().await;
    assert_eq!(auth.dropped_events(), 5, "and none of them was finished");
    auth.login(Login::email(EMAIL, OLD)).await.unwrap();
    assert_eq!(auth.dropped_events(), 5, "there is room again");
}

/// An app that stops loses no event: what a hook has begun is waited for.
#[tokio::test(start_paused = true)]
async fn what_a_hook_does_with_an_event_is_waited_for_by_settled() {
    #[derive(Clone, Default)]
    struct Slow(std::sync::Arc<std::sync::atomic::AtomicUsize>);

    #[async_trait]
    impl Hooks<User> for Slow {
        async fn on_event(&self, _: &Event<User>, _: &EventContext) {
            tokio::time::sleep(Duration::from_secs(2)).await;
            self.0.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        }
    }

    let (store, slow) = (MemoryStore::new(), Slow::default());
    let auth: Auth = Auth::builder(store).hasher(fast_hasher()).hooks(slow.clone()).build().unwrap();
    auth.register(Register::email(EMAIL, OLD)).await.unwrap();
    auth.settled().await;
    assert_eq!(slow.0.load(std::sync::atomic::Ordering::SeqCst), 1);
    assert_eq!(auth.dropped_events(), 0);
}
