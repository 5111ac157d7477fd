//! Fixed vectors of tokens, and what is wrong with others. The key is a test's.

use super::*;

const KEY: &str = "conformance-test-key-0123456789abcdef";
const VALID: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJUZXN0VXNlciIsImV4cCI6NDYwNDk0MDAwMDAwMCwicmV2Ijo1fQ.hdN5rAVITX2cDKln-xywlNPTyVhTgm2_KGRkDWulbIg";
const EXPIRED: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJUZXN0VXNlciIsImV4cCI6MTQyMjgyODAwMDAwMCwicmV2Ijo1fQ.GDAcTA5d1PDtH8yL-mTg5I5pfxAILd43N_6Ik8QznDQ";
const OLD_REV: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJUZXN0VXNlciIsImV4cCI6NDYwNDk0MDAwMDAwMCwicmV2IjozfQ.d_sClJom8lmwJbyUHGhmW2Cz8WRGmsjSXRIU1H2iUpQ";
const SECONDS: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJUZXN0VXNlciIsImV4cCI6NDYwNDk0MDAwMCwicmV2Ijo1fQ.8KE85dJs0qMXnOZAvuc3GKWtAK5jUcUFXKnrRaHk_nw";
const NO_REV: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJUZXN0VXNlciIsImV4cCI6NDYwNDk0MDAwMDAwMH0.m13JHFZM0dK8JVTchPGuWI-2vRZiYsacU0IY1elanTA";
const NO_USER: &str = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJOb1N1Y2hVc2VyIiwiZXhwIjo0NjA0OTQwMDAwMDAwLCJyZXYiOjF9._0IhFP6H-H0yPGwncGiJ4WYq2gRdfMsjc-GMC1TVPto";

/// The token of CM-Well's own documentation. Nobody has its key.
const RECORDED: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJteVVzZXJuYW1lIiwiZXhwIjoxNDY2NTg5NzYzMDMzLCJyZXYiOjB9.17s3USkZaZYbifXsgmm8eaEmr66SP6udbuUQCLwcWKY";

/// 2027, when most of the vectors hold.
const NOW: Timestamp = Timestamp(1_800_000_000_000);
const END: Timestamp = Timestamp(4_604_940_000_000);

fn key() -> SigningKey {
    SigningKey::new(KEY).unwrap()
}

fn verify(text: &str) -> Result<CmWellToken, CmWellTokenError> {
    CmWellToken::verify(text, [&key()], NOW)
}

