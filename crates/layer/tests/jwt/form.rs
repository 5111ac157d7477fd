//! Rules 1 to 6: what a token looks like, and that it is whole.

use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

use gatekit_core::Authenticator;
use gatekit_layer::JwtVerifier;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test]
async fn asvs_9_1_1__one_letter_changed_anywhere_makes_it_invalid() {
    let verifier = verifier();
    for signer in [hs256(), es256_a(), eddsa_a()] {
        let token = signer.token();
        accepted(check(&verifier, &token).await, "as it was made");
        for at in 0..token.len() {
            let other = if token.as_bytes()[at] == b'A' { "B" } else { "A" };
            let edited = format!("{}{other}{}", &token[..at], &token[at + 1..]);
            invalid(check(&verifier, &edited).await, &format!("{} with {other} at {at}", signer.0));
        }
    }
}

#[tokio::test]
async fn asvs_9_1_1__truncated_or_extended_is_invalid() {
    let verifier = verifier();
    let token = eddsa_a().token();
    for end in 0..token.len() {
        invalid(check(&verifier, &token[..end]).await, &format!("{end} bytes of it"));
    }
    for more in ["A", "AA", "AAAA", ".", ".A", "=", " ", "\n", "\0"] {
        invalid(check(&verifier, &format!("{token}{more}")).await, more);
        invalid(check(&verifier, &format!("{more}{token}")).await, more);
    }
    let (message, _) = token.rsplit_once('.').unwrap();
    invalid(check(&verifier, &format!("{message}.")).await, "an empty signature");
}

