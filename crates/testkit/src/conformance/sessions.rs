//! The rules of tower-sessions' `SessionStore`, and what Gatekit wants of one beyond them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use gatekit_core::Timestamp;
use serde_json::{Value, json};
use time::{OffsetDateTime, UtcOffset};
use tower_sessions_core::SessionStore;
use tower_sessions_core::session::{Id, Record};
use tower_sessions_core::session_store::Error;

use super::rules::{ROUNDS, T0, TEXTS, ok, rules, twenty};
use crate::FrozenClock;

pub(super) async fn run<S: SessionStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    rules!(make;
        a_session_is_loaded_as_it_was_created(),
        an_unknown_id_loads_nothing(),
        ids_are_compared_in_all_their_bits(),
        data_of_every_kind_is_kept(),
        what_can_be_stored_can_be_loaded(),
        expiry_is_kept_to_the_millisecond(),
        an_id_in_use_is_never_overwritten(),
        of_twenty_created_with_one_id_each_is_itself(),
        a_save_replaces_data_and_expiry_and_touches_no_other(),
        of_twenty_saves_one_is_there_whole(),
        an_expired_session_is_not_loaded(),
        a_deleted_session_is_gone_and_no_other(),
        a_session_can_be_deleted_again(),
    );
}

pub(super) async fn run_strict<S, Made>(make: impl Fn(FrozenClock) -> Made)
where
    S: SessionStore,
    Made: Future<Output = S>,
{
    let make = || async {
        let clock = FrozenClock::at(T0);
        (make(clock.clone()).await, clock)
    };
    rules!(make;
        a_session_ends_at_its_millisecond_by_the_clock(),
        a_session_whose_id_is_in_use_gets_another(),
        of_twenty_created_with_one_id_each_gets_its_own(),
        a_save_brings_no_deleted_session_back(),
        a_save_brings_no_expired_session_back(),
        a_save_makes_no_session(),
        of_a_save_and_a_deletion_at_once_the_deletion_wins(),
    );
}

/// A session that lives for an hour by the machine's clock.
fn record(id: i128, data: Value) -> Record {
    Record { id: Id(id), data: object(data), expiry_date: OffsetDateTime::now_utc() + Duration::from_secs(3600) }
}

/// A session that ends this long after [`T0`].
fn ending(id: i128, after: Duration) -> Record {
    Record { expiry_date: moment(T0) + after, ..record(id, json!({ "n": 1 })) }
}

fn moment(at: Timestamp) -> OffsetDateTime {
    OffsetDateTime::UNIX_EPOCH + time::Duration::milliseconds(at.0)
}

fn object(data: Value) -> HashMap<String, Value> {
    match data {
        Value::Object(members) => members.into_iter().collect(),
        other => panic!("a session's data is an object, not {other}"),
    }
}

/// Creates a session, the id of which is not in use.
async fn create(store: &impl SessionStore, record: &Record) {
    let mut created = record.clone();
    ok(store.create(&mut created).await);
    assert_eq!(created, *record, "a session whose id is not in use is created as it is");
}

#[track_caller]
fn assert_same(loaded: Option<Record>, stored: &Record, rule: &str) {
    let Some(loaded) = loaded else { panic!("{rule}: it is there") };
    assert_eq!((loaded.id, &loaded.data), (stored.id, &stored.data), "{rule}");
    let early = stored.expiry_date - loaded.expiry_date;
    let precise = !early.is_negative() && early < time::Duration::milliseconds(1);
    assert!(precise, "{rule}: it ends {early} before its time, which must be less than a millisecond and never after");
}

async fn a_session_is_loaded_as_it_was_created(store: impl SessionStore) {
    let stored = record(7, json!({ "theme": "dark", "visits": 3 }));
    create(&store, &stored).await;
    for _ in 0..2 {
        assert_same(ok(store.load(&stored.id).await), &stored, "a session is loaded as it was created, and stays");
    }
    let empty = record(8, json!({}));
    create(&store, &empty).await;
    assert_same(ok(store.load(&empty.id).await), &empty, "a session without data is a session");
}

async fn an_unknown_id_loads_nothing(store: impl SessionStore) {
    assert_eq!(ok(store.load(&Id(1)).await), None, "an empty store has no session");
    create(&store, &record(1, json!({}))).await;
    assert_eq!(ok(store.load(&Id(2)).await), None, "an unknown id loads nothing");
}

