//! SQLite finds whom `Where::matches` says, with fields of the app's own of every type, and over
//! many pages.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use gatekit_core::{Filter, MemoryStore, NewUser, StoreError, User, UserOperation, UserStore};
use gatekit_sql::SqliteStore;
use gatekit_testkit::LogCapture;
use gatekit_testkit::conformance::{self, Identifiers};
use serde_json::{Map, Value, json};

type Profile = Map<String, Value>;

/// Members of every type, some of which a user has and others do not.
fn with_profile(email: &str) -> NewUser<Profile> {
    let profile = match email.len() % 5 {
        0 => json!({ "age": 36, "city": "Ulm", "tags": ["a", "b"], "address": { "city": "Ulm", "zip": "07" } }),
        1 => json!({ "age": "36", "city": "ulm", "tags": [], "active": true }),
        2 => {
            json!({ "age": "036", "city": null, "active": "true", "friends": [{ "name": "a" }, { "name": "b", "age": 1.5 }] })
        }
        3 => json!({ "age": 1e300, "max": u64::MAX, "tags": [1, null, "1"], "deep": [[1], []], "o'brien\"": "--" }),
        _ => json!({}),
    };
    let Value::Object(profile) = profile else { unreachable!() };
    NewUser::new(email, profile)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn users_with_any_profile_are_found_as_in_memory() {
    let make = || async { SqliteStore::in_memory().await.unwrap() };
    assert!(UserStore::<User<Profile>>::supports(&make().await, UserOperation::Find));
    conformance::user_store::<User<Profile>, _, _>(Identifiers::ALL, make, with_profile).await;
}

/// More than two pages of 500.
const MANY: usize = 1050;

async fn many() -> (SqliteStore, MemoryStore<Profile>) {
    let (sqlite, memory) = (SqliteStore::in_memory().await.unwrap(), MemoryStore::new());
    for n in 0..MANY {
        let mut new = with_profile(&format!("{}@example.com", "x".repeat(n % 7) + &n.to_string()));
        new.realm = (n % 3 > 0).then(|| format!("realm {}", n % 3));
        new.profile.insert("n".into(), json!(n * 7919 % MANY));
        memory.create_user(new.clone()).await.unwrap();
        let _: gatekit_core::StoredUser<User<Profile>> = sqlite.create_user(new).await.unwrap();
    }
    (sqlite, memory)
}

#[tokio::test]
async fn many_users_are_found_page_by_page() {
    let (sqlite, memory) = many().await;
    let found = async |filter: Value| {
        let query = Filter::from_json(&filter).unwrap().query;
        let found: Vec<User<Profile>> = sqlite.find_users(&query).await.unwrap();
        let mut pages = sqlite.find_users_page(&query, None).await.unwrap();
        let mut paged: Vec<User<Profile>> = pages.users;
        while let Some(next) = pages.next {
            pages = sqlite.find_users_page(&query, Some(next)).await.unwrap();
            assert!(pages.users.len() <= 550, "{filter}");
            paged.append(&mut pages.users);
        }
        assert!(paged == found, "{filter}: {} users in pages, not {}", paged.len(), found.len());
        let expected = memory.find_users(&query).await.unwrap();
        assert!(found == expected, "{filter}: {} users, not {}", found.len(), expected.len());
        let count = UserStore::<User<Profile>>::count_users(&sqlite, &query.condition).await.unwrap();
        assert_eq!(count, memory.count_users(&query.condition).await.unwrap(), "{filter}");
        found.len()
    };
    // Told by the database; looked through here; both; and for nobody.
    let conditions = [
        json!({}),
        json!({ "n": { "lt": 1000 } }),
        json!({ "realm": "realm 1", "n": { "gt": 100 } }),
        json!({ "or": [{ "id": { "lte": 500 } }, { "n": 3 }] }),
        json!({ "n": -1 }),
    ];
    for condition in conditions {
        for order in ["id", "realm, email DESC", "city DESC, n"] {
            found(json!({ "where": condition, "order": order, "limit": 501, "skip": 499 })).await;
        }
    }
    assert_eq!(found(json!({})).await, MANY);
    assert_eq!(found(json!({ "order": "n", "limit": 3 })).await, 3);
    assert_eq!(found(json!({ "order": "email" })).await, MANY);
    assert_eq!(found(json!({ "limit": 1000 })).await, 1000);
    assert_eq!(found(json!({ "skip": 1010, "limit": 50 })).await, MANY - 1010);
    assert_eq!(found(json!({ "where": { "n": { "gte": 0 } }, "limit": 500 })).await, 500);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_names_its_id_in_the_log_and_its_neighbours_are_found() {
    let store = SqliteStore::in_memory().await.unwrap();
    for n in 0..4 {
        let new = NewUser::new(format!("{n}@example.com"), with_profile("x@example.com").profile);
        let _: gatekit_core::StoredUser<User<Profile>> = store.create_user(new).await.unwrap();
    }
    // What a version without limits has written, and what somebody has changed by hand.
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    for (id, profile) in [(2, deep.as_str()), (3, "{")] {
        let spoil = sqlx::query("UPDATE gatekit_users SET profile = ? WHERE id = ?").bind(profile.to_owned()).bind(id);
        store.change(spoil).await.unwrap();
    }
    let logs = LogCapture::new();
    let _guard = logs.start();
    for filter in [
        json!({}),
        json!({ "order": "email" }),
        json!({ "where": { "active": null } }),
        json!({ "order": "city" }),
        json!({ "order": "city", "where": { "realm": null } }),
        json!({ "limit": 2 }),
    ] {
        let query = Filter::from_json(&filter).unwrap().query;
        let found: Vec<User<Profile>> = store.find_users(&query).await.unwrap();
        assert_eq!(found.iter().map(|user| user.id.to_string()).collect::<Vec<_>>(), ["1", "4"], "{filter}");
    }
    logs.assert_contains("gatekit_users.profile of the row with id 2");
    logs.assert_contains("gatekit_users.profile of the row with id 3");
    let one: Result<Option<gatekit_core::StoredUser<User<Profile>>>, StoreError> = store.find_user(&2.into()).await;
    assert!(one.is_err_and(|error| error.is_corrupt()), "it is asked for by its id, and not left out in silence");
    assert!(UserStore::<User<Profile>>::delete_user(&store, &2.into()).await.unwrap(), "it can be removed");
}

/// LOAD-4: however large profiles are, a page has a bounded number of bytes. Users are in the order
/// asked for all the same.
#[tokio::test]
async fn a_page_is_bounded_in_users_and_in_bytes() {
    let (store, many) = (SqliteStore::in_memory().await.unwrap(), 40);
    for n in 0..many {
        let mut new = with_profile(&format!("{n}@example.com"));
        new.profile.insert("bio".into(), json!("x".repeat(60_000)));
        new.profile.insert("n".into(), json!(n * 7 % many));
        let _: gatekit_core::StoredUser<User<Profile>> = store.create_user(new).await.unwrap();
    }
    for filter in
        [json!({}), json!({ "order": "email" }), json!({ "order": "n" }), json!({ "where": { "n": { "gte": 0 } } })]
    {
        let query = Filter::from_json(&filter).unwrap().query;
        let (mut sizes, mut users, mut from) = (Vec::new(), Vec::<User<Profile>>::new(), None);
        loop {
            let page = store.find_users_page(&query, from).await.unwrap();
            sizes.push(page.users.len());
            users.extend(page.users);
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        assert!(users == UserStore::<User<Profile>>::find_users(&store, &query).await.unwrap(), "{filter}");
        assert_eq!(users.len(), usize::try_from(many).unwrap(), "{filter}");
        assert!(sizes.len() > 1 || filter["order"] != json!(null), "{filter}: {sizes:?}");
        if filter["order"] == json!(null) {
            // Nine of 60 KB pass half a megabyte.
            assert!(sizes.iter().all(|size| *size <= 10), "{filter}: {sizes:?}");
        }
    }
}

/// REL-1: what cannot be read back is not written, whoever writes it.
#[tokio::test]
async fn a_profile_too_deep_to_be_read_again_is_not_stored() {
    let store = SqliteStore::in_memory().await.unwrap();
    let nested = |levels: usize| {
        let value = (0..levels).fold(json!(1), |inner, _| json!([inner]));
        NewUser::new("ada@example.com", Map::from_iter([("a".to_owned(), value)]))
    };
    let refused: Result<gatekit_core::StoredUser<User<Profile>>, _> = store.create_user(nested(120)).await;
    assert!(refused.unwrap_err().to_string().contains("nested too deep"));
    let _: gatekit_core::StoredUser<User<Profile>> = store.create_user(nested(99)).await.unwrap();
    let read: Option<gatekit_core::StoredUser<User<Profile>>> = store.find_user(&1.into()).await.unwrap();
    assert!(read.is_some());
}
