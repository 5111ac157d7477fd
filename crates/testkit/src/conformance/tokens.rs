//! The rules of `TokenStore`.

use std::sync::Arc;

use gatekit_core::{Timestamp, TokenDigest, TokenRecord, TokenStore, UserId};

use super::{ROUNDS, T0, TEXTS, assert_failed, digest, ids, ok, rules, token, twenty};

pub(super) async fn run<S: TokenStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    rules!(make;
        a_token_is_found_as_it_was_stored(),
        scopes_are_kept_and_no_scopes_are_not_none(),
        an_unknown_digest_finds_nothing(),
        digests_are_compared_byte_for_byte(),
        a_token_is_never_replaced(),
        of_twenty_tokens_with_one_digest_one_is_stored(),
        an_ended_token_is_found_too(),
        a_token_is_removed_once(),
        of_twenty_removals_one_removes(),
        a_token_is_carried_over_only_from_the_rev_given(),
        of_twenty_carried_over_one_is(),
        the_tokens_of_a_user_from_before_a_rev_are_removed(),
        tokens_of_an_id_of_the_other_kind_stay(),
        tokens_of_another_type_of_user_stay(),
        a_purge_removes_what_ended_at_or_before_now(),
        a_token_that_never_ends_is_never_purged(),
        a_purge_removes_no_more_than_its_limit(),
        purges_at_once_remove_each_token_once(),
        the_identity_is_equal_to_itself(),
    );
}

async fn a_token_is_found_as_it_was_stored(store: impl TokenStore) {
    let mut stored = Vec::new();
    for id in ids() {
        stored.push(TokenRecord { user_id: id, user_type: "Member".into(), ..token(stored.len()) });
    }
    for (rev, ttl, created) in
        [(1, 1, 0), (i64::MAX, 31_556_926, T0.0), (0, -1, -1), (7, i64::MAX, i64::MAX), (0, 0, T0.0)]
    {
        stored.push(TokenRecord { rev, ttl, created: Timestamp(created), ..token(stored.len()) });
    }
    for token in &stored {
        ok(store.insert_token(token).await);
    }
    for token in stored {
        assert_eq!(ok(store.find_token(&token.digest).await), Some(token), "a token is found as it was stored");
    }
}

async fn scopes_are_kept_and_no_scopes_are_not_none(store: impl TokenStore) {
    let odd: Vec<String> = TEXTS.iter().map(|text| (*text).to_owned()).collect();
    for scopes in [None, Some(vec![]), Some(vec!["DEFAULT".into()]), Some(vec![String::new()]), Some(odd)] {
        let token = TokenRecord { scopes, ..token(format!("{:?}", store.identity())) };
        ok(store.insert_token(&token).await);
        let found = ok(store.find_token(&token.digest).await);
        assert_eq!(found, Some(token.clone()), "scopes are kept, and an empty list is not the same as none");
        ok(store.delete_token(&token.digest).await);
    }
}

async fn an_unknown_digest_finds_nothing(store: impl TokenStore) {
    ok(store.insert_token(&token("known")).await);
    let unknown = digest("unknown");
    assert_eq!(ok(store.find_token(&unknown).await), None, "an unknown digest finds nothing");
    assert!(!ok(store.delete_token(&unknown).await), "an unknown digest removes nothing");
    assert!(!ok(store.carry_token_over(&unknown, 0, 1).await), "an unknown digest carries nothing over");
    assert!(ok(store.find_token(&digest("known")).await).is_some(), "what is asked of one token leaves another alone");
}

