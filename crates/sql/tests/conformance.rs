//! The store keeps the contracts of the ports, however it was opened.
#![allow(clippy::unwrap_used, reason = "tests")]
#![allow(dead_code, reason = "not every test needs all of `common`")]

mod common;

use gatekit_core::{Model, NewUser, NoProfile, StoreError, User};
use gatekit_sql::{OpenError, SqliteStore};
use gatekit_testkit::conformance::{self, Identifiers};
use serde::{Deserialize, Serialize};

use common::Folder;

#[derive(Clone, Serialize, Deserialize)]
struct Profile {
    city: String,
    height: Option<f64>,
    tags: Vec<String>,
}

impl Model for Profile {}

#[derive(Clone, Serialize, Deserialize)]
struct Seller {
    shop: String,
}

impl Model for Seller {
    const NAME: &'static str = "Seller";
}

/// All suites, with and without fields of the app's own.
async fn conforms<Made: Future<Output = SqliteStore>>(make: impl Fn() -> Made) {
    let plain = |email: &str| NewUser::new(email, NoProfile {});
    conformance::user_store::<User, _, _>(Identifiers::ALL, &make, plain).await;
    let with_profile = |email: &str| {
        let profile = Profile { city: "Ulm \"'\u{1f600}".into(), height: Some(1.75), tags: vec![email.into()] };
        NewUser::new(email, profile)
    };
    conformance::user_store::<User<Profile>, _, _>(Identifiers::ALL, &make, with_profile).await;
    conformance::token_store(&make).await;
    conformance::one_time_store(&make).await;
    conformance::role_store(&make).await;
    conformance::device_store(&make).await;
    conformance::counter_store(&make).await;
    conformance::digest_store(&make).await;
    conformance::permission_store(&make).await;
    let twice = || async {
        let store = make().await;
        (store.clone(), store)
    };
    conformance::token_owner::<User, _, _, _>(twice, plain).await;
    conformance::token_owner::<User<Profile>, _, _, _>(twice, with_profile).await;
    conformance::token_owner_roles::<User, _, _, _>(twice, plain).await;
    let three = || async {
        let store = make().await;
        (store.clone(), store.clone(), store)
    };
    let seller = |email: &str| NewUser::new(email, Seller { shop: format!("the shop of {email}") });
    conformance::user_types::<User, User<Seller>, _, _, _, _>(Identifiers::ALL, three, plain, seller).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_file_conforms() {
    let folder = Folder::new();
    let next = std::sync::atomic::AtomicU32::new(0);
    conforms(|| {
        let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let path = folder.path().join(format!("{n}.db"));
        async move { SqliteStore::open(path).await.unwrap() }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_database_in_memory_conforms() {
    conforms(|| async { SqliteStore::in_memory().await.unwrap() }).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn an_apps_own_pool_conforms() {
    let folder = Folder::new();
    let next = std::sync::atomic::AtomicU32::new(0);
    conforms(|| {
        let n = next.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let options = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(folder.path().join(format!("{n}.db")))
            .create_if_missing(true);
        async move {
            // Opened with nothing but the defaults: no write-ahead log, several connections.
            let pool = sqlx::sqlite::SqlitePoolOptions::new().max_connections(4).connect_with(options).await.unwrap();
            SqliteStore::from_pool(pool).await.unwrap()
        }
    })
    .await;
}

/// What the types promise an app.
#[test]
fn handles_and_errors_can_be_passed_around() {
    fn anywhere<T: Clone + std::fmt::Debug + Send + Sync + 'static>() {}
    anywhere::<SqliteStore>();
    anywhere::<OpenError>();
    anywhere::<StoreError>();
}
