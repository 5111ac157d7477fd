//! What is refused before a verifier exists.

use std::time::Duration;

use gatekit_layer::JwtVerifier;
use gatekit_layer::jwt::{JwtConfigError, JwtVerifierBuilder};
use serde_json::{Value, json};

use crate::support::*;

fn problem(builder: JwtVerifierBuilder<Claims>) -> JwtConfigError {
    builder.any_issuer().any_audience().build().unwrap_err()
}

#[test]
fn j_6__a_secret_has_at_least_32_bytes() {
    for bytes in [0, 1, 16, 31] {
        let weak = JwtConfigError::WeakSecret { bytes };
        assert_eq!(problem(JwtVerifier::hs256(vec![b'x'; bytes])), weak);
        assert_eq!(problem(JwtVerifier::hs256_base64url(&b64(vec![b'x'; bytes]))), weak);
        assert_eq!(problem(JwtVerifier::from_jwks(json!({"kty": "oct", "k": b64(vec![b'x'; bytes])}))), weak);
    }
    assert!(JwtVerifier::<Claims>::hs256([b'x'; 32]).any_issuer().any_audience().build().is_ok());
}

#[test]
fn v_116__half_of_a_key_pair_is_no_secret_in_any_form() {
    let rsa_pem = include_str!("../data/test-only-rsa2048.pub.pem");
    let rsa_pkcs1 = include_str!("../data/test-only-rsa2048.pkcs1.pub.pem");
    let (ec, ed) =
        (include_str!("../data/test-only-p256-a.pub.pem"), include_str!("../data/test-only-ed25519-a.pub.pem"));
    let jwks: Value = serde_json::from_str(JWKS).unwrap();
    for pair in [
        rsa_pem.as_bytes().to_vec(),
        rsa_pkcs1.as_bytes().to_vec(),
        ec.as_bytes().to_vec(),
        format!("\n  {ec}").into_bytes(),
        ed.as_bytes().to_vec(),
        include_bytes!("../data/test-only-p256-a.pem").to_vec(),
        include_bytes!("../data/test-only-certificate.pem").to_vec(),
        include_bytes!("../data/test-only-rsa2048.ssh.pub").to_vec(),
        der(rsa_pem),
        der(rsa_pkcs1),
        der(ec),
        der(ed),
        JWKS.as_bytes().to_vec(),
        jwks["keys"][0].to_string().into_bytes(),
    ] {
        assert_eq!(
            problem(JwtVerifier::hs256(&pair)),
            JwtConfigError::NotASecret,
            "{}",
            String::from_utf8_lossy(&pair)
        );
        assert_eq!(problem(JwtVerifier::hs256_base64url(&b64(&pair))), JwtConfigError::NotASecret);
    }
}

