//! Login, registration and verification: the states of the SDK, and what it can read of a refusal.

use gatekit::Policy;
use gatekit::wix::{ApprovalPolicy, TakenEmail};
use gatekit_testkit::Fault;
use gatekit_tests::{Store, on_every_store};
use serde_json::{Value, json};

use super::{LOGIN, NEW_PASSWORD, REGISTER, VERIFY, with_sdk};
use crate::site::{EMAIL, NOW, PASSWORD, Setup, Site, WixAnswer};

const BOB: &str = "bob@example.com";

/// Where members prove their address.
async fn verifying(store: Store) -> Site {
    let setup =
        Setup::new(Site::verifying()).members(|members| with_sdk(members).taken_email(TakenEmail::AlwaysVerify));
    Site::iam_with(setup, store).await
}

fn register(site: &Site, email: &str) -> gatekit_tests::Call {
    site.post(REGISTER).json(json!({"loginId": {"email": email}, "password": PASSWORD}))
}

fn verify(site: &Site, state: &str, code: &str) -> gatekit_tests::Call {
    site.post(VERIFY).json(json!({"code": code, "stateToken": state}))
}

on_every_store! {
    async fn a_login_is_a_state_with_a_session_token_and_an_identity(store) {
        let site = Site::iam(store).await;
        let answer = site.iam_login(EMAIL, PASSWORD).await.expect_status(200).expect_header("cache-control", "no-store");
        let body = answer.value();
        assert_eq!(body["state"], "SUCCESS");
        let identity = &body["identity"];
        assert_eq!(identity["id"].as_str().map(str::len), Some(36));
        assert_eq!(identity["email"], json!({"address": EMAIL}));
        assert_eq!(identity["status"], json!({"name": "ACTIVE", "reasons": []}));
        assert_eq!(identity["createdDate"], NOW.to_string());
        assert_eq!(identity["identityProfile"]["privacyStatus"], "PRIVATE");
        site.apply(body["sessionToken"].as_str().unwrap()).await.expect_status(200);
    }

    /// 6.3.8, 2.7 of the contract
    async fn unknown_and_wrong_are_the_same_answer_after_the_same_work(store) {
        let site = Site::iam(store).await;
        site.sign_up(BOB).await;
        site.members.block_by_email(BOB).await.unwrap();
        let (unknown, hashes, calls) = site.cost(site.iam_login("nobody@example.com", PASSWORD)).await;
        let unknown = unknown.refuses(401, "-19976");
        for (email, password) in [(EMAIL, NEW_PASSWORD), (BOB, NEW_PASSWORD), ("not an address", PASSWORD)] {
            let (answer, same_hashes, same_calls) = site.cost(site.iam_login(email, password)).await;
            assert_eq!(answer.as_sent(), unknown.as_sent(), "{email}");
            assert_eq!((same_hashes, same_calls), (hashes, calls.clone()), "{email}");
        }
        assert_eq!(hashes, 1);
    }

    async fn the_right_password_tells_that_a_member_is_blocked(store) {
        let site = Site::iam(store).await;
        site.members.block_by_email(EMAIL).await.unwrap();
        site.iam_login(EMAIL, PASSWORD).await.refuses(403, "-19956");
    }

    async fn who_has_to_be_approved_is_told_so(store) {
        let setup = Setup::new(Policy::default()).members(|members| with_sdk(members).approval(ApprovalPolicy::Manual));
        let site = Site::iam_with(setup, store).await;
        let registered = register(&site, BOB).await.expect_status(200).value();
        assert_eq!(registered["state"], "REQUIRE_OWNER_APPROVAL");
        let pending = json!({"name": "PENDING", "reasons": ["PENDING_ADMIN_APPROVAL_REQUIRED"]});
        assert_eq!(registered["identity"]["status"], pending);
        assert_eq!(registered.get("sessionToken"), None);
        // The token that approves is for the owner.
        assert!(!registered.to_string().contains("JWS."), "{registered}");
        site.iam_login(BOB, NEW_PASSWORD).await.refuses(401, "-19976");
        site.iam_login(BOB, PASSWORD).await.is(200, r#"{"state":"REQUIRE_OWNER_APPROVAL"}"#);
        site.members.approve_by_email(BOB).await.unwrap();
        site.iam_login(BOB, PASSWORD).await.expect_status(200);
    }

    async fn a_registration_keeps_what_the_member_says_of_itself(store) {
        let setup = Setup::new(Policy::default()).members(|members| with_sdk(members).contact_fields(["team"]));
        let site = Site::iam_with(setup, store).await;
        let profile = json!({
            "firstName": "Bob", "lastName": "B", "nickname": "bobby", "slug": "bob", "privacyStatus": "PUBLIC", "language": "de",
            "picture": "https://example.com/b.png", "emails": ["b@example.com"], "secondaryEmails": [{"email": "c@example.com", "tag": "HOME"}],
            "phones": ["1"], "phonesV2": [{"phone": "2", "countryCode": "DE"}], "labels": ["vip"],
            "customFields": [{"name": "team", "value": {"strValue": "red"}}], "addresses": [{"address": {}}], "company": "x",
        });
        let body = json!({"loginId": {"email": BOB}, "password": PASSWORD, "profile": profile});
        let answer = site.post(REGISTER).json(body).await.expect_status(200).value();
        assert_eq!(answer["state"], "SUCCESS");
        assert_eq!(answer["identity"]["identityProfile"], json!({
            "firstName": "Bob", "lastName": "B", "picture": "https://example.com/b.png", "emails": ["b@example.com", "c@example.com"],
            "phones": ["1", "2"], "language": "de", "team": "red", "nickname": "bobby", "slug": "bob", "privacyStatus": "PUBLIC",
        }));
    }

    /// What the SDK can read: a field's violation has a type; a taken address has its code.
    async fn a_registration_that_is_refused_says_why(store) {
        let site = Site::iam(store).await;
        register(&site, EMAIL).await.refuses(409, "-19995");
        for (email, password, kind) in [("nobody", PASSWORD, "EMAIL"), (BOB, "short", "PASSWORD"), (BOB, "12345678", "PASSWORD")] {
            let body = json!({"loginId": {"email": email}, "password": password});
            let answer = site.post(REGISTER).json(body).await.refuses(400, "-19988").value();
            let violations = answer["details"]["validationError"]["fieldViolations"].as_array().unwrap().clone();
            assert_eq!(violations.len(), 1, "{answer}");
            assert_eq!(violations[0]["data"]["type"], kind, "{answer}");
            assert!(!answer.to_string().contains(password), "{answer}");
        }
        for profile in [
            json!("x"), json!({"firstName": 7}), json!({"privacyStatus": "EVERYBODY"}), json!({"emails": "x"}), json!({"emails": [7]}),
            json!({"secondaryEmails": [{}]}), json!({"customFields": [{"name": "other", "value": {"strValue": "x"}}]}),
            json!({"customFields": [{}]}), json!({"nickname": "\u{0}"}),
        ] {
            let body = json!({"loginId": {"email": BOB}, "password": PASSWORD, "profile": profile});
            let answer = site.post(REGISTER).json(body).await.refuses(400, "-19988").value();
            let violations = answer["details"]["validationError"]["fieldViolations"].as_array().unwrap().clone();
            assert!(violations.iter().all(|violation| violation["data"]["type"].is_string()), "{answer}");
        }
        site.iam_login(BOB, PASSWORD).await.refuses(401, "-19976");
    }

    async fn an_address_is_proven_by_the_code(store) {
        let site = verifying(store).await;
        let begun = register(&site, BOB).await.expect_status(200).value();
        assert_eq!(begun["state"], "REQUIRE_EMAIL_VERIFICATION");
        assert_eq!(begun.as_object().unwrap().len(), 2, "{begun}");
        let state = begun["stateToken"].as_str().unwrap();
        // That of the site's first member was the first.
        let right = site.code(2).await;
        let wrong = if right == "123456" { "654321" } else { "123456" };
        verify(&site, state, wrong).await.refuses(400, "VERIFICATION_FAILED");
        verify(&site, "unknown", &right).await.refuses(400, "VERIFICATION_FAILED");
        let done = verify(&site, state, &right).await.expect_status(200).value();
        assert_eq!(done["state"], "SUCCESS");
        site.apply(done["sessionToken"].as_str().unwrap()).await.expect_status(200);
        verify(&site, state, &right).await.refuses(400, "VERIFICATION_FAILED");
        site.iam_login(BOB, PASSWORD).await.expect_status(200);
    }

    async fn a_login_before_that_mails_another_code(store) {
        let site = verifying(store).await;
        site.iam_login(EMAIL, NEW_PASSWORD).await.refuses(401, "-19976");
        let begun = site.iam_login(EMAIL, PASSWORD).await.expect_status(200).value();
        assert_eq!(begun["state"], "REQUIRE_EMAIL_VERIFICATION");
        let code = site.code(2).await;
        let number: u32 = code.parse().unwrap();
        // Some clients send the number.
        let body = json!({"code": number, "stateToken": begun["stateToken"]});
        site.post(VERIFY).json(body).await.expect_status(200);
    }

    /// 6.3.8
    async fn where_addresses_are_proven_a_taken_one_looks_like_another(store) {
        let site = verifying(store).await;
        let (free, taken) = (register(&site, BOB).await, register(&site, EMAIL).await);
        let shape = |answer: &gatekit_tests::Answer| {
            let mut body = answer.value();
            let token = body["stateToken"].take();
            (answer.status, answer.headers.clone(), body, token.as_str().map(str::len))
        };
        assert_eq!(shape(&free), shape(&taken));
    }

    /// The SDK breaks on a failure without this shape.
    async fn a_store_that_fails_is_told_in_the_envelope(store) {
        let site = Site::iam(store).await;
        site.faults.every(Fault::Fail);
        site.iam_login(EMAIL, PASSWORD).await.tells_to_try_later();
        register(&site, BOB).await.tells_to_try_later();
        site.refresh("a.b").await.tells_to_try_later();
        site.exchange("a", crate::iam::VERIFIER).await.tells_to_try_later();
        site.get("/oauth2/authorize?code=a").await.tells_to_try_later();
    }
}

/// The SDK reads nothing else of a refused login: a `validationError` makes it fail with an error
/// of its own.
#[tokio::test]
async fn a_refused_login_is_never_a_validation_error() {
    let site = Site::iam(Store::Memory).await;
    for body in [
        json!({}),
        json!({"loginId": null, "password": null}),
        json!({"loginId": {"email": ""}, "password": ""}),
        json!({"loginId": {"email": EMAIL}}),
        json!({"loginId": {"email": EMAIL}, "password": 7}),
        json!({"loginId": {"username": "x"}, "password": PASSWORD}),
        json!({"loginId": "x", "password": PASSWORD}),
        json!({"loginId": {"email": "x".repeat(50_000)}, "password": "x".repeat(50_000)}),
        json!({"loginId": {"email": EMAIL}, "password": "\u{0}"}),
    ] {
        let answer = site.post(LOGIN).json(&body).await;
        assert!(answer.status.is_client_error(), "{body}");
        let details = answer.value()["details"].clone();
        assert!(details["applicationError"]["code"].is_string(), "{details}");
        assert_eq!(details.get("validationError"), None::<&Value>, "{details}");
    }
}
