//! SQLite finds whom `Where::matches` says, with fields of the app's own of every type, and over many pages.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use gatekit_core::{Filter, MemoryStore, NewUser, StoreError, User, UserOperation, UserStore};
use gatekit_sql::SqliteStore;
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
async fn a_row_that_cannot_be_read_is_a_failure_and_not_left_out() {
    let store = SqliteStore::in_memory().await.unwrap();
    for email in ["ada@example.com", "bob@example.com"] {
        let _: gatekit_core::StoredUser<User<Profile>> = store.create_user(with_profile(email)).await.unwrap();
    }
    store.change(sqlx::query("UPDATE gatekit_users SET profile = '{' WHERE id = 2")).await.unwrap();
    for filter in
        [json!({}), json!({ "order": "email" }), json!({ "where": { "city": "Ulm" } }), json!({ "order": "city" })]
    {
        let query = Filter::from_json(&filter).unwrap().query;
        let found: Result<Vec<User<Profile>>, StoreError> = store.find_users(&query).await;
        assert!(matches!(found, Err(StoreError::Corrupt(_))), "{filter}");
    }
}