#[test]
fn j_5__a_pem_is_a_public_key_of_the_kind_asked_for() {
    let ec = include_str!("../data/test-only-p256-a.pub.pem");
    let ed = include_str!("../data/test-only-ed25519-a.pub.pem");
    for other in [
        include_str!("../data/test-only-p384.pub.pem"),
        include_str!("../data/test-only-secp256k1.pub.pem"),
        include_str!("../data/test-only-rsa2048.pub.pem"),
        ed,
    ] {
        assert!(matches!(problem(JwtVerifier::es256_pem(other)), JwtConfigError::BadKey { .. }), "{other}");
    }
    for other in [ec, include_str!("../data/test-only-rsa2048.pub.pem")] {
        assert!(matches!(problem(JwtVerifier::eddsa_pem(other)), JwtConfigError::BadKey { .. }), "{other}");
    }
    for private in [include_str!("../data/test-only-p256-a.pem"), include_str!("../data/test-only-rsa2048.pem")] {
        assert_eq!(problem(JwtVerifier::es256_pem(private)), JwtConfigError::PrivateKey);
        assert_eq!(problem(JwtVerifier::eddsa_pem(private)), JwtConfigError::PrivateKey);
    }
    let cut = &ec[..60];
    let garbage = "-----BEGIN PUBLIC KEY-----\n!!!\n-----END PUBLIC KEY-----";
    for no_pem in ["", "hello", cut, garbage, include_str!("../data/test-only-certificate.pem")] {
        assert_eq!(problem(JwtVerifier::es256_pem(no_pem)), JwtConfigError::NotPem, "{no_pem}");
    }
    assert_eq!(problem(JwtVerifier::es256_pem([0xff, 0xfe])), JwtConfigError::NotPem);
    let of_der = |der: &[u8]| {
        let body = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, der);
        format!("-----BEGIN PUBLIC KEY-----\n{body}\n-----END PUBLIC KEY-----")
    };
    let (mut short, mut long, mut compressed) = (der(ec), der(ec), der(ec));
    short.pop();
    long.push(0);
    compressed[26] = 2;
    for broken in [short, long, compressed] {
        assert!(matches!(problem(JwtVerifier::es256_pem(of_der(&broken))), JwtConfigError::BadKey { .. }));
    }
    assert!(JwtVerifier::<Claims>::es256_pem(of_der(&der(ec))).any_issuer().any_audience().build().is_ok());
    let empty = "-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----";
    assert!(matches!(problem(JwtVerifier::es256_pem(empty)), JwtConfigError::BadKey { .. }));
}

#[test]
fn j_5__a_point_of_small_order_is_no_ed25519_key() {
    let end = |low: u8, high: u8| {
        let mut point = [0xff; 32];
        (point[0], point[31]) = (low, high);
        b64(point)
    };
    let one = |high: u8| {
        let mut point = [0; 32];
        (point[0], point[31]) = (1, high);
        b64(point)
    };
    for point in [
        b64([0; 32]),
        one(0),
        one(0x80),
        end(0xec, 0x7f),
        end(0xec, 0xff),
        end(0xed, 0x7f),
        end(0xee, 0x7f),
        end(0xee, 0xff),
        "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o".into(),
        "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU".into(),
    ] {
        assert!(matches!(problem(JwtVerifier::eddsa_components(&point)), JwtConfigError::BadKey { .. }), "{point}");
    }
}

#[test]
fn j_5__components_have_their_lengths() {
    let right = b64([1; 32]);
    for wrong in ["", &b64([1; 31]), &b64([1; 33])] {
        assert!(matches!(problem(JwtVerifier::es256_components(wrong, &right)), JwtConfigError::BadKey { .. }));
        assert!(matches!(problem(JwtVerifier::es256_components(&right, wrong)), JwtConfigError::BadKey { .. }));
        assert!(matches!(problem(JwtVerifier::eddsa_components(wrong)), JwtConfigError::BadKey { .. }));
    }
    assert!(matches!(problem(JwtVerifier::eddsa_components("+/+/")), JwtConfigError::NotBase64Url { .. }));
    assert!(matches!(problem(JwtVerifier::hs256_base64url("no base64url")), JwtConfigError::NotBase64Url { .. }));
}

#[test]
fn j_6__an_rsa_key_has_at_least_2048_bits() {
    let weak = include_str!("../data/jwks-rsa1024.json");
    assert_eq!(problem(JwtVerifier::foreign_issuer_rs256(ISSUER, weak)), JwtConfigError::RsaKeySize { bits: 1024 });
    let rsa = |n: Vec<u8>, e: &str| json!({"kty": "RSA", "n": b64(n), "e": e});
    // Zeros in front do not make a key larger.
    let padded = [vec![0; 128], vec![0xff; 128]].concat();
    assert_eq!(
        problem(JwtVerifier::foreign_issuer_rs256(ISSUER, rsa(padded, "AQAB"))),
        JwtConfigError::RsaKeySize { bits: 1024 }
    );
    assert_eq!(
        problem(JwtVerifier::foreign_issuer_rs256(ISSUER, rsa(vec![], "AQAB"))),
        JwtConfigError::RsaKeySize { bits: 0 }
    );
    let huge = rsa(vec![0xff; 2048], "AQAB");
    assert_eq!(problem(JwtVerifier::foreign_issuer_rs256(ISSUER, huge)), JwtConfigError::RsaKeySize { bits: 16384 });
    for exponent in ["", "AA", "AQ", "AAE", "Ag", "AQAA", &b64([0xff; 9])] {
        let key = rsa(vec![0xff; 256], exponent);
        let problem = problem(JwtVerifier::foreign_issuer_rs256(ISSUER, key));
        assert!(matches!(problem, JwtConfigError::BadKey { .. }), "{exponent}: {problem:?}");
    }
}