#[tokio::test]
async fn asvs_9_1_1__claims_are_not_read_before_the_signature_is_good() {
    static READ: AtomicUsize = AtomicUsize::new(0);

    #[derive(Clone)]
    struct Counted;

    impl<'de> Deserialize<'de> for Counted {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            READ.fetch_add(1, Ordering::SeqCst);
            Value::deserialize(deserializer).map(|_| Self)
        }
    }

    let verifier = ready(JwtVerifier::<Counted>::hs256(SECRET));
    let forged = hs256_with(b"another secret of enough bytes, by Eve").token();
    assert!(verifier.authenticate(&forged).await.is_err());
    assert_eq!(READ.load(Ordering::SeqCst), 0);
    assert!(verifier.authenticate(&hs256().token()).await.is_ok());
    assert_eq!(READ.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn asvs_9_1_2__none_is_no_algorithm_in_any_spelling() {
    let verifier = verifier();
    for alg in ["none", "None", "NONE", "nOnE", "none ", " none", "", "null", "no\u{200b}ne"] {
        let header = b64(json!({"alg": alg, "typ": "JWT"}).to_string());
        let claims = b64(claims().to_string());
        for signature in ["", "AA", &b64([0; 32]), &b64([0; 64])] {
            invalid(check(&verifier, &format!("{header}.{claims}.{signature}")).await, alg);
        }
        invalid(check(&verifier, &hs256().header(json!({"alg": alg}))).await, alg);
    }
}

#[tokio::test]
async fn asvs_9_1_2__an_algorithm_that_is_not_the_keys_is_refused() {
    let verifier = verifier();
    let others =
        ["HS384", "HS512", "ES384", "ES512", "ES256K", "RS256", "RS512", "PS256", "Ed448", "hs256", "es256", "HS256 "];
    for signer in [hs256(), es256_a(), eddsa_a()] {
        for alg in others {
            invalid(check(&verifier, &signer.header(json!({"alg": alg}))).await, alg);
        }
        for alg in [json!(null), json!(1), json!(["HS256"]), json!({"HS256": true})] {
            invalid(check(&verifier, &signer.header(json!({"alg": alg}))).await, "not a text");
        }
        invalid(check(&verifier, &signer.raw("{}", claims().to_string())).await, "no alg");
    }
    invalid(check(&verifier, &es256_a().header(json!({"alg": "EdDSA"}))).await, "ES256 as EdDSA");
    invalid(check(&verifier, &eddsa_a().header(json!({"alg": "ES256"}))).await, "EdDSA as ES256");
    // RFC 9864: the same algorithm by its new name.
    accepted(check(&verifier, &eddsa_a().header(json!({"alg": "Ed25519"}))).await, "Ed25519");
}

#[tokio::test]
async fn j_1__a_public_key_is_no_hmac_secret() {
    let pem = include_str!("../data/test-only-p256-a.pub.pem");
    let jwks: Value = serde_json::from_str(JWKS).unwrap();
    let jwk = &jwks["keys"][0];
    let der = der(pem);
    let secrets: [&[u8]; 6] =
        [pem.as_bytes(), pem.trim().as_bytes(), &der, &der[26..], JWKS.as_bytes(), &jwk.to_string().into_bytes()];
    for verifier in [ready(JwtVerifier::es256_pem(pem)), ready(JwtVerifier::from_jwks(JWKS)), verifier()] {
        for secret in secrets {
            for header in [json!({}), json!({"kid": "p256-a"})] {
                invalid(check(&verifier, &hs256_with(secret).header(header)).await, "signed with the public key");
            }
        }
    }
}

#[tokio::test]
async fn asvs_9_1_3__keys_offered_by_the_token_are_ignored() {
    let canary = TcpListener::bind("127.0.0.1:0").unwrap();
    canary.set_nonblocking(true).unwrap();
    let url = format!("http://{}/jwks.json", canary.local_addr().unwrap());
    let jwks: Value = serde_json::from_str(JWKS).unwrap();
    // Key b signs, and the token brings it along; only key a is known.
    let verifier = ready(JwtVerifier::es256_pem(include_str!("../data/test-only-p256-a.pub.pem")));
    for header in [json!({"jwk": jwks["keys"][1]}), json!({"jku": url}), json!({"x5u": url}), json!({"x5c": ["MIIB"]})]
    {
        invalid(check(&verifier, &es256_b().header(header.clone())).await, "signed by a stranger");
        accepted(check(&verifier, &es256_a().header(header)).await, "signed by the issuer");
    }
    assert!(canary.accept().is_err(), "somebody asked the URL in the token");
}

#[tokio::test]
async fn asvs_9_1_3__a_kid_is_only_compared() {
    let verifier = ready(JwtVerifier::from_jwks(JWKS));
    let long = "k".repeat(5000);
    for kid in ["", "../../../dev/null", "' OR 1=1 --", "p256-a\0", "P256-A", "p256-b", "unknown", &long] {
        invalid(check(&verifier, &es256_a().header(json!({"kid": kid}))).await, kid);
    }
    for kid in [json!(null), json!(0), json!(["p256-a"]), json!({"p256-a": true})] {
        invalid(check(&verifier, &es256_a().header(json!({"kid": kid}))).await, "not a text");
    }
    accepted(check(&verifier, &es256_a().header(json!({"kid": "p256-a"}))).await, "its own");
}

#[tokio::test]
async fn j_14__critical_extensions_are_refused() {
    let verifier = verifier();
    for crit in [
        json!(["b64"]),
        json!([]),
        json!(["exp"]),
        json!(["exp", "exp"]),
        json!(["alg"]),
        json!(["http://example.com/x"]),
        json!("b64"),
        json!(null),
        json!({}),
        json!(true),
    ] {
        let header = json!({"crit": crit, "b64": true, "exp": NOW + 900, "http://example.com/x": true});
        invalid(check(&verifier, &hs256().header(header)).await, &crit.to_string());
        invalid(check(&verifier, &hs256().header(json!({"crit": crit}))).await, &crit.to_string());
    }
    accepted(check(&verifier, &hs256().header(json!({"example": "not critical"}))).await, "not critical");
}

#[tokio::test]
async fn j_14__unencoded_payloads_are_refused() {
    let verifier = verifier();
    for b64 in [json!(false), json!(true), json!(null)] {
        invalid(check(&verifier, &hs256().header(json!({"b64": b64}))).await, "b64");
    }
    // RFC 7797: the claims themselves, not encoded.
    let message = format!("{}.{}", b64(json!({"alg": "HS256", "b64": false, "crit": ["b64"]}).to_string()), claims());
    invalid(check(&verifier, &format!("{message}.{}", b64([0; 32]))).await, "unencoded");
}

#[tokio::test]
async fn j_4__encrypted_compressed_or_nested_is_refused() {
    let verifier = verifier();
    for header in
        [json!({"zip": "DEF"}), json!({"enc": "A256GCM"}), json!({"cty": "JWT"}), json!({"cty": "application/jwt"})]
    {
        invalid(check(&verifier, &hs256().header(header.clone())).await, &header.to_string());
    }
    // The claims of a nested token are a token.
    let nested = hs256().raw(json!({"alg": "HS256"}).to_string(), hs256().token());
    invalid(check(&verifier, &nested).await, "nested");
}

#[tokio::test]
async fn v_117__the_five_parts_of_an_encrypted_token_are_refused() {
    let verifier = verifier();
    let header = b64(json!({"alg": "dir", "enc": "A256GCM"}).to_string());
    invalid(check(&verifier, &format!("{header}..AAAA.AAAA.AAAA")).await, "JWE");
    let token = hs256().token();
    let (header, rest) = token.split_once('.').unwrap();
    invalid(check(&verifier, &format!("{header}.AAAA.AAAA.{rest}")).await, "JWS with parts of JWE");
}

#[tokio::test]
async fn j_15__parts_are_three_and_canonical() {
    let verifier = verifier();
    let token = es256_a().token();
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, claims) = message.split_once('.').unwrap();
    for broken in ["", ".", "..", "...", "a.b.c", "a.b.c.d", "\u{e9}.\u{e9}.\u{e9}", "🦀..", "null", "{}", "a", "=.=.="]
    {
        invalid(check(&verifier, broken).await, broken);
    }
    for broken in [
        format!("{header}..{signature}"),
        format!(".{claims}.{signature}"),
        format!("{header}.{claims}"),
        format!("{header}.{claims}.{signature}.{signature}"),
        format!("{header}=.{claims}.{signature}"),
        format!("{header}.{claims}=.{signature}"),
        format!("{header}.{claims}.{signature}=="),
        format!("{header}. {claims}.{signature}"),
        format!("{header}\n.{claims}.{signature}"),
        format!("{header}.{claims}.{signature}\r\n"),
    ] {
        invalid(check(&verifier, &broken).await, &broken);
    }
    // 64 bytes are 86 letters of which the last counts for two bits: its other four must be zero.
    let (most, last) = signature.split_at(85);
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let value = alphabet.iter().position(|letter| *letter == last.as_bytes()[0]).unwrap();
    for bits in 1..16 {
        let twin = char::from(alphabet[value | bits]);
        invalid(check(&verifier, &format!("{message}.{most}{twin}")).await, "another spelling of the same signature");
    }
    // The other alphabet. A signature that has one of the two letters that differ comes up soon.
    let token = (0..)
        .map(|n| hs256().claims(claims_with(json!({"n": n}))))
        .find(|t| t.contains('-') || t.contains('_'))
        .unwrap();
    accepted(check(&verifier, &token).await, "base64url");
    invalid(check(&verifier, &token.replace('-', "+").replace('_', "/")).await, "base64");
}

