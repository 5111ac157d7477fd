//! Rules 7 to 11: what a token says.

use std::time::Duration;

use gatekit_core::{AuthenticateError, Authenticator};
use gatekit_layer::JwtVerifier;
use serde::Deserialize;
use serde_json::json;

use crate::support::*;

/// At `seconds`, with a leeway of `leeway`.
fn at(seconds: i64, leeway: u64) -> JwtVerifier<Claims> {
    let builder = JwtVerifier::hs256(SECRET).issuer(ISSUER).audience(AUDIENCE);
    builder.clock(Frozen::at(seconds)).leeway(Duration::from_secs(leeway)).build().unwrap()
}

#[tokio::test]
async fn asvs_9_2_1__exp_ends_it_to_the_second() {
    let token = hs256().claims(claims_with(json!({"exp": NOW + 100})));
    for leeway in [0, 30, 60, 120] {
        let end = NOW + 100 + leeway as i64;
        accepted(check(&at(end - 1, leeway), &token).await, "a second before");
        expired(check(&at(end, leeway), &token).await, "on the second");
        expired(check(&at(end + 1, leeway), &token).await, "a second after");
        expired(check(&at(end + 1_000_000_000, leeway), &token).await, "long after");
    }
}

#[tokio::test]
async fn asvs_9_2_1__the_leeway_is_30_seconds_by_default() {
    let token = hs256().claims(claims_with(json!({"exp": NOW - 29})));
    accepted(check(&verifier(), &token).await, "29 seconds late");
    let token = hs256().claims(claims_with(json!({"exp": NOW - 30})));
    expired(check(&verifier(), &token).await, "30 seconds late");
}

#[tokio::test]
async fn asvs_9_2_1__exp_is_required() {
    invalid(check(&verifier(), &hs256().claims(claims_with(json!({"exp": null})))).await, "no exp");
    let everything = JwtVerifier::<Claims>::hs256(SECRET).any_issuer().any_audience().build().unwrap();
    invalid(check(&everything, &hs256().claims(json!({"sub": "ada"}))).await, "no exp, nothing else asked for");
}