#[test]
fn asvs_9_1_3__keys_for_other_things_are_passed_over_and_none_left_is_an_error() {
    let jwks: Value = serde_json::from_str(JWKS).unwrap();
    let (ec, ed) = (jwks["keys"][0].clone(), jwks["keys"][2].clone());
    let with = |key: &Value, name: &str, value: Value| {
        let mut key = key.clone();
        key[name] = value;
        key
    };
    let others = [
        with(&ec, "use", json!("enc")),
        with(&ec, "use", json!("")),
        with(&ec, "key_ops", json!(["encrypt"])),
        with(&ec, "key_ops", json!([])),
        with(&ec, "alg", json!("ECDH-ES")),
        with(&ec, "alg", json!("ES384")),
        with(&ec, "alg", json!("HS256")),
        with(&ec, "crv", json!("P-384")),
        with(&ec, "crv", json!("secp256k1")),
        with(&ec, "kty", json!("oct")),
        with(&ec, "kty", json!("ec")),
        with(&ec, "kty", json!("new")),
        with(&ec, "kid", json!(7)),
        with(&ec, "x", json!(7)),
        with(&ec, "x", json!("AAAA")),
        with(&ec, "x", json!("!")),
        with(&ed, "crv", json!("X25519")),
        with(&ed, "alg", json!("ES256")),
        with(&ed, "x", json!(null)),
        json!({"kty": "oct", "use": "sig"}),
        json!({"kty": "oct", "k": b64([7; 32]), "alg": "HS512"}),
        json!({"kty": "oct", "k": b64([7; 32]), "use": "enc"}),
        serde_json::from_str::<Value>(JWKS_RSA).unwrap()["keys"][0].clone(),
        json!({}),
        json!(null),
        json!("key"),
        json!([]),
    ];
    for other in &others {
        let alone = JwtVerifier::<Claims>::from_jwks(json!({"keys": [other]})).any_issuer().any_audience().build();
        assert!(alone.is_err(), "{other}");
        let beside = JwtVerifier::<Claims>::from_jwks(json!({"keys": [other, ec]})).any_issuer().any_audience().build();
        assert!(beside.is_ok(), "{other}");
    }
    assert_eq!(problem(JwtVerifier::from_jwks(json!({"keys": others[..3]}))), JwtConfigError::NoUsableKey);
    assert_eq!(problem(JwtVerifier::from_jwks(json!({"keys": []}))), JwtConfigError::NoUsableKey);
    assert_eq!(problem(JwtVerifier::from_jwks(JWKS_RSA)), JwtConfigError::NoUsableKey);
    assert_eq!(problem(JwtVerifier::foreign_issuer_rs256(ISSUER, JWKS)), JwtConfigError::NoUsableKey);
}

#[tokio::test]
async fn asvs_9_1_3__private_members_are_not_read() {
    let jwks: Value = serde_json::from_str(JWKS).unwrap();
    let mut key = jwks["keys"][0].clone();
    key["d"] = json!("sentinel-private");
    let builder = JwtVerifier::<Claims>::from_jwks(key);
    assert!(!format!("{builder:?}").contains("sentinel"));
    accepted(check(&ready(builder), &es256_a().token()).await, "its public half");
}