/// Signed with the right key, whatever it says.
fn signed(header: &str, claims: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let signature = key().sign(message.as_bytes()).unwrap();
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn claims(claims: &str) -> Result<CmWellToken, CmWellTokenError> {
    verify(&signed(HEADER, claims))
}

#[test]
fn fixed_vectors_are_read_as_cm_well_reads_them() {
    let token = CmWellToken::new("TestUser", END, 5);
    assert_eq!(verify(VALID), Ok(token.clone()));
    assert_eq!(verify(OLD_REV), Ok(CmWellToken { rev: 3, ..token.clone() }));
    assert_eq!(verify(NO_REV), Ok(CmWellToken { rev: 0, ..token }));
    assert_eq!(verify(NO_USER), Ok(CmWellToken::new("NoSuchUser", END, 1)));
    assert_eq!(verify(EXPIRED), Err(CmWellTokenError::Expired));
}

/// Its claims are written as they were read. Its header has the names in the order of an older
/// library.
#[test]
fn the_recorded_token_is_written_as_it_was_read() {
    let parsed = Parsed::of(RECORDED).unwrap();
    assert!(parsed.is_hs256() && !parsed.is_signed_with(&key()));
    assert_eq!(verify(RECORDED), Err(CmWellTokenError::Invalid));
    let token = parsed.into_claims(AUDIENCE).and_then(CmWellToken::of_claims).unwrap();
    // 2016-06-22T10:02:43.033Z
    assert_eq!(token, CmWellToken::new("myUsername", Timestamp(1_466_589_763_033), 0));
    let claims = URL_SAFE_NO_PAD.encode(token.claims(None).unwrap());
    assert_eq!(RECORDED.split('.').nth(1), Some(claims.as_str()));
}

/// RFC 7519 has seconds, and a library that knows nothing else would take milliseconds for a year
/// far away.
#[test]
fn seconds_are_not_taken_for_milliseconds_nor_the_other_way_round() {
    assert_eq!(verify(SECONDS), Err(CmWellTokenError::Expired));
    let just_before = Timestamp(END.0 - 1);
    assert!(CmWellToken::verify(VALID, [&key()], just_before).is_ok());
    for over in [END, END.plus_seconds(1), Timestamp(i64::MAX)] {
        assert_eq!(CmWellToken::verify(VALID, [&key()], over), Err(CmWellTokenError::Expired));
    }
}

#[test]
fn a_token_says_what_it_was_made_with() {
    let mut token = CmWellToken::new("Zoë \"the\" user\\ a.b@x", END, 7);
    assert_eq!(verify(token.sign(&key()).unwrap().expose()), Ok(token.clone()));
    token.user_type = Some("User".into());
    for id in [UserId::from(7), UserId::from("7")] {
        token.user_id = Some(id);
        assert_eq!(verify(token.sign(&key()).unwrap().expose()), Ok(token.clone()));
    }
}

/// What the old web page of CM-Well reads: the name, with `atob`, from the middle.
#[test]
fn header_and_first_claims_are_cm_wells() {
    let text = CmWellToken::new("TestUser", END, 5).sign(&key()).unwrap();
    let mut parts = text.expose().split('.');
    assert_eq!(parts.next(), VALID.split('.').next());
    let claims = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
    assert_eq!(String::from_utf8(claims).unwrap(), r#"{"sub":"TestUser","exp":4604940000000,"rev":5,"aud":"cmwell"}"#);
}

/// U13: in CM-Well a name with a quote in it could say more than a name.
#[test]
fn a_name_cannot_add_claims() {
    let name = r#"eve","rev":99,"sub":"root"#;
    let token = CmWellToken::new(name, END, 1);
    assert_eq!(verify(token.sign(&key()).unwrap().expose()), Ok(token));
}

/// J-1, V-114: `none`, other sizes, other algorithms, whatever they are signed with.
#[test]
fn no_algorithm_but_hs256_is_accepted() {
    let payload = r#"{"sub":"TestUser","exp":4604940000000,"rev":5}"#;
    for alg in ["none", "None", "NONE", "", "HS384", "HS512", "hs256", "RS256", "ES256", "EdDSA"] {
        let header = format!(r#"{{"typ":"JWT","alg":"{alg}"}}"#);
        let token = signed(&header, payload);
        assert_eq!(verify(&token), Err(CmWellTokenError::Invalid), "{alg}");
        let (message, _) = token.rsplit_once('.').unwrap();
        assert_eq!(verify(&format!("{message}.")), Err(CmWellTokenError::Invalid), "{alg}");
        assert_eq!(verify(message), Err(CmWellTokenError::Invalid), "{alg}");
    }
    // HMAC with SHA-384 and SHA-512, rightly made, under the right key.
    for (alg, algorithm) in [("HS384", aws_lc_rs::hmac::HMAC_SHA384), ("HS512", aws_lc_rs::hmac::HMAC_SHA512)] {
        for named in [alg, "HS256"] {
            let header = format!(r#"{{"typ":"JWT","alg":"{named}"}}"#);
            let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
            let made = aws_lc_rs::hmac::sign(&aws_lc_rs::hmac::Key::new(algorithm, KEY.as_bytes()), message.as_bytes());
            let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(made));
            assert_eq!(verify(&token), Err(CmWellTokenError::Invalid), "{alg} as {named}");
        }
    }
}

/// J-14, V-115
#[test]
fn a_header_that_asks_for_more_is_refused() {
    let payload = r#"{"sub":"TestUser","exp":4604940000000,"rev":5}"#;
    for header in [
        r#"{"alg":"HS256","crit":["b64"],"b64":true}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","b64":false}"#,
        r#"{"alg":"HS256","zip":"DEF"}"#,
        r#"{"alg":"HS256","enc":"A128GCM"}"#,
        r#"{"alg":"HS256","cty":"JWT"}"#,
        r#"{"alg":"HS256","typ":"at+jwt"}"#,
        r#"{"alg":"HS256","typ":5}"#,
        r#"{"alg":"HS256","alg":"HS256"}"#,
        r#"{"alg":["HS256"]}"#,
        r#"{"typ":"JWT"}"#,
        r#"["HS256"]"#,
        "{",
        "",
    ] {
        assert_eq!(verify(&signed(header, payload)), Err(CmWellTokenError::Invalid), "{header}");
    }
    for header in
        [r#"{"alg":"HS256","typ":"JWT"}"#, r#"{ "alg" : "HS256" }"#, r#"{"alg":"HS256","typ":"jwt","kid":"1"}"#]
    {
        assert!(verify(&signed(header, payload)).is_ok(), "{header}");
    }
}

/// J-15, V-117, V-118: one token, one spelling.
#[test]
fn what_is_not_of_the_form_is_none() {
    let (message, signature) = VALID.rsplit_once('.').unwrap();
    for text in [
        "",
        ".",
        "..",
        "...",
        "bogus",
        "a.b",
        "a.b.c",
        &format!("{VALID}.x"),
        &format!("{VALID}."),
        &format!("{VALID}.x.y"),
        &format!(".{VALID}"),
        &".".repeat(8000),
        &"x".repeat(100_000),
        &format!("{VALID}{}", "x".repeat(8192)),
        "GOkZRwgZ61q0XXVxvxlB8TS1D6lrG7Vb9V8YwRDfy3YGAN7TM7EnxWHqdbIZfheZ",
        "é.é.é",
    ] {
        assert_eq!(verify(text), Err(CmWellTokenError::Malformed), "{text:.80}");
        assert!(!CmWellToken::is_well_formed(text));
    }
    for text in [
        message.to_owned(),
        message.replace('.', "=."),
        format!("{message}."),
        format!("{message}.{signature}="),
        format!("{message}.{signature} "),
        format!("{message}.{}", &signature[..42]),
        // The same bytes, with bits that mean nothing set in the last letter.
        format!("{message}.{}h", &signature[..42]),
        format!("{message}.{}", signature.replace('-', "+").replace('_', "/")),
        format!("{message}.{}", signature.chars().rev().collect::<String>()),
    ] {
        assert_eq!(verify(&text), Err(CmWellTokenError::Invalid), "{text}");
        assert!(CmWellToken::is_well_formed(&text));
    }
}

#[test]
fn a_changed_letter_makes_another_token() {
    for at in 0..VALID.len() {
        for letter in ['A', 'z'] {
            let changed: String = VALID.chars().enumerate().map(|(i, c)| if i == at { letter } else { c }).collect();
            assert!(changed == VALID || verify(&changed).is_err(), "{at} {letter}");
        }
    }
}

#[test]
fn claims_that_are_not_what_they_should_be_are_refused() {
    for (text, error) in [
        (r#"{"exp":4604940000000,"rev":5}"#, CmWellTokenError::Malformed),
        (r#"{"sub":"TestUser","rev":5}"#, CmWellTokenError::Malformed),
        (r#"{"sub":"","exp":4604940000000,"rev":5}"#, CmWellTokenError::Malformed),
        (r#"{"sub":5,"exp":4604940000000,"rev":5}"#, CmWellTokenError::Malformed),
        (r#"{"sub":"TestUser","exp":"4604940000000","rev":5}"#, CmWellTokenError::Malformed),
        (r#"{"sub":"TestUser","exp":null,"rev":5}"#, CmWellTokenError::Malformed),
        (r#"{"sub":"TestUser","sub":"root","exp":4604940000000,"rev":5}"#, CmWellTokenError::Malformed),
        (r#"{"sub":"TestUser","exp":4604940000000,"rev":5,"rev":6}"#, CmWellTokenError::Malformed),
        (r#"["TestUser"]"#, CmWellTokenError::Malformed),
        ("", CmWellTokenError::Malformed),
        (r#"{"sub":"TestUser","exp":4604940000000.5,"rev":5}"#, CmWellTokenError::Invalid),
        (r#"{"sub":"TestUser","exp":4.6e12,"rev":5}"#, CmWellTokenError::Invalid),
        (r#"{"sub":"TestUser","exp":1e300,"rev":5}"#, CmWellTokenError::Invalid),
        (r#"{"sub":"TestUser","exp":18446744073709551615,"rev":5}"#, CmWellTokenError::Invalid),
        (r#"{"sub":"TestUser","exp":4604940000000,"rev":"5"}"#, CmWellTokenError::Invalid),
        (r#"{"sub":"TestUser","exp":4604940000000,"rev":5.5}"#, CmWellTokenError::Invalid),
        (r#"{"sub":"TestUser","exp":4604940000000,"rev":null}"#, CmWellTokenError::Invalid),
        (r#"{"sub":"TestUser","exp":4604940000000,"rev":5,"aud":"other"}"#, CmWellTokenError::Invalid),
        (r#"{"sub":"TestUser","exp":4604940000000,"rev":5,"aud":["cmwell"]}"#, CmWellTokenError::Invalid),
        (r#"{"sub":"TestUser","exp":4604940000000,"rev":5,"uid":{}}"#, CmWellTokenError::Invalid),
        (r#"{"sub":"TestUser","exp":4604940000000,"rev":5,"model":5}"#, CmWellTokenError::Invalid),
        (r#"{"sub":"TestUser","exp":-1,"rev":5}"#, CmWellTokenError::Expired),
        (r#"{"sub":"TestUser","exp":0,"rev":5}"#, CmWellTokenError::Expired),
    ] {
        assert_eq!(claims(text), Err(error), "{text}");
    }
    assert!(claims(r#"{"sub":"TestUser","exp":4604940000000,"rev":5,"aud":"cmwell","more":[1]}"#).is_ok());
}

/// RACE-13, 11.2.2: what either key has signed is good while both are known, and not after.
#[test]
fn a_key_that_was_replaced_verifies_as_long_as_it_is_listed() {
    let (old, new) = (key(), SigningKey::new("another-test-key-fedcba9876543210fedc").unwrap());
    let (by_old, by_new) = (VALID, CmWellToken::new("TestUser", END, 5).sign(&new).unwrap());
    for token in [by_old, by_new.expose()] {
        assert!(CmWellToken::verify(token, [&new, &old], NOW).is_ok());
    }
    assert_eq!(CmWellToken::verify(by_old, [&new], NOW), Err(CmWellTokenError::Invalid));
    assert_eq!(CmWellToken::verify(by_new.expose(), [&old], NOW), Err(CmWellTokenError::Invalid));
    assert_eq!(CmWellToken::verify(by_old, [], NOW), Err(CmWellTokenError::Invalid));
}

/// Signed elsewhere with another key: a forged one that has expired does not learn that it has.
#[test]
fn a_forged_token_is_invalid_whether_or_not_it_has_expired() {
    let forger = SigningKey::new("forged-test-key-00000000000000000000000").unwrap();
    for end in [END, Timestamp(0)] {
        let token = CmWellToken::new("TestUser", end, 5).sign(&forger).unwrap();
        assert_eq!(verify(token.expose()), Err(CmWellTokenError::Invalid));
    }
}

/// FUZZ-6
#[test]
fn no_text_makes_it_panic() {
    let letters = ["A", "e", ".", "-", "_", "=", "{", "\"", "é", "eyJ", "\0", " "];
    for a in letters {
        for b in letters {
            for c in letters {
                let _ = verify(&[a, b, c].concat());
                let _ = verify(&format!("{VALID}{a}{b}{c}"));
                let _ = verify(&format!("{a}.{b}{c}.{VALID}"));
            }
        }
    }
}
