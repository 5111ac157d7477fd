//! The rules of `OneTimeStore`.

use std::sync::Arc;

use gatekit_core::{OneTimePurpose, OneTimeRecord, OneTimeStore, Timestamp, UserId};

use super::rules::{ROUNDS, T0, TEXTS, assert_failed, digest, ids, ok, rules, twenty};

/// A line for each purpose there is.
const PURPOSES: &[OneTimePurpose] = &[
    OneTimePurpose::ResetPassword,
    OneTimePurpose::VerifyEmail,
    OneTimePurpose::ChangeEmail,
    OneTimePurpose::Other("club_invitation"),
    OneTimePurpose::Other("Club_invitation"),
];
const RESET: OneTimePurpose = OneTimePurpose::ResetPassword;

pub(super) async fn run<S: OneTimeStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    rules!(make;
        a_record_is_found_as_it_was_stored_and_stays(),
        an_unknown_digest_finds_nothing(),
        a_record_is_never_replaced(),
        an_ended_record_is_found_and_taken_too(),
        a_record_is_taken_once(),
        of_twenty_takers_one_gets_it(),
        a_record_of_one_purpose_is_nothing_for_another(),
        a_record_that_was_read_is_updated(),
        a_record_that_was_changed_meanwhile_is_not_updated(),
        of_twenty_updates_one_is_made(),
        the_records_of_a_user_are_removed(),
        records_of_another_purpose_type_or_user_and_decoys_stay(),
        records_of_an_id_of_the_other_kind_stay(),
        of_a_removal_and_a_taker_one_gets_it(),
        a_purge_removes_what_ended_at_or_before_now(),
        a_purge_removes_no_more_than_its_limit(),
    );
}

pub(super) fn record(secret: impl std::fmt::Display) -> OneTimeRecord {
    OneTimeRecord {
        purpose: RESET,
        digest: digest(secret),
        user_type: "User".into(),
        user_id: Some(UserId::Int(1)),
        rev: 3,
        expires: T0.plus_seconds(900),
        email: None,
        data: None,
    }
}

async fn a_record_is_found_as_it_was_stored_and_stays(store: impl OneTimeStore) {
    let mut stored = vec![OneTimeRecord { user_id: None, ..record("decoy") }];
    for (n, id) in ids().into_iter().enumerate() {
        stored.push(OneTimeRecord { user_id: Some(id), ..record(n) });
    }
    stored.push(OneTimeRecord { rev: i64::MAX, expires: Timestamp(i64::MAX), ..record("great") });
    stored.push(OneTimeRecord { rev: 0, expires: Timestamp(-1), ..record("small") });
    stored.push(OneTimeRecord { user_type: "Member".into(), ..record("of another type") });
    for text in TEXTS.into_iter().chain([""]) {
        stored.push(OneTimeRecord { email: Some(text.to_owned()), ..record(format!("to {text}")) });
        stored.push(OneTimeRecord { data: Some(text.to_owned()), ..record(format!("with {text}")) });
    }
    for record in &stored {
        ok(store.insert_one_time(record).await);
    }
    for _ in 0..2 {
        for record in &stored {
            let found = ok(store.find_one_time(RESET, &record.digest).await);
            assert_eq!(found.as_ref(), Some(record), "a record is found as it was stored, and stays");
        }
    }
    for record in stored {
        let taken = ok(store.take_one_time(RESET, &record.digest).await);
        assert_eq!(taken, Some(record), "a record is taken as it was stored");
    }
}

async fn an_unknown_digest_finds_nothing(store: impl OneTimeStore) {
    ok(store.insert_one_time(&record("known")).await);
    assert_eq!(ok(store.find_one_time(RESET, &digest("unknown")).await), None, "an unknown digest finds nothing");
    assert_eq!(ok(store.take_one_time(RESET, &digest("unknown")).await), None, "an unknown digest takes nothing");
    assert!(ok(store.find_one_time(RESET, &digest("known")).await).is_some(), "another record is left alone");
}

async fn a_record_is_never_replaced(store: impl OneTimeStore) {
    let first = record("secret");
    ok(store.insert_one_time(&first).await);
    let second = OneTimeRecord { user_id: Some(UserId::Int(2)), ..first.clone() };
    assert_failed(store.insert_one_time(&second).await, "a second record with the same digest is refused");
    assert_eq!(ok(store.find_one_time(RESET, &first.digest).await), Some(first), "a record is never replaced");
}

async fn an_ended_record_is_found_and_taken_too(store: impl OneTimeStore) {
    let ended = OneTimeRecord { expires: Timestamp(0), ..record("secret") };
    ok(store.insert_one_time(&ended).await);
    let rule = "whether a record has ended is not the store's business";
    assert_eq!(ok(store.find_one_time(RESET, &ended.digest).await), Some(ended.clone()), "{rule}");
    assert_eq!(ok(store.take_one_time(RESET, &ended.digest).await), Some(ended), "{rule}");
}

