//! The rules of `TokenStore`.

use std::sync::Arc;

use gatekit_core::{Factor, Proofs, Timestamp, TokenClient, TokenDigest, TokenRecord, TokenStore, UserId};

use super::rules::{ROUNDS, T0, TEXTS, assert_failed, digest, ids, ok, rules, token, twenty};

pub(super) async fn run<S: TokenStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    rules!(make;
        a_token_is_found_as_it_was_stored(),
        what_a_token_was_issued_on_its_proofs_and_when_it_was_used_are_kept(),
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
        the_tokens_of_a_user_are_listed_oldest_first(),
        tokens_of_another_user_are_not_listed(),
        a_token_is_changed_in_what_may_change(),
        a_use_is_noted_and_nothing_else_changes(),
        a_token_that_has_changed_meanwhile_is_not_changed(),
        a_token_that_is_gone_is_not_changed(),
        of_twenty_changes_of_a_token_one_is_made(),
        a_carried_over_token_stays_renewed(),
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
    for renewed in [0, -1, T0.0 + 1, i64::MAX] {
        stored.push(TokenRecord { renewed: Some(Timestamp(renewed)), ..token(stored.len()) });
    }
    for token in &stored {
        ok(store.insert_token(token).await);
    }
    for token in stored {
        assert_eq!(ok(store.find_token(&token.digest).await), Some(token), "a token is found as it was stored");
    }
}

