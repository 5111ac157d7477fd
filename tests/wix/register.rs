//! `register`, and `POST /wix/register`: a new member.

use gatekit::Policy;
use gatekit::wix::{ApprovalPolicy, ContactInfo, PrivacyStatus, RegistrationOptions, RegistrationStatus};
use gatekit_tests::{Store, at_once, count, on_every_store};
use serde_json::{Value, json};

use crate::site::{EMAIL, NOW, PASSWORD, Setup, Site, WixAnswer};

on_every_store! {
    /// FUZZ-9: what is written can be read back.
    async fn a_contact_that_is_too_deep_or_too_large_makes_no_member(store) {
        let site = Setup::new(Policy::default()).members(|members| members.contact_fields(["team"])).start(store).await;
        let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
        for team in [deep, json!("y".repeat(70_000))] {
            let body = json!({"email": EMAIL, "password": PASSWORD, "contactInfo": {"team": team}});
            site.post("/wix/register").json(body).await.refuses(400, "-19988");
        }
        site.login(EMAIL, PASSWORD).await.refuses(401, "-19976");
    }

    async fn a_new_member_is_active_and_has_a_session_token(store) {
        let site = Setup::new(Policy::default()).start(store).await;
        let body = json!({
            "email": EMAIL, "password": PASSWORD, "privacyStatus": "PUBLIC",
            "contactInfo": {"firstName": "Ada", "lastName": "L", "emails": ["ada@work.example"], "phones": ["+49 1"], "language": "de"},
            "profile": {"nickname": "ada", "slug": "ada-l"},
        });
        let answer = site.post("/wix/register").json(body).await.expect_status(200);
        let answer = answer.expect_header("cache-control", "no-store");
        let value = answer.value();
        let members: Vec<&String> = value.as_object().unwrap().keys().collect();
        assert_eq!(members, ["status", "sessionToken", "member"]);
        assert_eq!(value["status"], "ACTIVE");
        assert!(answer.headers.get("set-cookie").is_none());
        let member = &value["member"];
        assert_eq!(
            *member,
            json!({
                "_id": member["_id"], "loginEmail": EMAIL, "status": "APPROVED", "contactId": member["contactId"],
                "privacyStatus": "PUBLIC", "activityStatus": "ACTIVE",
                "_createdDate": NOW.to_string(), "_updatedDate": NOW.to_string(),
                "contactDetails": {
                    "firstName": "Ada", "lastName": "L", "emails": ["ada@work.example"], "phones": ["+49 1"], "language": "de",
                },
                "profile": {"nickname": "ada", "slug": "ada-l"},
            })
        );
        site.apply(&answer.text("sessionToken")).await.expect_status(200);
        let token = site.access_token().await;
        let shown = site.get("/wix/current-member?fieldsets=FULL").header("authorization", token).await.value();
        assert_eq!(shown["member"]["contactDetails"], member["contactDetails"]);
        assert_eq!(shown["member"]["_id"], member["_id"]);
    }

    async fn a_new_member_is_private_unless_it_says_otherwise(store) {
        let site = Setup::new(Policy::default()).start(store).await;
        let new = site.members.register(EMAIL, PASSWORD, RegistrationOptions::default()).await.unwrap();
        assert_eq!(new.status, RegistrationStatus::Active);
        assert_eq!(new.member.unwrap().privacy_status, PrivacyStatus::Private);
        assert!(new.approval_token.is_none() && new.state_token.is_none());
    }

    /// 6.3.8 is given up here for Wix' answer; `TakenEmail::AlwaysVerify` keeps it.
    async fn an_address_that_is_taken_is_told(store) {
        let site = Site::new(store).await;
        // V-16: whatever its spelling.
        for email in [EMAIL, "ADA@example.com", " ada@example.com ", "a\u{200b}da@example.com", "\u{ff41}da\u{ff20}example\u{3002}com"] {
            let body = json!({"email": email, "password": "another password"});
            site.post("/wix/register").json(body).await.refuses(409, "-19995");
        }
        site.login(EMAIL, PASSWORD).await.expect_status(200);
    }

    /// RACE-2
    async fn of_20_registrations_at_once_one_is_made(store) {
        let site = Setup::new(Policy::default()).start(store).await;
        let body = |number: usize| json!({"email": EMAIL, "password": format!("{PASSWORD} {number}")});
        let answers = at_once((0..20).map(|number| site.post("/wix/register").json(body(number)))).await;
        assert_eq!((count(&answers, 200), count(&answers, 409)), (1, 19));
        let winner = answers.iter().position(|answer| answer.status == 200).unwrap();
        site.login(EMAIL, &format!("{PASSWORD} {winner}")).await.expect_status(200);
    }

    async fn where_somebody_approves_a_new_member_waits(store) {
        let site = manual(store).await;
        let answer = site.post("/wix/register").json(json!({"email": EMAIL, "password": PASSWORD})).await;
        let answer = answer.expect_status(200);
        let members: Vec<String> = answer.value().as_object().unwrap().keys().cloned().collect();
        // Whoever signs up must not get what approves of it.
        assert_eq!(members, ["status", "member"]);
        assert_eq!(answer.text("status"), "PENDING");
        assert_eq!(answer.value()["member"]["status"], "PENDING");
        site.login(EMAIL, PASSWORD).await.refuses(403, "-19958");
    }

    /// What a client says of itself is not believed (architecture, invariant 11).
    async fn nobody_chooses_what_is_not_its_to_choose(store) {
        let site = manual(store).await;
        let body = json!({
            "email": EMAIL, "password": PASSWORD, "status": "APPROVED", "emailVerified": true, "id": 7, "owner": true,
            "profile": {"nickname": "x", "createdDate": 1}, "createdDate": 1, "lastLoginDate": 1,
        });
        let answer = site.post("/wix/register").json(body).await.expect_status(200);
        assert_eq!(answer.value()["member"]["status"], "PENDING");
        assert_eq!(answer.value()["member"]["_createdDate"], NOW.to_string());
        assert_eq!(answer.value()["member"]["lastLoginDate"], Value::Null);
        let account = site.auth.find_account(&gatekit::core::AccountName::email(EMAIL)).await.unwrap().unwrap();
        assert_eq!(account.user.email_verified, None);
    }

    /// 1.5.2, 6.2.1, 6.2.4, V-2
    async fn what_is_no_registration_is_refused(store) {
        let site = Setup::new(Policy::default()).start(store).await;
        let with = |more: Value| {
            let mut body = json!({"email": EMAIL, "password": PASSWORD});
            body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            body
        };
        for (body, code, field) in [
            (json!({"password": PASSWORD}), "-18880", ""),
            (with(json!({"email": ""})), "-18880", ""),
            (with(json!({"email": "nope"})), "-19988", "email"),
            (with(json!({"email": 5})), "-19988", "email"),
            (json!({"email": EMAIL}), "-19988", "password"),
            (with(json!({"password": "short"})), "-19988", "password"),
            (with(json!({"password": "password1"})), "-19988", "password"),
            (with(json!({"password": "x1y2z".repeat(205)})), "-19988", "password"),
            (with(json!({"password": [PASSWORD]})), "-19988", "password"),
            (with(json!({"privacyStatus": "UNKNOWN"})), "-19988", "privacyStatus"),
            (with(json!({"privacyStatus": 1})), "-19988", "privacyStatus"),
            (with(json!({"contactInfo": "x"})), "-19988", "contactInfo"),
            (with(json!({"contactInfo": {"firstName": 5}})), "-19988", "contactInfo"),
            (with(json!({"contactInfo": {"firstName": "a\u{0}"}})), "-19988", "contactInfo.firstName"),
            (with(json!({"contactInfo": {"emails": ["nope"]}})), "-19988", "contactInfo.emails"),
            (with(json!({"contactInfo": {"emails": "a@x.com"}})), "-19988", "contactInfo"),
            (with(json!({"contactInfo": {"labels": ["vip"]}})), "-19988", "contactInfo.labels"),
            (with(json!({"contactInfo": {"unheard-of": 1}})), "-19988", "contactInfo.unheard-of"),
            (with(json!({"contactInfo": {"__proto__": {"x": 1}}})), "-19988", "contactInfo.__proto__"),
            (with(json!({"profile": []})), "-19988", "profile"),
            (with(json!({"profile": {"nickname": 5}})), "-19988", "nickname"),
            (with(json!({"profile": {"nickname": "x".repeat(257)}})), "-19988", "profile.nickname"),
        ] {
            let answer = site.post("/wix/register").json(&body).await.refuses(400, code);
            if !field.is_empty() {
                let violation = &answer.value()["details"]["validationError"]["fieldViolations"][0];
                assert_eq!(violation["field"], field, "{answer:?}");
                let kind = match field { "email" => "EMAIL", "password" => "PASSWORD", _ => "OTHER" };
                assert_eq!(violation["data"]["type"], kind);
            }
            assert!(!answer.body.contains("x1y2z") && !answer.body.contains("short\""), "no value is repeated");
        }
        site.login(EMAIL, PASSWORD).await.refuses(401, "-19976");
    }

    async fn an_app_takes_contact_fields_that_it_has_named(store) {
        let site = Setup::new(Policy::default()).members(|members| members.contact_fields(["team"])).start(store).await;
        let body = json!({"email": EMAIL, "password": PASSWORD, "contactInfo": {"team": {"name": "blue"}}});
        let answer = site.post("/wix/register").json(body).await.expect_status(200);
        assert_eq!(answer.value()["member"]["contactDetails"], json!({"team": {"name": "blue"}}));
        // The app's own code may set labels, too.
        let contact = ContactInfo { labels: vec!["vip".into()], ..ContactInfo::default() };
        let options = RegistrationOptions::default().contact_info(contact);
        let new = site.members.register("bob@example.com", PASSWORD, options).await.unwrap();
        assert_eq!(new.member.unwrap().contact_details.unwrap().labels, ["vip"]);
    }
}

async fn manual(store: Store) -> Site {
    Setup::new(Policy::default()).members(|members| members.approval(ApprovalPolicy::Manual)).start(store).await
}
