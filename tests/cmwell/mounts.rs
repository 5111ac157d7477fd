//! What is mounted, and what is refused at the first start.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{Request, Response, StatusCode};
use axum::routing::get;
use gatekit::cmwell::{
    CmWell, CmWellBuilder, CmWellConfigError, Legacy, LoginNames, SealingKey, SetPermissionsError, SigningKey,
};
use gatekit::core::{PathLevels, PathPermission, PermissionHolder, Permissions};
use gatekit::{Account, Auth, AuthLayer, AuthUser, MemoryStore, Policy, Register, User};
use gatekit_testkit::fast_hasher;
use gatekit_tests::{Call, Store};
use http_body_util::Full;
use tower::{ServiceBuilder, service_fn};

use crate::site::{KEY, NAME, OTHER_KEY, PASSWORD, Site, basic, claims, routes};

fn auth(policy: Policy) -> Auth {
    let store = MemoryStore::new();
    Auth::builder(store).policy(policy).hasher(fast_hasher()).build().unwrap()
}

fn builder() -> CmWellBuilder<User> {
    CmWell::builder(auth(Policy::default()), SigningKey::new(KEY).unwrap())
}

fn digests() -> MemoryStore {
    MemoryStore::new()
}

#[test]
fn what_contradicts_itself_is_refused() {
    for realm in ["", " ", "a\"b", "a\\b", "a\nb", "é", "\0", &"x".repeat(129)] {
        assert_eq!(builder().realm(realm).build().unwrap_err(), CmWellConfigError::Realm, "{realm:?}");
    }
    assert_eq!(builder().max_days(0).build().unwrap_err(), CmWellConfigError::MaxDays);
    assert_eq!(builder().basic(false).build().unwrap_err(), CmWellConfigError::NoScheme);
    for without_digest in [
        builder().legacy(Legacy { md5: true, ..Legacy::default() }),
        builder().legacy(Legacy { rfc2069: true, ..Legacy::default() }),
        builder().digest_userhash(true),
        builder().additional_sealing_key(SealingKey::new(OTHER_KEY).unwrap()),
    ] {
        assert_eq!(without_digest.build().unwrap_err(), CmWellConfigError::NoDigest);
    }
    for (sealing, older, built) in [
        (KEY, OTHER_KEY, Err(CmWellConfigError::SameKey)),
        (OTHER_KEY, KEY, Err(CmWellConfigError::SameKey)),
        ("a-sealing-test-key-00112233445566778899", "an-old-sealing-test-key-998877665544332211", Ok(())),
    ] {
        let key = |secret: &str| SealingKey::new(secret).unwrap();
        let builder = builder().digest(digests(), key(sealing)).additional_sealing_key(key(older));
        assert_eq!(builder.build().map(|_| ()), built);
    }
    let old = SigningKey::new(OTHER_KEY).unwrap();
    let sealed = builder().additional_key(old).digest(digests(), SealingKey::new(OTHER_KEY).unwrap());
    assert_eq!(sealed.build().unwrap_err(), CmWellConfigError::SameKey);
    builder().basic(false).digest(digests(), SealingKey::new(OTHER_KEY).unwrap()).build().unwrap();
    for (delimiter, good) in [(None, false), (Some(':'), false), (Some('/'), true)] {
        let mut policy = Policy::default();
        (policy.identifiers.realm_required, policy.identifiers.realm_delimiter) = (true, delimiter);
        let built = CmWell::builder(auth(policy), SigningKey::new(KEY).unwrap()).build();
        assert_eq!(built.map(|_| ()), if good { Ok(()) } else { Err(CmWellConfigError::Realms) }, "{delimiter:?}");
    }
    let loose = || {
        let mut policy = Policy::default();
        policy.identifiers.colon_in_names = true;
        CmWell::builder(auth(policy), SigningKey::new(KEY).unwrap())
    };
    for names in [LoginNames::Username, LoginNames::Either] {
        assert_eq!(loose().login_names(names).build().unwrap_err(), CmWellConfigError::ColonInNames);
    }
    loose().login_names(LoginNames::Email).build().unwrap();
    loose().basic(false).digest(digests(), SealingKey::new(OTHER_KEY).unwrap()).build().unwrap();
    builder().max_days(u32::MAX).permission_cache(Duration::MAX).login_names(LoginNames::Either).build().unwrap();
}