async fn a_record_is_taken_once(store: impl OneTimeStore) {
    let (one, two) = (record("one"), record("two"));
    ok(store.insert_one_time(&one).await);
    ok(store.insert_one_time(&two).await);
    assert_eq!(ok(store.take_one_time(RESET, &one.digest).await), Some(one.clone()), "a record is taken");
    assert_eq!(ok(store.take_one_time(RESET, &one.digest).await), None, "a record is taken once");
    assert_eq!(ok(store.find_one_time(RESET, &one.digest).await), None, "a taken record is gone");
    assert_eq!(ok(store.find_one_time(RESET, &two.digest).await), Some(two), "another record is left alone");
}

/// RACE-1, RACE-3
async fn of_twenty_takers_one_gets_it(store: impl OneTimeStore) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let record = record(round);
        ok(store.insert_one_time(&record).await);
        let answers = twenty(|_| {
            let (store, digest) = (Arc::clone(&store), record.digest);
            async move { store.take_one_time(RESET, &digest).await }
        })
        .await;
        let taken: Vec<_> = answers.into_iter().filter_map(ok).collect();
        assert_eq!(taken, [record], "of twenty takers exactly one gets it");
    }
}

async fn a_record_of_one_purpose_is_nothing_for_another(store: impl OneTimeStore) {
    for purpose in PURPOSES {
        let record = OneTimeRecord { purpose: *purpose, ..record(purpose.as_str()) };
        ok(store.insert_one_time(&record).await);
        for other in PURPOSES.iter().filter(|other| *other != purpose) {
            assert_eq!(
                ok(store.find_one_time(*other, &record.digest).await),
                None,
                "it is not found for another purpose"
            );
            assert_eq!(
                ok(store.take_one_time(*other, &record.digest).await),
                None,
                "it is not taken for another purpose"
            );
        }
        assert_eq!(ok(store.take_one_time(*purpose, &record.digest).await), Some(record), "it is taken for its own");
    }
}

async fn a_record_that_was_read_is_updated(store: impl OneTimeStore) {
    let records = [
        record("without data"),
        OneTimeRecord { data: Some("old".into()), email: Some("a@b.c".into()), ..record("with data") },
        OneTimeRecord { data: Some(String::new()), user_id: None, ..record("decoy") },
    ];
    for old in records {
        ok(store.insert_one_time(&old).await);
        let new = OneTimeRecord { data: Some("new".into()), expires: Timestamp(old.expires.0 + 1), ..old.clone() };
        assert!(ok(store.replace_one_time(&old, &new).await), "it is as it was read");
        assert_eq!(ok(store.find_one_time(RESET, &old.digest).await).as_ref(), Some(&new), "it has changed");
        let none = OneTimeRecord { data: None, rev: 9, user_type: "Member".into(), ..new.clone() };
        assert!(ok(store.replace_one_time(&new, &none).await), "data can be removed");
        let kept = OneTimeRecord { data: None, ..new };
        assert_eq!(ok(store.find_one_time(RESET, &old.digest).await), Some(kept), "nothing else changes");
    }
}

async fn a_record_that_was_changed_meanwhile_is_not_updated(store: impl OneTimeStore) {
    let stored = OneTimeRecord { data: Some("stored".into()), ..record("it") };
    let new = OneTimeRecord { data: Some("new".into()), ..stored.clone() };
    assert!(!ok(store.replace_one_time(&stored, &new).await), "there is none");
    ok(store.insert_one_time(&stored).await);
    for old in [
        OneTimeRecord { data: Some("other".into()), ..stored.clone() },
        OneTimeRecord { data: None, ..stored.clone() },
        OneTimeRecord { expires: Timestamp(stored.expires.0 + 1), ..stored.clone() },
        OneTimeRecord { purpose: OneTimePurpose::VerifyEmail, ..stored.clone() },
        OneTimeRecord { digest: digest("another"), ..stored.clone() },
    ] {
        assert!(!ok(store.replace_one_time(&old, &new).await), "what was read is not what is stored");
        assert_eq!(ok(store.find_one_time(RESET, &stored.digest).await).as_ref(), Some(&stored), "nothing has changed");
    }
}

/// RACE-6
async fn of_twenty_updates_one_is_made(store: impl OneTimeStore) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let old = record(round);
        ok(store.insert_one_time(&old).await);
        let answers = twenty(|n| {
            let (store, old) = (Arc::clone(&store), old.clone());
            let new = OneTimeRecord { data: Some(n.to_string()), ..old.clone() };
            async move { ok(store.replace_one_time(&old, &new).await).then_some(new) }
        })
        .await;
        let made: Vec<_> = answers.into_iter().flatten().collect();
        assert_eq!(made.len(), 1, "of twenty updates of what was read exactly one is made");
        assert_eq!(
            ok(store.find_one_time(RESET, &old.digest).await),
            made.into_iter().next(),
            "and it is what is stored"
        );
    }
}