async fn digests_are_compared_byte_for_byte(store: impl TokenStore) {
    let with = |at: usize, byte: u8| {
        let mut bytes = [b'a'; 32];
        if let Some(slot) = bytes.get_mut(at) {
            *slot = byte;
        }
        TokenDigest::from_bytes(bytes)
    };
    let digests =
        [with(0, 0), with(0, b'A'), with(0, b'a'), with(31, 0), with(31, b'b'), with(15, 0xff), with(15, b'\'')];
    for (rev, digest) in (0..).zip(digests) {
        ok(store.insert_token(&TokenRecord { digest, rev, ..token("") }).await);
    }
    for (rev, digest) in (0..).zip(digests) {
        let found = ok(store.find_token(&digest).await).map(|token| token.rev);
        assert_eq!(found, Some(rev), "a digest finds no token with another one");
    }
}

async fn a_token_is_never_replaced(store: impl TokenStore) {
    let first = token("secret");
    ok(store.insert_token(&first).await);
    let second = TokenRecord { user_id: UserId::Int(2), rev: 9, ..first.clone() };
    assert_failed(store.insert_token(&second).await, "a second token with the same digest is refused");
    assert_eq!(ok(store.find_token(&first.digest).await), Some(first), "a token is never replaced");
}

async fn of_twenty_tokens_with_one_digest_one_is_stored(store: impl TokenStore) {
    let store = Arc::new(store);
    let answers = twenty(|n| {
        let store = Arc::clone(&store);
        let token = TokenRecord { user_id: UserId::Text(n.to_string()), ..token("secret") };
        async move { store.insert_token(&token).await.is_ok().then_some(token) }
    })
    .await;
    let winners: Vec<_> = answers.into_iter().flatten().collect();
    assert_eq!(winners.len(), 1, "of twenty tokens with one digest exactly one is stored");
    assert_eq!(ok(store.find_token(&digest("secret")).await).as_slice(), winners, "and it is the one acknowledged");
}

async fn an_ended_token_is_found_too(store: impl TokenStore) {
    let ended = TokenRecord { ttl: 1, created: Timestamp(0), ..token("secret") };
    ok(store.insert_token(&ended).await);
    assert_eq!(
        ok(store.find_token(&ended.digest).await),
        Some(ended),
        "whether a token has ended is not the store's business"
    );
}

async fn a_token_is_removed_once(store: impl TokenStore) {
    ok(store.insert_token(&token("one")).await);
    ok(store.insert_token(&token("two")).await);
    assert!(ok(store.delete_token(&digest("one")).await), "a token that was there was removed");
    assert_eq!(ok(store.find_token(&digest("one")).await), None, "a removed token is gone");
    assert!(!ok(store.delete_token(&digest("one")).await), "a token is removed once");
    assert!(ok(store.find_token(&digest("two")).await).is_some(), "one token's removal leaves another alone");
}

async fn of_twenty_removals_one_removes(store: impl TokenStore) {
    let store = Arc::new(store);
    for _ in 0..ROUNDS {
        ok(store.insert_token(&token("secret")).await);
        let answers = twenty(|_| {
            let store = Arc::clone(&store);
            async move { store.delete_token(&digest("secret")).await }
        })
        .await;
        let removed = answers.into_iter().map(ok).filter(|removed| *removed).count();
        assert_eq!(removed, 1, "of twenty removals at once exactly one removes");
    }
}

async fn a_token_is_carried_over_only_from_the_rev_given(store: impl TokenStore) {
    let mut token = TokenRecord { rev: 3, ..token("secret") };
    ok(store.insert_token(&token).await);
    ok(store.insert_token(&TokenRecord { digest: digest("other"), ..token.clone() }).await);
    for wrong in [2, 4, 0] {
        assert!(
            !ok(store.carry_token_over(&token.digest, wrong, 9).await),
            "a token of another rev is not carried over"
        );
    }
    assert_eq!(ok(store.find_token(&token.digest).await), Some(token.clone()), "what is refused changes nothing");
    assert!(ok(store.carry_token_over(&token.digest, 3, 4).await), "a token of the rev given is carried over");
    token.rev = 4;
    assert_eq!(ok(store.find_token(&token.digest).await), Some(token.clone()), "nothing of it changes but rev");
    assert!(!ok(store.carry_token_over(&token.digest, 3, 5).await), "a token is carried over once");
    let other = ok(store.find_token(&digest("other")).await).map(|token| token.rev);
    assert_eq!(other, Some(3), "no other token of the user is carried over");
}