#[tokio::test]
async fn what_is_not_mounted_does_not_exist() {
    let site = Site::new(Store::Memory).await;
    let layered =
        |router: Router| router.layer(AuthLayer::new(site.cmwell.authenticator()).sources(site.cmwell.token_sources()));
    let (login, auth) = (layered(site.cmwell.login_router()), layered(site.cmwell.auth_router()));
    Call::new(&login, "GET", "/_login").await.expect_status(401);
    Call::new(&login, "POST", "/_auth").await.expect_status(404);
    Call::new(&auth, "GET", "/_login").await.expect_status(404);
    Call::new(&auth, "POST", "/_auth").await.expect_status(400);
    Call::new(&layered(routes()), "GET", "/_login").await.expect_status(404);
}

/// `_login` needs no layer; who asks for a caller does, and is told so.
#[tokio::test]
async fn without_a_layer_login_works_and_auth_says_what_is_missing() {
    let site = Site::new(Store::Memory).await;
    let bare: Router = site.cmwell.router();
    Call::new(&bare, "GET", "/_login").header("authorization", basic(NAME, PASSWORD)).await.expect_status(200);
    Call::new(&bare, "POST", "/_auth?op=invalidate-cache").await.expect(500, "MISCONFIGURED");
    let guarded = Router::new().route("/", get(|| async {})).layer(site.cmwell.permission_layer());
    Call::new(&guarded, "GET", "/").await.expect(500, "MISCONFIGURED");
}

/// Nested, and in an app with a state of its own.
#[tokio::test]
async fn it_is_a_router_like_any_other() {
    let site = Site::new(Store::Memory).await;
    let app: Router = Router::new()
        .nest("/cm", site.cmwell.router::<String>())
        .route("/name", get(|axum::extract::State(name): axum::extract::State<String>| async { name }))
        .layer(AuthLayer::new(site.cmwell.authenticator()).sources(site.cmwell.token_sources()))
        .with_state("an app".to_owned());
    Call::new(&app, "GET", "/name").await.is(200, "an app");
    let login = Call::new(&app, "GET", "/cm/_login?exp=5h").header("authorization", basic(NAME, PASSWORD));
    let token = login.await.expect_status(200).text("token");
    assert_eq!(claims(&token)["exp"], site.now().plus_seconds(5 * 3600).0);
    let change = r#"{"op":"change-password","current":"correct horse battery","new":"another horse battery"}"#;
    Call::new(&app, "POST", "/cm/_auth").header("x-cm-well-token", token).json(change).await.expect_status(200);
}

/// Both kinds of token in one app: each layer knows its own, and neither takes the other's.
#[tokio::test]
async fn beside_the_tokens_of_the_accounts() {
    let site = Site::new(Store::Memory).await;
    let me = || get(|AuthUser(user): AuthUser| async move { user.username.unwrap_or_default() });
    let old = Router::new()
        .route("/old", me())
        .layer(AuthLayer::new(site.cmwell.authenticator()).sources(site.cmwell.token_sources()));
    let new = Router::new().route("/new", me()).layer(AuthLayer::new(site.auth.clone()));
    let app = old.merge(new);
    let signed = site.token().await;
    let stored = site.auth.login(gatekit::Login::username(NAME, PASSWORD)).await.unwrap().token.secret;
    for (path, token, good) in [
        ("/old", signed.as_str(), true),
        ("/old", stored.expose(), false),
        ("/new", &signed, false),
        ("/new", stored.expose(), true),
    ] {
        let answer = Call::new(&app, "GET", path).header("authorization", format!("Bearer {token}")).await;
        assert_eq!(answer.status == 200, good, "{path}");
    }
}

