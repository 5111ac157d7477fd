//! The extractors, in an axum app over an authenticator of its own: what they give, what they
//! refuse, and how they explain an app author's mistake.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use gatekit_core::{
    AuthenticateError, Authenticated, Authenticator, Proofs, StoreError, Timestamp, TokenDigest, TokenRecord, User,
    async_trait,
};
use gatekit_layer::{
    AccessToken, AuthLayer, AuthRejection, AuthUser, PresentedToken, RequireAuthLayer, TokenSource, TokenSources,
    access_token, principal, refuse_cross_origin_of,
};
use http::{Request, StatusCode};
use http_body_util::BodyExt;
use tower::ServiceExt;

#[derive(Clone, Debug)]
struct Member(&'static str);

#[derive(Clone, Debug)]
struct Robot(&'static str);

/// Members have tokens that are stored.
#[derive(Clone, Default)]
struct Members(Arc<AtomicUsize>);

#[async_trait]
impl Authenticator for Members {
    type Principal = Member;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<Member>, AuthenticateError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        let with = |name: &'static str, scopes: Option<&[&str]>| {
            let scopes = scopes.map(|scopes| scopes.iter().map(|scope| (*scope).to_owned()).collect());
            let digest = TokenDigest::of(token);
            let record = TokenRecord {
                digest,
                user_type: "User".into(),
                user_id: name.into(),
                rev: 0,
                ttl: 60,
                created: Timestamp(0),
                renewed: None,
                scopes,
                proofs: Proofs::default(),
                client: None,
                last_used: None,
            };
            Ok(Authenticated::with_token(Member(name), record))
        };
        match token {
            "ada" => with("ada", None),
            "scoped" => with("ada", Some(&["read"])),
            "scoped-to-nothing" => with("ada", Some(&[])),
            "scoped-to-all" => with("ada", Some(&["read", "DEFAULT"])),
            "old" => Err(AuthenticateError::Expired),
            "down" => Err(AuthenticateError::Unavailable(StoreError::failed("down"))),
            _ => Err(AuthenticateError::Invalid),
        }
    }
}

/// Robots have keys that are not.
struct Robots;

#[async_trait]
impl Authenticator for Robots {
    type Principal = Robot;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<Robot>, AuthenticateError> {
        match token {
            "wall-e" => Ok(Authenticated::new(Robot("WALL·E"))),
            _ => Err(AuthenticateError::Invalid),
        }
    }
}

async fn me(AuthUser(member): AuthUser<Member>) -> &'static str {
    member.0
}

async fn maybe(member: Option<AuthUser<Member>>) -> &'static str {
    member.map_or("anonymous", |AuthUser(member)| member.0)
}

async fn token(AccessToken(token): AccessToken) -> String {
    token.user_id.to_string()
}

async fn maybe_token(token: Option<AccessToken>) -> String {
    token.map_or("no token".into(), |AccessToken(token)| token.user_id.to_string())
}

async fn robot(AuthUser(robot): AuthUser<Robot>) -> &'static str {
    robot.0
}

async fn both(AuthUser(robot): AuthUser<Robot>, AuthUser(member): AuthUser<Member>) -> String {
    format!("{} of {}", robot.0, member.0)
}

async fn presented(PresentedToken(token): PresentedToken) -> String {
    token.expose().to_owned()
}

/// What extractors found, seen by a service that is none.
async fn found_already(_: Option<AuthUser<Member>>, request: axum::extract::Request) -> String {
    let extensions = request.extensions();
    format!(
        "{:?} {:?}",
        principal::<Member>(extensions).map(|member| member.0),
        access_token::<Member>(extensions).map(|token| token.ttl)
    )
}

fn routes() -> Router {
    Router::new()
        .route("/me", get(me))
        .route("/maybe", get(maybe).post(maybe))
        .route("/token", get(token))
        .route("/maybe-token", get(maybe_token))
        .route("/robot", get(robot))
        .route("/both", get(both))
        .route("/presented", get(presented))
        .route("/found", get(found_already))
}

/// Status and body of a request with this token.
async fn ask(router: &Router, path: &str, token: &str) -> (u16, String) {
    let mut request = Request::get(path);
    if !token.is_empty() {
        request = request.header("authorization", token);
    }
    send(router, request.body(Body::empty()).unwrap()).await
}

async fn send(router: &Router, request: Request<Body>) -> (u16, String) {
    let response = router.clone().oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8(body.into()).unwrap())
}

fn ok(text: &str) -> (u16, String) {
    (200, text.to_owned())
}

#[tokio::test]
async fn a_caller_is_who_the_authenticator_says() {
    let router = routes().layer(AuthLayer::new(Members::default()));
    assert_eq!(ask(&router, "/me", "ada").await, ok("ada"));
    assert_eq!(ask(&router, "/maybe", "ada").await, ok("ada"));
    assert_eq!(ask(&router, "/token", "ada").await, ok("ada"));
    assert_eq!(ask(&router, "/presented", "Bearer anything").await, ok("anything"));
    for path in ["/me", "/token"] {
        for token in ["", "other", "old", "Bearer "] {
            assert_eq!(ask(&router, path, token).await.0, 401, "{path} {token}");
        }
    }
    assert_eq!(ask(&router, "/presented", "").await.0, 401);
}

