//! A password verified again: what a token is worth then, and what becomes of the old one.

use std::time::Duration;

use gatekit_core::{
    ChangePassword, Client, Clock, Event, Factor, IssueToken, IssuedToken, Login, PasswordUse, Policy, Proofs,
    Register, StepUp, StepUpError, TokenRecord, TokenStore, UserStore,
};
use gatekit_testkit::Fault::{Fail, FailAfter, Hang, Late};
use gatekit_testkit::login_as;

use crate::{EMAIL, NEW, OLD, World};

const MANY: usize = 20;
const LIMIT: i64 = 600;

impl World {
    /// A token as from a login, and time to let its password grow stale.
    async fn stale(&self) -> IssuedToken {
        let client = Client::default().user_agent("Mozilla/5.0").ip([203, 0, 113, 7]);
        let token = self.auth.login(Login::email(EMAIL, OLD).ttl(3600).client(client)).await.unwrap().token;
        self.clock.advance(Duration::from_secs(LIMIT.unsigned_abs()));
        assert!(!self.auth.is_fresh(&token.record, LIMIT));
        token
    }

    async fn step_up(&self, token: &IssuedToken, password: &str) -> Result<IssuedToken, StepUpError> {
        self.auth.step_up(StepUp::new(token.record.clone(), password)).await
    }

    async fn lives(&self, token: &IssuedToken) -> bool {
        self.auth.authenticate(token.secret.expose()).await.is_ok()
    }

    /// What is stored for ada.
    async fn tokens(&self) -> Vec<TokenRecord> {
        TokenStore::list_tokens_of(&self.store, "User", &1.into()).await.unwrap()
    }
}

/// 7.5.1
#[tokio::test]
async fn a_login_proves_a_password_for_a_time_and_a_token_issued_by_code_never_does() {
    let world = World::new();
    let ada = world.ada().await;
    let issued = login_as(&world.auth, &ada).await;
    assert_eq!(issued.record.proofs, Proofs::default());
    for seconds in [0, 1, LIMIT, i64::MAX] {
        assert!(!world.auth.is_fresh(&issued.record, seconds));
    }
    let token = world.auth.login(Login::email(EMAIL, OLD)).await.unwrap().token.record;
    for seconds in [i64::MIN, -1, 0] {
        assert!(!world.auth.is_fresh(&token, seconds), "{seconds}");
    }
    world.clock.advance(Duration::from_millis(LIMIT.unsigned_abs() * 1000 - 1));
    assert!(world.auth.is_fresh(&token, LIMIT));
    world.clock.advance(Duration::from_millis(1));
    assert!(!world.auth.is_fresh(&token, LIMIT));
    assert!(world.auth.is_fresh(&token, LIMIT + 1) && world.auth.is_fresh(&token, i64::MAX));
}

/// 7.2.4, V-31
#[tokio::test]
async fn a_proven_password_replaces_the_token_by_a_fresh_one_that_is_the_same_otherwise() {
    let world = World::new();
    world.ada().await;
    let old = world.stale().await;
    let fresh = world.step_up(&old, OLD).await.unwrap();
    assert!(world.auth.is_fresh(&fresh.record, 1));
    assert_ne!(fresh.secret.expose(), old.secret.expose());
    assert!(!world.lives(&old).await && world.lives(&fresh).await);
    let now = Clock::now(&world.clock);
    let wanted = TokenRecord {
        digest: fresh.secret.digest(),
        created: now,
        proofs: Proofs::of(Factor::Password, now),
        ..old.record.clone()
    };
    assert_eq!(fresh.record, wanted, "lifetime, scopes and client are those of the old one");
    assert_eq!(fresh.record.client.as_ref().unwrap().network.as_deref(), Some("203.0.113.0/24"));
    assert_eq!(world.tokens().await, [fresh.record]);
}

