//! One address and one name, however they are typed: `policy.identifiers.normalize`.

use std::time::Duration;

use gatekit::Policy;
use gatekit::core::MailKind;
use gatekit_tests::{App, PASSWORD, at_once, count, on_every_store};
use serde_json::json;

const DAY: Duration = Duration::from_secs(24 * 3600);
const STORED: &str = "jos\u{e9}@xn--bcher-kva.example";
const ADDRESSES: [&str; 12] = [
    "jos\u{e9}@b\u{fc}cher.example",
    "jose\u{301}@bu\u{308}cher.example",
    "jos\u{e9}@xn--bcher-kva.example",
    "JOS\u{c9}@B\u{dc}CHER.EXAMPLE",
    "jos\u{e9}@b\u{fc}cher\u{3002}example",
    "\u{ff4a}\u{ff4f}\u{ff53}\u{e9}\u{ff20}b\u{fc}cher\u{ff0e}example",
    " jos\u{e9}@b\u{fc}cher.example ",
    "\u{a0}jos\u{e9}@b\u{fc}cher.example\u{3000}",
    "jo\u{ad}s\u{e9}@b\u{fc}cher.example",
    "jo\u{200b}s\u{e9}@b\u{fc}cher.example",
    "\u{feff}jos\u{e9}@b\u{fc}cher.example",
    "\u{202e}jos\u{e9}@b\u{fc}cher.example\u{202c}",
];
const NAMES: [&str; 9] = [
    "Ada Zo\u{e9}",
    "Ada Zoe\u{301}",
    "\u{ff21}da Zo\u{e9}",
    " Ada Zo\u{e9}\t",
    "Ada\u{a0}Zo\u{e9}",
    "Ada Z\u{ad}o\u{e9}",
    "A\u{200d}da Zo\u{e9}",
    "\u{feff}Ada Zo\u{e9}",
    "\u{202e}Ada Zo\u{e9}\u{202c}",
];

/// A policy under which `PATCH` may change everything.
fn changeable() -> Policy {
    let mut policy = Policy::default();
    policy.email.reject_changes_via_patch_or_replace = false;
    policy
}

