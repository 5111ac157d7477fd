//! The recorded tokens, and tokens made with known keys.

use super::*;
use crate::jws::Jws;

/// A token of Wix' own documentation.
const RECORDED: &str = "JWS.eyJraWQiOiJQSXpvZGJiQiIsImFsZyI6IkhTMjU2In0.eyJkYXRhIjoie1wiaWRcIjpcIjg4MzFlZWQ2LTkyOGUtNGY4NS1iODBhLWUxZTQ4ZmI3YzRmZFwiLFwiY29sbGVjdGlvbklkXCI6XCI5YmVjNThlNi02NDExLTQ5OTEtOGU1ZC0wYWRhOTE4MmI5NWVcIixcIm1ldGFTaXRlSWRcIjpcIjFmZjQ2YTk2LWRlYTYtNDlkYS04M2JhLTUxNjRmYjYyZDgzOVwiLFwib3duZXJcIjpmYWxzZSxcImNyZWF0aW9uVGltZVwiOjE2MjI0MTUxMTMyNjYsXCJleHBpcmVzSW5cIjoxMjA5NjAwMDAwLFwiZXhwaXJhdGlvblRpbWVcIjoxNjIyNDE1MjMzMjY2LFwibGFzdFJlZnJlc2hlZFwiOjAsXCJhZG1pblwiOmZhbHNlfSIsImlhdCI6MTYyMjQxNTExM30.CFJTkyDaF6LypH8UuNm74qgZMxTKFgB1ZnzsemhY_KY";
const SIGNED_EXPIRED: &str = "FIM7_dvTlT0CBPlIqsiqMfIo6PRzYzmgoLUZMw0Pf20";
const VALID: &str = "JWS.eyJraWQiOiJ0ZXN0S2lkMSIsImFsZyI6IkhTMjU2In0.eyJkYXRhIjoie1wiaWRcIjpcIjg4MzFlZWQ2LTkyOGUtNGY4NS1iODBhLWUxZTQ4ZmI3YzRmZFwiLFwiY29sbGVjdGlvbklkXCI6XCI5YmVjNThlNi02NDExLTQ5OTEtOGU1ZC0wYWRhOTE4MmI5NWVcIixcIm1ldGFTaXRlSWRcIjpcIjFmZjQ2YTk2LWRlYTYtNDlkYS04M2JhLTUxNjRmYjYyZDgzOVwiLFwib3duZXJcIjpmYWxzZSxcImNyZWF0aW9uVGltZVwiOjQxMDI0NDQ4MDAyNjYsXCJleHBpcmVzSW5cIjoxMjA5NjAwMDAwLFwiZXhwaXJhdGlvblRpbWVcIjo0MTAyNDQ0OTIwMjY2LFwibGFzdFJlZnJlc2hlZFwiOjAsXCJhZG1pblwiOmZhbHNlfSIsImlhdCI6NDEwMjQ0NDgwMH0.KPxoXGSqUWUx6TtK_qvp_01Qwo1WtBNeFzsPz3SmqeM";
const APPROVE: &str = "JWS.eyJraWQiOiJ0ZXN0QXBwcm92ZTEiLCJhbGciOiJIUzI1NiJ9.eyJkYXRhIjoie1wiaWRcIjpcIjg4MzFlZWQ2LTkyOGUtNGY4NS1iODBhLWUxZTQ4ZmI3YzRmZFwiLFwiY29sbGVjdGlvbklkXCI6XCI5YmVjNThlNi02NDExLTQ5OTEtOGU1ZC0wYWRhOTE4MmI5NWVcIn0iLCJpYXQiOjQxMDI0NDQ4MDAsImV4cCI6NDEwMjU1MjgwMH0.xQsH339PBbZz5OZUik3C_RbymQagnWWIHVX27HKZZYw";
const ID: &str = "8831eed6-928e-4f85-b80a-e1e48fb7c4fd";
const COLLECTION: &str = "9bec58e6-6411-4991-8e5d-0ada9182b95e";

fn site() -> SiteId {
    SiteId::new("1ff46a96-dea6-49da-83ba-5164fb62d839").unwrap()
}

fn session_keys() -> TokenKeys {
    TokenKeys::new("testKid1", "wix-conformance-key-0123456789ab").unwrap()
}

fn approval_keys() -> TokenKeys {
    TokenKeys::new("testApprove1", "wix-approval-key-0123456789abcdef").unwrap()
}

fn claims(created: i64) -> SessionClaims {
    SessionClaims {
        id: ID.into(),
        collection_id: COLLECTION.into(),
        meta_site_id: site().to_string(),
        owner: false,
        creation_time: created,
        expires_in: 1_209_600_000,
        expiration_time: created + DEADLINE_MS,
        last_refreshed: 0,
        admin: false,
    }
}

/// Whoever reads the recorded token with these types and writes it again has the same bytes.
#[test]
fn the_recorded_session_token_is_written_as_it_was_read() {
    let jws = Jws::parse(RECORDED).unwrap();
    assert_eq!((jws.kid.as_str(), jws.signature.len(), RECORDED.len()), ("PIzodbbB", 32, 535));
    let read = SessionClaims::from_payload(&jws.payload).unwrap();
    assert_eq!(read, claims(1_622_415_113_266));
    let again = Jws { payload: read.to_payload(), ..jws };
    assert_eq!(again.encode(), RECORDED);
}

