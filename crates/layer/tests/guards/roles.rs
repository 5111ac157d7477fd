//! `HasRole` and `RequireRoleLayer`.

use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::routing::get;
use gatekit_core::{
    AccessRequest, AclErrorStatus, Auth, IssueToken, MemoryStore, Register, RoleResolver, StoreError, User, async_trait,
};
use gatekit_layer::{
    AuthLayer, AuthRejection, AuthUser, HasRole, RequireAuthLayer, RequireRoleLayer, Role, TokenSource, TokenSources,
};
use http::Method;
use tower::ServiceExt;

use crate::{Admin, Author, Member, Members, Robot, Robots, Unknowable, anonymous, ask, denied, error, ok, send};

async fn admins(_: HasRole<Admin>) -> &'static str {
    "admins"
}

async fn which(
    AuthUser(member): AuthUser<Member>,
    admin: Option<HasRole<Admin>>,
    author: Option<HasRole<Author, Member>>,
) -> String {
    format!("{} {} {}", member.0, admin.is_some(), author.is_some())
}

async fn maybe(admin: Option<HasRole<Admin>>) -> &'static str {
    if admin.is_some() { "admin" } else { "not" }
}

fn handlers() -> Router {
    Router::new()
        .route("/admins", get(admins).post(admins))
        .route("/both", get(async |_: HasRole<Admin>, _: HasRole<Author>| "both"))
        .route("/which", get(which))
        .route("/maybe", get(maybe).post(maybe))
        .route("/unknowable", get(async |_: HasRole<Unknowable>| ""))
        .route("/maybe-unknowable", get(async |_: Option<HasRole<Unknowable>>| ""))
}

/// 8.2.1: 401 for nobody, 403 for who is not in it.
#[tokio::test]
async fn a_handler_for_a_role_is_run_for_who_is_in_it() {
    for router in [
        handlers().layer(AuthLayer::new(Members::default())),
        handlers().layer(RequireAuthLayer::new(Members::default())),
    ] {
        assert_eq!(ask(&router, "/admins", "ada").await, ok("admins"));
        assert_eq!(ask(&router, "/admins", "bob").await, denied());
        assert_eq!(ask(&router, "/admins", "").await, anonymous());
        assert_eq!(ask(&router, "/admins", "other").await, anonymous());
        assert_eq!(ask(&router, "/admins", "old").await, error(401, "Invalid Access Token", "INVALID_TOKEN"));
        assert_eq!(ask(&router, "/both", "ada").await, ok("both"));
        assert_eq!(ask(&router, "/both", "bob").await, denied());
        assert_eq!(ask(&router, "/which", "ada").await, ok("ada true true"));
        assert_eq!(ask(&router, "/which", "bob").await, ok("bob false true"));
        assert_eq!(ask(&router, "/which", "eve").await, ok("eve false false"));
    }
    let router = handlers().layer(AuthLayer::new(Members::default()));
    for token in ["", "other", "old", "bob", "ada:read"] {
        assert_eq!(ask(&router, "/maybe", token).await, ok("not"), "{token}");
    }
    assert_eq!(ask(&router, "/maybe", "ada").await, ok("admin"));
}

/// REL-1: not 403, and not `None`.
#[tokio::test]
async fn a_role_that_cannot_be_found_out_is_503() {
    let router = handlers()
        .merge(Router::new().route("/group", get(async || "")).layer(RequireRoleLayer::any(["no", "unknowable"])))
        .layer(AuthLayer::new(Members::default()));
    let down = error(503, "Service Unavailable", "SERVICE_UNAVAILABLE");
    for path in ["/unknowable", "/maybe-unknowable", "/group"] {
        assert_eq!(ask(&router, path, "ada").await, down, "{path}");
    }
    for path in ["/admins", "/maybe", "/group"] {
        assert_eq!(ask(&router, path, "down").await, down, "{path}");
    }
}

/// 8.3.1: a cookie from elsewhere is refused, not taken for nobody.
#[tokio::test]
async fn a_forged_request_is_refused_before_roles_are_asked_about() {
    let members = Members::default();
    let router = handlers().layer(AuthLayer::new(members.clone()));
    for path in ["/admins", "/maybe"] {
        let forged =
            Request::post(path).header("cookie", "__Host-access_token=ada").header("sec-fetch-site", "cross-site");
        let (status, body) = send(&router, forged.body(Body::empty()).unwrap()).await;
        assert!(status == 403 && body.contains("CROSS_ORIGIN_REQUEST"), "{status} {body}");
    }
    assert_eq!(members.roles.load(Ordering::SeqCst), 0);
}

/// A role is no way around the scopes of a token. 10.3.2
#[tokio::test]
async fn a_token_for_something_else_does_not_get_in_by_its_owners_role() {
    let members = Members::default();
    let group = Router::new().route("/group", get(async || "group")).layer(RequireRoleLayer::new("admin"));
    let router = handlers().merge(group).layer(AuthLayer::new(members.clone()));
    for path in ["/admins", "/group"] {
        for token in ["ada:read", "ada:"] {
            assert_eq!(ask(&router, path, token).await, anonymous(), "{path} {token}");
        }
        assert_eq!(ask(&router, path, "ada:read DEFAULT").await.0, 200, "{path}");
    }
}

