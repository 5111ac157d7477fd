//! `Fresh` and `RequireFreshLayer`. RFC 9470, ASVS 7.5.1, 7.5.3.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use gatekit_core::{
    AuthenticateError, Authenticated, Authenticator, Factor, Proofs, StoreError, Strength, Timestamp, TokenDigest,
    TokenRecord, async_trait,
};
use gatekit_layer::{
    AuthLayer, AuthRejection, AuthUser, Fresh, HasRole, OneFactor, PhishingResistant, RequireAuthLayer,
    RequireFreshLayer, RequireRoleLayer, Scoped, TokenSource, TokenSources, TwoFactors,
};
use http::Request;
use tower::ServiceExt;

use crate::{Admin, Member, Read, Robot, Robots, anonymous, ask, denied, error, ok, send};

const NOW: i64 = 1_800_000_000_000;

/// Members whose tokens say how many milliseconds ago a password was verified, and for what they
/// are: `1500`, `1500 read`, `never`. With `+totp` or `+passkey` another factor was verified now.
struct Proven;

#[async_trait]
impl Authenticator for Proven {
    type Principal = Member;

    async fn authenticate(&self, token: &str) -> Result<Authenticated<Member>, AuthenticateError> {
        let (proofs, scope) = token.split_once(' ').map_or((token, None), |(proofs, scope)| (proofs, Some(scope)));
        let proofs = match proofs {
            "never" => Proofs::default(),
            "old" => return Err(AuthenticateError::Expired),
            "down" => return Err(AuthenticateError::Unavailable(StoreError::failed("down"))),
            ago => {
                let (ago, other) = ago.split_once('+').map_or((ago, ""), |(ago, other)| (ago, other));
                let ago: i64 = ago.parse().map_err(|_| AuthenticateError::Invalid)?;
                let proofs = Proofs::of(Factor::Password, Timestamp(NOW - ago));
                match other {
                    "totp" => proofs.with(Factor::Totp, Timestamp(NOW)),
                    "passkey" => proofs.with(Factor::Passkey, Timestamp(NOW)),
                    _ => proofs,
                }
            }
        };
        let record = TokenRecord {
            digest: TokenDigest::of(token),
            user_type: "Member".into(),
            user_id: "ada".into(),
            rev: 0,
            ttl: 60,
            // The age of the token is another thing.
            created: Timestamp(0),
            renewed: Some(Timestamp(NOW)),
            scopes: scope.map(|scope| vec![scope.to_owned()]),
            proofs,
            client: None,
            last_used: Some(Timestamp(NOW)),
        };
        Ok(Authenticated::with_token(Member("ada"), record).roles(["author"]))
    }

    fn now(&self) -> Timestamp {
        Timestamp(NOW)
    }
}

/// The refusal of a route that asks for one factor within so many seconds.
fn step_up(seconds: u32) -> (u16, String) {
    stronger("The password must be verified again", seconds, "one_factor")
}

