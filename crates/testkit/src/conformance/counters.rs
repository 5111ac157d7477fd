//! The rules of `CounterStore`.

use std::sync::Arc;

use gatekit_core::{CounterLimit, CounterStore, Timestamp, TokenDigest};

use super::rules::{ROUNDS, T0, digest, ok, rules, twenty};

pub(super) async fn run<S: CounterStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    rules!(make;
        as_many_events_count_as_the_limit_allows(),
        a_limit_of_none_allows_none(),
        a_large_limit_is_held(),
        an_event_counts_until_just_before_its_window_ends(),
        events_end_one_after_the_other(),
        an_event_that_is_not_counted_changes_nothing(),
        who_asks_for_room_counts_nothing(),
        keys_are_compared_byte_for_byte(),
        a_counter_that_is_cleared_begins_anew_and_no_other_does(),
        of_twenty_at_once_as_many_count_as_there_is_room_for(),
        of_twenty_at_once_on_a_counter_with_one_place_left_one_counts(),
        a_purge_removes_counters_whose_events_all_ended(),
        a_purge_removes_no_more_than_its_limit(),
        purges_at_once_remove_each_counter_once(),
    );
}

const FIVE: CounterLimit = CounterLimit { events: 5, window_ms: 600_000 };

fn at(milliseconds: i64) -> Timestamp {
    Timestamp(T0.0 + milliseconds)
}

async fn add(store: &impl CounterStore, key: &TokenDigest, milliseconds: i64) -> bool {
    ok(store.add_event(key, FIVE, at(milliseconds)).await)
}

async fn has_room(store: &impl CounterStore, key: &TokenDigest, milliseconds: i64) -> bool {
    ok(store.has_room(key, FIVE, at(milliseconds)).await)
}

async fn as_many_events_count_as_the_limit_allows(store: impl CounterStore) {
    let key = digest("key");
    for n in 0..5 {
        assert!(has_room(&store, &key, n).await, "there is room for event {n}");
        assert!(add(&store, &key, n).await, "event {n} counts");
    }
    for n in 5..10 {
        assert!(!has_room(&store, &key, n).await, "there is no room for a sixth");
        assert!(!add(&store, &key, n).await, "a sixth does not count");
    }
}

async fn a_limit_of_none_allows_none(store: impl CounterStore) {
    let none = CounterLimit { events: 0, window_ms: 1000 };
    for _ in 0..2 {
        assert!(!ok(store.has_room(&digest("key"), none, T0).await), "a limit of none has no room");
        assert!(!ok(store.add_event(&digest("key"), none, T0).await), "a limit of none counts none");
    }
}

async fn a_large_limit_is_held(store: impl CounterStore) {
    let many = CounterLimit { events: CounterLimit::MAX_EVENTS, window_ms: 1000 };
    for n in 0..CounterLimit::MAX_EVENTS {
        assert!(ok(store.add_event(&digest("key"), many, T0).await), "event {n} counts");
    }
    assert!(!ok(store.add_event(&digest("key"), many, T0).await), "one more does not");
    let more = CounterLimit { events: CounterLimit::MAX_EVENTS + 1, ..many };
    assert!(!ok(store.add_event(&digest("key"), more, T0).await), "a limit beyond the largest is the largest");
}

async fn an_event_counts_until_just_before_its_window_ends(store: impl CounterStore) {
    let key = digest("key");
    for _ in 0..5 {
        assert!(add(&store, &key, 0).await, "events of the same moment are several");
    }
    assert!(!has_room(&store, &key, 599_999).await, "an event counts until its window ends");
    assert!(!add(&store, &key, 599_999).await, "an event counts until its window ends");
    assert!(has_room(&store, &key, 600_000).await, "an event does not count when its window has ended");
    for _ in 0..5 {
        assert!(add(&store, &key, 600_000).await, "an event does not count when its window has ended");
    }
    assert!(!add(&store, &key, 600_000).await, "the new ones count");
}

async fn events_end_one_after_the_other(store: impl CounterStore) {
    let key = digest("key");
    for n in 0..5 {
        assert!(add(&store, &key, n * 100_000).await, "event {n} counts");
    }
    assert!(!add(&store, &key, 599_999).await, "all five count");
    assert!(add(&store, &key, 600_000).await, "the first has ended");
    assert!(!add(&store, &key, 699_999).await, "the second has not");
    assert!(add(&store, &key, 700_000).await, "the second has ended");
    assert!(!add(&store, &key, 700_000).await, "there was one place");
}

