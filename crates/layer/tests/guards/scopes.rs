//! `Scoped` and `RequireScopeLayer`.

use axum::Router;
use axum::routing::get;
use gatekit_core::TokenRecord;
use gatekit_layer::{
    AccessToken, AuthLayer, AuthUser, HasRole, RequireAuthLayer, RequireRoleLayer, RequireScopeLayer, Scope, Scoped,
    TokenSource, TokenSources, principal,
};
use http::Request;

use crate::{Admin, Member, Members, Read, Robot, Robots, anonymous, ask, denied, error, ok, send};

async fn me(AuthUser(member): AuthUser<Member>) -> &'static str {
    member.0
}

fn router() -> Router {
    let group = |scopes: &[&str], path: &str| {
        Router::new().route(path, get(me)).layer(RequireScopeLayer::any(scopes.iter().copied()))
    };
    Router::new()
        .route("/handler", get(async |_: Scoped<Read>, AuthUser(member): AuthUser<Member>| member.0))
        .route(
            "/token",
            get(async |_: Scoped<Read, Member>, AccessToken(token): AccessToken| token.user_id.to_string()),
        )
        .route("/wrong-order", get(async |_: AuthUser<Member>, _: Scoped<Read>| ""))
        .route("/maybe", get(async |scoped: Option<Scoped<Read>>| format!("{}", scoped.is_some())))
        .route("/me", get(me))
        .merge(group(&["read"], "/group"))
        .merge(group(&[TokenRecord::DEFAULT_SCOPE, "read"], "/either"))
        .merge(group(&[], "/none"))
}

/// Contract 4.3.1: a token has its scopes, or else exactly `DEFAULT`; the route asks for its own
/// instead of `DEFAULT`. 10.3.2.
#[tokio::test]
async fn a_route_for_a_scope_is_for_tokens_with_exactly_that_scope() {
    let router = router().layer(AuthLayer::new(Members::default()));
    for path in ["/handler", "/token", "/group"] {
        for token in ["ada:read", "ada:read write", "ada:DEFAULT read"] {
            assert_eq!(ask(&router, path, token).await, ok("ada"), "{path} {token}");
        }
        for token in
            ["", "other", "ada", "ada:", "ada:rea", "ada:reads", "ada:READ", "ada:read:all", "ada:write DEFAULT"]
        {
            assert_eq!(ask(&router, path, token).await, anonymous(), "{path} {token}");
        }
        assert_eq!(ask(&router, path, "old").await.0, 401);
        assert_eq!(ask(&router, path, "down").await, error(503, "Service Unavailable", "SERVICE_UNAVAILABLE"));
    }
    for (token, wanted) in
        [("ada", ok("ada")), ("ada:read", ok("ada")), ("ada:write", anonymous()), ("ada:", anonymous())]
    {
        assert_eq!(ask(&router, "/either", token).await, wanted, "{token}");
    }
    for token in ["ada", "ada:read", "ada:", "ada:DEFAULT"] {
        assert_eq!(ask(&router, "/none", token).await, anonymous(), "{token}");
    }
    for (token, wanted) in [("ada:read", "true"), ("ada", "false"), ("ada:", "false"), ("", "false"), ("old", "false")]
    {
        assert_eq!(ask(&router, "/maybe", token).await, ok(wanted), "{token}");
    }
    assert_eq!(ask(&router, "/maybe", "down").await.0, 503);
}

/// What one route admits is admitted there alone, and an extractor before the guard knows nothing
/// of it.
#[tokio::test]
async fn a_scoped_token_is_admitted_by_the_guard_and_nowhere_else() {
    let router = router().layer(AuthLayer::new(Members::default()));
    assert_eq!(ask(&router, "/group", "ada:read").await, ok("ada"));
    assert_eq!(ask(&router, "/me", "ada:read").await, anonymous());
    assert_eq!(ask(&router, "/wrong-order", "ada:read").await, anonymous());
    assert_eq!(ask(&router, "/wrong-order", "ada").await, anonymous());
    // `RequireAuthLayer` has asked for `DEFAULT` before.
    let eager = self::router().layer(RequireAuthLayer::new(Members::default()));
    assert_eq!(ask(&eager, "/group", "ada:read").await, anonymous());
    assert_eq!(ask(&eager, "/group", "ada:read DEFAULT").await, ok("ada"));
}

