//! The rules of `TokenStore::purge_tokens`.

use std::sync::Arc;

use gatekit_core::{Timestamp, TokenRecord, TokenStore};

use super::rules::{T0, digest, ok, rules, token, twenty};

pub(super) async fn run<S: TokenStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    rules!(make;
        a_renewed_token_is_purged_by_its_new_end(),
        a_purge_removes_what_ended_at_or_before_now(),
        a_token_that_never_ends_is_never_purged(),
        a_purge_removes_no_more_than_its_limit(),
        purges_at_once_remove_each_token_once(),
    );
}

async fn a_renewed_token_is_purged_by_its_new_end(store: impl TokenStore) {
    // All begin at T0 and would end ten minutes later.
    let at = |seconds: i64| T0.plus_seconds(seconds);
    let stored = TokenRecord { renewed: Some(at(300)), ..token("stored as renewed") };
    ok(store.insert_token(&stored).await);
    for (secret, ttl, renewed) in [
        ("renewed", 600, Some(at(300))),
        ("shortened", 60, None),
        ("shortened and renewed", 60, Some(at(500))),
        ("without an end", -1, Some(at(300))),
    ] {
        let old = token(secret);
        ok(store.insert_token(&old).await);
        assert!(ok(store.update_token(&old, &TokenRecord { ttl, renewed, ..old.clone() }).await), "it is changed");
    }
    let eternal = TokenRecord { ttl: -1, ..token("with an end after all") };
    ok(store.insert_token(&eternal).await);
    assert!(ok(store.update_token(&eternal, &TokenRecord { ttl: 700, ..eternal.clone() }).await), "it is changed");

    for (seconds, gone) in [
        (59, vec![]),
        (60, vec!["shortened"]),
        (559, vec![]),
        (560, vec!["shortened and renewed"]),
        (699, vec![]),
        (700, vec!["with an end after all"]),
        (899, vec![]),
        (900, vec!["renewed", "stored as renewed"]),
    ] {
        let rule = format!("{seconds} seconds after it was issued, a token that was changed is purged by its new end");
        let removed = ok(store.purge_tokens(at(seconds), 10).await);
        assert_eq!(usize::try_from(removed), Ok(gone.len()), "{rule}");
        for secret in gone {
            assert_eq!(ok(store.find_token(&digest(secret)).await), None, "{rule}: {secret}");
        }
    }
    assert_eq!(ok(store.purge_tokens(Timestamp(i64::MAX), 10).await), 0, "what was given no end is never purged");
    assert!(ok(store.find_token(&digest("without an end")).await).is_some(), "what was given no end is never purged");
}

async fn a_purge_removes_what_ended_at_or_before_now(store: impl TokenStore) {
    // All begin at T0 and end 1, 2 and 3 seconds later.
    for seconds in 1..=3 {
        ok(store.insert_token(&TokenRecord { ttl: seconds, ..token(seconds) }).await);
    }
    assert_eq!(ok(store.purge_tokens(Timestamp(T0.0 + 999), 10).await), 0, "what has not ended stays");
    assert_eq!(ok(store.purge_tokens(T0.plus_seconds(2), 10).await), 2, "what ends now has ended");
    assert_eq!(ok(store.find_token(&digest(2)).await), None, "what ends now has ended");
    assert!(ok(store.find_token(&digest(3)).await).is_some(), "what has not ended stays");
}

async fn a_token_that_never_ends_is_never_purged(store: impl TokenStore) {
    let eternal = TokenRecord { ttl: -1, ..token("secret") };
    ok(store.insert_token(&eternal).await);
    assert_eq!(ok(store.purge_tokens(Timestamp(i64::MAX), 10).await), 0, "a token that never ends is never purged");
    assert_eq!(ok(store.find_token(&eternal.digest).await), Some(eternal), "a token that never ends is never purged");
}

/// REL-24
async fn a_purge_removes_no_more_than_its_limit(store: impl TokenStore) {
    for n in 0..7 {
        ok(store.insert_token(&token(n)).await);
    }
    let later = T0.plus_seconds(601);
    assert_eq!(ok(store.purge_tokens(later, 0).await), 0, "a limit of none removes none");
    assert_eq!(ok(store.purge_tokens(later, 3).await), 3, "a purge removes as many as its limit");
    let mut left = 0;
    for n in 0..7 {
        left += usize::from(ok(store.find_token(&digest(n)).await).is_some());
    }
    assert_eq!(left, 4, "a purge removes no more than its limit");
    assert_eq!(ok(store.purge_tokens(later, 3).await), 3, "a purge removes as many as its limit");
    assert_eq!(ok(store.purge_tokens(later, 3).await), 1, "fewer than the limit: none is left");
    assert_eq!(ok(store.purge_tokens(later, 3).await), 0, "none is left");
}

/// REL-24
async fn purges_at_once_remove_each_token_once(store: impl TokenStore) {
    let store = Arc::new(store);
    for n in 0..50 {
        ok(store.insert_token(&token(n)).await);
    }
    let answers = twenty(|_| {
        let store = Arc::clone(&store);
        async move { store.purge_tokens(T0.plus_seconds(601), 5).await }
    })
    .await;
    let removed: u64 = answers.into_iter().map(ok).sum();
    assert_eq!(removed, 50, "purges at once count each token once");
}