async fn an_event_that_is_not_counted_changes_nothing(store: impl CounterStore) {
    let key = digest("key");
    for _ in 0..5 {
        add(&store, &key, 0).await;
    }
    for n in 1..20 {
        assert!(!add(&store, &key, n * 30_000).await, "there is no room");
    }
    assert!(add(&store, &key, 600_000).await, "whoever goes on trying does not make the wait longer");
}

async fn who_asks_for_room_counts_nothing(store: impl CounterStore) {
    let key = digest("key");
    for _ in 0..10 {
        assert!(has_room(&store, &key, 0).await, "asking counts nothing");
    }
    for _ in 0..5 {
        assert!(add(&store, &key, 0).await, "asking counts nothing");
    }
}

async fn keys_are_compared_byte_for_byte(store: impl CounterStore) {
    let with = |at: usize, byte: u8| {
        let mut bytes = [b'a'; 32];
        if let Some(slot) = bytes.get_mut(at) {
            *slot = byte;
        }
        TokenDigest::from_bytes(bytes)
    };
    for key in [with(0, 0), with(0, b'A'), with(0, b'a'), with(31, 0), with(31, b' '), with(15, 0xff)] {
        for n in 0..6 {
            assert_eq!(add(&store, &key, 0).await, n < 5, "each key has a count of its own");
        }
    }
}

async fn a_counter_that_is_cleared_begins_anew_and_no_other_does(store: impl CounterStore) {
    let (ada, bob) = (digest("ada"), digest("bob"));
    assert!(!ok(store.clear_counter(&ada).await), "there was nothing to clear");
    for _ in 0..5 {
        add(&store, &ada, 0).await;
        add(&store, &bob, 0).await;
    }
    assert!(ok(store.clear_counter(&ada).await), "there was something to clear");
    assert!(!ok(store.clear_counter(&ada).await), "it is cleared once");
    for n in 0..6 {
        assert_eq!(add(&store, &ada, 0).await, n < 5, "a counter that is cleared begins anew");
    }
    assert!(!add(&store, &bob, 0).await, "another one does not");
}

async fn of_twenty_at_once_as_many_count_as_there_is_room_for(store: impl CounterStore) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        let answers = twenty(|_| {
            let store = Arc::clone(&store);
            async move { add(&*store, &digest(round), 0).await }
        })
        .await;
        let counted = answers.into_iter().filter(|counted| *counted).count();
        assert_eq!(counted, 5, "of twenty at once five count");
    }
}

async fn of_twenty_at_once_on_a_counter_with_one_place_left_one_counts(store: impl CounterStore) {
    let store = Arc::new(store);
    for round in 0..ROUNDS {
        for n in 0..5 {
            add(&*store, &digest(round), n).await;
        }
        let answers = twenty(|_| {
            let store = Arc::clone(&store);
            async move { add(&*store, &digest(round), 600_000).await }
        })
        .await;
        let counted = answers.into_iter().filter(|counted| *counted).count();
        assert_eq!(counted, 1, "one event has ended, so of twenty at once one counts");
    }
}

async fn a_purge_removes_counters_whose_events_all_ended(store: impl CounterStore) {
    for (key, made) in [("a", -1), ("b", 0), ("c", 1)] {
        assert!(ok(store.add_event(&digest(key), FIVE, at(made)).await));
    }
    // An older event of the last one, which does not end it.
    assert!(add(&store, &digest("c"), 2).await);
    assert_eq!(ok(store.purge_counters(at(599_998), 10).await), 0, "all of them count");
    assert_eq!(ok(store.purge_counters(at(600_000), 10).await), 2, "what ends at that moment has ended");
    assert_eq!(ok(store.purge_counters(at(600_001), 10).await), 0, "the newest event is what counts");
    assert_eq!(ok(store.purge_counters(at(600_002), 10).await), 1, "the newest event is what counts");
}

/// REL-24
async fn a_purge_removes_no_more_than_its_limit(store: impl CounterStore) {
    for n in 0..7 {
        add(&store, &digest(n), 0).await;
    }
    assert_eq!(ok(store.purge_counters(at(600_000), 0).await), 0, "a limit of none removes none");
    assert_eq!(ok(store.purge_counters(at(600_000), 3).await), 3, "a purge removes as many as its limit");
    assert_eq!(ok(store.purge_counters(at(600_000), 10).await), 4, "a purge removes no more than its limit");
}

/// REL-24
async fn purges_at_once_remove_each_counter_once(store: impl CounterStore) {
    let store = Arc::new(store);
    for n in 0..50 {
        add(&*store, &digest(n), 0).await;
    }
    let answers = twenty(|_| {
        let store = Arc::clone(&store);
        async move { store.purge_counters(at(600_000), 5).await }
    })
    .await;
    assert_eq!(answers.into_iter().map(ok).sum::<u64>(), 50, "purges at once count each counter once");
}