/// A service that is no handler sees only a caller whose token is for this route.
#[tokio::test]
async fn who_was_refused_is_no_principal() {
    async fn found(_: Option<AuthUser<Member>>, _: Option<Scoped<Read>>, request: axum::extract::Request) -> String {
        format!("{:?}", principal::<Member>(request.extensions()).map(|member| member.0))
    }
    let router = Router::new().route("/", get(found)).layer(AuthLayer::new(Members::default()));
    assert_eq!(ask(&router, "/", "ada").await, ok(r#"Some("ada")"#));
    assert_eq!(ask(&router, "/", "ada:read").await, ok(r#"Some("ada")"#));
    assert_eq!(ask(&router, "/", "ada:write").await, ok("None"));
}

/// Scope first, then role, as in LoopBack.
#[tokio::test]
async fn a_scope_and_a_role_may_both_be_asked_for() {
    let router = Router::new()
        .route("/handler", get(async |_: Scoped<Read>, _: HasRole<Admin>| "in"))
        .merge(
            Router::new()
                .route("/group", get(async || "in"))
                .layer(RequireRoleLayer::new("admin"))
                .layer(RequireScopeLayer::new("read")),
        )
        .layer(AuthLayer::new(Members::default()));
    for path in ["/handler", "/group"] {
        assert_eq!(ask(&router, path, "ada:read").await, ok("in"), "{path}");
        assert_eq!(ask(&router, path, "bob:read").await, denied(), "{path}");
        assert_eq!(ask(&router, path, "ada").await, anonymous(), "{path}");
        assert_eq!(ask(&router, path, "ada:write").await, anonymous(), "{path}");
    }
}

/// An authenticator that stores no tokens confines none: its callers have `DEFAULT`.
#[tokio::test]
async fn a_caller_without_a_stored_token_has_the_scope_of_a_login() {
    struct Default;
    impl Scope for Default {
        const NAME: &'static str = TokenRecord::DEFAULT_SCOPE;
    }
    let router = Router::new()
        .route("/default", get(async |_: Scoped<Default>| "in"))
        .route("/read", get(async |_: Scoped<Read>| "in"))
        .layer(AuthLayer::new(Robots));
    assert_eq!(ask(&router, "/default", "wall-e").await, ok("in"));
    assert_eq!(ask(&router, "/read", "wall-e").await, anonymous());
}

#[tokio::test]
async fn stacked_layers_are_asked_about_the_token_of_the_type_that_is_named() {
    let robots = || AuthLayer::new(Robots).sources(TokenSources::new([TokenSource::header("x-key")]));
    let members = || AuthLayer::new(Members::default());
    let router = || {
        Router::new()
            .route("/handler", get(async |_: Scoped<Read, Member>, AuthUser(member): AuthUser<Member>| member.0))
            .merge(Router::new().route("/group", get(me)).layer(RequireScopeLayer::new("read").of::<Member>()))
            .merge(Router::new().route("/robot", get(me)).layer(RequireScopeLayer::new("DEFAULT").of::<Robot>()))
    };
    for router in [router().layer(robots()).layer(members()), router().layer(members()).layer(robots())] {
        let with = |path: &str, member: &str| {
            let request = Request::get(path).header("authorization", member).header("x-key", "wall-e");
            request.body(axum::body::Body::empty()).unwrap()
        };
        for path in ["/handler", "/group"] {
            assert_eq!(send(&router, with(path, "ada:read")).await, ok("ada"), "{path}");
            assert_eq!(send(&router, with(path, "ada")).await, anonymous(), "{path}");
        }
        // What was admitted is the robot's key and not the member's token.
        assert_eq!(send(&router, with("/robot", "ada:read")).await, anonymous());
        assert_eq!(send(&router, with("/robot", "ada")).await, ok("ada"));
    }
}

#[tokio::test]
async fn without_a_layer_around_it_the_message_names_the_line_that_is_missing() {
    for path in ["/handler", "/maybe", "/group"] {
        let (status, body) = ask(&router(), path, "ada:read").await;
        assert_eq!(status, 500, "{path}: never let in");
        assert!(body.contains(".layer(AuthLayer::new(auth))"), "{body}");
    }
}
