//! What is stored for nobody, so that an unknown user costs the same work, takes no room.

use gatekit_core::{OneTimeStore, RequestEmailChange, RequestEmailVerification, RequestPasswordReset};

use crate::{EMAIL, OLD, World};

/// Checklist 6.3.8 asks for the same work; anybody can ask for it as often as they like.
#[tokio::test]
async fn a_decoy_is_gone_with_the_next_purge_and_a_secret_is_not() {
    let world = World::new();
    let ada = world.ada().await;
    let bob = gatekit_core::Register::email("bob@example.com", OLD);
    world.auth.register(bob).await.unwrap();
    let purged = || world.store.purge_one_time(gatekit_core::Clock::now(&world.clock), 10);

    world.auth.request_password_reset(RequestPasswordReset::email("nobody@example.com")).await.unwrap();
    world.auth.request_email_verification(RequestEmailVerification::user(99)).await.unwrap();
    world.auth.request_email_change(RequestEmailChange::new(ada.id.clone(), OLD, "bob@example.com")).await.unwrap();
    // That of the taken address is one a user: it lives until the next one, so that ending it costs
    // as much as ending a secret. Two that share a digest are one.
    assert!((1..=2).contains(&purged().await.unwrap()));

    world.auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
    world.auth.request_email_verification(RequestEmailVerification::user(ada.id.clone())).await.unwrap();
    world.auth.request_email_change(RequestEmailChange::new(ada.id, OLD, "new@example.com")).await.unwrap();
    assert_eq!(purged().await.unwrap(), 0);
}

/// LOAD-8: 57,848 requests about unknown addresses made as many rows in 20 seconds. Each does the
/// same kind of write as one about a known address, and all of them together take as much room as a
/// few.
#[tokio::test]
async fn any_number_of_decoys_takes_the_room_of_sixty_four() {
    let world = World::new();
    let ada = world.ada().await;
    let bob = gatekit_core::Register::email("bob@example.com", OLD);
    world.auth.register(bob).await.unwrap();
    for n in 0..300 {
        let unknown = RequestPasswordReset::email(format!("nobody{n}@example.com"));
        world.auth.request_password_reset(unknown).await.unwrap();
        world.auth.request_email_verification(RequestEmailVerification::user(1000 + n)).await.unwrap();
    }
    world.auth.request_email_change(RequestEmailChange::new(ada.id, OLD, "bob@example.com")).await.unwrap();
    let (all, now) = (u32::MAX, gatekit_core::Clock::now(&world.clock));
    assert!(world.store.purge_one_time(now, all).await.unwrap() <= 64);
    let calls = |calls: Vec<&'static str>| calls.into_iter().filter(|call| *call == "insert_one_time_within").count();
    world.calls.reset();
    world.auth.request_password_reset(RequestPasswordReset::email("nobody@example.com")).await.unwrap();
    let unknown = calls(world.calls.calls());
    world.calls.reset();
    world.auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
    assert_eq!(unknown, calls(world.calls.calls()), "the same number of writes");
}
