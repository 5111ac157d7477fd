//! Rules 4 and 5: which keys are tried, and what each is good for.

use gatekit_core::Authenticator;
use gatekit_layer::JwtVerifier;
use gatekit_testkit::LogCapture;
use serde_json::{Value, json};

use crate::support::*;

#[derive(serde::Deserialize)]
struct RfcExample {
    name: String,
    jwk: Value,
    token: String,
}

fn rfc(name: &str) -> RfcExample {
    let all: Vec<RfcExample> = serde_json::from_str(include_str!("../data/rfc.json")).unwrap();
    all.into_iter().find(|example| example.name == name).unwrap()
}

#[tokio::test]
async fn asvs_9_1_1__the_examples_of_rfc_7515_verify_until_they_expire() {
    for name in ["RFC 7515 A.1", "RFC 7515 A.2", "RFC 7515 A.3"] {
        let example = rfc(name);
        let at = |seconds| {
            let builder = match example.jwk["kty"].as_str() {
                Some("RSA") => JwtVerifier::<Value>::foreign_issuer_rs256("joe", example.jwk.clone()),
                _ => JwtVerifier::from_jwks(example.jwk.clone()).issuer("joe"),
            };
            builder.any_audience().clock(Frozen::at(seconds)).build().unwrap()
        };
        let caller = at(1_300_819_379).authenticate(&example.token).await.unwrap();
        assert_eq!(caller.principal["http://example.com/is_root"], true, "{name}");
        let late = at(1_300_819_380 + 30).authenticate(&example.token).await;
        assert!(matches!(late, Err(gatekit_core::AuthenticateError::Expired)), "{name}");
    }
}

#[tokio::test]
async fn asvs_9_1_1__the_example_of_rfc_8037_verifies_but_is_no_set_of_claims() {
    let example = rfc("RFC 8037 A.4");
    let verifier = ready(JwtVerifier::<Claims>::from_jwks(example.jwk));
    let capture = LogCapture::new();
    let recording = capture.start();
    let answer = check(&verifier, &example.token).await;
    drop(recording);
    let log = capture.text();
    invalid(answer, "it says: Example of Ed25519 signing");
    assert!(log.contains("its claims are not a JSON object"), "{log}");
}

#[tokio::test]
async fn asvs_9_1_1__tokens_of_another_implementation_verify() {
    let file: Value = serde_json::from_str(include_str!("../data/pyjwt.json")).unwrap();
    assert_eq!(file["secret"], SECRET);
    let verifier = JwtVerifier::<Claims>::from_jwks(JWKS)
        .hs256(SECRET)
        .from_jwks(rfc("RFC 8037 A.4").jwk)
        .foreign_issuer_rs256(ISSUER, JWKS_RSA);
    let verifier = ready(verifier);
    let tokens = file["tokens"].as_array().unwrap();
    assert_eq!(tokens.len(), 5);
    for token in tokens {
        accepted(check(&verifier, token["token"].as_str().unwrap()).await, token["name"].as_str().unwrap());
    }
}

#[tokio::test]
async fn asvs_9_1_1__a_key_may_come_as_pem_as_components_and_as_jwk() {
    let jwks: Value = serde_json::from_str(JWKS).unwrap();
    let (ec, ed) = (&jwks["keys"][0], &jwks["keys"][2]);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    for builder in [
        JwtVerifier::es256_pem(include_str!("../data/test-only-p256-a.pub.pem")),
        JwtVerifier::es256_pem(include_bytes!("../data/test-only-p256-a.pub.pem")),
        JwtVerifier::es256_pem(include_str!("../data/test-only-p256-a.pub.pem").replace('\n', "\r\n")),
        JwtVerifier::es256_components(&text(&ec["x"]), &text(&ec["y"])),
        JwtVerifier::from_jwks(ec.clone()),
        JwtVerifier::from_jwks(ec.to_string()),
        JwtVerifier::from_jwks(JWKS),
    ] {
        accepted(check(&ready(builder), &es256_a().token()).await, "ES256");
    }
    for builder in [
        JwtVerifier::eddsa_pem(include_str!("../data/test-only-ed25519-a.pub.pem")),
        JwtVerifier::eddsa_components(&text(&ed["x"])),
        JwtVerifier::from_jwks(json!({"keys": [ed]})),
    ] {
        accepted(check(&ready(builder), &eddsa_a().token()).await, "EdDSA");
    }
    for builder in [
        JwtVerifier::hs256(SECRET),
        JwtVerifier::hs256_base64url(&b64(SECRET)),
        JwtVerifier::from_jwks(json!({"kty": "oct", "k": b64(SECRET)})),
    ] {
        accepted(check(&ready(builder), &hs256().token()).await, "HS256");
    }
}

