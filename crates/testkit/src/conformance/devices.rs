//! The rules of `DeviceStore`.

use std::sync::Arc;

use gatekit_core::{DeviceSeen, DeviceStore, Timestamp, TokenDigest, UserId};

use super::rules::{ROUNDS, T0, TEXTS, digest, ids, ok, rules, twenty};

pub(super) async fn run<S: DeviceStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    rules!(make;
        a_device_is_first_or_new_once_and_then_known(),
        devices_are_compared_byte_for_byte(),
        ids_of_the_two_kinds_have_devices_of_their_own(),
        types_of_users_have_devices_of_their_own(),
        the_devices_of_a_user_are_forgotten_and_no_others(),
        of_twenty_on_one_device_one_is_told_that_it_is_new(),
        of_twenty_on_devices_of_their_own_one_is_the_first(),
        a_purge_removes_what_was_last_seen_before(),
        who_is_seen_again_is_kept(),
        a_purge_removes_no_more_than_its_limit(),
        purges_at_once_remove_each_device_once(),
    );
}

const ADA: UserId = UserId::Int(1);
const BOB: UserId = UserId::Int(2);

async fn see(store: &impl DeviceStore, user: &UserId, device: impl std::fmt::Display) -> DeviceSeen {
    ok(store.remember_device("User", user, &digest(device), T0).await)
}

fn later(milliseconds: i64) -> Timestamp {
    Timestamp(T0.0 + milliseconds)
}

async fn a_device_is_first_or_new_once_and_then_known(store: impl DeviceStore) {
    assert_eq!(see(&store, &ADA, "laptop").await, DeviceSeen::First, "a user's first device is the first");
    assert_eq!(see(&store, &ADA, "laptop").await, DeviceSeen::Known, "a device is new once");
    assert_eq!(see(&store, &ADA, "phone").await, DeviceSeen::New, "a second device is new");
    assert_eq!(see(&store, &BOB, "laptop").await, DeviceSeen::First, "what one user has says nothing of another");
    assert_eq!(see(&store, &BOB, "tablet").await, DeviceSeen::New, "a second device is new");
    for device in ["laptop", "phone"] {
        assert_eq!(see(&store, &ADA, device).await, DeviceSeen::Known, "a device that was seen stays known");
    }
    assert_eq!(see(&store, &ADA, "tablet").await, DeviceSeen::New, "another user's device is new to this one");
}

async fn devices_are_compared_byte_for_byte(store: impl DeviceStore) {
    let with = |at: usize, byte: u8| {
        let mut bytes = [b'a'; 32];
        if let Some(slot) = bytes.get_mut(at) {
            *slot = byte;
        }
        TokenDigest::from_bytes(bytes)
    };
    let devices =
        [with(0, 0), with(0, b'A'), with(0, b'a'), with(31, 0), with(31, b'b'), with(15, 0xff), with(15, b'\'')];
    for seen in [DeviceSeen::New, DeviceSeen::Known] {
        for (n, device) in devices.iter().enumerate() {
            let expected = if n == 0 && seen == DeviceSeen::New { DeviceSeen::First } else { seen };
            let answer = ok(store.remember_device("User", &ADA, device, T0).await);
            assert_eq!(answer, expected, "a device is not taken for another one");
        }
    }
}

async fn ids_of_the_two_kinds_have_devices_of_their_own(store: impl DeviceStore) {
    for user in ids() {
        assert_eq!(see(&store, &user, "laptop").await, DeviceSeen::First, "{user:?} is nobody else");
    }
    for user in ids() {
        assert_eq!(see(&store, &user, "laptop").await, DeviceSeen::Known, "{user:?} is known");
        assert_eq!(ok(store.forget_devices_of("User", &user).await), 1, "{user:?} is nobody else");
    }
}

async fn types_of_users_have_devices_of_their_own(store: impl DeviceStore) {
    let types = TEXTS.into_iter().chain(["User", "user", "Member"]);
    for user_type in types.clone() {
        let seen = ok(store.remember_device(user_type, &ADA, &digest("laptop"), T0).await);
        assert_eq!(seen, DeviceSeen::First, "users of two types are different users");
    }
    for user_type in types {
        assert_eq!(ok(store.forget_devices_of(user_type, &ADA).await), 1, "users of two types are different users");
    }
}

