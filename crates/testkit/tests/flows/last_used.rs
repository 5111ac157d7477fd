//! When a token was last used, for its user's list of sessions. ASVS 7.5.2.

use std::time::Duration;

use gatekit_core::{
    Authenticated, Client, Clock, IssuedToken, Login, Policy, Timestamp, TokenRecord, TokenStore, User,
};
use gatekit_testkit::Fault::{Fail, FailAfter, Hang, Late};
use gatekit_testkit::login_as;

use crate::{EMAIL, OLD, World};

const MANY: usize = 20;

impl World {
    async fn in_a_browser(&self) -> IssuedToken {
        let client = Client::default().user_agent("Mozilla/5.0");
        self.auth.login(Login::email(EMAIL, OLD).client(client)).await.unwrap().token
    }

    fn wait_seconds(&self, seconds: u64) -> Timestamp {
        self.clock.advance(Duration::from_secs(seconds));
        Clock::now(&self.clock)
    }

    /// Uses a token: what the caller is told, and what that asked of the store.
    async fn use_token(&self, token: &IssuedToken) -> (TokenRecord, Vec<&'static str>) {
        self.calls.reset();
        let caller: Authenticated<User> = self.auth.authenticate(token.secret.expose()).await.unwrap();
        (caller.token.unwrap(), self.calls.calls())
    }

    async fn stored(&self, token: &IssuedToken) -> TokenRecord {
        self.store.find_token(&token.record.digest).await.unwrap().unwrap()
    }
}

const LOOKED_UP: [&str; 1] = ["find_token_owner"];
const NOTED: [&str; 2] = ["find_token_owner", "update_token"];

#[tokio::test]
async fn it_is_noted_at_most_once_in_the_time_the_policy_says() {
    for precision in [1_u32, 300] {
        let mut policy = Policy::default();
        policy.tokens.last_used_precision = Some(precision);
        let world = World::with(policy);
        world.ada().await;
        let token = world.in_a_browser().await;
        assert_eq!(world.use_token(&token).await, (token.record.clone(), LOOKED_UP.into()), "it was just issued");
        let mut last_used = None;
        for _ in 0..3 {
            world.clock.advance(Duration::from_millis(u64::from(precision) * 1000 - 1));
            for _ in 0..3 {
                let (record, calls) = world.use_token(&token).await;
                assert_eq!((record.last_used, calls), (last_used, LOOKED_UP.into()));
            }
            world.clock.advance(Duration::from_millis(1));
            last_used = Some(Clock::now(&world.clock));
            let (record, calls) = world.use_token(&token).await;
            assert_eq!((record.last_used, calls), (last_used, NOTED.into()));
            assert_eq!(world.stored(&token).await, record, "what the caller is told is what is stored");
            assert_eq!(record, TokenRecord { last_used, ..token.record.clone() }, "and nothing else has changed");
        }
    }
}

#[tokio::test]
async fn it_is_noted_of_no_token_whose_client_is_unknown_and_not_where_the_policy_says_never() {
    let world = World::new();
    let ada = world.ada().await;
    let issued = login_as(&world.auth, &ada).await;
    let unknown = world.auth.login(Login::email(EMAIL, OLD)).await.unwrap().token;
    let mut never = Policy::default();
    never.tokens.last_used_precision = None;
    let silent = World::with(never);
    silent.ada().await;
    let known = silent.in_a_browser().await;
    for (world, token) in [(&world, &issued), (&world, &unknown), (&silent, &known)] {
        world.wait_seconds(100_000);
        let (record, calls) = world.use_token(token).await;
        assert_eq!((record.last_used, calls), (None, LOOKED_UP.into()));
    }
}

#[tokio::test]
async fn use_and_renewal_are_one_write() {
    let mut policy = Policy::default();
    (policy.tokens.ttl, policy.tokens.renew_after, policy.tokens.last_used_precision) = (3600, Some(600), Some(300));
    let world = World::with(policy);
    world.ada().await;
    let token = world.in_a_browser().await;
    let first = world.wait_seconds(300);
    let (record, calls) = world.use_token(&token).await;
    assert_eq!((record.renewed, record.last_used, calls), (None, Some(first), NOTED.into()));
    let second = world.wait_seconds(300);
    let (record, calls) = world.use_token(&token).await;
    assert_eq!((record.renewed, record.last_used, calls), (Some(second), Some(second), NOTED.into()));
    assert_eq!(world.stored(&token).await, record);
    // A token without a client is renewed all the same.
    let unknown = world.auth.login(Login::email(EMAIL, OLD)).await.unwrap().token;
    let third = world.wait_seconds(600);
    let (record, calls) = world.use_token(&unknown).await;
    assert_eq!((record.renewed, record.last_used, calls), (Some(third), None, NOTED.into()));
}

/// REL-1, 16.5.3
#[tokio::test(start_paused = true)]
async fn a_write_that_fails_does_not_fail_the_request() {
    for renew_after in [None, Some(300)] {
        for fault in [Fail, FailAfter, Hang, Late(Duration::from_secs(10)), Late(Duration::from_secs(1))] {
            let mut policy = Policy::default();
            policy.tokens.renew_after = renew_after;
            let world = World::with(policy);
            world.ada().await;
            let token = world.in_a_browser().await;
            let now = world.wait_seconds(300);
            world.calls.reset();
            world.calls.every_call_of("update_token", fault);
            let caller = world.auth.authenticate(token.secret.expose()).await.unwrap();
            assert_eq!(world.calls.calls(), NOTED);
            let told = caller.token.unwrap();
            let in_time = fault == Late(Duration::from_secs(1));
            assert_eq!(told.last_used, in_time.then_some(now), "{fault:?}: nothing is told that may not be so");
            assert_eq!(told.renewed, renew_after.filter(|_| in_time).map(|_| now), "{fault:?}");
            world.calls.reset();
            let (record, _) = world.use_token(&token).await;
            assert_eq!(record.last_used, Some(now), "{fault:?}: the next one does it, or it was done");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_at_once_are_all_let_in_and_it_is_noted_once() {
    let world = World::new();
    world.ada().await;
    let token = world.in_a_browser().await;
    let now = world.wait_seconds(300);
    let tasks: Vec<_> = (0..MANY)
        .map(|_| {
            let (auth, secret) = (world.auth.clone(), token.secret.clone());
            tokio::spawn(async move { auth.authenticate(secret.expose()).await.map(|_| ()) })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert_eq!(world.stored(&token).await, TokenRecord { last_used: Some(now), ..token.record.clone() });
    // A token that is ended is not brought back by a use that was under way.
    world.wait_seconds(300);
    world.auth.logout(&token.record.digest).await.unwrap();
    assert!(world.auth.authenticate(token.secret.expose()).await.is_err());
    assert!(world.store.find_token(&token.record.digest).await.unwrap().is_none());
}