/// 8.2.1: whatever the method and the path inside, the guard is asked.
#[tokio::test]
async fn a_group_is_for_who_is_in_any_of_its_roles() {
    let inside = || Router::new().route("/x", get(async || "in")).fallback(async || "fallback");
    let router = Router::new()
        .nest("/admins", inside().layer(RequireRoleLayer::new("admin")))
        .nest("/staff", inside().layer(RequireRoleLayer::any(["admin", "author"])))
        .nest("/nobody", inside().layer(RequireRoleLayer::any([] as [&str; 0])))
        .layer(AuthLayer::new(Members::default()));
    for (path, allowed) in [("/admins", "ada"), ("/staff", "ada bob"), ("/nobody", "")] {
        for token in ["ada", "bob", "eve"] {
            let wanted = if allowed.split(' ').any(|name| name == token) { ok("in") } else { denied() };
            assert_eq!(ask(&router, &format!("{path}/x"), token).await, wanted, "{path} {token}");
        }
        for inner in ["/x", "", "/other", "//x", "/%2e"] {
            assert_eq!(ask(&router, &format!("{path}{inner}"), "").await.0, 401, "{path}{inner}");
            assert_eq!(ask(&router, &format!("{path}{inner}"), "eve").await.0, 403, "{path}{inner}");
        }
        for method in [Method::HEAD, Method::OPTIONS, Method::TRACE, Method::PATCH] {
            let request =
                Request::builder().method(method.clone()).uri(format!("{path}/x")).header("authorization", "eve");
            assert_eq!(send(&router, request.body(Body::empty()).unwrap()).await.0, 403, "{method} {path}");
        }
    }
}

/// LoopBack's `aclErrorStatus`, for a group and for a role.
#[tokio::test]
async fn who_is_not_in_a_role_is_answered_as_the_app_chooses_and_nobody_always_401() {
    struct Hidden;
    impl Role for Hidden {
        const NAME: &'static str = "admin";
        const DENIED: AclErrorStatus = AclErrorStatus::NotFound;
    }
    struct Loopback;
    impl Role for Loopback {
        const NAME: &'static str = "admin";
        const DENIED: AclErrorStatus = AclErrorStatus::Unauthorized;
    }
    let group = |path: &str, status| {
        Router::new().route(path, get(async || "in")).layer(RequireRoleLayer::new("admin").denied(status))
    };
    let router = Router::new()
        .merge(group("/403", AclErrorStatus::Forbidden))
        .merge(group("/404", AclErrorStatus::NotFound))
        .merge(group("/401", AclErrorStatus::Unauthorized))
        .route("/hidden", get(async |_: HasRole<Hidden>| "in"))
        .route("/loopback", get(async |_: HasRole<Loopback>| "in"))
        .route("/optional", get(async |hidden: Option<HasRole<Hidden>>| format!("{}", hidden.is_some())))
        .layer(AuthLayer::new(Members::default()));
    let hidden = error(404, "Not Found", "MODEL_NOT_FOUND");
    for (path, answer) in [
        ("/403", denied()),
        ("/404", hidden.clone()),
        ("/401", anonymous()),
        ("/hidden", hidden),
        ("/loopback", anonymous()),
    ] {
        assert_eq!(ask(&router, path, "eve").await, answer, "{path}");
        assert_eq!(ask(&router, path, "").await, anonymous(), "{path}");
        assert_eq!(ask(&router, path, "other").await, anonymous(), "{path}");
        assert_eq!(ask(&router, path, "ada").await, ok("in"), "{path}");
    }
    assert_eq!(ask(&router, "/optional", "eve").await, ok("false"));

    let request = |path: &str| Request::get(path).header("authorization", "eve").body(Body::empty()).unwrap();
    let response = router.clone().oneshot(request("/401")).await.unwrap();
    assert_eq!(response.headers()["www-authenticate"], "Bearer", "RFC 9110 §15.5.2");
    assert!(matches!(response.extensions().get(), Some(AuthRejection::Unauthorized)), "outer layers can tell why");
    let response = router.clone().oneshot(request("/403")).await.unwrap();
    assert!(response.extensions().get::<AuthRejection>().unwrap().is_denial());
}

#[tokio::test]
async fn without_a_layer_around_it_the_message_names_the_line_that_is_missing() {
    let group = || Router::new().route("/group", get(async || "in"));
    let bare = handlers().merge(group().layer(RequireRoleLayer::new("admin")));
    let wrong_order = group().layer(AuthLayer::new(Members::default())).layer(RequireRoleLayer::new("admin"));
    for (router, path) in [(&bare, "/admins"), (&bare, "/maybe"), (&bare, "/group"), (&wrong_order, "/group")] {
        let (status, body) = ask(router, path, "ada").await;
        assert_eq!(status, 500, "{path}: never let in");
        assert!(body.contains(".layer(AuthLayer::new(auth))") && body.contains("MISCONFIGURED"), "{body}");
    }
    let router =
        Router::new().route("/", get(async |_: HasRole<Admin, Robot>| "")).layer(AuthLayer::new(Members::default()));
    let (status, body) = ask(&router, "/", "ada").await;
    assert!(status == 500 && body.contains("Robot") && body.contains("Member"), "{body}");
}