#[tokio::test]
async fn j_18__more_than_8_kib_is_refused_before_any_work() {
    let verifier = verifier();
    let fill = |size: usize| {
        let empty = hs256().claims(claims_with(json!({"fill": ""}))).len();
        let token = hs256().claims(claims_with(json!({"fill": "x".repeat((size - empty) / 4 * 3)})));
        assert!(token.len() <= size && token.len() > size - 4, "{}", token.len());
        token
    };
    accepted(check(&verifier, &fill(8192)).await, "8 KiB");
    invalid(check(&verifier, &fill(8200)).await, "8 KiB and a bit");

    // Signed and all, so that nothing but its length speaks against it.
    invalid(check(&verifier, &fill(1_000_000)).await, "a megabyte");
    for huge in ["A".repeat(1_000_000), ".".repeat(1_000_000), ".".repeat(10_000), ".".repeat(8000)] {
        invalid(check(&verifier, &huge).await, "huge");
    }
}

#[tokio::test]
async fn j_18__deep_nesting_is_refused() {
    let verifier = verifier();
    let deep = format!("{}1{}", "[".repeat(2500), "]".repeat(2500));
    let header = format!(r#"{{"alg":"HS256","deep":{deep}}}"#);
    invalid(check(&verifier, &hs256().raw(header, "{}")).await, "header");
    let claims = claims().to_string().replace(r#""sub""#, &format!(r#""deep":{deep},"sub""#));
    invalid(check(&verifier, &hs256().raw(r#"{"alg":"HS256"}"#, claims)).await, "claims");
}

#[tokio::test]
async fn j_8__only_utf_8_json_objects_with_unique_names() {
    let verifier = verifier();
    let (header, good) = (r#"{"alg":"HS256"}"#, claims().to_string());
    accepted(check(&verifier, &hs256().raw(header, &good)).await, "plain");

    for header in
        [r#"{"alg":"HS256","alg":"HS256"}"#, r#"{"alg":"none","alg":"HS256"}"#, r#"{"alg":"HS256","x":1,"x":1}"#]
    {
        invalid(check(&verifier, &hs256().raw(header, &good)).await, header);
    }
    for header in
        ["", "null", "[]", r#""HS256""#, r#"{"alg":"HS256""#, r#"{"alg":"HS256"}}"#, "\u{feff}{\"alg\":\"HS256\"}"]
    {
        invalid(check(&verifier, &hs256().raw(header, &good)).await, header);
    }

    let twice = |member: &str| good.replacen('{', &format!("{{{member},"), 1);
    let utf_16: Vec<u8> = good.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let latin_1 = good.replace("ada", "@").into_bytes().iter().map(|b| if *b == b'@' { 0xe9 } else { *b }).collect();
    for broken in [
        twice(r#""exp":1"#).into_bytes(),
        twice(r#""sub":"eve""#).into_bytes(),
        twice(r#""x":1,"x":1"#).into_bytes(),
        good.replace("ada", r"\ud800").into_bytes(),
        format!("\u{feff}{good}").into_bytes(),
        format!("{good} {good}").into_bytes(),
        format!("[{good}]").into_bytes(),
        b"null".to_vec(),
        Vec::new(),
        utf_16,
        latin_1,
    ] {
        let token = hs256().raw(header, &broken);
        invalid(check(&verifier, &token).await, &String::from_utf8_lossy(&broken));
    }
}

#[tokio::test]
async fn j_12__a_named_type_is_required() {
    let verifier: JwtVerifier<Claims> = ready(JwtVerifier::hs256(SECRET).token_type("at+jwt"));
    for typ in ["at+jwt", "AT+JWT", "application/at+jwt", "Application/At+Jwt"] {
        accepted(check(&verifier, &hs256().header(json!({"typ": typ}))).await, typ);
    }
    for typ in [
        json!("JWT"),
        json!("logout+jwt"),
        json!(""),
        json!("at+jwt "),
        json!("text/at+jwt"),
        json!(null),
        json!(["at+jwt"]),
    ] {
        invalid(check(&verifier, &hs256().header(json!({"typ": typ}))).await, &typ.to_string());
    }
    invalid(check(&verifier, &hs256().header(json!({}))).await, "none");
    let as_media_type: JwtVerifier<Claims> = ready(JwtVerifier::hs256(SECRET).token_type("application/at+jwt"));
    accepted(check(&as_media_type, &hs256().header(json!({"typ": "at+jwt"}))).await, "named as a media type");
}

#[tokio::test]
async fn v_123__random_input_is_invalid_and_never_a_panic() {
    let verifier = verifier();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let alphabet: Vec<char> = "ABCxyz019-_=..{}\"\\\u{0}\u{e9}🦀".chars().collect();
    for _ in 0..10_000 {
        let length = random() % 60;
        let token: String = (0..length).map(|_| alphabet[(random() % alphabet.len() as u64) as usize]).collect();
        invalid(check(&verifier, &token).await, &token);
    }
}
