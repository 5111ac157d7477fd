//! A database that an earlier version has written is opened and migrated, and what is in it works.
//!
//! The files are in `tests/fixtures/databases`, one for each migration.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod database;
mod ids;

use gatekit::core::{
    AuthenticateError, CounterLimit, CounterStore, DeviceSeen, DeviceStore, DigestStore, OneTimePurpose, OneTimeStore,
    PermissionHolder, PermissionStore, TokenDigest, TokenStore,
};
use gatekit::{Auth, AuthLayer, Login, SqliteStore, User, UserId, UserStore};
use gatekit_testkit::FrozenClock;
use gatekit_tests::{Call, routes_of};
use serde_json::json;

use database::{Kept, NOW};

const ADA: &str = "ada@example.com";
const ADAS_PASSWORD: &str = "correct horse battery";
const BOB: &str = "bob@example.com";
const BOBS_PASSWORD: &str = "staple battery horse";
const NEW_PASSWORD: &str = "horse staple battery";

fn auth_over(store: &SqliteStore) -> Auth {
    Auth::builder(store.clone()).clock(FrozenClock::at(NOW)).build().unwrap()
}

/// Over HTTP: the login by address, and, where there are usernames, by name; the new token.
#[tokio::test(flavor = "multi_thread")]
async fn an_account_in_it_logs_in() {
    for kept in Kept::all() {
        let (folder, store) = kept.open().await;
        let auth = auth_over(&store);
        let app = routes_of("/api/users", &auth).layer(AuthLayer::new(auth));
        let login = |body: serde_json::Value| Call::new(&app, "POST", "/api/users/login").json(body);
        for body in [
            json!({ "email": ADA, "password": ADAS_PASSWORD }),
            json!({ "username": "ada", "password": ADAS_PASSWORD }),
        ] {
            let token = login(body).await.expect_status(200).text("id");
            let me = Call::new(&app, "GET", "/me").token(&token).await.expect_status(200).value();
            assert_eq!((&me["id"], &me["email"]), (&json!(1), &json!(ADA)), "{kept}");
        }
        login(json!({ "email": BOB, "password": BOBS_PASSWORD })).await.expect_status(200);
        login(json!({ "email": ADA, "password": BOBS_PASSWORD })).await.expect(401, "LOGIN_FAILED");
        drop(folder);
    }
}

/// Over HTTP: the token that its client still has, and the link in a mail that was sent before.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_and_a_mailed_secret_from_it_work() {
    for kept in Kept::all() {
        let (folder, store) = kept.open().await;
        let auth = auth_over(&store);
        let app = routes_of("/api/users", &auth).layer(AuthLayer::new(auth));
        let me = Call::new(&app, "GET", "/me").token(kept.token()).await.expect_status(200).value();
        assert_eq!(me["username"], "ada", "{kept}");
        let sessions =
            Call::new(&app, "GET", "/api/users/sessions").token(kept.token()).await.expect_status(200).value();
        assert!(sessions.as_array().is_some_and(|list| !list.is_empty()), "{kept}: {sessions}");

        let reset = json!({ "newPassword": NEW_PASSWORD });
        let path = format!("/api/users/reset-password?access_token={}", kept.reset());
        Call::new(&app, "POST", &path).json(&reset).await.expect_no_content();
        Call::new(&app, "POST", &path).json(&reset).await.expect_error(401);
        let login = json!({ "email": BOB, "password": NEW_PASSWORD });
        Call::new(&app, "POST", "/api/users/login").json(login).await.expect_status(200);

        Call::new(&app, "POST", "/api/users/logout").token(kept.token()).await.expect_no_content();
        Call::new(&app, "GET", "/me").token(kept.token()).await.expect_error(401);
        drop(folder);
    }
}