async fn the_devices_of_a_user_are_forgotten_and_no_others(store: impl DeviceStore) {
    assert_eq!(ok(store.forget_devices_of("User", &ADA).await), 0, "who has none has none forgotten");
    for device in ["laptop", "phone", "tablet"] {
        see(&store, &ADA, device).await;
    }
    see(&store, &BOB, "laptop").await;
    assert_eq!(ok(store.forget_devices_of("User", &ADA).await), 3, "all devices of a user are forgotten and counted");
    assert_eq!(ok(store.forget_devices_of("User", &ADA).await), 0, "they are forgotten once");
    assert_eq!(see(&store, &BOB, "laptop").await, DeviceSeen::Known, "another user's devices stay");
    assert_eq!(see(&store, &ADA, "phone").await, DeviceSeen::First, "whose devices are forgotten begins anew");
}

async fn of_twenty_on_one_device_one_is_told_that_it_is_new(store: impl DeviceStore) {
    let store = Arc::new(store);
    for (round, first) in [DeviceSeen::First].into_iter().chain([DeviceSeen::New; 4]).enumerate() {
        let answers = twenty(|_| {
            let store = Arc::clone(&store);
            async move { see(&*store, &ADA, round).await }
        })
        .await;
        let told: Vec<_> = answers.into_iter().filter(|seen| *seen != DeviceSeen::Known).collect();
        assert_eq!(told, [first], "of twenty at once on one device exactly one is told that it is new");
    }
}

async fn of_twenty_on_devices_of_their_own_one_is_the_first(store: impl DeviceStore) {
    let store = Arc::new(store);
    for round in 1..=ROUNDS {
        let answers = twenty(|n| {
            let store = Arc::clone(&store);
            async move { see(&*store, &UserId::Int(round), n).await }
        })
        .await;
        let count = |seen| answers.iter().filter(|answer| **answer == seen).count();
        let counts = (count(DeviceSeen::First), count(DeviceSeen::New));
        assert_eq!(counts, (1, 19), "of twenty devices at once exactly one is the first and the others are new");
        assert_eq!(ok(store.forget_devices_of("User", &UserId::Int(round)).await), 20, "all of them are there");
    }
}

async fn a_purge_removes_what_was_last_seen_before(store: impl DeviceStore) {
    for (device, seen) in [("a", -1), ("b", 0), ("c", 1)] {
        ok(store.remember_device("User", &ADA, &digest(device), later(seen)).await);
    }
    ok(store.remember_device("Member", &UserId::from("1"), &digest("a"), later(-2)).await);
    assert_eq!(ok(store.purge_devices(later(-2), 10).await), 0, "what was seen at that moment stays");
    assert_eq!(ok(store.purge_devices(later(0), 10).await), 2, "what was seen before goes, whosever it is");
    assert_eq!(ok(store.purge_devices(later(0), 10).await), 0, "what was seen at that moment stays");
    assert_eq!(see(&store, &ADA, "b").await, DeviceSeen::Known, "what was seen at that moment stays");
    assert_eq!(see(&store, &ADA, "a").await, DeviceSeen::New, "a device that was removed is a new one");
    assert_eq!(ok(store.purge_devices(Timestamp(i64::MAX), 10).await), 3, "nothing else is left");
    assert_eq!(see(&store, &ADA, "b").await, DeviceSeen::First, "who has none left begins anew");
}

async fn who_is_seen_again_is_kept(store: impl DeviceStore) {
    see(&store, &ADA, "laptop").await;
    see(&store, &ADA, "phone").await;
    ok(store.remember_device("User", &ADA, &digest("laptop"), later(100)).await);
    assert_eq!(ok(store.purge_devices(later(100), 10).await), 1, "what counts is when a device was last seen");
    assert_eq!(see(&store, &ADA, "laptop").await, DeviceSeen::Known, "what counts is when a device was last seen");
}

/// REL-24
async fn a_purge_removes_no_more_than_its_limit(store: impl DeviceStore) {
    for n in 0..7 {
        see(&store, &UserId::Int(n / 2), n).await;
    }
    assert_eq!(ok(store.purge_devices(later(1), 0).await), 0, "a limit of none removes none");
    assert_eq!(ok(store.purge_devices(later(1), 3).await), 3, "a purge removes as many as its limit");
    let mut left = 0;
    for n in 0..4 {
        left += ok(store.forget_devices_of("User", &UserId::Int(n)).await);
    }
    assert_eq!(left, 4, "a purge removes no more than its limit");
}

/// REL-24
async fn purges_at_once_remove_each_device_once(store: impl DeviceStore) {
    let store = Arc::new(store);
    for n in 0..50 {
        see(&*store, &UserId::Int(n % 7), n).await;
    }
    let answers = twenty(|_| {
        let store = Arc::clone(&store);
        async move { store.purge_devices(later(1), 5).await }
    })
    .await;
    assert_eq!(answers.into_iter().map(ok).sum::<u64>(), 50, "purges at once count each device once");
}
