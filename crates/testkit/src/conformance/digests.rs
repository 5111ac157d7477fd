//! The rules of `DigestStore`.

use std::sync::Arc;

use gatekit_core::{DigestCredential, DigestStore, Timestamp, TokenDigest, UserId};

use super::rules::{ROUNDS, T0, TEXTS, digest, ids, ok, rules, twenty};

pub(super) async fn run<S: DigestStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    rules!(make;
        a_credential_is_kept_byte_for_byte(),
        a_newer_credential_replaces_the_older_one(),
        each_realm_and_algorithm_has_a_credential_of_its_own(),
        ids_of_the_two_kinds_and_types_of_users_are_told_apart(),
        a_userhash_finds_its_credential_and_no_other(),
        of_two_with_one_userhash_the_one_made_last_is_found(),
        all_credentials_of_a_user_are_removed_and_no_others(),
        twenty_credentials_at_once_leave_one_whole(),
        a_nonce_takes_counts_that_grow(),
        a_nonce_is_no_other_one(),
        of_twenty_uses_with_one_count_one_is_let_through(),
        of_twenty_counts_at_once_the_highest_is_remembered(),
        a_purge_removes_nonces_that_ended(),
        a_nonce_is_remembered_until_the_latest_end_it_was_given(),
        a_purge_of_nonces_removes_no_more_than_its_limit(),
        purges_at_once_remove_each_nonce_once(),
    );
}

const ADA: UserId = UserId::Int(1);
const BOB: UserId = UserId::Int(2);

fn credential(user: &UserId, realm: &str, algorithm: &str) -> DigestCredential {
    DigestCredential {
        user_type: "User".into(),
        user_id: user.clone(),
        realm: realm.into(),
        algorithm: algorithm.into(),
        sealed: format!("sealed for {user:?} in {realm} with {algorithm}").into(),
        userhash: format!("{user:?}"),
        updated: T0,
    }
}

async fn find(store: &impl DigestStore, of: &DigestCredential) -> Option<DigestCredential> {
    ok(store.find_digest(&of.user_type, &of.user_id, &of.realm, &of.algorithm).await)
}

async fn find_by_userhash(store: &impl DigestStore, of: &DigestCredential) -> Option<DigestCredential> {
    ok(store.find_digest_by_userhash(&of.user_type, &of.realm, &of.algorithm, &of.userhash).await)
}

fn later(milliseconds: i64) -> Timestamp {
    Timestamp(T0.0 + milliseconds)
}

async fn a_credential_is_kept_byte_for_byte(store: impl DigestStore) {
    let all_bytes: Vec<u8> = (0..=255).collect();
    for (n, sealed) in [Vec::new(), vec![0], all_bytes, vec![0xff; 1000]].into_iter().enumerate() {
        let kept =
            DigestCredential { sealed, updated: later(i64::try_from(n).unwrap_or(0)), ..credential(&ADA, "r", "MD5") };
        ok(store.put_digest(&kept).await);
        assert_eq!(find(&store, &kept).await.as_ref(), Some(&kept), "a credential is kept as it is");
        assert_eq!(find_by_userhash(&store, &kept).await, Some(kept), "a credential is kept as it is");
    }
}

async fn a_newer_credential_replaces_the_older_one(store: impl DigestStore) {
    let old = credential(&ADA, "cmwell", "SHA-256");
    assert_eq!(find(&store, &old).await, None, "who has none has none");
    ok(store.put_digest(&old).await);
    let new =
        DigestCredential { sealed: b"another".into(), userhash: "another".into(), updated: later(1), ..old.clone() };
    ok(store.put_digest(&new).await);
    assert_eq!(find(&store, &old).await.as_ref(), Some(&new), "a user has one credential, the newer one");
    assert_eq!(find_by_userhash(&store, &old).await, None, "the older one is gone");
    assert_eq!(ok(store.delete_digests_of("User", &ADA).await), 1, "a user has one credential");
}

async fn each_realm_and_algorithm_has_a_credential_of_its_own(store: impl DigestStore) {
    let all: Vec<_> =
        TEXTS.iter().flat_map(|text| [credential(&ADA, text, "SHA-256"), credential(&ADA, "realm", text)]).collect();
    for one in &all {
        assert_eq!(find(&store, one).await, None, "no realm or algorithm is another one");
        ok(store.put_digest(one).await);
    }
    for one in &all {
        assert_eq!(find(&store, one).await.as_ref(), Some(one), "each realm and algorithm has its own");
    }
    let other = credential(&BOB, "realm", "%");
    assert_eq!(find(&store, &other).await, None, "another user has none of them");
}