async fn what_a_token_was_issued_on_its_proofs_and_when_it_was_used_are_kept(store: impl TokenStore) {
    let mut stored = Vec::new();
    for at in [0, -1, 1, T0.0, i64::MAX, i64::MIN] {
        stored.push(TokenRecord { proofs: Proofs::of(Factor::Password, Timestamp(at)), ..token(stored.len()) });
        stored.push(TokenRecord { last_used: Some(Timestamp(at)), ..token(stored.len()) });
    }
    let all = [
        Factor::Password,
        Factor::EmailCode,
        Factor::MailLink,
        Factor::Social,
        Factor::Totp,
        Factor::Passkey,
        Factor::RecoveryCode,
    ];
    let mut proofs = Proofs::default();
    for (at, factor) in (T0.0..).zip(all) {
        stored.push(TokenRecord { proofs: Proofs::of(factor, Timestamp(at)), ..token(stored.len()) });
        proofs = proofs.with(factor, Timestamp(at));
        stored.push(TokenRecord { proofs: proofs.clone(), ..token(stored.len()) });
    }
    stored.push(TokenRecord { proofs, last_used: Some(Timestamp(T0.0 + 1)), ..token(stored.len()) });
    let longest = "\u{e9}".repeat(TokenClient::MAX_USER_AGENT / 2);
    for text in TEXTS.into_iter().chain(["NULL", &longest]) {
        for (user_agent, network) in [(Some(text), None), (None, Some(text)), (Some(text), Some("203.0.113.0/24"))] {
            let client = TokenClient { user_agent: user_agent.map(str::to_owned), network: network.map(str::to_owned) };
            stored.push(TokenRecord { client: Some(client), ..token(stored.len()) });
        }
    }
    for token in &stored {
        ok(store.insert_token(token).await);
    }
    let mut listed = ok(store.list_tokens_of("User", &UserId::Int(1)).await);
    listed.sort_by_key(|token| token.digest);
    for token in &stored {
        let rule = "what a token was issued on, which factors were verified for it, when, and when it was used is kept";
        assert_eq!(ok(store.find_token(&token.digest).await).as_ref(), Some(token), "{rule}");
    }
    stored.sort_by_key(|token| token.digest);
    assert_eq!(listed, stored, "tokens are listed as they were stored");
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

async fn the_tokens_of_a_user_are_listed_oldest_first(store: impl TokenStore) {
    assert_eq!(ok(store.list_tokens_of("User", &UserId::Int(1)).await), [], "who has no token has none listed");
    let scopes = Some(vec!["read".to_owned()]);
    let later = |milliseconds: i64| Timestamp(T0.0 + milliseconds);
    // Neither the order in which they are stored nor that of their digests, revs, ends or renewals
    // is the one asked for.
    let mut stored = vec![
        TokenRecord { created: later(3), ..token("d") },
        TokenRecord { created: later(1), renewed: Some(later(9)), scopes, ..token("b") },
        TokenRecord { created: later(4), rev: -1, ttl: -1, ..token("e") },
        TokenRecord { created: later(-1), rev: 7, ..token("a") },
        TokenRecord { created: later(2), ttl: 0, ..token("c") },
        TokenRecord { created: Timestamp(0), ttl: 1, ..token("ended long ago") },
    ];
    for token in &stored {
        ok(store.insert_token(token).await);
    }
    stored.sort_by_key(|token| token.created);
    let listed = ok(store.list_tokens_of("User", &UserId::Int(1)).await);
    assert_eq!(listed, stored, "all tokens of a user are listed as they were stored, the oldest first");
    ok(store.delete_token(&digest("c")).await);
    stored.retain(|token| token.digest != digest("c"));
    let listed = ok(store.list_tokens_of("User", &UserId::Int(1)).await);
    assert_eq!(listed, stored, "a removed token is not listed");
}

async fn tokens_of_another_user_are_not_listed(store: impl TokenStore) {
    let mut all = Vec::new();
    for user_id in ids() {
        for user_type in ["User", "Member", "user"] {
            let digest = digest(format!("{user_type} {user_id:?}"));
            all.push(TokenRecord { user_type: user_type.into(), user_id: user_id.clone(), digest, ..token("") });
        }
    }
    for token in &all {
        ok(store.insert_token(token).await);
    }
    for token in all {
        let listed = ok(store.list_tokens_of(&token.user_type, &token.user_id).await);
        assert_eq!(listed, [token], "a list is of one type of user, and of one id of one kind");
    }
}

async fn a_token_is_changed_in_what_may_change(store: impl TokenStore) {
    let scopes = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
    let mut old = TokenRecord { rev: 3, ..token("secret") };
    ok(store.insert_token(&old).await);
    let other = TokenRecord { digest: digest("other"), ..old.clone() };
    ok(store.insert_token(&other).await);
    for (ttl, renewed, scopes) in [
        (60, None, None),
        (60, Some(Timestamp(T0.0 + 1)), None),
        (60, Some(Timestamp(T0.0 + 1)), scopes(&["read", "o'brien\"", "read"])),
        (-1, None, scopes(&[])),
        (600, Some(Timestamp(0)), scopes(&[""])),
        (0, Some(Timestamp(-1)), None),
        (600, None, scopes(&["DEFAULT"])),
        (600, None, scopes(&["DEFAULT"])),
    ] {
        let new = TokenRecord { ttl, renewed, scopes, ..old.clone() };
        assert!(ok(store.update_token(&old, &new).await), "a token that is still as it was is changed");
        assert_eq!(ok(store.find_token(&old.digest).await), Some(new.clone()), "a changed token is as it was to be");
        old = new;
    }
    let new = TokenRecord {
        user_type: "Member".into(),
        user_id: UserId::from("1"),
        rev: 9,
        created: Timestamp(0),
        ttl: 5,
        proofs: Proofs::of(Factor::Password, T0),
        client: TokenClient::new(Some("another browser"), None),
        ..old.clone()
    };
    assert!(ok(store.update_token(&old, &new).await), "what may not change is ignored");
    let found = ok(store.find_token(&old.digest).await);
    assert_eq!(found, Some(TokenRecord { ttl: 5, ..old }), "whose a token is and how old it is never changes");
    assert_eq!(ok(store.find_token(&other.digest).await), Some(other), "no other token is changed");
}

/// A token whose every field has something in it.
fn full() -> TokenRecord {
    TokenRecord {
        rev: 3,
        renewed: Some(T0),
        scopes: Some(vec!["read".into(), "write".into()]),
        proofs: Proofs::of(Factor::Password, Timestamp(T0.0 - 7)).with(Factor::Totp, T0),
        client: TokenClient::new(Some("Mozilla/5.0"), Some([203, 0, 113, 7].into())),
        last_used: Some(Timestamp(T0.0 + 7)),
        ..token("secret")
    }
}

async fn a_use_is_noted_and_nothing_else_changes(store: impl TokenStore) {
    let mut old = full();
    ok(store.insert_token(&old).await);
    for last_used in [Some(8), None, Some(9), Some(9), Some(-9), Some(i64::MIN)] {
        let last_used = last_used.map(|after| Timestamp(T0.0.saturating_add(after)));
        let new = TokenRecord { last_used, ..old.clone() };
        assert!(ok(store.update_token(&old, &new).await), "a token that is still as it was is changed");
        assert_eq!(ok(store.find_token(&old.digest).await).as_ref(), Some(&new), "a use is noted, and nothing else");
        old = new;
    }
    for new in [
        TokenRecord { proofs: Proofs::default(), ..old.clone() },
        TokenRecord { proofs: Proofs::of(Factor::Password, Timestamp(T0.0 + 99)), ..old.clone() },
        TokenRecord { proofs: old.proofs.clone().with(Factor::Passkey, T0), ..old.clone() },
        TokenRecord { client: None, ..old.clone() },
        TokenRecord { client: TokenClient::new(Some("another browser"), None), ..old.clone() },
    ] {
        assert!(ok(store.update_token(&old, &new).await), "what may not change is ignored");
        let rule = "no change makes a token fresh or stronger, or one of another browser";
        assert_eq!(ok(store.find_token(&old.digest).await).as_ref(), Some(&old), "{rule}");
    }
    assert!(ok(store.carry_token_over(&old.digest, 3, 4).await), "a token of the rev given is carried over");
    let carried = TokenRecord { rev: 4, ..old };
    assert_eq!(ok(store.find_token(&carried.digest).await), Some(carried), "nothing of it changes but rev");
}

async fn a_token_that_has_changed_meanwhile_is_not_changed(store: impl TokenStore) {
    let stored = full();
    ok(store.insert_token(&stored).await);
    let client = |user_agent: Option<&str>, network: Option<&str>| {
        Some(TokenClient { user_agent: user_agent.map(str::to_owned), network: network.map(str::to_owned) })
    };
    let new = TokenRecord { ttl: 5, renewed: None, scopes: None, last_used: None, ..stored.clone() };
    for (what, old) in [
        ("last_used", TokenRecord { last_used: None, ..stored.clone() }),
        ("last_used", TokenRecord { last_used: Some(Timestamp(T0.0 + 8)), ..stored.clone() }),
        ("proofs", TokenRecord { proofs: Proofs::default(), ..stored.clone() }),
        ("proofs", TokenRecord { proofs: stored.proofs.clone().with(Factor::Password, T0), ..stored.clone() }),
        ("proofs", TokenRecord { proofs: stored.proofs.clone().with(Factor::Social, T0), ..stored.clone() }),
        ("client", TokenRecord { client: None, ..stored.clone() }),
        ("client", TokenRecord { client: client(Some("Mozilla/5.0"), None), ..stored.clone() }),
        ("client", TokenRecord { client: client(None, Some("203.0.113.0/24")), ..stored.clone() }),
        ("client", TokenRecord { client: client(Some("mozilla/5.0"), Some("203.0.113.0/24")), ..stored.clone() }),
        ("rev", TokenRecord { rev: 2, ..stored.clone() }),
        ("ttl", TokenRecord { ttl: 601, ..stored.clone() }),
        ("ttl", TokenRecord { ttl: -1, ..stored.clone() }),
        ("renewed", TokenRecord { renewed: None, ..stored.clone() }),
        ("renewed", TokenRecord { renewed: Some(Timestamp(T0.0 + 1)), ..stored.clone() }),
        ("scopes", TokenRecord { scopes: None, ..stored.clone() }),
        ("scopes", TokenRecord { scopes: Some(vec![]), ..stored.clone() }),
        ("scopes", TokenRecord { scopes: Some(vec!["read".into()]), ..stored.clone() }),
        ("scopes", TokenRecord { scopes: Some(vec!["read".into(), "Write".into()]), ..stored.clone() }),
    ] {
        let rule = format!("a token that is not as `old` has it is not changed: its {what} is another");
        assert!(!ok(store.update_token(&old, &new).await), "{rule}");
        assert_eq!(ok(store.find_token(&stored.digest).await), Some(stored.clone()), "{rule}");
    }
    assert!(ok(store.update_token(&stored, &new).await), "a token that is still as it was is changed");
    let rule = "a token that is not as `old` has it is not changed: it has neither scopes, nor a renewal, nor a use";
    for old in [
        TokenRecord { last_used: Some(Timestamp(0)), ..new.clone() },
        TokenRecord { scopes: Some(vec![]), ..new.clone() },
        TokenRecord { renewed: Some(Timestamp(0)), ..new.clone() },
        stored.clone(),
    ] {
        assert!(!ok(store.update_token(&old, &stored).await), "{rule}");
    }
    assert_eq!(ok(store.find_token(&stored.digest).await), Some(new), "{rule}");
}

async fn a_token_that_is_gone_is_not_changed(store: impl TokenStore) {
    let old = token("secret");
    ok(store.insert_token(&old).await);
    ok(store.delete_token(&old.digest).await);
    let new = TokenRecord { renewed: Some(T0), ..old.clone() };
    assert!(!ok(store.update_token(&old, &new).await), "a token that is gone is not changed");
    assert_eq!(ok(store.find_token(&old.digest).await), None, "a renewal brings no token back that was logged out");
}

async fn of_twenty_changes_of_a_token_one_is_made(store: impl TokenStore) {
    let store = Arc::new(store);
    let mut old = token("secret");
    ok(store.insert_token(&old).await);
    for round in 1..=ROUNDS {
        let answers = twenty(|n| {
            let milliseconds = T0.0 + round * 100 + i64::try_from(n).unwrap_or_default();
            let new = TokenRecord { renewed: Some(Timestamp(milliseconds)), ..old.clone() };
            let (store, old) = (Arc::clone(&store), old.clone());
            async move { store.update_token(&old, &new).await.map(|done| done.then_some(new)) }
        })
        .await;
        let mut winners: Vec<_> = answers.into_iter().filter_map(ok).collect();
        assert_eq!(winners.len(), 1, "of twenty changes from one `old` exactly one is made");
        old = winners.remove(0);
        assert_eq!(ok(store.find_token(&old.digest).await).as_ref(), Some(&old), "it is the one acknowledged");
    }
}

async fn a_carried_over_token_stays_renewed(store: impl TokenStore) {
    let renewed = TokenRecord { renewed: Some(Timestamp(T0.0 + 5)), ..token("secret") };
    ok(store.insert_token(&renewed).await);
    ok(store.carry_token_over(&renewed.digest, 0, 1).await);
    let carried = TokenRecord { rev: 1, ..renewed.clone() };
    assert_eq!(ok(store.find_token(&renewed.digest).await), Some(carried), "a carried over token stays renewed");
    let late = TokenRecord { ttl: 5, ..renewed.clone() };
    assert!(!ok(store.update_token(&renewed, &late).await), "a change from before it was carried over is not made");
}

async fn the_identity_is_equal_to_itself(store: impl TokenStore) {
    assert_eq!(store.identity(), store.identity(), "a store has one identity");
}