#[tokio::test]
async fn v_121__another_key_is_another_verifier() {
    let a = ready(JwtVerifier::es256_pem(include_str!("../data/test-only-p256-a.pub.pem")));
    let b = ready(JwtVerifier::es256_pem(include_str!("../data/test-only-p256-b.pub.pem")));
    accepted(check(&a, &es256_a().token()).await, "a under a");
    invalid(check(&a, &es256_b().token()).await, "b under a");
    invalid(check(&b, &es256_a().token()).await, "a under b");
}

#[tokio::test]
async fn asvs_9_1_3__a_kid_selects_among_keys_that_have_one() {
    let named = ready(JwtVerifier::from_jwks(JWKS));
    accepted(check(&named, &es256_b().header(json!({"kid": "p256-b"}))).await, "its own");
    invalid(check(&named, &es256_b().header(json!({"kid": "p256-a"}))).await, "that of another key");
    invalid(check(&named, &es256_b().header(json!({"kid": "ed25519-a"}))).await, "that of another algorithm");
    accepted(check(&named, &es256_b().token()).await, "none: all are tried");
    let nameless = ready(JwtVerifier::es256_pem(include_str!("../data/test-only-p256-b.pub.pem")));
    accepted(check(&nameless, &es256_b().header(json!({"kid": "whatever"}))).await, "the key has no name");
}

#[tokio::test]
async fn asvs_9_1_3__old_and_new_key_are_good_side_by_side() {
    let (old, new) = ("test-only-the-old-secret-of-32-bytes", "test-only-the-new-secret-of-32-bytes");
    let both: JwtVerifier<Claims> = ready(JwtVerifier::hs256(new).hs256(old));
    let after: JwtVerifier<Claims> = ready(JwtVerifier::hs256(new));
    let (old, new) = (hs256_with(old.as_bytes()).token(), hs256_with(new.as_bytes()).token());
    accepted(check(&both, &old).await, "the old one, before");
    accepted(check(&both, &new).await, "the new one, before");
    invalid(check(&after, &old).await, "the old one, after");
    accepted(check(&after, &new).await, "the new one, after");
}

#[tokio::test]
async fn asvs_9_1_3__at_most_eight_keys_are_tried() {
    let secret = |n: usize| format!("test-only-secret-number-{n}-of-a-long-list");
    let key = |n| json!({"kty": "oct", "k": b64(secret(n))});
    let verifier = ready(JwtVerifier::from_jwks(json!({"keys": (0..9).map(key).collect::<Vec<_>>()})));
    accepted(check(&verifier, &hs256_with(secret(7).as_bytes()).token()).await, "the eighth");
    invalid(check(&verifier, &hs256_with(secret(8).as_bytes()).token()).await, "the ninth");
}

#[tokio::test]
async fn asvs_11_6_1__rs256_is_only_for_a_named_foreign_issuer() {
    let token = rs256().token();
    invalid(check(&verifier(), &token).await, "no RSA key at all");
    // An RSA key among others is passed over when the set is not that of a foreign issuer.
    let mut jwks: Value = serde_json::from_str(JWKS).unwrap();
    let rsa: Value = serde_json::from_str(JWKS_RSA).unwrap();
    jwks["keys"].as_array_mut().unwrap().push(rsa["keys"][0].clone());
    invalid(check(&ready(JwtVerifier::from_jwks(jwks.clone())), &token).await, "a set of our own");
    accepted(check(&ready(JwtVerifier::foreign_issuer_rs256(ISSUER, JWKS_RSA)), &token).await, "named");
    // And the other way round: under the name of a foreign issuer there is nothing but RS256.
    let foreign: JwtVerifier<Claims> = ready(JwtVerifier::foreign_issuer_rs256(ISSUER, jwks));
    accepted(check(&foreign, &token).await, "RS256");
    invalid(check(&foreign, &es256_a().token()).await, "ES256");
}

