//! The rules of `OneTimeStore` about limits and about records that were used.

use std::sync::Arc;

use gatekit_core::{OneTimeLimit, OneTimePurpose, OneTimeRecord, OneTimeStore, Timestamp, UserId};

use super::one_time::record;
use super::rules::{ROUNDS, T0, assert_failed, digest, ids, ok, rules, twenty};

const RESET: OneTimePurpose = OneTimePurpose::ResetPassword;
const USED: OneTimePurpose = OneTimePurpose::RESET_PASSWORD_USED;
/// All records that have not ended at `T0`.
const THREE: [OneTimeLimit; 1] = [OneTimeLimit { expires_after: T0, max: 3 }];

pub(super) async fn run<S: OneTimeStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    rules!(make;
        a_record_within_the_limits_is_stored_as_it_is(),
        a_record_beyond_a_limit_is_not_stored(),
        each_limit_counts_by_itself(),
        only_records_of_the_same_purpose_type_user_and_rev_count(),
        a_decoy_in_place_of_a_record_is_stored(),
        a_limit_replaces_no_record(),
        of_twenty_at_once_as_many_are_stored_as_the_limit_allows(),
        a_record_is_spent_once_and_kept_as_used(),
        all_of_the_user_are_spent_with_one(),
        what_is_not_the_users_is_not_spent(),
        of_twenty_that_spend_one_gets_it(),
    );
}

fn decoy() -> OneTimeRecord {
    OneTimeRecord { user_id: None, rev: 0, expires: T0, ..record("the decoy") }
}

async fn a_record_within_the_limits_is_stored_as_it_is(store: impl OneTimeStore) {
    for (n, id) in ids().into_iter().enumerate() {
        let record =
            OneTimeRecord { user_id: Some(id), email: Some("a@b.c".into()), data: Some("data".into()), ..record(n) };
        assert!(
            ok(store.insert_one_time_within(&record, &THREE, &decoy()).await),
            "the first of a user is within the limit"
        );
        assert_eq!(ok(store.find_one_time(RESET, &record.digest).await), Some(record), "it is stored as it was given");
    }
}

async fn a_record_beyond_a_limit_is_not_stored(store: impl OneTimeStore) {
    for n in 0..3 {
        assert!(
            ok(store.insert_one_time_within(&record(n), &THREE, &decoy()).await),
            "as many as the limit are stored"
        );
    }
    assert!(!ok(store.insert_one_time_within(&record("more"), &THREE, &decoy()).await), "one more is not stored");
    assert_eq!(ok(store.find_one_time(RESET, &digest("more")).await), None, "it is not there");
    assert_eq!(ok(store.find_one_time(RESET, &decoy().digest).await), Some(decoy()), "the decoy is, in its place");
    assert!(!ok(store.insert_one_time_within(&record("more"), &THREE, &decoy()).await), "a decoy replaces a decoy");
    for n in 0..3 {
        assert!(ok(store.find_one_time(RESET, &digest(n)).await).is_some(), "those before are left alone");
    }
    assert!(
        ok(store.insert_one_time_within(&record("unlimited"), &[], &decoy()).await),
        "without a limit it is stored"
    );
}

async fn each_limit_counts_by_itself(store: impl OneTimeStore) {
    let ending = |secret: &str, seconds| OneTimeRecord { expires: T0.plus_seconds(seconds), ..record(secret) };
    let limit = |seconds, max| OneTimeLimit { expires_after: T0.plus_seconds(seconds), max };
    ok(store.insert_one_time(&ending("ended", 0)).await);
    ok(store.insert_one_time(&ending("soon", 10)).await);
    ok(store.insert_one_time(&ending("late", 100)).await);
    let rule = "a limit counts what ends after its moment, and not at it";
    assert!(!ok(store.insert_one_time_within(&ending("a", 200), &[limit(0, 2)], &decoy()).await), "{rule}");
    assert!(
        !ok(store.insert_one_time_within(&ending("b", 200), &[limit(0, 3), limit(10, 1)], &decoy()).await),
        "{rule}"
    );
    assert!(
        ok(store.insert_one_time_within(&ending("c", 200), &[limit(0, 3), limit(100, 1)], &decoy()).await),
        "{rule}"
    );
}

async fn only_records_of_the_same_purpose_type_user_and_rev_count(store: impl OneTimeStore) {
    let others = [
        OneTimeRecord { purpose: OneTimePurpose::VerifyEmail, ..record("of another purpose") },
        OneTimeRecord { user_type: "Member".into(), ..record("of another type") },
        OneTimeRecord { user_id: Some(UserId::Int(2)), ..record("of another user") },
        OneTimeRecord { user_id: Some(UserId::from("1")), ..record("of a text that looks like it") },
        OneTimeRecord { rev: 4, ..record("of another rev") },
        OneTimeRecord { user_id: None, ..record("decoy") },
    ];
    for other in &others {
        ok(store.insert_one_time(other).await);
    }
    let one = [OneTimeLimit { expires_after: T0, max: 1 }];
    assert!(ok(store.insert_one_time_within(&record("own"), &one, &decoy()).await), "others' records do not count");
    assert!(!ok(store.insert_one_time_within(&record("second"), &one, &decoy()).await), "the user's own do");
}