async fn ids_are_compared_in_all_their_bits(store: impl SessionStore) {
    let high = 1_i128 << 64;
    let ids =
        [0, 1, -1, i128::MAX, i128::MIN, high, high + 1, -high, i128::from(i64::MAX), i128::from(i64::MIN), 1 << 53];
    for (n, id) in ids.into_iter().enumerate() {
        create(&store, &record(id, json!({ "n": n }))).await;
    }
    for (n, id) in ids.into_iter().enumerate() {
        let found = ok(store.load(&Id(id)).await).map(|found| (found.id, found.data));
        assert_eq!(found, Some((Id(id), object(json!({ "n": n })))), "an id loads no session with another one");
    }
    ok(store.delete(&Id(high)).await);
    for id in ids {
        assert_eq!(ok(store.load(&Id(id)).await).is_some(), id != high, "an id deletes no session with another one");
    }
}

async fn data_of_every_kind_is_kept(store: impl SessionStore) {
    let mut data = object(json!({
        "nothing": null, "true": true, "false": false, "text": "", "array": [], "object": {}, "": "no name",
        "integers": [0, -1, i64::MIN, i64::MAX, u64::MAX, 9_007_199_254_740_993_i64],
        // The last two are read as their neighbours where a parser is in a hurry.
        "floats": [0.0, -0.0, 0.1, 1.0, -1.5e-300, f64::MAX, f64::MIN_POSITIVE, 31.245270191439438, 121.48791951161945],
        "nested": [{ "a": [[], [{ "b": null }]] }],
        "Null": "another name than null",
    }));
    for text in TEXTS.into_iter().chain(["\u{0}", "\u{10ffff}", "\u{2028}", "null", "{}"]) {
        data.insert(text.to_owned(), json!([text, { text: text }]));
    }
    let stored = Record { data: data.clone(), ..record(7, json!({})) };
    create(&store, &stored).await;
    assert_same(ok(store.load(&stored.id).await), &stored, "data of every kind is kept");
    // Equal to what was stored, but not the same: `1` for `1.0`, `0` for `-0`.
    let loaded = ok(store.load(&stored.id).await).map(|loaded| loaded.data).unwrap_or_default();
    for (name, value) in &stored.data {
        assert_eq!(loaded.get(name).map(Value::to_string), Some(value.to_string()), "data is kept as it was written");
    }

    data.insert("big".to_owned(), Value::String("\u{1f468} ".repeat(300_000)));
    let big = Record { data, ..stored };
    ok(store.save(&big).await);
    assert_same(ok(store.load(&big.id).await), &big, "more than a megabyte of data is kept");
}

/// A store may have a limit. One that takes what it cannot give back has a session that fails every
/// request.
async fn what_can_be_stored_can_be_loaded(store: impl SessionStore) {
    for (id, depth) in (0..).zip([50, 100, 124, 125, 126, 127, 128, 129, 200, 500]) {
        let nested = |kind: fn(Value) -> Value| (0..depth).fold(json!(1), |value, _| kind(value));
        for (id, value) in
            [(2 * id, nested(|value| json!([value]))), (2 * id + 1, nested(|value| json!({ "in": value })))]
        {
            let stored = record(id, json!({ "deep": value }));
            let created = store.create(&mut stored.clone()).await;
            assert!(created.is_ok() || depth > 100, "a hundred levels of data are kept: {created:?}");
            match created {
                Ok(()) => assert_same(ok(store.load(&stored.id).await), &stored, "what was created can be loaded"),
                Err(_) => {
                    assert_eq!(ok(store.load(&stored.id).await), None, "what was refused is not there");
                    let before = record(id, json!({ "deep": false }));
                    create(&store, &before).await;
                    assert!(store.save(&stored).await.is_err(), "what is refused by a create is refused by a save");
                    assert_same(ok(store.load(&stored.id).await), &before, "what is refused changes nothing");
                }
            }
        }
    }
}

async fn expiry_is_kept_to_the_millisecond(store: impl SessionStore) {
    let now = OffsetDateTime::now_utc();
    let second = now.replace_nanosecond(0).unwrap_or(now) + Duration::from_secs(3600);
    let mut ends: Vec<_> = [0, 1, 999_999, 1_000_000, 123_456_789, 999_000_000, 999_999_999]
        .map(|n| second + Duration::from_nanos(n))
        .into();
    ends.push(now + Duration::from_secs(400 * 24 * 3600));
    ends.push(second.to_offset(UtcOffset::from_hms(-11, -30, 0).unwrap_or(UtcOffset::UTC)));
    // The last second that tower-sessions can say.
    ends.push(OffsetDateTime::from_unix_timestamp(253_402_300_799).unwrap_or(now));
    for (id, expiry_date) in (0..).zip(ends) {
        let stored = Record { expiry_date, ..record(id, json!({})) };
        create(&store, &stored).await;
        assert_same(ok(store.load(&stored.id).await), &stored, "expiry is kept to the millisecond");
    }
}

