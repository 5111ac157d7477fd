//! What a protected request costs in the database:
//! `cargo run --release -p gatekit-sql --example find_token_owner`.
#![allow(clippy::print_stdout, reason = "it is there to print")]

use std::error::Error;
use std::time::Instant;

use gatekit_core::{
    Clock, NewUser, NoProfile, Proofs, SystemClock, TokenDigest, TokenRecord, TokenStore, User, UserStore,
};
use gatekit_sql::SqliteStore;

const USERS: usize = 10_000;
const CALLS: usize = 50_000;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::temp_dir().join(format!("gatekit-find-token-owner-{}", std::process::id()));
    std::fs::create_dir_all(&folder)?;
    let store = SqliteStore::open(folder.join("app.db")).await?;
    fill(&store).await?;
    measure("open", &store).await?;
    measure("from_pool", &SqliteStore::from_pool(store.pool().clone()).await?).await?;
    let memory = SqliteStore::in_memory().await?;
    fill(&memory).await?;
    measure("in_memory", &memory).await?;
    std::fs::remove_dir_all(&folder)?;
    Ok(())
}

async fn fill(store: &SqliteStore) -> Result<(), Box<dyn Error>> {
    // Only for the sake of time: nobody pulls the plug here.
    sqlx::raw_sql("PRAGMA synchronous=OFF").execute(&mut *store.writer().await?).await?;
    for n in 0..USERS {
        let new = NewUser::new(format!("user{n}@example.com"), NoProfile {});
        let id = UserStore::<User>::create_user(store, new).await?.user.id;
        store
            .insert_token(&TokenRecord {
                digest: TokenDigest::of(&n.to_string()),
                user_type: "User".into(),
                user_id: id,
                rev: 0,
                ttl: 1_209_600,
                created: SystemClock.now(),
                renewed: None,
                scopes: None,
                proofs: Proofs::default(),
                client: None,
                last_used: None,
            })
            .await?;
    }
    Ok(())
}

async fn measure(name: &str, store: &SqliteStore) -> Result<(), Box<dyn Error>> {
    let digests: Vec<_> = (0..USERS).map(|n| TokenDigest::of(&n.to_string())).collect();
    for tasks in [1, 8] {
        let started = Instant::now();
        let run = |task: usize| {
            let (store, digests) = (store.clone(), digests.clone());
            tokio::spawn(async move {
                for digest in digests.iter().cycle().skip(task * 997).take(CALLS / tasks) {
                    let found = UserStore::<User>::find_token_owner(&store, &store, digest).await?;
                    assert!(found.is_some(), "each token has an owner");
                }
                Ok::<_, gatekit_core::StoreError>(())
            })
        };
        for task in (0..tasks).map(run).collect::<Vec<_>>() {
            task.await??;
        }
        let micros = started.elapsed().as_secs_f64() * 1e6 / CALLS as f64;
        println!("{name:10} {tasks} at a time: {micros:6.1} µs a call");
    }
    Ok(())
}