on_every_store! {
    /// V-9, V-11, V-16, RACE-2: whichever spelling comes first, it is the only one.
    async fn all_spellings_of_an_address_are_one_user(store) {
        for typed in ADDRESSES {
            let app = App::new(store).await;
            let user = app.post("/api/users").json(json!({"email": typed, "password": PASSWORD})).await;
            user.expect_status(200).is(200, &format!(r#"{{"email":"{STORED}","id":1}}"#));
            for other in ADDRESSES {
                let twin = app.post("/api/users").json(json!({"email": other, "password": PASSWORD})).await;
                twin.expect_status(422);
                app.login(other, PASSWORD).await.expect_status(200);
            }
        }
    }

    /// RACE-2
    async fn of_all_spellings_signing_up_at_once_one_is_stored(store) {
        let app = App::new(store).await;
        let answers = at_once(ADDRESSES.iter().map(|typed| {
            app.post("/api/users").json(json!({"email": typed, "password": PASSWORD}))
        })).await;
        assert_eq!((count(&answers, 200), count(&answers, 422)), (1, ADDRESSES.len() - 1));
    }

    /// V-16
    async fn all_spellings_of_a_name_are_one_user(store) {
        let app = App::new(store).await;
        for (n, typed) in NAMES.iter().enumerate() {
            let body = json!({"email": format!("{n}@example.com"), "username": typed, "password": PASSWORD});
            app.post("/api/users").json(body).await.expect_status(if n == 0 { 200 } else { 422 });
            let login = app.post("/api/users/login").json(json!({"username": typed, "password": PASSWORD})).await;
            assert_eq!(login.expect_status(200).value()["userId"], 1, "{typed:?}");
        }
    }

    /// V-11: the mail goes to the address that is stored, never to what was typed.
    async fn every_flow_that_takes_an_address_takes_any_spelling_of_it(store) {
        let mut policy = Policy::default();
        (policy.email.verification_required, policy.email.verify_on_register) = (true, false);
        let app = App::with(policy).start(store).await;
        app.sign_up_as(ADDRESSES[1]).await;
        for (n, typed) in ADDRESSES.iter().enumerate() {
            // One user gets only so many mails a day, whatever the spelling.
            app.clock.advance(DAY);
            app.post("/api/users/resend-verification").json(json!({"email": typed})).await.expect_no_content();
            let mails = app.mails.wait_for_kind(MailKind::VerifyEmail, n + 1).await;
            assert!(mails.iter().all(|mail| mail.to == STORED), "{typed:?}");
        }
        app.clock.advance(DAY);
        let secret = app.verification_token(1).await;
        app.confirm(1, &secret).await.expect_no_content();
        for (n, typed) in ADDRESSES.iter().enumerate() {
            app.clock.advance(DAY);
            app.post("/api/users/reset").json(json!({"email": typed})).await.expect_no_content();
            let mails = app.mails.wait_for_kind(MailKind::ResetPassword, n + 1).await;
            assert!(mails.iter().all(|mail| mail.to == STORED), "{typed:?}");
        }
    }

    /// V-92: what is counted is the user, not the spelling.
    async fn all_spellings_share_one_limit_on_mails(store) {
        let app = App::new(store).await;
        app.sign_up_as(ADDRESSES[0]).await;
        for typed in ADDRESSES {
            app.post("/api/users/reset").json(json!({"email": typed})).await.expect_no_content();
        }
        app.auth.settled().await;
        let resets = app.mails.mails().iter().filter(|mail| mail.kind == MailKind::ResetPassword).count();
        assert_eq!(resets, usize::try_from(app.auth.policy().mail.per_hour).unwrap());
    }

    async fn a_change_of_address_takes_any_spelling_and_sees_that_it_is_taken(store) {
        let app = App::new(store).await;
        let token = app.signed_up().await;
        let secret = app.change_email_token(&token, ADDRESSES[3]).await;
        app.confirm_email_change(&secret).await.expect_status(200);
        app.login(ADDRESSES[4], PASSWORD).await.expect_status(200);
        app.sign_up_as("eve@example.com").await;
        let eve = app.token_of("eve@example.com").await;
        let before = app.mails.mails().len();
        for typed in ADDRESSES {
            app.change_email(&eve, typed).await.expect_no_content();
        }
        app.auth.settled().await;
        assert_eq!(app.mails.mails().len(), before, "no mail goes to an address that somebody else has");
    }

    async fn an_update_takes_any_spelling_and_sees_that_it_is_taken_or_the_same(store) {
        let app = App::with(changeable()).start(store).await;
        let token = app.signed_up().await;
        let patch = |body: serde_json::Value| app.patch("/api/users/1").token(&token).json(body);
        let user = patch(json!({"email": ADDRESSES[5], "username": NAMES[2]})).await.expect_status(200).value();
        assert_eq!((user["email"].as_str(), user["username"].as_str()), (Some(STORED), Some(NAMES[0])));
        // The same address in another spelling is no change, so no token ends.
        let token = app.token_of(STORED).await;
        let patch = |body: serde_json::Value| app.patch("/api/users/1").token(&token).json(body);
        for typed in ADDRESSES {
            patch(json!({"email": typed})).await.expect_status(200);
        }
        app.sign_up_as("eve@example.com").await;
        let eve = app.token_of("eve@example.com").await;
        for body in ADDRESSES.map(|typed| json!({"email": typed})).iter().chain(&NAMES.map(|typed| json!({"username": typed}))) {
            app.patch("/api/users/2").token(&eve).json(body).await.expect_status(422);
        }
    }

    /// LoopBack tells two spellings apart, and so does its policy.
    async fn under_loopbacks_policy_every_spelling_is_a_user(store) {
        let app = App::loopback(store).await;
        let valid: Vec<&str> = ADDRESSES.into_iter().filter(|address| gatekit::core::email::is_valid(address)).collect();
        assert!(valid.len() > 5);
        for typed in valid {
            app.post("/api/users").json(json!({"email": typed, "password": PASSWORD})).await.expect_status(200);
        }
    }

    /// What is taken at sign-up can be mailed to.
    async fn an_address_that_gets_no_mail_is_refused(store) {
        let app = App::with(changeable()).start(store).await;
        let token = app.signed_up().await;
        for address in ["ren\u{fffd}@example.com", "a\u{a0}b@example.com", "a@xn--99999999.example", "\"a\\\tb\"@example.com"] {
            let body = json!({"email": address, "password": PASSWORD});
            app.post("/api/users").json(body).await.expect_status(422);
            app.change_email(&token, address).await.expect_status(422);
            app.patch("/api/users/1").token(&token).json(json!({"email": address})).await.expect_status(422);
        }
    }
}
