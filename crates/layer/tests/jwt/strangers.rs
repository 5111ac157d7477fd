//! JWTs that are not for the app, beside one that is.

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use gatekit_core::{Authenticator, TokenForm};
use gatekit_layer::{AuthLayer, AuthUser, TokenCookie};
use http::Request;
use serde_json::json;
use tower::ServiceExt;

use crate::support::*;

/// Status of a request with this header, and this token in the cookie.
async fn status(authorization: &str, cookie: &str) -> u16 {
    let handler = async |AuthUser(claims): AuthUser<Claims>| claims.sub;
    let router: Router = Router::new().route("/", get(handler)).layer(AuthLayer::new(verifier()));
    let cookie = format!("{}={cookie}", TokenCookie::default().as_name());
    let request = Request::get("/").header("authorization", authorization).header("cookie", cookie);
    router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status().as_u16()
}

/// An identity-aware proxy adds its own JWT to every request.
#[tokio::test]
async fn a_jwt_of_another_issuer_or_audience_hides_no_good_one() {
    let good = es256_a().token();
    for stranger in [
        es256_b().claims(claims_with(json!({"iss": "https://cloud.google.com/iap", "aud": "/projects/1"}))),
        es256_b().claims(claims_with(json!({"iss": "https://cloud.google.com/iap"}))),
        es256_b().claims(claims_with(json!({"aud": "/projects/1"}))),
        es256_b().claims(claims_with(json!({"iss": null, "aud": null}))),
        es256_b().raw(r#"{"alg":"ES256"}"#, "not JSON"),
        "undefined".to_owned(),
        "0123456789abcdef".to_owned(),
    ] {
        assert_eq!(status(&format!("Bearer {stranger}"), &good).await, 200, "{stranger}");
        assert_eq!(status(&format!("Bearer {stranger}"), "").await, 401, "{stranger}");
    }
    assert_eq!(status("Basic c3RhZ2luZzpodW50ZXIy", &good).await, 200);
}

#[tokio::test]
async fn a_jwt_that_says_it_is_for_the_app_ends_the_search() {
    let good = es256_a().token();
    let forged = hs256_with(b"another secret of enough bytes, by Eve").token();
    let expired = es256_a().claims(claims_with(json!({"exp": NOW - 900})));
    for wrong in [forged, expired] {
        assert_eq!(verifier().token_form(&wrong), TokenForm::Own);
        assert_eq!(status(&format!("Bearer {wrong}"), &good).await, 401);
    }
    assert_eq!(status(&format!("Bearer {good}"), "undefined").await, 200);
}
