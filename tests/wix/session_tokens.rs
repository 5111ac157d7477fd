//! Tokens that nobody should take: altered, of another site, of another purpose, signed in another
//! way.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatekit::wix::{ApprovalToken, SessionToken, SiteId, TokenError, TokenKeys, WixError};
use gatekit_tests::{Store, on_every_store};

use crate::site::{COLLECTION, EMAIL, Site, WixAnswer, session_keys, site_id};

fn parts(token: &str) -> Vec<String> {
    token.split('.').map(str::to_owned).collect()
}

fn with_header(token: &str, header: &str) -> String {
    let parts = parts(token);
    format!("JWS.{}.{}.{}", URL_SAFE_NO_PAD.encode(header), parts[2], parts[3])
}

on_every_store! {
    /// 9.1.1, 9.1.2, J-4, J-14, J-15, V-114, V-118, 11.2.5: each is refused with the same bytes.
    async fn a_token_that_was_tampered_with_is_refused(store) {
        let site = Site::new(store).await;
        let token = site.session_token().await;
        let claims = SessionToken::from(&*token).verify(&session_keys(), &site_id(), site.auth.now()).unwrap();
        let other_key = TokenKeys::new("testKid1", [7; 32]).unwrap();
        let other_kid = TokenKeys::new("testKid2", "wix-conformance-key-0123456789ab").unwrap();
        let mut elsewhere = claims.clone();
        elsewhere.meta_site_id = COLLECTION.into();
        let mut later = claims.clone();
        later.expiration_time += 1;
        let [_, header, payload, signature] = <[String; 4]>::try_from(parts(&token)).unwrap();
        let refused = site.apply("JWS.a.b.c").await.refuses(401, "-19984");
        for bad in [
            SessionToken::sign(&claims, &other_key).expose().to_owned(),
            SessionToken::sign(&claims, &other_kid).expose().to_owned(),
            SessionToken::sign(&elsewhere, &session_keys()).expose().to_owned(),
            // Signed by us, and never issued.
            SessionToken::sign(&later, &session_keys()).expose().to_owned(),
            with_header(&token, r#"{"kid":"testKid1","alg":"none"}"#),
            with_header(&token, r#"{"kid":"testKid1","alg":"HS512"}"#),
            with_header(&token, r#"{"alg":"HS256"}"#),
            with_header(&token, r#"{"kid":"testKid1","alg":"HS256","crit":["exp"]}"#),
            with_header(&token, r#"{"kid":"","alg":"HS256"}"#),
            format!("JWS.{header}.{payload}."),
            format!("JWS.{header}.{payload}"),
            format!("JWS.{header}..{signature}"),
            format!("{header}.{payload}.{signature}"),
            format!("jws.{header}.{payload}.{signature}"),
            format!("JWS.{header}.{payload}.{signature}.{signature}"),
            format!("JWS.{header}.{payload}.{signature}="),
            format!("JWS.{header}.{payload}.{signature}\n"),
            format!(" {token}"),
            token.to_lowercase(),
            ".".repeat(10_000),
            "x".repeat(50_000),
            "JWS.".into(),
        ] {
            let answer = site.apply(&bad).await;
            assert_eq!(answer.as_sent(), refused.as_sent(), "{bad}");
        }
        // None of it has used the token up.
        site.apply(&token).await.expect_status(200);
    }

    /// 9.2.2, J-13, V-45
    async fn a_token_of_one_purpose_is_none_of_another(store) {
        let site = Site::new(store).await;
        let session = site.session_token().await;
        let pending = site.auth.register(pending()).await.unwrap();
        let approval = site.members.approval_token("pending@example.com").await.unwrap();
        let access = site.access_token().await;
        for token in [approval.expose(), access.as_str()] {
            site.apply(token).await.refuses(401, "-19984");
        }
        for token in [session.as_str(), access.as_str()] {
            let refused = site.members.approve_by_token(&ApprovalToken::from(token)).await.unwrap_err();
            assert!(matches!(refused, WixError::InvalidApprovalToken(_)), "{refused}");
        }
        for token in [session.as_str(), approval.expose()] {
            site.get("/me").header("authorization", format!("Bearer {token}")).await.expect_status(401);
            let refused = site.members.set_password(token, "a new password", Default::default()).await;
            assert!(matches!(refused, Err(WixError::InvalidRecoveryToken)));
        }
        assert_eq!(site.auth.account_status(&pending.id).await.unwrap(), Some(gatekit::core::AccountStatus::Pending));
        // Each is still good for what it is.
        site.apply(&session).await.expect_status(200);
        site.members.approve_by_token(&approval).await.unwrap();
    }

    /// 11.2.2, RACE-13: a key that signed yesterday verifies today.
    async fn tokens_outlive_a_new_key(store) {
        let site = Site::new(store).await;
        let token = site.members.login(EMAIL, crate::site::PASSWORD).await.unwrap();
        let rotated = |keys: TokenKeys| {
            gatekit::wix::WixMembers::builder(site.auth.clone(), site_id(), keys, crate::site::approval_keys())
                .collection_id(COLLECTION)
                .build()
                .unwrap()
        };
        let next = TokenKeys::new("next", [9; 32]).unwrap();
        let refused = rotated(next.clone()).apply_session_token(&token).await.unwrap_err();
        assert!(matches!(refused, WixError::InvalidSessionToken(TokenError::UnknownKey)));
        let both = next.older("testKid1", "wix-conformance-key-0123456789ab").unwrap();
        rotated(both).apply_session_token(&token).await.unwrap();
    }
}

fn pending() -> gatekit::Register<gatekit::wix::MemberProfile> {
    let register = gatekit::Register::email("pending@example.com", crate::site::PASSWORD);
    register.status(gatekit::core::AccountStatus::Pending)
}

/// The error tells the app which check it was.
#[tokio::test]
async fn the_app_learns_why_a_token_was_refused() {
    let site = Site::new(Store::Memory).await;
    let token = site.members.login(EMAIL, crate::site::PASSWORD).await.unwrap();
    let why = async |token: &SessionToken| match site.members.apply_session_token(token).await {
        Err(WixError::InvalidSessionToken(error)) => error,
        other => panic!("{other:?}"),
    };
    assert_eq!(why(&"x".into()).await, TokenError::Malformed);
    let other_site = SiteId::new(COLLECTION).unwrap();
    let now = site.auth.now();
    assert_eq!(token.verify(&session_keys(), &other_site, now), Err(TokenError::OtherSite));
    site.members.apply_session_token(&token).await.unwrap();
    assert_eq!(why(&token).await, TokenError::Used);
    let token = site.members.login(EMAIL, crate::site::PASSWORD).await.unwrap();
    site.members.block_by_email(EMAIL).await.unwrap();
    assert_eq!(why(&token).await, TokenError::Outdated);
    site.clock.advance(std::time::Duration::from_secs(121));
    assert_eq!(why(&token).await, TokenError::Expired);
}