async fn a_decoy_in_place_of_a_record_is_stored(store: impl OneTimeStore) {
    let none = [OneTimeLimit { expires_after: Timestamp(0), max: 0 }];
    for limits in [&[][..], &none, &none] {
        assert!(ok(store.insert_one_time_within(&decoy(), limits, &decoy()).await), "a decoy is within all limits");
        assert_eq!(ok(store.find_one_time(RESET, &decoy().digest).await), Some(decoy()), "a decoy replaces a decoy");
    }
}

async fn a_limit_replaces_no_record(store: impl OneTimeStore) {
    let first = record("secret");
    ok(store.insert_one_time(&first).await);
    let as_decoy = OneTimeRecord { user_id: None, ..first.clone() };
    assert_failed(store.insert_one_time_within(&as_decoy, &[], &as_decoy).await, "a decoy replaces no user's record");
    let second = OneTimeRecord { user_id: Some(UserId::Int(2)), ..first.clone() };
    let answer = store.insert_one_time_within(&second, &THREE, &decoy()).await.map(|_| ());
    assert_failed(answer, "a second record with the same digest is refused");
    assert_eq!(ok(store.find_one_time(RESET, &first.digest).await), Some(first), "a record is never replaced");
}

/// RACE-3, 2.4.1
async fn of_twenty_at_once_as_many_are_stored_as_the_limit_allows(store: impl OneTimeStore) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let user = round;
        let answers = twenty(|n| {
            let store = Arc::clone(&store);
            let record = OneTimeRecord { user_id: Some(UserId::Int(user)), ..record(format!("{round} {n}")) };
            async move { store.insert_one_time_within(&record, &THREE, &decoy()).await }
        })
        .await;
        let stored = answers.into_iter().filter(|stored| matches!(stored, Ok(true))).count();
        assert_eq!(stored, 3, "of twenty at once as many are stored as the limit allows");
    }
}

async fn a_record_is_spent_once_and_kept_as_used(store: impl OneTimeStore) {
    for id in ids().into_iter().map(Some).chain([None]) {
        let record = OneTimeRecord { user_id: id.clone(), email: Some("a@b.c".into()), ..record(format!("{id:?}")) };
        ok(store.insert_one_time(&record).await);
        let other = store.spend_one_time(OneTimePurpose::VerifyEmail, &record.digest, USED).await;
        assert_eq!(ok(other), None, "it is not spent for another purpose");
        let spent = ok(store.spend_one_time(RESET, &record.digest, USED).await);
        assert_eq!(spent.as_ref(), Some(&record), "it is returned as it was");
        assert_eq!(ok(store.spend_one_time(RESET, &record.digest, USED).await), None, "it is spent once");
        assert_eq!(ok(store.find_one_time(RESET, &record.digest).await), None, "it is good for nothing any more");
        let kept = ok(store.find_one_time(USED, &record.digest).await);
        assert_eq!(kept, Some(OneTimeRecord { purpose: USED, ..record }), "it is kept as one that was used");
    }
    assert_eq!(
        ok(store.spend_one_time(RESET, &digest("unknown"), USED).await),
        None,
        "an unknown digest spends nothing"
    );
}

async fn all_of_the_user_are_spent_with_one(store: impl OneTimeStore) {
    for n in 0..4 {
        // Ended or not, of whatever rev.
        let expires = Timestamp(T0.0 * n);
        ok(store.insert_one_time(&OneTimeRecord { rev: n, expires, ..record(n) }).await);
    }
    assert!(ok(store.spend_one_time(RESET, &digest(2), USED).await).is_some(), "one is spent");
    for n in 0..4 {
        assert_eq!(ok(store.find_one_time(RESET, &digest(n)).await), None, "the others of the user are spent with it");
        assert!(ok(store.find_one_time(USED, &digest(n)).await).is_some(), "and kept");
    }
}

async fn what_is_not_the_users_is_not_spent(store: impl OneTimeStore) {
    let others = [
        OneTimeRecord { purpose: OneTimePurpose::VerifyEmail, ..record("of another purpose") },
        OneTimeRecord { user_type: "Member".into(), ..record("of another type") },
        OneTimeRecord { user_id: Some(UserId::Int(2)), ..record("of another user") },
        OneTimeRecord { user_id: None, ..record("decoy") },
        OneTimeRecord { user_id: None, ..record("another decoy") },
    ];
    for other in &others {
        ok(store.insert_one_time(other).await);
    }
    ok(store.insert_one_time(&record("own")).await);
    ok(store.spend_one_time(RESET, &digest("own"), USED).await);
    for other in &others {
        let found = ok(store.find_one_time(other.purpose, &other.digest).await);
        assert_eq!(found.as_ref(), Some(other), "it is left alone");
    }
    ok(store.spend_one_time(RESET, &digest("decoy"), USED).await);
    assert!(ok(store.find_one_time(RESET, &digest("another decoy")).await).is_some(), "decoys have no owner in common");
}

/// RACE-1, RACE-3
async fn of_twenty_that_spend_one_gets_it(store: impl OneTimeStore) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let record = record(round);
        ok(store.insert_one_time(&record).await);
        let answers = twenty(|_| {
            let (store, digest) = (Arc::clone(&store), record.digest);
            async move { store.spend_one_time(RESET, &digest, USED).await }
        })
        .await;
        let spent = answers.into_iter().filter_map(ok).count();
        assert_eq!(spent, 1, "of twenty that spend one exactly one gets it");
        ok(store.delete_one_time_of(USED, "User", &UserId::Int(1)).await);
    }
}