async fn of_twenty_carried_over_one_is(store: impl TokenStore) {
    let store = Arc::new(store);
    ok(store.insert_token(&token("secret")).await);
    let mut rev = 0;
    for _ in 0..ROUNDS {
        let answers = twenty(|n| {
            let (store, to) = (Arc::clone(&store), rev + 1 + i64::try_from(n).unwrap_or_default());
            async move { store.carry_token_over(&digest("secret"), rev, to).await.map(|done| done.then_some(to)) }
        })
        .await;
        let winners: Vec<_> = answers.into_iter().filter_map(ok).collect();
        assert_eq!(winners.len(), 1, "of twenty at once exactly one carries the token over");
        let stored = ok(store.find_token(&digest("secret")).await).map(|token| token.rev);
        assert_eq!(stored.as_slice(), winners, "and its rev is the one that is stored");
        rev = stored.unwrap_or_default();
    }
}

async fn the_tokens_of_a_user_from_before_a_rev_are_removed(store: impl TokenStore) {
    for (secret, rev) in [("a", 0), ("b", 3), ("c", 2), ("d", 4)] {
        ok(store.insert_token(&TokenRecord { rev, ..token(secret) }).await);
    }
    ok(store.insert_token(&TokenRecord { user_id: UserId::Int(2), ..token("other") }).await);

    let removed = ok(store.delete_tokens_of("User", &UserId::Int(1), 3).await);
    assert_eq!(removed, 2, "the user's tokens of a lesser rev are removed and counted");
    for gone in ["a", "c"] {
        assert_eq!(ok(store.find_token(&digest(gone)).await), None, "a token of a lesser rev is removed");
    }
    for kept in ["b", "d"] {
        assert!(ok(store.find_token(&digest(kept)).await).is_some(), "a token of that rev or a greater one stays");
    }
    assert!(ok(store.find_token(&digest("other")).await).is_some(), "another user's tokens stay");
    assert_eq!(ok(store.delete_tokens_of("User", &UserId::Int(1), 3).await), 0, "who has none has none removed");
}

async fn tokens_of_another_type_of_user_stay(store: impl TokenStore) {
    ok(store.insert_token(&token("user 1")).await);
    ok(store.insert_token(&TokenRecord { user_type: "Member".into(), ..token("member 1") }).await);

    assert_eq!(ok(store.delete_tokens_of("Member", &UserId::Int(1), 1).await), 1, "member 1 is not user 1");
    assert!(ok(store.find_token(&digest("user 1")).await).is_some(), "member 1 is not user 1");
    assert_eq!(ok(store.find_token(&digest("member 1")).await), None, "member 1's token is removed");
}

async fn tokens_of_an_id_of_the_other_kind_stay(store: impl TokenStore) {
    for id in ids() {
        ok(store.insert_token(&TokenRecord { user_id: id.clone(), ..token(format!("{id:?}")) }).await);
    }
    assert_eq!(ok(store.delete_tokens_of("User", &UserId::from("7"), 1).await), 1, "the text 7 is not the integer 7");
    assert!(ok(store.find_token(&digest("Int(7)")).await).is_some(), "the text 7 is not the integer 7");
    assert_eq!(ok(store.delete_tokens_of("User", &UserId::Int(7), 1).await), 1, "the integer 7 is not the text 7");
    assert_eq!(
        ok(store.delete_tokens_of("User", &UserId::from("o'brien"), 1).await),
        1,
        "a quote in an id is a character"
    );
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

async fn the_identity_is_equal_to_itself(store: impl TokenStore) {
    assert_eq!(store.identity(), store.identity(), "a store has one identity");
}
