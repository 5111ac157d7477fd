//! Tokens of every kind, each brought where another one belongs.

use gatekit::Policy;
use gatekit::wix::ApprovalPolicy;
use gatekit_tests::Store;
use serde_json::json;

use super::{CHANGE_PASSWORD, NEW_PASSWORD, RECOVER, VERIFIER, VERIFY, with_sdk};
use crate::site::{EMAIL, PASSWORD, Setup, Site};

/// 9.2.2, V-45
#[tokio::test]
async fn no_token_is_taken_for_one_of_another_kind() {
    let setup = Setup::new(Policy::default()).members(|members| with_sdk(members).approval(ApprovalPolicy::Manual));
    let site = Site::iam_with(setup, Store::Memory).await;
    site.members.approve_by_email(EMAIL).await.unwrap();
    let pending = site.members.register("bob@example.com", PASSWORD, Default::default()).await.unwrap();

    let member = site.tokens().await;
    let visitor = super::Tokens::of(&site.token(json!({"grantType": "anonymous"})).await);
    let tokens = [
        ("session", site.iam_session().await),
        ("approval", pending.approval_token.unwrap().expose().to_owned()),
        ("code", site.oauth_code().await),
        ("member access", member.access),
        ("member refresh", member.refresh),
        ("visitor access", visitor.access),
        ("visitor refresh", visitor.refresh),
    ];
    for (kind, token) in &tokens {
        let works = [
            ("at /me", site.me(token).await == 200, "member access"),
            ("as a visitor's", site.members.visitor(token).is_some(), "visitor access"),
            ("applied", *kind != "session" && site.apply(token).await.status == 200, ""),
            ("for a code", *kind != "session" && site.ask_with(token, |_| {}).await.status == 200, ""),
            ("as a code", *kind != "code" && site.exchange(token, VERIFIER).await.status == 200, ""),
            (
                "to approve",
                *kind != "approval" && site.members.approve_by_token(&token.as_str().into()).await.is_ok(),
                "",
            ),
            ("to renew", !kind.ends_with("refresh") && site.refresh(token).await.status == 200, ""),
            (
                "from a mail",
                {
                    let body = json!({"recoveryToken": token, "password": NEW_PASSWORD});
                    site.post(RECOVER).json(body).await.status == 200
                },
                "",
            ),
            (
                "as a state",
                {
                    let body = json!({"stateToken": token, "code": "123456"});
                    site.post(VERIFY).json(body).await.status == 200
                },
                "",
            ),
            (
                "to change a password",
                *kind != "member access" && {
                    let body = json!({"newPassword": NEW_PASSWORD});
                    site.post(CHANGE_PASSWORD).json(body).token(token).await.status == 200
                },
                "",
            ),
        ];
        for (place, worked, whose) in works {
            assert_eq!(worked, *kind == whose, "a token of the kind {kind} {place}");
        }
    }
    // None of them was spent by being brought to the wrong place.
    let [session, approval, code, access, refresh, ..] = tokens.map(|(_, token)| token);
    site.apply(&session).await.expect_status(200);
    site.members.approve_by_token(&approval.into()).await.unwrap();
    site.exchange(&code, VERIFIER).await.expect_status(200);
    assert_eq!(site.me(&access).await, 200);
    site.refresh(&refresh).await.expect_status(200);
}
