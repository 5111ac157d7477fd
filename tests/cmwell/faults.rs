//! A store that fails is 503 (invariant 4): never "anonymous", "not allowed" or "wrong password".

use axum::Router;
use axum::routing::get;
use gatekit::core::PermissionHolder;
use gatekit::{AuthLayer, MemoryStore};
use gatekit_testkit::Fault;
use gatekit_tests::{Answer, Call, Store, on_every_store};
use serde_json::json;

use crate::site::{NAME, PASSWORD, Site};

/// Panics unless it says that it cannot be done now, and when to try again.
#[track_caller]
fn unavailable(answer: Answer, body: &str) {
    let seconds: u64 = answer.header("retry-after").parse().unwrap_or_default();
    assert!(seconds >= 1, "no Retry-After in {:?}", answer.headers);
    answer.is(503, body);
}

const OF_LOGIN: &str = r#"{"success":false,"error":"Service Unavailable"}"#;
const OF_AUTH: &str = r#"{"success":false,"message":"Service Unavailable"}"#;

on_every_store! {
    async fn a_login_cannot_be_told_from_a_wrong_one_and_is_not(store) {
        let site = Site::new(store).await;
        for fault in [Fault::Fail, Fault::FailAfter] {
            for (name, password) in [(NAME, PASSWORD), (NAME, "a wrong one"), ("nobody", "a wrong one")] {
                site.faults.reset();
                site.faults.every_call_of("find_user_by", fault);
                let answer = site.login(name, password).await;
                assert_eq!(answer.header("cache-control"), "no-store");
                unavailable(answer, OF_LOGIN);
            }
        }
        site.faults.reset();
        site.token().await;
    }

    async fn a_token_that_cannot_be_checked_is_not_nobodys(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        site.permit(PermissionHolder::Anonymous, &[("+ /", "rw")]).await;
        for path in ["/me", "/maybe"] {
            site.faults.every_call_of("find_user_by", Fault::Fail);
            site.get(path).header("x-cm-well-token", &token).await.expect_unavailable();
            site.faults.reset();
        }
        for (method, body) in [("GET", "Service Unavailable"), ("POST", OF_AUTH)] {
            site.faults.every_call_of("find_user_by", Fault::Fail);
            let call = Call::new(&site.filtered, method, "/docs").header("x-cm-well-token", &token);
            unavailable(call.await, body);
            site.faults.reset();
        }
        for op in ["change-password", "generate-password", "invalidate-cache"] {
            site.faults.every_call_of("find_user_by", Fault::Fail);
            let body = json!({"op": op, "current": PASSWORD, "new": "another horse battery"});
            unavailable(site.call("POST", "/_auth").header("x-cm-well-token", &token).json(body).await, OF_AUTH);
            site.faults.reset();
        }
        // Nothing has happened.
        site.me(&token).await.expect_status(200);
        site.token().await;
    }

    async fn permissions_that_cannot_be_read_are_not_none(store) {
        let site = Site::new(store).await;
        let token = site.token().await;
        let layer = AuthLayer::new(site.cmwell.authenticator()).sources(site.cmwell.token_sources());
        let own: Router = Router::new().route("/", get(|| async {})).layer(site.cmwell.permission_layer()).layer(layer);
        site.faults.every_call_of("permissions_of", Fault::Fail);
        unavailable(Call::new(&site.filtered, "GET", "/open").await, "Service Unavailable");
        unavailable(Call::new(&site.filtered, "PUT", "/docs").await, OF_AUTH);
        unavailable(
            Call::new(&site.filtered, "GET", "/open").header("x-cm-well-token", &token).await,
            "Service Unavailable",
        );
        Call::new(&own, "GET", "/").await.expect_unavailable();
        Call::new(&own, "GET", "/").header("x-cm-well-token", &token).await.expect_unavailable();
        for op in ["generate-password", "invalidate-cache"] {
            let call = site.call("POST", "/_auth").header("x-cm-well-token", &token).json(json!({"op": op}));
            unavailable(call.await, OF_AUTH);
        }
        // The failure is not remembered.
        site.faults.reset();
        site.permit(PermissionHolder::Anonymous, &[("+ /", "r")]).await;
        Call::new(&site.filtered, "GET", "/open").await.expect_status(200);
    }

    /// The change was made, and its acknowledgement was lost: no old permission is remembered.
    async fn a_change_of_permissions_whose_answer_is_lost_counts(store) {
        let site = Site::new(store).await;
        site.permit(PermissionHolder::Anonymous, &[("+ /", "r")]).await;
        Call::new(&site.filtered, "GET", "/open").await.expect_status(200);
        site.faults.every_call_of("set_permissions", Fault::FailAfter);
        site.cmwell.set_permissions(&PermissionHolder::Anonymous, None).await.unwrap_err();
        site.faults.reset();
        Call::new(&site.filtered, "GET", "/open").await.expect_status(403);
    }

    async fn a_password_is_changed_or_it_is_not(store) {
        let site = Site::new(store).await;
        let body = json!({"op": "change-password", "current": PASSWORD, "new": "another horse battery"});
        let token = site.token().await;
        site.faults.every_call_of("set_password", Fault::Fail);
        unavailable(site.call("POST", "/_auth").header("x-cm-well-token", &token).json(&body).await, OF_AUTH);
        site.faults.reset();
        site.me(&token).await.expect_status(200);
        // Clearing dead tokens away is housekeeping.
        site.faults.every_call_of("delete_tokens_of", Fault::Fail);
        site.call("POST", "/_auth").header("x-cm-well-token", &token).json(&body).await.is(200, r#"{"success":true}"#);
        site.faults.reset();
        site.me(&token).await.expect_status(401);
        site.login(NAME, "another horse battery").await.expect_status(200);
    }
}

/// Randomness that is none: no password is made up from nothing.
#[tokio::test]
async fn without_randomness_nothing_is_made_up() {
    struct None;
    impl gatekit::core::Random for None {
        fn fill(&self, _: &mut [u8]) -> Result<(), gatekit::core::Unavailable> {
            Err(gatekit::core::Unavailable::Random)
        }
    }
    let store = MemoryStore::new();
    let made = Site::with().start(Store::Memory).await;
    let _ = made;
    let auth: gatekit::Auth =
        gatekit::Auth::builder(store.clone()).hasher(gatekit_testkit::fast_hasher()).build().unwrap();
    auth.register(gatekit::Register::email("a@example.com", PASSWORD).username(NAME)).await.unwrap();
    let broken: gatekit::Auth =
        gatekit::Auth::builder(store.clone()).hasher(gatekit_testkit::fast_hasher()).random(None).build().unwrap();
    let key = || gatekit::cmwell::SigningKey::new(crate::site::KEY).unwrap();
    let cmwell = gatekit::cmwell::CmWell::builder(broken, key()).permissions(store).build().unwrap();
    let admin = gatekit::core::Permissions::default().operation("Admin");
    cmwell.set_permissions(&PermissionHolder::User(1.into()), Some(&admin)).await.unwrap();
    let layer = AuthLayer::new(cmwell.authenticator()).sources(cmwell.token_sources());
    let router: Router = cmwell.router::<()>().layer(layer);
    let login = Call::new(&router, "GET", "/_login").header("authorization", crate::site::basic(NAME, PASSWORD));
    // A token needs none.
    let token = login.await.expect_status(200).text("token");
    let made_up = Call::new(&router, "POST", "/_auth?op=generate-password").header("x-cm-well-token", &token);
    unavailable(made_up.await, OF_AUTH);
}