async fn ids_of_the_two_kinds_and_types_of_users_are_told_apart(store: impl DigestStore) {
    let rule = "a user is told from others with an id or type that looks alike";
    let of = |user_type: &str, user: &UserId| DigestCredential {
        user_type: user_type.to_owned().into(),
        sealed: format!("{user_type} {user:?}").into(),
        ..credential(user, "r", "SHA-256")
    };
    let types = TEXTS.into_iter().chain(["User", "user", "Member"]);
    let all: Vec<_> =
        types.map(|user_type| of(user_type, &ADA)).chain(ids().iter().map(|user| of("User", user))).collect();
    for one in &all {
        assert_eq!(find(&store, one).await, None, "{rule}");
        ok(store.put_digest(one).await);
    }
    for one in &all {
        assert_eq!(find(&store, one).await.as_ref(), Some(one), "{rule}");
        assert_eq!(find_by_userhash(&store, one).await.as_ref(), Some(one), "{rule}");
    }
    for one in &all {
        assert_eq!(ok(store.delete_digests_of(&one.user_type, &one.user_id).await), 1, "{rule}");
    }
}

async fn a_userhash_finds_its_credential_and_no_other(store: impl DigestStore) {
    let all = (1..)
        .zip(TEXTS)
        .map(|(n, text)| DigestCredential { userhash: text.into(), ..credential(&UserId::Int(n), "r", "SHA-256") });
    let all: Vec<_> = all.collect();
    for one in &all {
        assert_eq!(find_by_userhash(&store, one).await, None, "no userhash is another one");
        ok(store.put_digest(one).await);
    }
    for one in &all {
        assert_eq!(find_by_userhash(&store, one).await.as_ref(), Some(one), "a userhash finds its credential");
        for (user_type, realm, algorithm) in
            [("Member", "r", "SHA-256"), ("User", "R", "SHA-256"), ("User", "r", "MD5")]
        {
            let found = ok(store.find_digest_by_userhash(user_type, realm, algorithm, &one.userhash).await);
            assert_eq!(found, None, "a userhash is for one type, realm and algorithm");
        }
    }
}

async fn of_two_with_one_userhash_the_one_made_last_is_found(store: impl DigestStore) {
    let made = |user: i64, at: i64| DigestCredential {
        userhash: "ada".into(),
        updated: later(at),
        ..credential(&UserId::Int(user), "r", "SHA-256")
    };
    for (user, at) in [(3, 1), (1, 3), (2, 2)] {
        ok(store.put_digest(&made(user, at)).await);
    }
    assert_eq!(find_by_userhash(&store, &made(1, 3)).await, Some(made(1, 3)), "the one made last is found");
    ok(store.put_digest(&made(3, 4)).await);
    assert_eq!(find_by_userhash(&store, &made(1, 3)).await, Some(made(3, 4)), "the one made last is found");
    ok(store.delete_digests_of("User", &UserId::Int(3)).await);
    assert_eq!(find_by_userhash(&store, &made(1, 3)).await, Some(made(1, 3)), "what is gone is not found");
}

async fn all_credentials_of_a_user_are_removed_and_no_others(store: impl DigestStore) {
    assert_eq!(ok(store.delete_digests_of("User", &ADA).await), 0, "who has none has none removed");
    for user in [&ADA, &BOB] {
        for (realm, algorithm) in [("a", "SHA-256"), ("a", "MD5"), ("b", "SHA-256")] {
            ok(store.put_digest(&credential(user, realm, algorithm)).await);
        }
    }
    assert_eq!(ok(store.delete_digests_of("Member", &ADA).await), 0, "those of a user of another type stay");
    assert_eq!(ok(store.delete_digests_of("User", &ADA).await), 3, "all of a user's are removed and counted");
    assert_eq!(ok(store.delete_digests_of("User", &ADA).await), 0, "they are removed once");
    for (realm, algorithm) in [("a", "SHA-256"), ("a", "MD5"), ("b", "SHA-256")] {
        let (adas, bobs) = (credential(&ADA, realm, algorithm), credential(&BOB, realm, algorithm));
        assert_eq!(find(&store, &adas).await, None, "all of a user's are removed");
        assert_eq!(find_by_userhash(&store, &adas).await, None, "all of a user's are removed");
        assert_eq!(find(&store, &bobs).await, Some(bobs), "another user's stay");
    }
}

async fn twenty_credentials_at_once_leave_one_whole(store: impl DigestStore) {
    let store = Arc::new(store);
    let nth = |n: usize| DigestCredential {
        sealed: format!("{n}").into(),
        userhash: format!("{n}"),
        updated: later(i64::try_from(n).unwrap_or(0)),
        ..credential(&ADA, "r", "SHA-256")
    };
    for _ in 0..ROUNDS {
        let answers = twenty(|n| {
            let (store, credential) = (Arc::clone(&store), nth(n));
            async move { store.put_digest(&credential).await }
        })
        .await;
        answers.into_iter().for_each(ok);
        let left = find(&*store, &nth(0)).await;
        assert!((0..20).any(|n| left.as_ref() == Some(&nth(n))), "what is left is whole: {left:?}");
        assert_eq!(ok(store.delete_digests_of("User", &ADA).await), 1, "exactly one is left");
    }
}

async fn use_nonce(store: &impl DigestStore, nonce: &str, count: u32) -> bool {
    ok(store.use_nonce(&digest(nonce), count, later(1000)).await)
}

