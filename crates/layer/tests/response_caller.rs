//! What a layer further out learns from a response about who was calling.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use gatekit_core::{AuthenticateError, Authenticated, Authenticator, TokenForm, async_trait};
use gatekit_layer::{
    AnyUser, AuthLayer, AuthUser, BrowserTransport, HasRole, RequireAuthLayer, ResponseCaller, Role, TokenCookie,
    TokenSources,
};
use http::header::COOKIE;
use http::{Request, Response, StatusCode};
use tower::ServiceExt;

#[derive(Clone)]
struct Member;
#[derive(Clone)]
struct Robot;

/// Knows tokens `member-NAME`, of which `member-expired` has expired.
struct Members;
/// Knows tokens `robot-NAME`.
struct Robots;

#[async_trait]
impl Authenticator for Members {
    type Principal = Member;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<Member>, AuthenticateError> {
        match token.strip_prefix("member-") {
            Some("expired") => Err(AuthenticateError::Expired),
            Some(name) if !name.starts_with("ended") => Ok(Authenticated::new(Member).named(name)),
            _ => Err(AuthenticateError::Invalid),
        }
    }

    fn token_form(&self, token: &str) -> TokenForm {
        // Robots' tokens look the same to it.
        if token.contains('-') { TokenForm::Own } else { TokenForm::Possible }
    }
}

#[async_trait]
impl Authenticator for Robots {
    type Principal = Robot;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<Robot>, AuthenticateError> {
        let name = token.strip_prefix("robot-").ok_or(AuthenticateError::Invalid)?;
        Ok(Authenticated::new(Robot).named(name))
    }
}

struct Admin;

impl Role for Admin {
    const NAME: &'static str = "admin";
}

fn routes() -> Router {
    Router::new()
        .route("/me", get(|_: AuthUser<Member>| async {}))
        .route("/robot", get(|_: AuthUser<Robot>| async {}))
        .route("/maybe", get(|_: Option<AuthUser<Member>>| async {}))
        .route("/admin", get(|_: HasRole<Admin, AnyUser>| async {}))
        .route("/open", get(|| async {}))
}

async fn ask(app: &Router, path: &str, token: &str) -> Response<Body> {
    let request = Request::get(path).header("x-access-token", token).body(Body::empty()).unwrap();
    app.clone().oneshot(request).await.unwrap()
}

fn caller(response: &Response<Body>) -> Option<String> {
    response.extensions().get::<ResponseCaller>().map(ToString::to_string)
}

#[tokio::test]
async fn a_response_names_the_caller_whom_somebody_asked_for() {
    let app = routes().layer(AuthLayer::new(Members));
    assert_eq!(caller(&ask(&app, "/me", "member-ada").await).as_deref(), Some("ada"));
    assert_eq!(caller(&ask(&app, "/maybe", "member-ada").await).as_deref(), Some("ada"));
    let refused = ask(&app, "/admin", "member-ada").await;
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert_eq!(caller(&refused).as_deref(), Some("ada"), "who is refused is known too");
    assert_eq!(caller(&ask(&app, "/open", "member-ada").await), None, "nobody asked");
    assert_eq!(caller(&ask(&app, "/me", "member-ended").await), None);
    assert_eq!(caller(&ask(&app, "/maybe", "").await), None);
    let guarded: Router = Router::new().route("/open", get(|| async {})).layer(RequireAuthLayer::new(Members));
    assert_eq!(caller(&ask(&guarded, "/open", "member-ada").await).as_deref(), Some("ada"));
}

#[tokio::test]
async fn of_stacked_layers_the_one_that_was_asked_names_the_caller() {
    let app = routes().layer(AuthLayer::new(Members)).layer(AuthLayer::new(Robots));
    assert_eq!(caller(&ask(&app, "/robot", "robot-wall-e").await).as_deref(), Some("wall-e"));
    assert_eq!(caller(&ask(&app, "/me", "member-ada").await).as_deref(), Some("ada"));
}

/// CWE-117
#[tokio::test]
async fn a_name_does_not_begin_a_line_of_the_log() {
    let app = routes().layer(AuthLayer::new(Evil));
    assert_eq!(caller(&ask(&app, "/me", "x").await).as_deref(), Some("ada\u{fffd}\u{fffd}root"));
}

struct Evil;

#[async_trait]
impl Authenticator for Evil {
    type Principal = Member;

    async fn authenticate(&self, _: &str) -> Result<Authenticated<Member>, AuthenticateError> {
        Ok(Authenticated::new(Member).named("ada\r\nroot"))
    }
}

/// Answers whether the cookie would be taken back, after somebody has asked for a member.
async fn takes_back(app: &Router, headers: &[(&str, &str)]) -> bool {
    let mut request = Request::get("/").body(Body::empty()).unwrap();
    for (name, value) in headers {
        let name: http::HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, value.parse().unwrap());
    }
    app.clone().oneshot(request).await.unwrap().status() == StatusCode::OK
}

async fn asks(request: axum::extract::Request) -> StatusCode {
    let browser = BrowserTransport::of_user::<Member>(request.extensions()).unwrap();
    assert!(browser.ended_cookie_removal().is_none(), "nobody has asked");
    let (mut parts, _) = request.into_parts();
    let _ = axum::RequestPartsExt::extract::<Option<AuthUser<Member>>>(&mut parts).await;
    match browser.ended_cookie_removal() {
        Some(value) => {
            assert_eq!(value, TokenCookie::for_localhost().removal().unwrap());
            StatusCode::OK
        }
        None => StatusCode::NO_CONTENT,
    }
}

#[tokio::test]
async fn a_cookie_is_taken_back_only_if_its_own_token_has_ended() {
    let sources = TokenSources::default().with_cookie(TokenCookie::for_localhost());
    let layer = AuthLayer::new(Members).sources(sources.clone());
    let routes = Router::new().route("/", get(asks));
    let app = routes.clone().layer(layer.clone());
    let cookie = COOKIE.as_str();
    for (what, headers, wanted) in [
        ("an expired token", &[(cookie, "access_token=member-expired")][..], true),
        ("an ended token", &[(cookie, "a=b; access_token=member-ended")], true),
        ("a living token", &[(cookie, "access_token=member-ada")], false),
        ("no cookie", &[], false),
        ("two cookies", &[(cookie, "access_token=member-ended; access_token=member-ended")], false),
        ("something else in the cookie", &[(cookie, "access_token=theirs")], false),
        ("an ended token in a header", &[("x-access-token", "member-ended")], false),
        (
            "an ended token in a header beside a living cookie",
            &[("x-access-token", "member-ended"), (cookie, "access_token=member-ada")],
            false,
        ),
    ] {
        assert_eq!(takes_back(&app, headers).await, wanted, "{what}");
    }
    // The cookie may be the robots'. That a token has expired only its own authenticator says.
    for stacked in [
        routes.clone().layer(layer.clone()).layer(AuthLayer::new(Robots).sources(sources.clone())),
        routes.layer(AuthLayer::new(Robots).sources(sources)).layer(layer),
    ] {
        assert!(!takes_back(&stacked, &[(cookie, "access_token=robot-wall-e")]).await);
        assert!(takes_back(&stacked, &[(cookie, "access_token=member-expired")]).await);
    }
}
