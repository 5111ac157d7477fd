//! What an author may forget, or mount in another way than was meant: it costs comfort and lets
//! nobody in.

use axum::Router;
use gatekit::cmwell::{CmWell, SealingKey, SigningKey};
use gatekit::core::{DigestStore, IssueToken, PermissionHolder};
use gatekit::{Auth, AuthLayer, MemoryStore, Policy, Register};
use gatekit_testkit::fast_hasher;
use gatekit_tests::{Call, on_every_store};
use serde_json::json;

use crate::site::{KEY, NAME, OTHER_KEY, PASSWORD, Site, basic, routes};

const NEW: &str = "another horse battery";

on_every_store! {
    /// Behind a layer whose tokens are stored and may be confined to scopes, such a one opens
    /// neither a path nor `_auth` (8.4.1).
    async fn a_token_that_is_confined_to_a_scope_is_nobodys(store) {
        let site = Site::new(store).await;
        let stored = || AuthLayer::new(site.auth.clone());
        let filtered = routes().layer(site.cmwell.filter().auth_layer(stored()));
        let operations: Router = site.cmwell.auth_router().layer(stored());
        site.permit(PermissionHolder::User(1.into()), &[("+ /", "rw")]).await;
        let full = site.auth.issue_token(&1.into(), IssueToken::default()).await.unwrap().secret;
        let confined = site.auth.issue_token(&1.into(), IssueToken::default().scopes(["upload"])).await.unwrap().secret;
        let change = || json!({"op": "change-password", "current": PASSWORD, "new": NEW});
        for (token, status) in [(&confined, 403), (&full, 200)] {
            let bearer = format!("Bearer {}", token.expose());
            Call::new(&filtered, "PUT", "/docs").header("authorization", &bearer).await.expect_status(status);
            let operation = Call::new(&operations, "POST", "/_auth").header("authorization", &bearer).json(change());
            operation.await.expect_status(if status == 200 { 200 } else { 401 });
            site.login(NAME, PASSWORD).await.expect_status(if status == 200 { 401 } else { 200 });
        }
    }
}

fn digesting(store: &MemoryStore, policy: Policy) -> (Auth, CmWell) {
    // Without the hook `ForgetDigests`.
    let auth = Auth::builder(store.clone()).policy(policy).hasher(fast_hasher()).build().unwrap();
    let cmwell = CmWell::builder(auth.clone(), SigningKey::new(KEY).unwrap());
    let cmwell = cmwell.digest(store.clone(), SealingKey::new(OTHER_KEY).unwrap()).build().unwrap();
    (auth, cmwell)
}

/// U3
#[tokio::test]
async fn a_password_that_is_changed_here_takes_its_digest_credential_along() {
    let store = MemoryStore::new();
    let (auth, cmwell) = digesting(&store, Policy::default());
    let user = auth.register(Register::email("ada@example.com", PASSWORD).username(NAME)).await.unwrap();
    cmwell.enable_digest(&user.id, PASSWORD).await.unwrap();
    let kept = async || store.find_digest("User", &user.id, "cmwell", "SHA-256").await.unwrap().is_some();
    assert!(kept().await);

    let app: Router = cmwell.router().layer(AuthLayer::new(cmwell.authenticator()).sources(cmwell.token_sources()));
    let login = Call::new(&app, "GET", "/_login").header("authorization", basic(NAME, PASSWORD));
    let token = login.await.expect_status(200).text("token");
    let change = |current: &str| {
        let change = json!({"op": "change-password", "current": current, "new": NEW});
        Call::new(&app, "POST", "/_auth").header("x-cm-well-token", &token).json(change)
    };
    change("a wrong one").await.expect_status(403);
    assert!(kept().await);
    change(PASSWORD).await.expect_status(200);
    assert!(!kept().await);
}

/// The name that logs in is the one that turns Digest on, also where it looks like another one's
/// with its realm.
#[tokio::test]
async fn a_name_with_the_realm_delimiter_in_it_turns_digest_on() {
    let mut policy = Policy::default();
    (policy.identifiers.realm_required, policy.identifiers.realm_delimiter) = (true, Some('/'));
    let (auth, cmwell) = digesting(&MemoryStore::new(), policy);
    let mut users = Vec::new();
    for (realm, name) in [("acme", "dept/ada"), ("dept", "ada")] {
        let user = Register::email(format!("{realm}@example.com"), format!("{PASSWORD} {realm}"));
        users.push(auth.register(user.username(name).realm(realm)).await.unwrap());
    }
    let app: Router = cmwell.login_router();
    let password = format!("{PASSWORD} acme");
    let login = Call::new(&app, "GET", "/_login").header("authorization", basic("acme/dept/ada", &password));
    login.await.expect_status(200);
    cmwell.enable_digest(&users[0].id, password.as_str()).await.unwrap();
    cmwell.enable_digest(&users[0].id, format!("{PASSWORD} dept")).await.unwrap_err();
}

#[test]
#[should_panic(expected = "`.permissions(store)`")]
fn without_a_store_of_permissions_no_route_can_be_guarded_by_them() {
    let auth: Auth = Auth::new(MemoryStore::new());
    let cmwell = CmWell::builder(auth, SigningKey::new(KEY).unwrap()).build().unwrap();
    let _ = cmwell.permission_layer();
}
