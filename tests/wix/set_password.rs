//! `POST /wix/send-set-password-email` and `POST /wix/set-password`.

use std::time::Duration;

use gatekit::core::MailKind;
use gatekit::wix::{GenerateOptions, SetPasswordEmailOptions};
use gatekit_testkit::MailSink;
use gatekit_tests::{Call, Store, at_once, count, on_every_store};
use serde_json::json;

use crate::site::{EMAIL, ORIGIN, PASSWORD, Setup, Site, WixAnswer};

const NEW: &str = "staple battery horse";

fn send(site: &Site, email: &str) -> Call {
    site.post("/wix/send-set-password-email").json(json!({"email": email}))
}

fn set(site: &Site, token: &str, password: &str) -> Call {
    site.post("/wix/set-password").json(json!({"token": token, "password": password}))
}

/// The secret in the newest of this many mails.
async fn secret(site: &Site, count: usize) -> String {
    let mails = site.mails.wait_for_kind(MailKind::SetPassword, count).await;
    MailSink::token_in(&mails[count - 1]).unwrap()
}

on_every_store! {
    /// 6.4.1, 6.5.1
    async fn the_secret_of_the_mail_chooses_a_password_once(store) {
        let site = Site::new(store).await;
        let (session, access) = (site.session_token().await, site.access_token().await);
        send(&site, EMAIL).await.expect_header("cache-control", "no-store").is(200, r#"{"accepted":true}"#);
        let token = secret(&site, 1).await;
        let answer = set(&site, &token, NEW).await.expect_status(204);
        assert!(answer.headers.get("set-cookie").is_none(), "nobody is logged in by it");
        set(&site, &token, "and another one").await.refuses(401, "-19972");
        site.login(EMAIL, PASSWORD).await.refuses(401, "-19976");
        site.login(EMAIL, NEW).await.expect_status(200);
        // 7.4.3
        site.apply(&session).await.refuses(401, "-19984");
        site.get("/me").header("authorization", &access).await.expect_status(401);
    }

    async fn a_member_that_was_made_without_a_password_chooses_one(store) {
        let site = Setup::new(Site::verifying()).start(store).await;
        let options = GenerateOptions::default().create_if_missing(true).email_verified(true);
        site.members.generate_session_token_with(EMAIL, options).await.unwrap();
        let options = SetPasswordEmailOptions::default().hide_ignore_message(true);
        site.members.send_set_password_email(EMAIL, options).await.unwrap();
        set(&site, &secret(&site, 1).await, NEW).await.expect_status(204);
        site.login(EMAIL, NEW).await.expect_status(200);
    }

    /// Who was told that the mail comes need not read that it can be ignored.
    async fn the_mail_says_that_it_can_be_ignored_unless_the_app_hides_it(store) {
        let site = Site::new(store).await;
        let ignore = "If you know nothing of it, there is nothing to do.";
        for (count, hide) in [(1, false), (2, true)] {
            let body = json!({"email": EMAIL, "hideIgnoreMessage": hide});
            site.post("/wix/send-set-password-email").json(body).await.expect_status(200);
            let mails = site.mails.wait_for_kind(MailKind::SetPassword, count).await;
            let mail = &mails[count - 1];
            assert_eq!(mail.text.contains(ignore), !hide, "{}", mail.text);
            assert_eq!(mail.html.as_deref().unwrap_or_default().contains(ignore), !hide);
        }
    }

    /// 6.3.8, V-85: same answer, same writes, no hashing; and the link leads to the page of the
    /// app.
    async fn an_unknown_address_looks_and_costs_the_same(store) {
        let site = Site::new(store).await;
        site.sign_up("blocked@example.com").await;
        site.members.block_by_email("blocked@example.com").await.unwrap();
        let known = site.cost(send(&site, EMAIL).header("host", "evil.example")).await;
        for email in ["nobody@example.com", "blocked@example.com", "no address", &"a".repeat(5000)] {
            let other = site.cost(send(&site, email)).await;
            assert_eq!(known.0.as_sent(), other.0.as_sent(), "{email}");
            let writes = |calls: &[&'static str]| calls.iter().filter(|call| !call.starts_with("find")).count();
            assert_eq!((known.1, writes(&known.2)), (other.1, writes(&other.2)), "{email}");
        }
        site.auth.settled().await;
        let mails = site.mails.mails();
        assert_eq!(mails.iter().map(|mail| mail.to.as_str()).collect::<Vec<_>>(), [EMAIL]);
        let token = secret(&site, 1).await;
        assert_eq!(mails[0].link, Some(format!("{ORIGIN}/choose-password#{token}")));
    }

    async fn the_secret_is_good_for_three_hours(store) {
        let site = Site::new(store).await;
        send(&site, EMAIL).await.expect_status(200);
        let token = secret(&site, 1).await;
        site.clock.advance(Duration::from_millis(3 * 3_600_000 - 1));
        set(&site, &token, "short").await.refuses(400, "-19988");
        site.clock.advance(Duration::from_millis(1));
        set(&site, &token, NEW).await.refuses(401, "-19972");
        site.login(EMAIL, PASSWORD).await.expect_status(200);
    }

    /// RACE-1
    async fn of_20_uses_at_once_one_wins(store) {
        let site = Site::new(store).await;
        send(&site, EMAIL).await.expect_status(200);
        let token = secret(&site, 1).await;
        let answers = at_once((0..20).map(|number| set(&site, &token, &format!("{NEW} {number}")))).await;
        assert_eq!((count(&answers, 204), count(&answers, 401)), (1, 19));
        let winner = answers.iter().position(|answer| answer.status == 204).unwrap();
        site.login(EMAIL, &format!("{NEW} {winner}")).await.expect_status(200);
    }

    /// 1.5.2, V-2
    async fn what_is_no_request_is_refused(store) {
        let site = Site::new(store).await;
        for (body, code) in [
            (json!({}), "-18880"),
            (json!({"email": ""}), "-18880"),
            (json!({"email": 5}), "-19988"),
            (json!({"email": {"like": "%"}}), "-19988"),
            (json!({"email": EMAIL, "hideIgnoreMessage": "yes"}), "-19988"),
        ] {
            site.post("/wix/send-set-password-email").json(body).await.refuses(400, code);
        }
        send(&site, EMAIL).await.expect_status(200);
        let token = secret(&site, 1).await;
        for body in [
            json!({"token": token}),
            json!({"password": NEW}),
            json!({"token": "", "password": NEW}),
            json!({"token": [token], "password": NEW}),
            json!({"token": {"x": 1}, "password": NEW}),
            json!({"token": token, "password": 5}),
            json!({"token": token, "password": "password1"}),
        ] {
            site.post("/wix/set-password").json(body).await.refuses(400, "-19988");
        }
        for nonsense in ["nonsense", "a\0b", &"x".repeat(5000)] {
            set(&site, nonsense, NEW).await.refuses(401, "-19972");
        }
        set(&site, &token, NEW).await.expect_status(204);
    }
}

/// Whatever the policy reveals elsewhere.
#[tokio::test]
async fn loopbacks_policy_reveals_nothing_here() {
    let site = Setup::new(gatekit::Policy::loopback()).start(Store::Memory).await;
    send(&site, "nobody@example.com").await.is(200, r#"{"accepted":true}"#);
}