async fn an_id_in_use_is_never_overwritten(store: impl SessionStore) {
    let first = record(7, json!({ "of": "somebody else" }));
    create(&store, &first).await;
    let mut second = record(7, json!({ "of": "me" }));
    let created = store.create(&mut second).await;
    assert_same(ok(store.load(&first.id).await), &first, "an id in use is never overwritten");
    match created {
        Ok(()) => {
            assert_ne!(second.id, first.id, "the record says which other id it was given");
            assert_eq!(second.data, object(json!({ "of": "me" })), "nothing but its id changes");
            assert_same(ok(store.load(&second.id).await), &second, "it is found by the id it was given");
        }
        Err(Error::Backend(_)) => {}
        Err(other) => panic!("a collision of ids is an error of the backend, if one at all: {other}"),
    }
}

async fn of_twenty_created_with_one_id_each_is_itself(store: impl SessionStore) {
    let created = create_twenty(&Arc::new(store)).await;
    assert!(!created.is_empty(), "of twenty sessions with one id at least one is created");
}

/// Creates twenty sessions with one id at the same moment. Returns those that were, each of which
/// is there.
async fn create_twenty(store: &Arc<impl SessionStore>) -> Vec<Record> {
    let answers = twenty(|n| {
        let store = Arc::clone(store);
        let mut record = record(7, json!({ "n": n }));
        async move { store.create(&mut record).await.is_ok().then_some(record) }
    })
    .await;
    let created: Vec<Record> = answers.into_iter().flatten().collect();
    for record in &created {
        let rule = "of twenty sessions created with one id each that is acknowledged is there, under its own id";
        assert_same(ok(store.load(&record.id).await), record, rule);
    }
    created
}

async fn a_save_replaces_data_and_expiry_and_touches_no_other(store: impl SessionStore) {
    let other = record(8, json!({ "theme": "dark" }));
    create(&store, &other).await;
    let mut stored = record(7, json!({ "theme": "dark", "visits": 3 }));
    create(&store, &stored).await;
    for (data, seconds) in [(json!({ "visits": 4 }), 7200), (json!({}), 60), (json!({ "visits": [4] }), 60)] {
        stored = Record {
            data: object(data),
            expiry_date: OffsetDateTime::now_utc() + Duration::from_secs(seconds),
            ..stored
        };
        ok(store.save(&stored).await);
        assert_same(ok(store.load(&stored.id).await), &stored, "a save replaces data and expiry");
    }
    assert_same(ok(store.load(&other.id).await), &other, "a save changes no other session");
}

async fn of_twenty_saves_one_is_there_whole(store: impl SessionStore) {
    let store = Arc::new(store);
    create(&*store, &record(7, json!({}))).await;
    for _ in 0..ROUNDS {
        let saved = twenty(|n| {
            let store = Arc::clone(&store);
            let record = record(7, json!({ "n": n, "again": "x".repeat(n), n.to_string(): n }));
            async move {
                ok(store.save(&record).await);
                record
            }
        })
        .await;
        let loaded = ok(store.load(&Id(7)).await);
        let one = saved.iter().find(|saved| Some(&saved.data) == loaded.as_ref().map(|loaded| &loaded.data));
        let Some(one) = one else { panic!("of twenty saves at once one is there whole, not {loaded:?}") };
        assert_same(loaded, one, "of twenty saves at once one is there whole");
    }
}

async fn an_expired_session_is_not_loaded(store: impl SessionStore) {
    let hour = Duration::from_secs(3600);
    let mut expired = Record { expiry_date: OffsetDateTime::now_utc() - hour, ..record(7, json!({ "n": 1 })) };
    ok(store.create(&mut expired).await);
    assert_eq!(ok(store.load(&expired.id).await), None, "a session that was created expired is not loaded");
    ok(store.delete(&expired.id).await);

    let mut living = record(8, json!({}));
    create(&store, &living).await;
    living.expiry_date = OffsetDateTime::UNIX_EPOCH - hour;
    ok(store.save(&living).await);
    assert_eq!(ok(store.load(&living.id).await), None, "a session that was saved as expired is not loaded");
}