/// DG-7
async fn a_nonce_takes_counts_that_grow(store: impl DigestStore) {
    assert!(!use_nonce(&store, "a", 0).await, "no use has the count 0");
    for (count, taken) in [
        (1, true),
        (1, false),
        (0, false),
        (2, true),
        (1, false),
        (2, false),
        (7, true),
        (3, false),
        (6, false),
        (7, false),
        (8, true),
        (0x8000_0000, true),
        (u32::MAX, true),
        (u32::MAX, false),
        (1, false),
    ] {
        assert_eq!(use_nonce(&store, "a", count).await, taken, "only a count that is greater than all before: {count}");
    }
    assert!(use_nonce(&store, "b", 5).await, "the first need not be 1");
    assert!(!use_nonce(&store, "b", 4).await, "only a count that is greater than all before");
    assert_eq!(ok(store.purge_nonces(Timestamp(i64::MAX), 10).await), 2, "one row for each nonce");
}

async fn a_nonce_is_no_other_one(store: impl DigestStore) {
    let with = |at: usize, byte: u8| {
        let mut bytes = [b'a'; 32];
        if let Some(slot) = bytes.get_mut(at) {
            *slot = byte;
        }
        TokenDigest::from_bytes(bytes)
    };
    for nonce in [with(0, 0), with(0, b'A'), with(0, b'a'), with(31, 0), with(31, b'b'), with(15, 0xff)] {
        assert!(ok(store.use_nonce(&nonce, 1, later(1)).await), "what one nonce was used for says nothing of another");
        assert!(!ok(store.use_nonce(&nonce, 1, later(1)).await), "a count is taken once");
    }
}

/// DG-7, RACE
async fn of_twenty_uses_with_one_count_one_is_let_through(store: impl DigestStore) {
    let store = Arc::new(store);
    for count in [1, 2, 3, 10, 11] {
        let answers = twenty(|_| {
            let store = Arc::clone(&store);
            async move { use_nonce(&*store, "a", count).await }
        })
        .await;
        let taken = answers.into_iter().filter(|taken| *taken).count();
        assert_eq!(taken, 1, "of twenty uses at once with one count exactly one is let through");
    }
}

async fn of_twenty_counts_at_once_the_highest_is_remembered(store: impl DigestStore) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let nonce = format!("{round}");
        let answers = twenty(|n| {
            let (store, nonce) = (Arc::clone(&store), nonce.clone());
            async move { use_nonce(&*store, &nonce, u32::try_from(n).unwrap_or(0) + 1).await }
        })
        .await;
        assert_eq!(answers.last(), Some(&true), "the highest is greater than all before, whenever it comes");
        assert!(!use_nonce(&*store, &nonce, 20).await, "the highest is remembered");
        assert!(use_nonce(&*store, &nonce, 21).await, "a higher one is taken");
    }
}

async fn a_purge_removes_nonces_that_ended(store: impl DigestStore) {
    for (nonce, end) in [("a", -1), ("b", 0), ("c", 1)] {
        ok(store.use_nonce(&digest(nonce), 1, later(end)).await);
    }
    assert_eq!(ok(store.purge_nonces(later(-2), 10).await), 0, "what has not ended stays");
    assert_eq!(ok(store.purge_nonces(later(0), 10).await), 2, "what ends at that moment has ended");
    assert!(!use_nonce(&store, "c", 1).await, "what has not ended stays");
    assert!(use_nonce(&store, "a", 1).await, "what is gone is not remembered");
}

async fn a_nonce_is_remembered_until_the_latest_end_it_was_given(store: impl DigestStore) {
    for (count, end) in [(1, 10), (2, 30), (3, 20)] {
        assert!(ok(store.use_nonce(&digest("a"), count, later(end)).await), "a greater count is taken");
    }
    // One that is not taken changes nothing.
    assert!(!ok(store.use_nonce(&digest("a"), 3, later(90)).await), "a count is taken once");
    assert_eq!(ok(store.purge_nonces(later(29), 10).await), 0, "no use shortens how long it is remembered");
    assert!(!use_nonce(&store, "a", 3).await, "it is remembered");
    assert_eq!(ok(store.purge_nonces(later(30), 10).await), 1, "it is not remembered for longer");
}

/// REL-24
async fn a_purge_of_nonces_removes_no_more_than_its_limit(store: impl DigestStore) {
    for n in 0..7 {
        use_nonce(&store, &format!("{n}"), 1).await;
    }
    let end = later(1000);
    assert_eq!(ok(store.purge_nonces(end, 0).await), 0, "a limit of none removes none");
    assert_eq!(ok(store.purge_nonces(end, 3).await), 3, "a purge removes as many as its limit");
    assert_eq!(ok(store.purge_nonces(end, 10).await), 4, "a purge removes no more than its limit");
}

/// REL-24
async fn purges_at_once_remove_each_nonce_once(store: impl DigestStore) {
    let store = Arc::new(store);
    for n in 0..50 {
        use_nonce(&*store, &format!("{n}"), 1).await;
    }
    let answers = twenty(|_| {
        let store = Arc::clone(&store);
        async move { store.purge_nonces(later(1000), 5).await }
    })
    .await;
    assert_eq!(answers.into_iter().map(ok).sum::<u64>(), 50, "purges at once count each nonce once");
}
