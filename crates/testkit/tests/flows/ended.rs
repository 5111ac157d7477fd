//! What has ended takes no room in memory for ever.

use std::time::Duration;

use gatekit_core::{Clock, IssueToken, OneTimeStore, RequestPasswordReset, TokenStore};

use crate::{EMAIL, World};

/// LOAD-8: the store in memory has no background task; it looks through what it has each time that
/// has doubled.
#[tokio::test]
async fn the_store_in_memory_removes_what_has_ended() {
    let world = World::new();
    let ada = world.ada().await;
    for round in 0..5 {
        for _ in 0..400 {
            world.auth.issue_token(&ada.id, IssueToken::default().ttl(60)).await.unwrap();
            world.auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
        }
        let alive = world.store.list_tokens_of("User", &ada.id).await.unwrap().len();
        assert!(alive <= 1024, "round {round}: {alive}");
        world.clock.advance(Duration::from_secs(24 * 3600));
    }
    let now = world.clock.now();
    let left = world.store.purge_tokens(now, u32::MAX).await.unwrap()
        + world.store.purge_one_time(now, u32::MAX).await.unwrap();
    assert!(left <= 1024, "4000 were made, and {left} were left");
}

/// What is alive by the clock of the app stays, whatever the machine's clock says.
#[tokio::test]
async fn what_is_alive_stays_however_much_there_is() {
    let world = World::new();
    let ada = world.ada().await;
    world.clock.set(gatekit_core::Timestamp(1_000_000));
    for _ in 0..3000 {
        world.auth.issue_token(&ada.id, IssueToken::default().ttl(60)).await.unwrap();
    }
    assert_eq!(world.store.list_tokens_of("User", &ada.id).await.unwrap().len(), 3000);
}