#[tokio::test]
async fn j_16__a_time_that_cannot_be_read_is_not_absent() {
    let verifier = verifier();
    let broken = [
        "\"1800000900\"",
        "1800000900.0",
        "1800000900.5",
        "1.8000009e9",
        "-1",
        "-1800000900",
        "-0",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "1e308",
        "-1e308",
        "1e400",
        "null",
        "true",
        "[1800000900]",
        "{\"seconds\":1800000900}",
        "\"\"",
        "1800000900000",
        "253402300800",
    ];
    let good = claims().to_string();
    for value in broken {
        for (name, now) in [("exp", NOW + 900), ("nbf", NOW), ("iat", NOW)] {
            let claims = good.replace(&format!(r#""{name}":{now}"#), &format!(r#""{name}":{value}"#));
            assert_ne!(claims, good);
            invalid(check(&verifier, &hs256().raw(r#"{"alg":"HS256"}"#, claims)).await, &format!("{name} {value}"));
        }
    }
    expired(check(&verifier, &hs256().claims(claims_with(json!({"exp": 0})))).await, "1970");
    accepted(
        check(&verifier, &hs256().claims(claims_with(json!({"exp": 253_402_300_799_i64})))).await,
        "the year 9999",
    );
}

#[tokio::test]
async fn asvs_9_2_1__nbf_begins_it_to_the_second() {
    let token = hs256().claims(claims_with(json!({"iat": null, "nbf": NOW, "exp": NOW + 900})));
    for leeway in [0, 30, 120] {
        let begin = NOW - leeway as i64;
        invalid(check(&at(begin - 1, leeway), &token).await, "a second before");
        accepted(check(&at(begin, leeway), &token).await, "on the second");
        accepted(check(&at(begin + 1, leeway), &token).await, "a second after");
    }
    let without = hs256().claims(claims_with(json!({"nbf": null, "iat": null})));
    accepted(check(&verifier(), &without).await, "it may be absent");
}

#[tokio::test]
async fn asvs_9_2_1__a_token_from_the_future_is_refused() {
    let token = |iat: i64| hs256().claims(claims_with(json!({"iat": iat, "nbf": null})));
    accepted(check(&verifier(), &token(NOW + 30)).await, "within the leeway");
    invalid(check(&verifier(), &token(NOW + 31)).await, "beyond it");
}

#[tokio::test]
async fn j_9__the_issuer_is_exactly_the_named_one() {
    let verifier = verifier();
    for iss in [
        json!(null),
        json!(""),
        json!("https://issuer.test/"),
        json!("https://ISSUER.test"),
        json!("http://issuer.test"),
        json!("https://issuer.test.evil"),
        json!([ISSUER]),
        json!({ISSUER: true}),
        json!(0),
        json!(false),
    ] {
        invalid(check(&verifier, &hs256().claims(claims_with(json!({"iss": iss})))).await, &iss.to_string());
    }
    let two: JwtVerifier<Claims> = ready(JwtVerifier::hs256(SECRET).issuer("https://other.test"));
    for iss in [ISSUER, "https://other.test"] {
        accepted(check(&two, &hs256().claims(claims_with(json!({"iss": iss})))).await, iss);
    }
    let any = JwtVerifier::hs256(SECRET).any_issuer().audience(AUDIENCE).clock(Frozen::at(NOW)).build().unwrap();
    for iss in [json!(null), json!("https://anybody.test")] {
        accepted(check(&any, &hs256().claims(claims_with(json!({"iss": iss})))).await, "any issuer");
    }
}

#[tokio::test]
async fn asvs_9_2_3__the_audience_is_or_contains_the_named_one() {
    let verifier = verifier();
    for aud in [json!(AUDIENCE), json!([AUDIENCE]), json!(["https://else.test", AUDIENCE]), json!([AUDIENCE, AUDIENCE])]
    {
        accepted(check(&verifier, &hs256().claims(claims_with(json!({"aud": aud})))).await, &aud.to_string());
    }
    for aud in [
        json!(null),
        json!(""),
        json!([]),
        json!([""]),
        json!("https://else.test"),
        json!(["https://else.test", "x"]),
        json!("https://api.test/"),
        json!("https://API.test"),
        json!("https://api.test https://else.test"),
        json!(0),
        json!([[AUDIENCE]]),
        json!([AUDIENCE, 1]),
        json!({AUDIENCE: true}),
        json!(true),
    ] {
        invalid(check(&verifier, &hs256().claims(claims_with(json!({"aud": aud})))).await, &aud.to_string());
    }
    let two: JwtVerifier<Claims> = ready(JwtVerifier::hs256(SECRET).audience("https://old-name.test"));
    accepted(
        check(&two, &hs256().claims(claims_with(json!({"aud": "https://old-name.test"})))).await,
        "its other name",
    );
    let any = JwtVerifier::hs256(SECRET).issuer(ISSUER).any_audience().clock(Frozen::at(NOW)).build().unwrap();
    for aud in [json!(null), json!("https://anybody.test")] {
        accepted(check(&any, &hs256().claims(claims_with(json!({"aud": aud})))).await, "any audience");
    }
}

#[tokio::test]
async fn asvs_9_2_1__expired_is_said_only_of_a_token_that_was_good_once() {
    let verifier = verifier();
    let old = json!({"exp": NOW - 900, "nbf": null, "iat": null});
    expired(check(&verifier, &hs256().claims(claims_with(old.clone()))).await, "old");
    for other in [json!({"aud": "https://else.test"}), json!({"iss": "https://else.test"}), json!({"nbf": NOW + 900})] {
        let mut claims = claims_with(old.clone());
        claims.as_object_mut().unwrap().extend(other.as_object().unwrap().clone());
        invalid(check(&verifier, &hs256().claims(claims)).await, &other.to_string());
    }
    let forged = hs256_with(b"another secret of enough bytes, by Eve").claims(claims_with(old));
    invalid(check(&verifier, &forged).await, "old and forged");
}

#[tokio::test]
async fn v_118__claims_that_do_not_fit_the_apps_type_are_refused() {
    let verifier = verifier();
    for sub in [json!(null), json!(7), json!(["ada"]), json!({"name": "ada"})] {
        invalid(check(&verifier, &hs256().claims(claims_with(json!({"sub": sub})))).await, &sub.to_string());
    }
}

#[tokio::test]
async fn v_118__the_principal_is_the_claims_and_there_is_no_stored_token() {
    #[derive(Clone, Deserialize)]
    struct Full {
        sub: String,
        exp: i64,
        scope: Option<String>,
        roles: Vec<String>,
    }
    let verifier = ready(JwtVerifier::<Full>::hs256(SECRET));
    let token = hs256().claims(claims_with(json!({"scope": "read write", "roles": ["admin"]})));
    let caller = verifier.authenticate(&token).await.unwrap();
    assert!(caller.token.is_none());
    let Full { sub, exp, scope, roles } = caller.principal;
    assert_eq!(
        (sub.as_str(), exp, scope.as_deref(), roles.as_slice()),
        ("ada", NOW + 900, Some("read write"), &["admin".into()][..])
    );
}

#[tokio::test]
async fn asvs_9_2_1__the_system_clock_is_the_default() {
    let verifier = JwtVerifier::<Claims>::hs256(SECRET).any_issuer().any_audience().build().unwrap();
    let now = jsonwebtoken::get_current_timestamp();
    let token = |exp| hs256().claims(json!({"sub": "ada", "exp": exp}));
    accepted(check(&verifier, &token(now + 60)).await, "in a minute");
    assert!(matches!(verifier.authenticate(&token(now - 60)).await, Err(AuthenticateError::Expired)));
}