async fn a_deleted_session_is_gone_and_no_other(store: impl SessionStore) {
    let other = record(8, json!({}));
    create(&store, &other).await;
    create(&store, &record(7, json!({}))).await;
    ok(store.delete(&Id(7)).await);
    assert_eq!(ok(store.load(&Id(7)).await), None, "a deleted session is gone");
    assert_same(ok(store.load(&Id(8)).await), &other, "no other session is deleted");
}

async fn a_session_can_be_deleted_again(store: impl SessionStore) {
    create(&store, &record(7, json!({}))).await;
    for id in [7, 7, 9] {
        let deleted = store.delete(&Id(id)).await;
        assert!(deleted.is_ok(), "to delete what is not there is no error: {deleted:?}");
    }
}

async fn a_session_ends_at_its_millisecond_by_the_clock((store, clock): (impl SessionStore, FrozenClock)) {
    let millis = Duration::from_millis;
    create(&store, &ending(1, millis(1))).await;
    create(&store, &ending(2, millis(2))).await;
    create(&store, &ending(3, millis(2) + Duration::from_nanos(999_999))).await;
    for (after, living) in [(0, [true; 3]), (1, [false, true, true]), (2, [false; 3]), (-5, [true; 3])] {
        clock.set(Timestamp(T0.0 + after));
        for (id, living) in (1..).zip(living) {
            let loaded = ok(store.load(&Id(id)).await).is_some();
            assert_eq!(loaded, living, "a session lives strictly before its end: {id}, {after} ms later");
        }
    }
}

/// V-32
async fn a_session_whose_id_is_in_use_gets_another((store, clock): (impl SessionStore, FrozenClock)) {
    let first = ending(7, Duration::from_secs(1));
    create(&store, &first).await;
    let mut second = ending(7, Duration::from_secs(9));
    ok(store.create(&mut second).await);
    assert_ne!(second.id, first.id, "a session whose id is in use gets another");
    assert_same(ok(store.load(&second.id).await), &second, "it is found by the id it was given");
    assert_same(ok(store.load(&first.id).await), &first, "an id in use is never overwritten");

    clock.advance(Duration::from_secs(5));
    let mut third = ending(7, Duration::from_secs(9));
    ok(store.create(&mut third).await);
    assert_same(ok(store.load(&third.id).await), &third, "the id of an expired session is in nobody's way");
}

async fn of_twenty_created_with_one_id_each_gets_its_own((store, clock): (impl SessionStore, FrozenClock)) {
    clock.set(Timestamp(0));
    assert_eq!(create_twenty(&Arc::new(store)).await.len(), 20, "of twenty sessions with one id each gets its own");
}

/// V-33
async fn a_save_brings_no_deleted_session_back((store, _): (impl SessionStore, FrozenClock)) {
    let record = ending(7, Duration::from_secs(9));
    create(&store, &record).await;
    ok(store.delete(&record.id).await);
    let saved = store.save(&record).await;
    assert!(saved.is_ok(), "who saves a session that another request has ended is not at fault: {saved:?}");
    assert_eq!(ok(store.load(&record.id).await), None, "a save brings no session back that was logged out");
}

async fn a_save_brings_no_expired_session_back((store, clock): (impl SessionStore, FrozenClock)) {
    create(&store, &ending(7, Duration::from_secs(1))).await;
    clock.advance(Duration::from_secs(1));
    ok(store.save(&ending(7, Duration::from_secs(9))).await);
    assert_eq!(
        ok(store.load(&Id(7)).await),
        None,
        "a save brings no expired session back, whether it was removed yet or not"
    );
}

/// V-35
async fn a_save_makes_no_session((store, _): (impl SessionStore, FrozenClock)) {
    ok(store.save(&ending(7, Duration::from_secs(9))).await);
    assert_eq!(ok(store.load(&Id(7)).await), None, "an id that came from outside never becomes a session by a save");
}

/// V-33, RACE-8
async fn of_a_save_and_a_deletion_at_once_the_deletion_wins((store, _): (impl SessionStore, FrozenClock)) {
    let store = Arc::new(store);
    for _ in 0..ROUNDS {
        create(&*store, &ending(7, Duration::from_secs(9))).await;
        twenty(|n| {
            let store = Arc::clone(&store);
            async move {
                match n {
                    10 => ok(store.delete(&Id(7)).await),
                    _ => ok(store.save(&ending(7, Duration::from_secs(9))).await),
                }
            }
        })
        .await;
        assert_eq!(ok(store.load(&Id(7)).await), None, "of saves and a deletion at once the deletion wins");
    }
}