/// REL-1: `None` means that nobody is known to be calling, and nothing else.
#[tokio::test]
async fn an_optional_caller_never_hides_a_failure() {
    let router = routes().layer(AuthLayer::new(Members::default()));
    for token in ["", "other", "old", "scoped"] {
        assert_eq!(ask(&router, "/maybe", token).await, ok("anonymous"), "{token}");
        assert_eq!(ask(&router, "/maybe-token", token).await, ok("no token"), "{token}");
    }
    for path in ["/maybe", "/maybe-token", "/me", "/token"] {
        assert_eq!(ask(&router, path, "down").await.0, 503, "{path}");
    }
    let forged =
        Request::post("/maybe").header("cookie", "__Host-access_token=ada").header("sec-fetch-site", "cross-site");
    assert_eq!(send(&router, forged.body(Body::empty()).unwrap()).await.0, 403);
}

/// 8.2.1, 10.3.2: only a token for everything opens what asks for no scope.
#[tokio::test]
async fn a_scoped_token_is_refused_where_no_scope_is_asked_for() {
    let lazily = routes().layer(AuthLayer::new(Members::default()));
    let eagerly = routes().layer(RequireAuthLayer::new(Members::default()));
    for router in [lazily, eagerly] {
        for path in ["/me", "/token"] {
            for token in ["scoped", "scoped-to-nothing"] {
                assert_eq!(ask(&router, path, token).await.0, 401, "{path} {token}");
            }
            assert_eq!(ask(&router, path, "scoped-to-all").await, ok("ada"));
        }
    }
}

#[tokio::test]
async fn without_a_layer_the_message_names_the_line_that_is_missing() {
    for path in ["/me", "/maybe", "/token", "/maybe-token", "/presented"] {
        let (status, body) = ask(&routes(), path, "ada").await;
        assert_eq!(status, 500, "{path}: never anonymous");
        assert!(body.contains(".layer(AuthLayer::new(auth))") && body.contains("MISCONFIGURED"), "{body}");
    }
}

#[tokio::test]
async fn another_user_type_is_told_which_one_there_is() {
    let router = routes().layer(AuthLayer::new(Robots));
    for path in ["/me", "/maybe"] {
        let (status, body) = ask(&router, path, "wall-e").await;
        assert_eq!(status, 500, "{path}");
        assert!(body.contains("Write `AuthUser<extract::Robot>` in the handler"), "{body}");
        assert!(body.contains("has extract::Member"), "{body}");
    }
    // The one that is forgotten most: the built-in user is the default.
    let router: Router =
        Router::new().route("/", get(|_: AuthUser<User>| async {})).layer(AuthLayer::new(Members::default()));
    assert!(ask(&router, "/", "ada").await.1.contains("Write `AuthUser<extract::Member>`"));
}

#[tokio::test]
async fn an_authenticator_without_stored_tokens_has_none_to_extract() {
    let router = routes().layer(AuthLayer::new(Robots));
    for path in ["/token", "/maybe-token"] {
        let (status, body) = ask(&router, path, "wall-e").await;
        assert_eq!(status, 500, "{path}");
        assert!(body.contains("stores no tokens") && body.contains("Ask for AuthUser"), "{body}");
        assert_eq!(ask(&router, "/token", "other").await.0, 401);
    }
}

/// Each extractor finds the layer for its type, whichever is outside; what has no type is whoever
/// is known.
#[tokio::test]
async fn stacked_layers_know_a_caller_each() {
    let keys = || TokenSources::new([TokenSource::query("key"), TokenSource::header("x-key")]);
    let robots = || AuthLayer::new(Robots).sources(keys());
    let members = || AuthLayer::new(Members::default());
    for router in [routes().layer(robots()).layer(members()), routes().layer(members()).layer(robots())] {
        let with = |path: &str| {
            Request::get(path).header("authorization", "ada").header("x-key", "wall-e").body(Body::empty())
        };
        assert_eq!(send(&router, with("/both").unwrap()).await, ok("WALL·E of ada"));
        assert_eq!(send(&router, with("/me").unwrap()).await, ok("ada"));
        assert_eq!(send(&router, with("/robot").unwrap()).await, ok("WALL·E"));
        assert_eq!(ask(&router, "/both?key=wall-e&access_token=ada", "").await, ok("WALL·E of ada"));
        assert_eq!(ask(&router, "/robot?key=other", "ada").await.0, 401);
        assert_eq!(ask(&router, "/robot", "ada").await.0, 401);
        assert_eq!(ask(&router, "/me?key=wall-e", "").await.0, 401);
        assert_eq!(ask(&router, "/maybe", "down").await.0, 503);

        assert_eq!(ask(&router, "/token", "ada").await, ok("ada"));
        assert_eq!(ask(&router, "/token?access_token=ada", "").await, ok("ada"));
        assert_eq!(ask(&router, "/maybe-token", "other").await, ok("no token"));
        assert_eq!(ask(&router, "/token", "down").await.0, 503);
        assert_eq!(ask(&router, "/presented?key=k", "").await, ok("k"));
        assert_eq!(ask(&router, "/presented", "a").await, ok("a"));
    }
}