#[tokio::test]
async fn j_9__a_foreign_issuers_key_is_good_for_its_own_tokens_only() {
    let foreign = "https://accounts.foreign.test";
    // Both are accepted, each under its own key.
    let verifier: JwtVerifier<Claims> = ready(JwtVerifier::hs256(SECRET).foreign_issuer_rs256(foreign, JWKS_RSA));
    let of_foreign = claims_with(json!({"iss": foreign}));
    accepted(check(&verifier, &hs256().token()).await, "ours under ours");
    accepted(check(&verifier, &rs256().claims(of_foreign.clone())).await, "theirs under theirs");
    invalid(check(&verifier, &rs256().token()).await, "ours under theirs");
    invalid(check(&verifier, &hs256().claims(of_foreign.clone())).await, "theirs under ours");
    // The foreign issuer alone needs no other answer to "whose tokens".
    let alone = JwtVerifier::foreign_issuer_rs256(foreign, JWKS_RSA).audience(AUDIENCE).clock(Frozen::at(NOW));
    let alone = alone.build().unwrap();
    accepted(check(&alone, &rs256().claims(of_foreign)).await, "theirs");
    invalid(check(&alone, &rs256().token()).await, "ours");
    // `any_issuer` is about our own keys.
    let any = JwtVerifier::hs256(SECRET).foreign_issuer_rs256(foreign, JWKS_RSA).any_issuer().audience(AUDIENCE);
    invalid(check(&any.clock(Frozen::at(NOW)).build().unwrap(), &rs256().token()).await, "ours under theirs");
}

#[tokio::test]
async fn j_5__a_point_that_is_not_on_the_curve_verifies_nothing() {
    let jwks: Value = serde_json::from_str(JWKS).unwrap();
    let mut off_curve = jwks["keys"][0].clone();
    off_curve["y"] = jwks["keys"][1]["y"].clone();
    let verifier = ready(JwtVerifier::from_jwks(off_curve));
    for token in [es256_a().token(), es256_b().token()] {
        invalid(check(&verifier, &token).await, "x of one key and y of another");
    }
    let zero = ready(JwtVerifier::es256_components(&b64([0; 32]), &b64([0; 32])));
    let forged = format!("{}.{}.{}", b64(r#"{"alg":"ES256"}"#), b64(claims().to_string()), b64([0; 64]));
    invalid(check(&zero, &forged).await, "nothing but zeros");
}

#[tokio::test]
async fn v_123__a_signature_of_zeros_or_of_another_length_is_no_signature() {
    let verifier: JwtVerifier<Claims> =
        ready(JwtVerifier::from_jwks(JWKS).hs256(SECRET).foreign_issuer_rs256(ISSUER, JWKS_RSA));
    for alg in ["HS256", "ES256", "EdDSA", "RS256"] {
        for length in [0, 1, 31, 32, 33, 63, 64, 65, 71, 128, 255, 256, 257, 512] {
            for byte in [0x00, 0x01, 0xff] {
                let header = b64(json!({"alg": alg}).to_string());
                let token = format!("{header}.{}.{}", b64(claims().to_string()), b64(vec![byte; length]));
                invalid(check(&verifier, &token).await, &format!("{alg}: {length} bytes of {byte}"));
            }
        }
    }
}

#[tokio::test]
async fn asvs_16_2_5__neither_log_nor_debug_shows_a_token_or_key() {
    let token = hs256().claims(claims_with(json!({"sub": "sentinel-sub", "exp": 1})));
    let unfit = hs256().claims(claims_with(json!({"sub": ["sentinel-sub"]})));
    let verifier = verifier();
    let capture = LogCapture::new();
    let recording = capture.start();
    for token in [&*token, &unfit, &token[..200], "sentinel-sub"] {
        let error = check(&verifier, token).await.unwrap_err();
        assert!(!format!("{error} {error:?}").contains("sentinel"));
    }
    drop(recording);
    let log = capture.text();
    assert!(log.contains("it has expired") && log.contains("do not fit the app's type"), "{log}");
    assert!(log.contains("it is not three parts of base64url"), "{log}");

    let builder = JwtVerifier::<Claims>::from_jwks(JWKS).hs256(SECRET);
    let shown = format!("{log} {verifier:?} {builder:?} {:?}", gatekit_layer::jwt::Jwks::from(JWKS));
    let jwks: Value = serde_json::from_str(JWKS).unwrap();
    let key = jwks["keys"][0]["x"].as_str().unwrap().to_owned();
    for secret in ["sentinel", &token[..30], &token[token.len() - 30..], SECRET, &b64(SECRET), &key] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    assert!(shown.contains("Es256([redacted])"), "{shown}");
}