/// The lifetime begins with the step-up: NIST N-55.
#[tokio::test]
async fn lifetime_and_scopes_are_kept() {
    let mut policy = Policy::default();
    policy.tokens.renew_after = Some(60);
    let world = World::with(policy);
    let ada = world.ada().await;
    let options = IssueToken::default().ttl(120).scopes(["DEFAULT", "reports"]);
    let old = world.auth.issue_token(&ada.id, options).await.unwrap();
    world.clock.advance(Duration::from_secs(90));
    let renewed = world.auth.authenticate(old.secret.expose()).await.unwrap().token.unwrap();
    assert!(renewed.renewed.is_some());
    let fresh = world.auth.step_up(StepUp::new(renewed, OLD)).await.unwrap().record;
    assert_eq!((fresh.ttl, fresh.renewed, fresh.last_used), (120, None, None));
    assert_eq!(fresh.scopes, Some(vec!["DEFAULT".to_owned(), "reports".to_owned()]));
    assert_eq!(fresh.expires().unwrap(), fresh.created.plus_seconds(120));
}

/// 6.3.1: it is a login that failed, for whoever counts them.
#[tokio::test]
async fn a_wrong_password_changes_nothing_and_is_an_event() {
    let world = World::new();
    let ada = world.ada().await;
    let old = world.stale().await;
    let _ = world.events.take();
    for password in ["", "wrong", "Correct horse battery", &"x".repeat(5000)] {
        let refused = world.step_up(&old, password).await;
        assert!(matches!(refused, Err(StepUpError::WrongPassword)), "{refused:?}");
        let events = world.events.take();
        assert!(
            matches!(&events[..], [Event::PasswordRefused { user_id: Some(id), used_for: PasswordUse::StepUp, .. }] if *id == ada.id),
            "{events:?}"
        );
    }
    assert_eq!(world.tokens().await, std::slice::from_ref(&old.record));
    assert!(world.lives(&old).await);
}

/// V-40: a token that something has ended is not brought back to life by a password.
#[tokio::test]
async fn a_token_that_is_dead_cannot_be_replaced() {
    let world = World::new();
    let ada = world.ada().await;
    let (of_other_type, of_nobody, logged_out, expired, bumped) = (
        world.stale().await,
        world.stale().await,
        world.stale().await,
        world.auth.issue_token(&ada.id, IssueToken::default().ttl(60)).await.unwrap(),
        world.stale().await,
    );
    world.auth.logout(&logged_out.record.digest).await.unwrap();
    let other_type = TokenRecord { user_type: "Robot".into(), ..of_other_type.record.clone() };
    let nobodys = TokenRecord { user_id: 99.into(), ..of_nobody.record.clone() };
    let before = world.tokens().await;
    for (record, case) in [
        (other_type, "another type of user"),
        (nobodys, "nobody's"),
        (logged_out.record, "logged out"),
        (expired.record, "expired"),
    ] {
        let refused = world.auth.step_up(StepUp::new(record, OLD)).await;
        assert!(matches!(refused, Err(StepUpError::InvalidToken)), "{case}: {refused:?}");
        assert_eq!(world.tokens().await, before, "{case}: nothing is left of it");
    }
    UserStore::bump_rev(&world.store, &ada.id).await.unwrap();
    let refused = world.step_up(&bumped, OLD).await;
    assert!(matches!(refused, Err(StepUpError::InvalidToken)), "{refused:?}");
    let wrong = world.step_up(&bumped, NEW).await;
    assert!(matches!(wrong, Err(StepUpError::InvalidToken)), "whose token is dead learns nothing of the password");
    assert_eq!(world.tokens().await, before);
}

#[tokio::test]
async fn the_password_of_somebody_else_is_wrong() {
    let world = World::new();
    world.ada().await;
    world.auth.register(Register::email("bob@example.com", NEW)).await.unwrap();
    let old = world.stale().await;
    assert!(matches!(world.step_up(&old, NEW).await, Err(StepUpError::WrongPassword)));
}

/// RACE-3: two clients of one token, one session afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_once_one_gets_a_token() {
    let world = World::new();
    world.ada().await;
    let old = world.stale().await;
    let tasks: Vec<_> = (0..MANY)
        .map(|_| {
            let (auth, step_up) = (world.auth.clone(), StepUp::new(old.record.clone(), OLD));
            tokio::spawn(async move { auth.step_up(step_up).await })
        })
        .collect();
    let mut won = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(token) => won.push(token),
            Err(StepUpError::InvalidToken) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(won.len(), 1);
    assert!(world.lives(&won[0]).await && !world.lives(&old).await);
    assert_eq!(world.tokens().await, [won[0].record.clone()], "nothing is left of the others");
}