/// Ten nodes that are started at once: each finds the tables migrated, and nothing is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn ten_that_open_it_at_once_migrate_it_once() {
    for kept in Kept::all() {
        let folder = kept.copy().await;
        let open = |_| {
            let file = folder.database();
            tokio::spawn(async move { SqliteStore::open(file).await })
        };
        let mut stores = Vec::new();
        for task in (0..10).map(open).collect::<Vec<_>>() {
            stores.push(task.await.unwrap().unwrap());
        }
        for store in &stores {
            let caller = auth_over(store).authenticate(kept.token()).await.unwrap();
            assert_eq!(caller.principal.username.as_deref(), Some("ada"), "{kept}");
        }
    }
}

/// `rev`, status, scopes and the rest that decides who may do what.
#[tokio::test]
async fn what_was_refused_before_is_refused_and_rights_are_kept() {
    for kept in Kept::written_by_hand() {
        let (_folder, store) = kept.open().await;
        let auth = auth_over(&store);
        let scoped = auth.authenticate("a scoped token").await.unwrap();
        assert_eq!(scoped.token.unwrap().scopes, Some(vec!["read".to_owned(), "write".to_owned()]), "{kept}");
        let roles = if kept.level() >= 2 { vec!["author".to_owned(), "editor".to_owned()] } else { Vec::new() };
        assert_eq!(scoped.roles, Some(roles), "{kept}");
        let dead = auth.authenticate("a dead token").await;
        assert!(matches!(dead, Err(AuthenticateError::Invalid)), "{kept}: it is of an earlier rev");
        if kept.level() >= 4 {
            assert!(auth.login(Login::email("cleo@example.com", ADAS_PASSWORD)).await.is_err(), "{kept}: blocked");
        }
        auth.login(Login::email("dora@example.com", ADAS_PASSWORD)).await.unwrap();
        let decoy = store.find_one_time(OneTimePurpose::ResetPassword, &TokenDigest::of("a decoy")).await.unwrap();
        assert_eq!(decoy.unwrap().user_id, None, "{kept}");
        let new = gatekit::NewUser::new("new@example.com", gatekit::NoProfile {});
        let new = UserStore::<User>::create_user(&store, new).await.unwrap();
        assert_eq!(new.user.id, UserId::Int(31), "{kept}: 30 was deleted, and is not given again");
    }
}

#[tokio::test]
async fn devices_digests_permissions_and_counters_are_kept() {
    let ada = UserId::Int(1);
    for kept in Kept::written_by_hand() {
        let (_folder, store) = kept.open().await;
        if kept.level() >= 3 {
            let seen = store.remember_device("User", &ada, &TokenDigest::of("a device"), NOW).await.unwrap();
            assert_eq!(seen, DeviceSeen::Known, "{kept}");
        }
        if kept.level() >= 5 {
            let digest = store.find_digest("User", &ada, "site", "SHA-256").await.unwrap().unwrap();
            assert_eq!((digest.sealed.as_slice(), digest.user_id), (&b"sealed"[..], ada.clone()), "{kept}");
            assert!(!store.use_nonce(&TokenDigest::of("a nonce"), 5, NOW).await.unwrap(), "{kept}: used before");
            let granted = store.permissions_of("User", Some(&ada)).await.unwrap();
            let holders: Vec<_> = granted.into_iter().map(|(holder, _)| holder).collect();
            assert_eq!(
                holders,
                [PermissionHolder::User(ada.clone()), PermissionHolder::Role("editor".into())],
                "{kept}"
            );
            assert_eq!(store.permissions_of("User", None).await.unwrap().len(), 1, "{kept}");
        }
        if kept.level() >= 6 {
            let limit = CounterLimit { events: 1, window_ms: 1_209_600_000 };
            assert!(!store.has_room(&TokenDigest::of("a counter"), limit, NOW).await.unwrap(), "{kept}");
        }
        if kept.level() >= 7 {
            assert!(store.find_token(&TokenDigest::of(kept.token())).await.unwrap().is_some(), "{kept}");
        }
    }
}

/// A file without its number, or a number without its file, is a mistake.
#[test]
fn there_is_one_for_each_migration_without_a_gap() {
    let levels: Vec<u32> = Kept::all().iter().map(Kept::level).collect();
    assert_eq!(levels, (1..=u32::try_from(levels.len()).unwrap()).collect::<Vec<_>>());
}