async fn the_records_of_a_user_are_removed(store: impl OneTimeStore) {
    for n in 0..3 {
        // Of another rev, to another address, ended or not: all are the user's.
        let (rev, expires) = (n, Timestamp(T0.0 * n));
        let email = (n > 0).then(|| format!("{n}@example.com"));
        ok(store.insert_one_time(&OneTimeRecord { rev, expires, email, ..record(n) }).await);
    }
    let removed = ok(store.delete_one_time_of(RESET, "User", &UserId::Int(1)).await);
    assert_eq!(removed, 3, "all of a user's records of a purpose are removed and counted");
    for n in 0..3 {
        assert_eq!(ok(store.find_one_time(RESET, &digest(n)).await), None, "a removed record is gone");
        assert_eq!(ok(store.take_one_time(RESET, &digest(n)).await), None, "a removed record is not taken");
    }
    assert_eq!(ok(store.delete_one_time_of(RESET, "User", &UserId::Int(1)).await), 0, "who has none has none removed");
}

async fn records_of_another_purpose_type_or_user_and_decoys_stay(store: impl OneTimeStore) {
    let purpose = OneTimePurpose::VerifyEmail;
    let own = OneTimeRecord { purpose, ..record("own") };
    let others = [
        record("of another purpose"),
        OneTimeRecord { user_type: "Member".into(), digest: digest("of another type"), ..own.clone() },
        OneTimeRecord { user_id: Some(UserId::Int(2)), digest: digest("of another user"), ..own.clone() },
        OneTimeRecord { user_id: None, digest: digest("decoy"), ..own.clone() },
    ];
    for record in others.iter().chain([&own]) {
        ok(store.insert_one_time(record).await);
    }
    assert_eq!(ok(store.delete_one_time_of(purpose, "User", &UserId::Int(1)).await), 1, "one of all is the user's");
    assert_eq!(ok(store.find_one_time(purpose, &own.digest).await), None, "it is removed");
    for other in others {
        let found = ok(store.find_one_time(other.purpose, &other.digest).await);
        assert_eq!(found, Some(other), "of another purpose, type or user, and decoys: all of them stay");
    }
}

async fn records_of_an_id_of_the_other_kind_stay(store: impl OneTimeStore) {
    for id in ids() {
        ok(store.insert_one_time(&OneTimeRecord { user_id: Some(id.clone()), ..record(format!("{id:?}")) }).await);
    }
    for id in ids() {
        let removed = ok(store.delete_one_time_of(RESET, "User", &id).await);
        assert_eq!(removed, 1, "the text 7 is not the integer 7");
        assert_eq!(
            ok(store.find_one_time(RESET, &digest(format!("{id:?}"))).await),
            None,
            "the one removed is its own"
        );
    }
}

async fn of_a_removal_and_a_taker_one_gets_it(store: impl OneTimeStore) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let record = record(round);
        ok(store.insert_one_time(&record).await);
        let answers = twenty(|n| {
            let (store, digest) = (Arc::clone(&store), record.digest);
            async move {
                if n % 2 == 0 {
                    return store.delete_one_time_of(RESET, "User", &UserId::Int(1)).await;
                }
                store.take_one_time(RESET, &digest).await.map(|taken| u64::from(taken.is_some()))
            }
        })
        .await;
        let gone: u64 = answers.into_iter().map(ok).sum();
        assert_eq!(gone, 1, "a record is taken or removed, by one of twenty");
    }
}

async fn a_purge_removes_what_ended_at_or_before_now(store: impl OneTimeStore) {
    for (n, purpose) in PURPOSES.iter().enumerate() {
        ok(store.insert_one_time(&OneTimeRecord { purpose: *purpose, expires: T0, ..record(n) }).await);
    }
    let later = OneTimeRecord { expires: Timestamp(T0.0 + 1), ..record("later") };
    ok(store.insert_one_time(&later).await);
    assert_eq!(ok(store.purge_one_time(Timestamp(T0.0 - 1), 100).await), 0, "what has not ended stays");
    let ended = u64::try_from(PURPOSES.len()).unwrap_or_default();
    assert_eq!(ok(store.purge_one_time(T0, 100).await), ended, "what ends now has ended, whatever its purpose");
    assert_eq!(ok(store.find_one_time(RESET, &later.digest).await), Some(later), "what has not ended stays");
}

/// REL-24
async fn a_purge_removes_no_more_than_its_limit(store: impl OneTimeStore) {
    for n in 0..7 {
        ok(store.insert_one_time(&record(n)).await);
    }
    let later = T0.plus_seconds(901);
    assert_eq!(ok(store.purge_one_time(later, 0).await), 0, "a limit of none removes none");
    for expected in [3, 3, 1, 0] {
        assert_eq!(
            ok(store.purge_one_time(later, 3).await),
            expected,
            "a purge removes as many as its limit, then the rest"
        );
    }
}