#[test]
fn fuzz_7__a_jwk_set_is_bounded_and_of_its_form() {
    for broken in [
        "",
        "null",
        "[]",
        "{}",
        r#"{"keys": {}}"#,
        r#"{"keys": null}"#,
        r#"{"keys": "x"}"#,
        "{\"keys\": [",
        "\u{feff}{}",
    ] {
        assert_eq!(problem(JwtVerifier::from_jwks(broken)), JwtConfigError::NotJwks, "{broken}");
    }
    let jwks: Value = serde_json::from_str(JWKS).unwrap();
    let keys = |n: usize| json!({"keys": vec![jwks["keys"][0].clone(); n]});
    assert!(JwtVerifier::<Claims>::from_jwks(keys(64)).any_issuer().any_audience().build().is_ok());
    assert_eq!(problem(JwtVerifier::from_jwks(keys(65))), JwtConfigError::JwksTooLarge);
    let long = format!("{JWKS}{}", " ".repeat(512 * 1024));
    assert_eq!(problem(JwtVerifier::from_jwks(long)), JwtConfigError::JwksTooLarge);
    let deep = format!("{{\"keys\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(problem(JwtVerifier::from_jwks(deep)), JwtConfigError::NotJwks);
}

#[test]
fn asvs_9_2_3__issuer_and_audience_must_be_decided() {
    let start = || JwtVerifier::<Claims>::hs256(SECRET);
    assert_eq!(start().build().unwrap_err(), JwtConfigError::IssuerUndecided);
    assert_eq!(start().audience(AUDIENCE).build().unwrap_err(), JwtConfigError::IssuerUndecided);
    assert_eq!(start().issuer(ISSUER).build().unwrap_err(), JwtConfigError::AudienceUndecided);
    let foreign = JwtVerifier::<Claims>::foreign_issuer_rs256(ISSUER, JWKS_RSA);
    assert_eq!(foreign.build().unwrap_err(), JwtConfigError::AudienceUndecided);
    let both = JwtVerifier::<Claims>::foreign_issuer_rs256(ISSUER, JWKS_RSA).hs256(SECRET).audience(AUDIENCE);
    assert_eq!(both.build().unwrap_err(), JwtConfigError::IssuerUndecided);
    assert!(start().issuer(ISSUER).audience(AUDIENCE).build().is_ok());
    assert!(start().any_issuer().any_audience().build().is_ok());
}

#[test]
fn asvs_9_2_3__any_and_a_name_exclude_each_other() {
    let start = || JwtVerifier::<Claims>::hs256(SECRET);
    let issuer = start().any_issuer().issuer(ISSUER).audience(AUDIENCE).build();
    assert_eq!(issuer.unwrap_err(), JwtConfigError::Contradiction { claim: "issuer" });
    let audience = start().issuer(ISSUER).audience(AUDIENCE).any_audience().build();
    assert_eq!(audience.unwrap_err(), JwtConfigError::Contradiction { claim: "audience" });
}

#[test]
fn j_16__a_leeway_is_small() {
    let with = |leeway| JwtVerifier::<Claims>::hs256(SECRET).any_issuer().any_audience().leeway(leeway).build();
    assert!(with(Duration::ZERO).is_ok());
    assert!(with(Duration::from_secs(120)).is_ok());
    for wrong in [Duration::from_secs(121), Duration::MAX, Duration::from_millis(1500)] {
        assert_eq!(with(wrong).unwrap_err(), JwtConfigError::Leeway);
    }
}

#[test]
fn asvs_9_1_3__the_first_problem_is_the_one_that_is_told() {
    let builder = JwtVerifier::<Claims>::hs256("weak").es256_pem("no pem").eddsa_components("!");
    assert_eq!(builder.build().unwrap_err(), JwtConfigError::WeakSecret { bytes: 4 });
}