/// Step-ups while the password is changed, or all sessions are ended: none gets past that.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_step_up_outlives_what_ends_the_session() {
    for everywhere in [false, true] {
        let world = World::new();
        let ada = world.ada().await;
        let mut sessions = Vec::new();
        for _ in 0..MANY {
            sessions.push(login_as(&world.auth, &ada).await);
        }
        let tasks: Vec<_> = sessions
            .into_iter()
            .map(|old| {
                let auth = world.auth.clone();
                tokio::spawn(async move { auth.step_up(StepUp::new(old.record, OLD)).await.ok() })
            })
            .collect();
        if everywhere {
            world.auth.logout_everywhere(&ada.id, None).await.unwrap();
        } else {
            let change = ChangePassword::new(ada.id.clone(), OLD, NEW);
            world.auth.change_password(change).await.unwrap();
        }
        for task in tasks {
            if let Some(token) = task.await.unwrap() {
                // Whether it was before or after, the token is from before.
                assert!(!world.lives(&token).await);
            }
        }
    }
}

/// REL-2, REL-3, 16.5.3: each call fails, hangs, comes late, or is made although an error is
/// reported; also with a client who goes away.
#[tokio::test(start_paused = true)]
async fn a_store_that_goes_wrong_gives_nobody_a_token_and_keeps_the_old_one_unless_it_was_removed() {
    for call in ["find_user", "insert_token", "delete_token"] {
        for fault in [Fail, FailAfter, Hang, Late(Duration::from_secs(10)), Late(Duration::from_secs(1))] {
            for patience in [2, 3600] {
                let world = World::new();
                world.ada().await;
                let old = world.stale().await;
                let _ = world.events.take();
                world.calls.nth_call_of(call, 1, fault);
                let answer = tokio::time::timeout(Duration::from_secs(patience), world.step_up(&old, OLD)).await;
                let context = format!("{call} {fault:?} {patience}: {answer:?}");
                let removed = call == "delete_token" && matches!(fault, FailAfter | Late(_));
                let in_time = fault == Late(Duration::from_secs(1));
                world.calls.reset();
                let tokens = world.tokens().await;
                match answer {
                    Ok(Ok(fresh)) => {
                        // That the new token is stored is found out; who has removed the old one is
                        // not.
                        let found_out = call == "insert_token" && fault == FailAfter;
                        assert!(
                            (in_time || found_out) && world.lives(&fresh).await && !world.lives(&old).await,
                            "{context}"
                        );
                        assert_eq!(tokens, [fresh.record], "{context}");
                        continue;
                    }
                    Ok(Err(StepUpError::Unavailable(_))) => assert!(!in_time, "{context}"),
                    Ok(Err(_)) => panic!("{context}"),
                    Err(_gone) => assert!(patience == 2 && matches!(fault, Hang | Late(_)), "{context}"),
                }
                assert_eq!(world.lives(&old).await, !removed, "{context}");
                if patience > 2 && call != "insert_token" {
                    assert!(tokens.iter().all(|token| *token == old.record), "{context}: {tokens:?}");
                }
                // It counts as no wrong password, and it can be done again.
                assert!(world.events.take().is_empty(), "{context}");
                assert_eq!(world.step_up(&old, OLD).await.is_ok(), !removed, "{context}");
            }
        }
    }
}

#[tokio::test]
async fn a_store_that_removes_nothing_gives_nobody_a_token() {
    let world = World::new();
    world.ada().await;
    let old = world.stale().await;
    for fault in [Fail, FailAfter] {
        world.calls.every_call_of("delete_token", fault);
        let refused = world.step_up(&old, OLD).await;
        assert!(matches!(refused, Err(StepUpError::Unavailable(_))), "{refused:?}");
        world.calls.reset();
        assert_eq!(world.lives(&old).await, fault == Fail);
    }
}

/// LOAD-4: a wrong password costs one hash and one query, a right one two writes more.
#[tokio::test]
async fn what_it_costs() {
    let world = World::new();
    world.ada().await;
    let old = world.stale().await;
    for (password, calls) in [("wrong", &["find_user"][..]), (OLD, &["find_user", "insert_token", "delete_token"])] {
        world.calls.reset();
        let hashes = world.auth.hasher().hashes();
        let _ = world.step_up(&old, password).await;
        assert_eq!((world.calls.calls().as_slice(), world.auth.hasher().hashes() - hashes), (calls, 1));
    }
}