#[tokio::test]
async fn without_a_store_there_are_no_permissions() {
    let cmwell = builder().build().unwrap();
    let public = Permissions::paths([PathPermission::allow("/", PathLevels::READ)]);
    let refused = cmwell.set_permissions(&PermissionHolder::Anonymous, Some(&public)).await;
    assert!(matches!(refused, Err(SetPermissionsError::NoStore)));
    assert!(cmwell.permissions_of(None).await.unwrap().0.is_empty());
    cmwell.forget_permissions();
    cmwell.auth().register(Register::email("a@example.com", PASSWORD).username(NAME)).await.unwrap();
    let app: Router = cmwell.router().layer(AuthLayer::new(cmwell.authenticator()).sources(cmwell.token_sources()));
    let login = Call::new(&app, "GET", "/_login").header("authorization", basic(NAME, PASSWORD));
    let token = login.await.expect_status(200).text("token");
    let admin = Call::new(&app, "POST", "/_auth?op=invalidate-cache").header("x-cm-well-token", token);
    admin.await.is(401, "Not authorized");
}

#[tokio::test]
async fn an_entry_that_no_request_can_have_is_not_stored() {
    let site = Site::new(Store::Memory).await;
    let wrong = Permissions::paths([PathPermission::deny("/docs/../secret", PathLevels::READ)]);
    let refused = site.cmwell.set_permissions(&PermissionHolder::Anonymous, Some(&wrong)).await;
    assert!(matches!(refused, Err(SetPermissionsError::Invalid(_))));
}

/// For users of any type.
#[allow(dead_code, reason = "that it compiles is the rule")]
fn with_users_of_any_type<U: Account>(cmwell: &CmWell<U>) -> (Router, Router) {
    let me = || get(|AuthUser(user): AuthUser<U>| async move { user.id().to_string() });
    let own = Router::new().route("/me", me()).layer(cmwell.permission_layer());
    let layered =
        own.merge(cmwell.router()).layer(AuthLayer::new(cmwell.authenticator()).sources(cmwell.token_sources()));
    let filtered = Router::new().route("/me", me()).merge(cmwell.router()).layer(cmwell.filter());
    (layered, filtered)
}

/// The app's own 404 is its own, whichever of the routers is merged into the other.
#[tokio::test]
async fn the_routes_are_merged_into_an_app_with_a_fallback() {
    let cmwell = builder().permissions(digests()).build().unwrap();
    let own = || Router::new().fallback(|| async { (StatusCode::IM_A_TEAPOT, "the app's own") });
    for router in [own().merge(cmwell.router()), cmwell.router().merge(own())] {
        let router: Router = router.layer(AuthLayer::new(cmwell.authenticator()));
        Call::new(&router, "GET", "/_login").await.expect_status(401);
        Call::new(&router, "GET", "/nothing").await.is(418, "the app's own");
    }
}

/// Whatever the body of the service inside: files, gRPC, what a layer has compressed.
#[tokio::test]
async fn the_filter_and_the_layer_stand_around_a_service_with_any_body() {
    let cmwell = builder().permissions(digests()).build().unwrap();
    let inner = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Full::<Bytes>::from("a file"))));
    let filtered = ServiceBuilder::new().layer(cmwell.filter()).service(inner);
    let permitted = ServiceBuilder::new()
        .layer(AuthLayer::new(cmwell.authenticator()))
        .layer(cmwell.permission_layer())
        .service(inner);
    let router: Router = Router::new().route_service("/filtered", filtered).route_service("/permitted", permitted);
    Call::new(&router, "GET", "/filtered").await.is(403, "Not authorized, please login first");
    Call::new(&router, "GET", "/permitted").await.expect(401, "AUTHORIZATION_REQUIRED");
    let everybody = Permissions::paths([PathPermission::allow("/", PathLevels::READ).recursive(true)]);
    cmwell.set_permissions(&PermissionHolder::Anonymous, Some(&everybody)).await.unwrap();
    Call::new(&router, "GET", "/filtered").await.is(200, "a file");
    Call::new(&router, "GET", "/permitted").await.is(200, "a file");
}