/// One type of user may be an administrator where the other is not.
#[tokio::test]
async fn stacked_layers_are_asked_about_the_type_that_is_named() {
    let robots = || AuthLayer::new(Robots).sources(TokenSources::new([TokenSource::header("x-key")]));
    let members = || AuthLayer::new(Members::default());
    let router = || {
        Router::new()
            .route("/member", get(async |_: HasRole<Admin, Member>| "in"))
            .route("/robot", get(async |_: HasRole<Admin, Robot>| "in"))
            .merge(
                Router::new()
                    .route("/members", get(async || "in"))
                    .layer(RequireRoleLayer::new("admin").of::<Member>()),
            )
            .merge(
                Router::new().route("/robots", get(async || "in")).layer(RequireRoleLayer::new("admin").of::<Robot>()),
            )
            .route("/any", get(admins))
    };
    for router in [router().layer(robots()).layer(members()), router().layer(members()).layer(robots())] {
        for (member, robot, members, robots) in
            [("ada", "wall-e", 200, 403), ("bob", "hal", 403, 200), ("ada", "", 200, 401), ("other", "hal", 401, 200)]
        {
            let with = |path: &str| {
                Request::get(path).header("authorization", member).header("x-key", robot).body(Body::empty()).unwrap()
            };
            for (path, status) in [("/member", members), ("/members", members), ("/robot", robots), ("/robots", robots)]
            {
                assert_eq!(send(&router, with(path)).await.0, status, "{path} {member} {robot}");
            }
        }
        // Without a type: whoever is known.
        assert_eq!(ask(&router, "/any", "ada").await, ok("admins"));
        assert_eq!(ask(&router, "/any", "bob").await, denied());
    }
}

#[tokio::test]
async fn the_token_is_looked_up_once_however_many_guards_ask() {
    let members = Members::default();
    let router = handlers().layer(RequireRoleLayer::new("author")).layer(AuthLayer::new(members.clone()));
    assert_eq!(ask(&router, "/both", "ada").await, ok("both"));
    assert_eq!(members.tokens.load(Ordering::SeqCst), 1);
    assert_eq!(members.roles.load(Ordering::SeqCst), 3);
}

/// An `Auth` knows assigned roles, resolved ones and LoopBack's own. 8.3.2: from one request to the
/// next.
#[tokio::test]
async fn an_auth_knows_all_kinds_of_roles() {
    struct OfTheHouse;
    #[async_trait]
    impl RoleResolver<User> for OfTheHouse {
        async fn is_in_role(&self, _: &str, access: &AccessRequest<'_, User>) -> Result<bool, StoreError> {
            assert_eq!(access.method, gatekit_core::Method::ANY);
            let email = access.caller.and_then(|caller| caller.principal.email.as_deref());
            Ok(email.is_some_and(|email| email.ends_with("@example.com")))
        }
    }
    let store = MemoryStore::new();
    let auth: Auth = Auth::builder(store).role_resolver("staff", OfTheHouse).build().unwrap();
    let ada = auth.register(Register::email("ada@example.com", "correct horse battery")).await.unwrap();
    let bob = auth.register(Register::email("bob@example.org", "correct horse battery")).await.unwrap();
    let token = async |user: &User| auth.issue_token(&user.id, IssueToken::default()).await.unwrap().secret;
    let (ada_token, bob_token) = (token(&ada).await, token(&bob).await);
    let mut router = Router::new();
    for role in ["admin", "staff", "$authenticated", "$everyone", "$owner", "$unauthenticated", "$related"] {
        let group = Router::new().route(&format!("/{role}"), get(async || "in")).layer(RequireRoleLayer::new(role));
        router = router.merge(group);
    }
    let router = router.layer(AuthLayer::new(auth.clone()));
    for (role, of_ada, of_bob) in [
        ("admin", 403, 403),
        ("staff", 200, 403),
        ("$authenticated", 200, 200),
        ("$everyone", 200, 200),
        ("$owner", 403, 403),
        ("$unauthenticated", 403, 403),
        ("$related", 403, 403),
    ] {
        assert_eq!(ask(&router, &format!("/{role}"), ada_token.expose()).await.0, of_ada, "{role}");
        assert_eq!(ask(&router, &format!("/{role}"), bob_token.expose()).await.0, of_bob, "{role}");
        assert_eq!(ask(&router, &format!("/{role}"), "").await.0, 401, "{role}: nobody is never let in");
    }
    auth.assign_role(&bob.id, "admin").await.unwrap();
    assert_eq!(ask(&router, "/admin", bob_token.expose()).await.0, 200);
    auth.unassign_role(&bob.id, "admin").await.unwrap();
    assert_eq!(ask(&router, "/admin", bob_token.expose()).await.0, 403);
}
