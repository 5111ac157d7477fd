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
    // That of the taken address is one a user: it lives until the next one, so that ending it costs as much as ending a secret.
    assert_eq!(purged().await.unwrap(), 2);

    world.auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
    world.auth.request_email_verification(RequestEmailVerification::user(ada.id.clone())).await.unwrap();
    world.auth.request_email_change(RequestEmailChange::new(ada.id, OLD, "new@example.com")).await.unwrap();
    assert_eq!(purged().await.unwrap(), 0);
}