fn stronger(message: &str, seconds: u32, strength: &str) -> (u16, String) {
    let details = format!(r#"{{"maxAge":{seconds},"strength":"{strength}"}}"#);
    let error = format!(
        r#"{{"error":{{"statusCode":401,"name":"Error","message":"{message}","code":"STEP_UP_REQUIRED","details":{details}}}}}"#
    );
    (401, error)
}

fn router() -> Router {
    let group = |seconds, path| Router::new().route(path, get(async || "in")).layer(RequireFreshLayer::new(seconds));
    let strong = |strength, path| {
        let layer = RequireFreshLayer::new(300).strength(strength);
        Router::new().route(path, get(async || "in")).layer(layer)
    };
    Router::new()
        .route("/handler", get(async |_: Fresh<300>| "in"))
        .route("/typed", get(async |_: Fresh<300, OneFactor, Member>, _: AuthUser<Member>| "in"))
        .route("/maybe", get(async |fresh: Option<Fresh<300>>| format!("{}", fresh.is_some())))
        .route("/never", get(async |_: Fresh<0>| "in"))
        .route("/always", get(async |_: Fresh<{ u32::MAX }>| "in"))
        .route("/two", get(async |_: Fresh<300, TwoFactors>| "in"))
        .route("/strongest", get(async |_: Fresh<300, PhishingResistant>| "in"))
        .route("/maybe-two", get(async |fresh: Option<Fresh<300, TwoFactors>>| format!("{}", fresh.is_some())))
        .merge(strong(Strength::TwoFactors, "/two-group"))
        .merge(strong(Strength::PhishingResistant, "/strongest-group"))
        .route("/scoped", get(async |_: Scoped<Read>, _: Fresh<300>| "in"))
        .route("/role", get(async |_: HasRole<Admin>, _: Fresh<300>| "in"))
        .merge(group(300, "/group"))
        .merge(group(0, "/never-group"))
        .merge(
            Router::new()
                .route("/role-group", get(async || "in"))
                .layer(RequireFreshLayer::new(300))
                .layer(RequireRoleLayer::new("admin")),
        )
}

#[tokio::test]
async fn a_password_counts_strictly_less_than_so_many_seconds() {
    for router in [router().layer(AuthLayer::new(Proven)), router().layer(RequireAuthLayer::new(Proven))] {
        for path in ["/handler", "/typed", "/group"] {
            for ago in ["0", "1", "299000", "299999"] {
                assert_eq!(ask(&router, path, ago).await, ok("in"), "{path} {ago}");
            }
            for ago in ["300000", "300001", "301000", "9000000000", "never"] {
                assert_eq!(ask(&router, path, ago).await, step_up(300), "{path} {ago}");
            }
        }
        assert_eq!(ask(&router, "/always", "9000000000").await, ok("in"));
        assert_eq!(ask(&router, "/always", "never").await, step_up(u32::MAX), "no password is none, however long ago");
        for path in ["/never", "/never-group"] {
            assert_eq!(ask(&router, path, "0").await, step_up(0));
        }
    }
}

/// CLK-2: a clock that was wrong when the password was verified makes nothing fresh for ever.
#[tokio::test]
async fn what_is_verified_long_after_now_does_not_count() {
    let router = router().layer(AuthLayer::new(Proven));
    for (ago, wanted) in
        [("-1", ok("in")), ("-299999", ok("in")), ("-300000", step_up(300)), ("-9000000000", step_up(300))]
    {
        assert_eq!(ask(&router, "/handler", ago).await, wanted, "{ago}");
        assert_eq!(ask(&router, "/group", ago).await, wanted, "{ago}");
    }
}

/// Both factors must be of the last 300 seconds.
#[tokio::test]
async fn two_factors_and_a_passkey_are_asked_for_by_strength() {
    let router = router().layer(AuthLayer::new(Proven));
    let two = || stronger("Two factors must be verified again", 300, "two_factors");
    let strongest = || stronger("A passkey must be verified again", 300, "phishing_resistant");
    for (token, handler, of_two, of_strongest) in [
        ("0", ok("in"), two(), strongest()),
        ("0+totp", ok("in"), ok("in"), strongest()),
        ("299999+totp", ok("in"), ok("in"), strongest()),
        ("300000+totp", ok("in"), two(), strongest()),
        ("300000+passkey", ok("in"), ok("in"), ok("in")),
        ("never", step_up(300), two(), strongest()),
    ] {
        assert_eq!(ask(&router, "/handler", token).await, handler, "{token}");
        for (path, wanted) in [
            ("/two", &of_two),
            ("/two-group", &of_two),
            ("/strongest", &of_strongest),
            ("/strongest-group", &of_strongest),
        ] {
            assert_eq!(ask(&router, path, token).await, *wanted, "{path} {token}");
        }
        let wanted = ok(if of_two.0 == 200 { "true" } else { "false" });
        assert_eq!(ask(&router, "/maybe-two", token).await, wanted, "{token}");
    }
}

/// RFC 9470 §3
#[tokio::test]
async fn the_challenge_names_the_strength_that_is_missing() {
    let router = router().layer(AuthLayer::new(Proven));
    for (path, token, strength, present) in [
        ("/two", "0", Strength::TwoFactors, Some(Strength::OneFactor)),
        ("/two-group", "never", Strength::TwoFactors, None),
        ("/strongest", "0+totp", Strength::PhishingResistant, Some(Strength::TwoFactors)),
    ] {
        let request =
            Request::get(path).header("authorization", format!("Bearer {token}")).body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let challenge = response.headers()["www-authenticate"].to_str().unwrap();
        assert!(challenge.ends_with(&format!(r#"max_age="300", acr_values="{strength}""#)), "{challenge}");
        let why = response.extensions().get::<AuthRejection>().expect("an outer layer can tell why");
        let AuthRejection::StepUpRequired(missing) = why else { panic!("{why:?}") };
        assert_eq!((missing.max_age(), missing.strength(), missing.present()), (300, strength, present));
    }
}

/// RFC 9470 §3
#[tokio::test]
async fn the_challenge_says_what_is_missing_and_how_old_it_may_be() {
    let router = router().layer(AuthLayer::new(Proven));
    for (path, seconds) in [("/handler", 300), ("/group", 300), ("/never", 0), ("/always", u32::MAX)] {
        let request = Request::get(path).header("authorization", "Bearer never").body(Body::empty()).unwrap();
        let response = router.clone().oneshot(request).await.unwrap();
        let challenge = format!(
            r#"Bearer error="insufficient_user_authentication", error_description="The password must be verified again", max_age="{seconds}""#
        );
        assert_eq!(response.headers()["www-authenticate"], challenge);
        let why = response.extensions().get::<AuthRejection>().expect("an outer layer can tell why");
        let AuthRejection::StepUpRequired(missing) = why else { panic!("{why:?}") };
        assert_eq!((missing.max_age(), missing.strength(), missing.present()), (seconds, Strength::OneFactor, None));
        assert!(!why.is_anonymous() && !why.is_denial());
    }
}

#[tokio::test]
async fn an_anonymous_caller_is_told_to_log_in_and_not_to_verify_a_password() {
    let router = router().layer(AuthLayer::new(Proven));
    for path in ["/handler", "/typed", "/group", "/never"] {
        assert_eq!(ask(&router, path, "").await, anonymous(), "{path}");
        assert_eq!(ask(&router, path, "bogus").await, anonymous(), "{path}");
        assert_eq!(ask(&router, path, "old").await.0, 401, "{path}");
        assert!(ask(&router, path, "old").await.1.contains("INVALID_TOKEN"), "{path}");
        assert_eq!(ask(&router, path, "down").await, error(503, "Service Unavailable", "SERVICE_UNAVAILABLE"));
    }
}

#[tokio::test]
async fn an_option_is_none_for_an_anonymous_caller_and_a_stale_password_and_hides_no_failure() {
    let router = router().layer(AuthLayer::new(Proven));
    for (token, wanted) in
        [("0", "true"), ("300000", "false"), ("never", "false"), ("", "false"), ("bogus", "false"), ("old", "false")]
    {
        assert_eq!(ask(&router, "/maybe", token).await, ok(wanted), "{token}");
    }
    assert_eq!(ask(&router, "/maybe", "down").await.0, 503);
    assert_eq!(ask(&self::router(), "/maybe", "0").await.0, 500, "no AuthLayer");
}

/// A token that is for something else is not admitted because its password is fresh.
#[tokio::test]
async fn scopes_and_roles_are_asked_for_all_the_same() {
    let router = router().layer(AuthLayer::new(Proven));
    for path in ["/handler", "/typed", "/group"] {
        assert_eq!(ask(&router, path, "0 read").await, anonymous(), "{path}");
        assert_eq!(ask(&router, path, "0 DEFAULT").await, ok("in"), "{path}");
    }
    assert_eq!(ask(&router, "/scoped", "0 read").await, ok("in"));
    assert_eq!(ask(&router, "/scoped", "300000 read").await, step_up(300));
    assert_eq!(ask(&router, "/scoped", "0").await, anonymous());
    // Who has not the right is not asked for a password.
    for path in ["/role", "/role-group"] {
        assert_eq!(ask(&router, path, "never").await, denied(), "{path}");
        assert_eq!(ask(&router, path, "0").await, denied(), "{path}");
    }
}

/// Whatever a key or a JWT says of a password, nobody here has seen it.
#[tokio::test]
async fn a_token_that_is_not_stored_is_never_fresh() {
    let router = router().layer(AuthLayer::new(Robots));
    for (path, seconds) in [("/handler", 300), ("/group", 300), ("/always", u32::MAX)] {
        assert_eq!(ask(&router, path, "wall-e").await, step_up(seconds), "{path}");
    }
    assert_eq!(ask(&router, "/maybe", "wall-e").await, ok("false"));
}

#[tokio::test]
async fn stacked_layers_are_asked_about_the_token_of_the_type_that_is_named() {
    let robots = || AuthLayer::new(Robots).sources(TokenSources::new([TokenSource::header("x-key")]));
    let members = || AuthLayer::new(Proven);
    let router = || {
        let group = |layer: RequireFreshLayer, path| Router::new().route(path, get(async || "in")).layer(layer);
        Router::new()
            .route("/handler", get(async |_: Fresh<300, OneFactor, Member>| "in"))
            .route("/robot", get(async |_: Fresh<300, OneFactor, Robot>| "in"))
            .merge(group(RequireFreshLayer::new(300).of::<Member>(), "/group"))
            .merge(group(RequireFreshLayer::new(300).of::<Robot>(), "/robots"))
    };
    for router in [router().layer(robots()).layer(members()), router().layer(members()).layer(robots())] {
        let with = |path: &str| {
            let request = Request::get(path).header("authorization", "0").header("x-key", "wall-e");
            request.body(Body::empty()).unwrap()
        };
        for (path, wanted) in
            [("/handler", ok("in")), ("/group", ok("in")), ("/robot", step_up(300)), ("/robots", step_up(300))]
        {
            assert_eq!(send(&router, with(path)).await, wanted, "{path}");
        }
    }
}

#[tokio::test]
async fn without_a_layer_around_it_the_message_names_the_line_that_is_missing() {
    for path in ["/handler", "/typed", "/maybe", "/group"] {
        let (status, body) = ask(&router(), path, "0").await;
        assert_eq!(status, 500, "{path}: never let in");
        assert!(body.contains(".layer(AuthLayer::new(auth))"), "{body}");
    }
}
