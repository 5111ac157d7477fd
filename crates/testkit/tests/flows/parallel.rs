//! Of many at the same time exactly one wins. All of them have read the same state before any goes
//! on: that is forced, so that a check that comes before the deciding step is never mistaken for
//! it.

use gatekit_core::{
    ChangePassword, ChangePasswordError, FieldProblem, LogoutError, PasswordReset, Register, RegisterError,
    RequestPasswordReset, ResetPasswordError,
};
use gatekit_testkit::login_as;

use crate::{EMAIL, NEW, OLD, World};

const MANY: usize = 20;

/// Runs `one` for each number at the same time on several threads, and returns the results in
/// order.
async fn at_once<T: Send + 'static, F: Future<Output = T> + Send + 'static>(one: impl Fn(usize) -> F) -> Vec<T> {
    let tasks: Vec<_> = (0..MANY).map(|i| tokio::spawn(one(i))).collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.unwrap());
    }
    results
}

/// RACE-2
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_registrations_of_one_address_one_wins() {
    let world = World::new();
    let spellings = ["ada@example.com", "Ada@example.com", "ADA@EXAMPLE.COM", "ada@Example.com"];
    world.calls.gather("find_user_by", MANY);
    let results = at_once(|i| {
        let auth = world.auth.clone();
        async move { auth.register(Register::email(spellings[i % spellings.len()], OLD)).await }
    })
    .await;
    let mut won = 0;
    for result in results {
        match result {
            Ok(_) => won += 1,
            Err(RegisterError::Invalid(errors)) => {
                assert_eq!(
                    (errors[0].field.as_str(), &errors[0].problem, errors.len()),
                    ("email", &FieldProblem::Taken, 1)
                );
            }
            Err(error) => panic!("{error:?}"),
        }
    }
    assert_eq!(won, 1);
    assert!(world.logs_in_with(OLD).await);
}

/// RACE-1: and the password stored is the winner's.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_uses_of_one_reset_token_one_wins() {
    let world = World::new();
    world.ada().await;
    world.auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
    let secret = world.mails.last_token().await;
    let password = |i: usize| format!("orbital marzipan {i}");
    world.calls.gather("find_one_time", MANY);
    let results = at_once(|i| {
        let (auth, reset) = (world.auth.clone(), PasswordReset::new(secret.as_str(), password(i)));
        async move { auth.reset_password(reset).await }
    })
    .await;
    let mut winner = None;
    for (i, result) in results.into_iter().enumerate() {
        match result {
            Ok(()) => assert_eq!(winner.replace(i), None, "two have won"),
            Err(ResetPasswordError::InvalidToken) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    for i in 0..MANY {
        assert_eq!(world.logs_in_with(&password(i)).await, Some(i) == winner);
    }
}

/// RACE-9
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_changes_of_one_password_one_wins_and_only_its_session_stays() {
    let world = World::new();
    let ada = world.ada().await;
    let mut sessions = Vec::new();
    for _ in 0..MANY {
        sessions.push(login_as(&world.auth, &ada).await);
    }
    let password = |i: usize| format!("orbital marzipan {i}");
    world.calls.gather("find_user", MANY);
    let results = at_once(|i| {
        let auth = world.auth.clone();
        let change = ChangePassword::new(ada.id.clone(), OLD, password(i)).keep(sessions[i].record.clone());
        async move { auth.change_password(change).await }
    })
    .await;
    let won: Vec<bool> = results
        .into_iter()
        .map(|result| match result {
            Ok(()) => true,
            Err(ChangePasswordError::Conflict | ChangePasswordError::WrongPassword) => false,
            Err(error) => panic!("{error:?}"),
        })
        .collect();
    assert_eq!(won.iter().filter(|won| **won).count(), 1);
    for (i, won) in won.into_iter().enumerate() {
        assert_eq!(world.logs_in_with(&password(i)).await, won);
        assert_eq!(world.auth.authenticate(sessions[i].secret.expose()).await.is_ok(), won);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_logouts_with_one_token_one_wins() {
    let world = World::new();
    let session = login_as(&world.auth, &world.ada().await).await;
    world.calls.gather("find_token", MANY);
    let results = at_once(|_| {
        let (auth, digest) = (world.auth.clone(), session.record.digest);
        async move { auth.logout(&digest).await }
    })
    .await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
    assert!(results.iter().all(|result| matches!(result, Ok(()) | Err(LogoutError::TokenNotFound))));
}

/// Logins with the old password while it is changed: none begun with it is alive afterwards.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_session_begun_with_the_old_password_outlives_its_change() {
    let world = World::new();
    let ada = world.ada().await;
    let results = at_once(|i| {
        let (auth, id) = (world.auth.clone(), ada.id.clone());
        async move {
            if i == MANY / 2 {
                auth.change_password(ChangePassword::new(id, OLD, NEW)).await.unwrap();
                return None;
            }
            auth.login(gatekit_core::Login::email(EMAIL, OLD)).await.ok()
        }
    })
    .await;
    for session in results.into_iter().flatten() {
        assert!(world.auth.authenticate(session.token.secret.expose()).await.is_err());
    }
    assert!(world.logs_in_with(NEW).await && !world.logs_in_with(OLD).await);
}