/// An authenticator is asked once a request and layer, whoever asks.
#[tokio::test]
async fn stacked_layers_ask_once_each() {
    async fn many(
        _: Option<AuthUser<Member>>,
        _: Option<AuthUser<Robot>>,
        _: Option<AccessToken>,
        _: Option<AuthUser<Member>>,
        _: Option<AccessToken>,
    ) {
    }
    let members = Members::default();
    let router: Router =
        Router::new().route("/", get(many)).layer(AuthLayer::new(members.clone())).layer(AuthLayer::new(Robots));
    for (asked, token) in [(1, "ada"), (2, "other"), (3, "old")] {
        assert_eq!(ask(&router, "/", token).await.0, 200, "{token}");
        assert_eq!(members.0.load(Ordering::SeqCst), asked, "{token}");
    }
}

#[tokio::test]
async fn a_layer_for_the_same_type_further_in_is_the_one_that_counts() {
    struct Nobody;
    #[async_trait]
    impl Authenticator for Nobody {
        type Principal = Member;
        async fn authenticate(&self, _: &str) -> Result<Authenticated<Member>, AuthenticateError> {
            Err(AuthenticateError::Invalid)
        }
    }
    let router = routes().layer(AuthLayer::new(Nobody)).layer(AuthLayer::new(Members::default()));
    assert_eq!(ask(&router, "/me", "ada").await.0, 401);
    let router = routes().layer(AuthLayer::new(Members::default())).layer(AuthLayer::new(Nobody));
    assert_eq!(ask(&router, "/me", "ada").await, ok("ada"));
}

#[tokio::test]
async fn what_was_found_is_there_for_services_that_are_no_handlers() {
    let router = routes().layer(AuthLayer::new(Members::default()));
    assert_eq!(ask(&router, "/found", "ada").await, ok(r#"Some("ada") Some(60)"#));
    assert_eq!(ask(&router, "/found", "other").await, ok("None None"));
    let router = routes().layer(RequireAuthLayer::new(Members::default()));
    assert_eq!(ask(&router, "/found", "ada").await, ok(r#"Some("ada") Some(60)"#));
}

/// RFC B-1, B-7, B-9
#[tokio::test]
async fn a_rejection_says_why_in_the_header_and_to_outer_layers() {
    let router = routes().layer(AuthLayer::new(Members::default()));
    for (token, challenge, is_it) in [
        ("", "Bearer", (|why| matches!(why, AuthRejection::Missing)) as fn(&AuthRejection) -> bool),
        ("other", r#"Bearer error="invalid_token""#, |why| matches!(why, AuthRejection::Invalid)),
        ("old", r#"Bearer error="invalid_token""#, |why| matches!(why, AuthRejection::Expired)),
        ("scoped", r#"Bearer error="insufficient_scope""#, |why| matches!(why, AuthRejection::InsufficientScope)),
    ] {
        let request = Request::get("/me").header("authorization", token).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
        let header = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(header == challenge || header.starts_with(&format!("{challenge},")), "{token}: {header}");
        assert!(is_it(response.extensions().get().unwrap()), "{token}");
    }
}

/// The answer of one request is not the next one's.
#[tokio::test]
async fn what_was_found_ends_with_the_request() {
    let router = routes().layer(AuthLayer::new(Members::default()));
    assert_eq!(ask(&router, "/me", "ada").await, ok("ada"));
    assert_eq!(ask(&router, "/me", "").await.0, 401);
    assert_eq!(ask(&router, "/me", "ada").await, ok("ada"));
}

/// 3.5.1
#[tokio::test]
async fn an_origin_that_is_trusted_with_robots_is_not_trusted_with_members() {
    async fn asked(request: axum::extract::Request) -> String {
        let (parts, _) = request.into_parts();
        let [members, robots, nobodys] = [
            refuse_cross_origin_of::<Member>(&parts),
            refuse_cross_origin_of::<Robot>(&parts),
            refuse_cross_origin_of::<User>(&parts),
        ];
        format!("{} {} {}", members.is_ok(), robots.is_ok(), nobodys.is_ok())
    }
    let robots = AuthLayer::new(Robots).trusted_origin("https://robots.example.com").unwrap();
    let router = Router::new()
        .route("/", axum::routing::post(asked))
        .layer(robots)
        .layer(AuthLayer::new(Members::default()).trusted_origin("https://admin.example.com").unwrap());
    for (origin, passes) in [
        ("https://robots.example.com", "false true false"),
        ("https://admin.example.com", "true false false"),
        ("https://app.example.com", "true true true"),
    ] {
        let request = Request::post("/").header("host", "app.example.com").header("origin", origin);
        assert_eq!(send(&router, request.body(Body::empty()).unwrap()).await, (200, passes.to_owned()), "{origin}");
    }
}