#[test]
fn the_recorded_approval_token_is_written_as_it_was_read() {
    let jws = Jws::parse(APPROVE).unwrap();
    let read = ApprovalClaims::from_payload(&jws.payload).unwrap();
    assert_eq!((read.id.as_str(), read.collection_id.as_str()), (ID, COLLECTION));
    assert_eq!((read.issued, read.expires - read.issued), (4_102_444_800, APPROVAL_SECONDS));
    assert_eq!(Jws { payload: read.to_payload(), ..jws }.encode(), APPROVE);
}

#[test]
fn known_keys_make_known_tokens() {
    let expired = SessionToken::sign(&claims(1_622_415_113_266), &session_keys());
    let (_, payload, _) = (RECORDED.split('.').next(), RECORDED.split('.').nth(2).unwrap(), ());
    let header = VALID.split('.').nth(1).unwrap();
    assert_eq!(expired.expose(), format!("JWS.{header}.{payload}.{SIGNED_EXPIRED}"));
    assert_eq!(SessionToken::sign(&claims(4_102_444_800_266), &session_keys()).expose(), VALID);
    let approval = ApprovalClaims {
        id: ID.into(),
        collection_id: COLLECTION.into(),
        issued: 4_102_444_800,
        expires: 4_102_444_800 + APPROVAL_SECONDS,
    };
    assert_eq!(ApprovalToken::sign(&approval, &approval_keys()).expose(), APPROVE);
}

/// Valid from when it was made (give or take the clocks) until strictly before its end.
#[test]
fn a_session_token_is_good_for_two_minutes() {
    let token = SessionToken::from(VALID);
    let at = |ms: i64| token.verify(&session_keys(), &site(), Timestamp(4_102_444_800_266 + ms));
    for ms in [0, 1, -30_000, DEADLINE_MS - 1] {
        assert_eq!(at(ms), Ok(claims(4_102_444_800_266)), "{ms}");
    }
    assert_eq!(at(-30_001), Err(TokenError::IssuedAt));
    assert_eq!(at(DEADLINE_MS), Err(TokenError::Expired));
    assert_eq!(at(i64::MAX - 4_102_444_800_266), Err(TokenError::Expired));
}

#[test]
fn an_approval_token_is_good_for_30_hours() {
    let token = ApprovalToken::from(APPROVE);
    let at = |ms: i64| token.verify(&approval_keys(), Timestamp(4_102_444_800_000 + ms)).map(|claims| claims.id);
    for ms in [0, APPROVAL_SECONDS * 1000 - 1] {
        assert_eq!(at(ms).as_deref(), Ok(ID));
    }
    assert_eq!(at(-30_001), Err(TokenError::IssuedAt));
    assert_eq!(at(APPROVAL_SECONDS * 1000), Err(TokenError::Expired));
}

/// RFC 8725 §3.12
#[test]
fn a_token_is_good_for_its_own_purpose_and_site() {
    let now = Timestamp(4_102_444_800_266);
    let (session, approval) = (SessionToken::from(APPROVE), ApprovalToken::from(VALID));
    assert_eq!(session.verify(&session_keys(), &site(), now), Err(TokenError::UnknownKey));
    assert_eq!(approval.verify(&approval_keys(), now), Err(TokenError::UnknownKey));
    // Even if one key had signed both.
    assert_eq!(session.verify(&approval_keys(), &site(), now), Err(TokenError::Malformed));
    assert_eq!(approval.verify(&session_keys(), now), Err(TokenError::Malformed));
    let other = SiteId::new(COLLECTION).unwrap();
    assert_eq!(SessionToken::from(VALID).verify(&session_keys(), &other, now), Err(TokenError::OtherSite));
}

#[test]
fn what_is_signed_and_yet_no_session_token_is_refused() {
    let data = serde_json::to_string(&claims(1000)).unwrap();
    let quoted = serde_json::to_string(&data).unwrap();
    for (payload, error) in [
        (format!(r#"{{"data":{quoted},"iat":2}}"#), TokenError::IssuedAt),
        (format!(r#"{{"data":{quoted},"iat":0}}"#), TokenError::IssuedAt),
        (format!(r#"{{"data":{quoted},"iat":"1"}}"#), TokenError::Malformed),
        (format!(r#"{{"data":{quoted},"iat":1.5}}"#), TokenError::Malformed),
        (format!(r#"{{"data":{quoted}}}"#), TokenError::Malformed),
        (format!(r#"{{"data":{quoted},"iat":1,"exp":9}}"#), TokenError::Malformed),
        (format!(r#"{{"data":{quoted},"iat":1,"sub":"x"}}"#), TokenError::Malformed),
        (format!(r#"{{"data":{data},"iat":1}}"#), TokenError::Malformed),
        (format!(r#"[{quoted},1]"#), TokenError::Malformed),
        (r#"{"data":"[]","iat":1}"#.into(), TokenError::Malformed),
        (r#"{"data":"{}","iat":1}"#.into(), TokenError::Malformed),
        ("{}".into(), TokenError::Malformed),
        (String::new(), TokenError::Malformed),
    ] {
        let token = SessionToken::from(session_keys().sign(&payload));
        assert_eq!(token.verify(&session_keys(), &site(), Timestamp(1000)), Err(error), "{payload}");
    }
    let backwards = SessionClaims { expiration_time: 999, ..claims(1000) };
    let token = SessionToken::sign(&backwards, &session_keys());
    assert_eq!(token.verify(&session_keys(), &site(), Timestamp(0)), Err(TokenError::IssuedAt));
}

/// LEAK-2
#[test]
fn debug_shows_no_token() {
    let shown = format!("{:?} {:?}", SessionToken::from(VALID), ApprovalToken::from(APPROVE));
    assert_eq!(shown, "[redacted] [redacted]");
}
