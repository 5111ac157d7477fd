//! Another password: by who has just logged in, and by who has lost it.

use std::time::Duration;

use gatekit::core::MailKind;
use gatekit_testkit::MailSink;
use gatekit_tests::{Call, at_once, count, on_every_store};
use serde_json::{Value, json};

use super::{CHANGE_PASSWORD, CLIENT, GrantAnswer, NEW_PASSWORD, RECOVER, SEND_EMAIL, SHOP};
use crate::site::{EMAIL, PASSWORD, Site, WixAnswer};

fn change(site: &Site, token: &str) -> Call {
    site.post(CHANGE_PASSWORD).json(json!({"newPassword": NEW_PASSWORD})).token(token)
}

fn send_email(site: &Site, email: &str) -> Call {
    let redirect = json!({"url": format!("{SHOP}/login"), "clientId": CLIENT});
    site.post(SEND_EMAIL).json(json!({"email": email, "redirect": redirect}))
}

fn recover(site: &Site, token: &str) -> Call {
    site.post(RECOVER).json(json!({"recoveryToken": token, "password": NEW_PASSWORD}))
}

on_every_store! {
    /// 7.4.3
    async fn who_has_just_logged_in_changes_the_password_and_all_sessions_end(store) {
        let site = Site::iam(store).await;
        let (here, there) = (site.tokens().await, site.tokens().await);
        change(&site, &here.access).await.is(200, "{}");
        for tokens in [&here, &there] {
            assert_eq!(site.me(&tokens.access).await, 401);
            site.refresh(&tokens.refresh).await.refuses_grant(400, "invalid_grant");
        }
        site.iam_login(EMAIL, PASSWORD).await.refuses(401, "-19976");
        site.iam_login(EMAIL, NEW_PASSWORD).await.expect_status(200);
    }

    /// 6.2.3, 7.5.1: who finds a session open does not take the account.
    async fn an_old_login_changes_nothing(store) {
        let site = Site::iam(store).await;
        let tokens = site.tokens().await;
        site.clock.advance(Duration::from_secs(600));
        change(&site, &tokens.access).await.refuses(403, "LOGIN_REQUIRED");
        let renewed = site.refresh(&tokens.refresh).await.expect_status(200).text("access_token");
        change(&site, &renewed).await.refuses(403, "LOGIN_REQUIRED");
        site.iam_login(EMAIL, PASSWORD).await.expect_status(200);
    }

    async fn who_is_nobody_changes_nothing(store) {
        let site = Site::iam(store).await;
        let visitor = site.token(json!({"grantType": "anonymous"})).await.text("access_token");
        let session = site.iam_session().await;
        for token in ["", "x", &visitor, &session] {
            change(&site, token).await.refuses(401, "-19984");
        }
        site.post(CHANGE_PASSWORD).json(json!({"newPassword": NEW_PASSWORD})).await.refuses(401, "-19984");
    }

    async fn a_password_that_is_not_accepted_ends_nothing(store) {
        let site = Site::iam(store).await;
        let tokens = site.tokens().await;
        for body in [json!({"newPassword": "short"}), json!({}), json!({"newPassword": 7})] {
            site.post(CHANGE_PASSWORD).json(body).token(&tokens.access).await.refuses(400, "-19988");
        }
        assert_eq!(site.me(&tokens.access).await, 200);
    }

    async fn a_lost_password_is_replaced_by_the_secret_from_the_mail(store) {
        let site = Site::iam(store).await;
        let tokens = site.tokens().await;
        send_email(&site, EMAIL).await.is(200, "{}");
        let mail = site.mails.wait_for_kind(MailKind::ResetPassword, 1).await.remove(0);
        let secret = MailSink::token_in(&mail).unwrap();
        let body = json!({"recoveryToken": secret, "password": "short"});
        site.post(RECOVER).json(body).await.refuses(400, "-19988");
        let answers = at_once((0..20).map(|_| recover(&site, &secret))).await;
        assert_eq!((count(&answers, 200), count(&answers, 401)), (1, 19));
        let won = answers.iter().find(|answer| answer.status == 200).unwrap().value();
        assert_eq!(won["state"], "SUCCESS");
        assert_eq!(site.me(&tokens.access).await, 401);
        site.apply(won["sessionToken"].as_str().unwrap()).await.expect_status(200);
        let _ = site.events.take();
        // 16.3.3: used or forged, it is an event.
        for secret in [&secret, "x".repeat(64).as_str()] {
            recover(&site, secret).await.refuses(401, "-19972");
            let names: Vec<_> = site.events.take().iter().map(|event| event.name()).collect();
            assert_eq!(names, ["authn_secret_fail"]);
        }
        site.iam_login(EMAIL, NEW_PASSWORD).await.expect_status(200);
    }

    async fn a_secret_that_is_not_good_replaces_nothing(store) {
        let site = Site::iam(store).await;
        send_email(&site, EMAIL).await.expect_status(200);
        let mail = site.mails.wait_for_kind(MailKind::ResetPassword, 1).await.remove(0);
        let late = MailSink::token_in(&mail).unwrap();
        site.clock.advance(Duration::from_secs(site.auth.policy().tokens.reset_ttl.unsigned_abs()));
        for token in [late.as_str(), "", "x", &"x".repeat(10_000)] {
            recover(&site, token).await.refuses(401, "-19972");
        }
        site.iam_login(EMAIL, PASSWORD).await.expect_status(200);
    }

    /// 6.3.8
    async fn an_unknown_address_is_answered_alike_after_the_same_work(store) {
        let site = Site::iam(store).await;
        let (known, _, calls) = site.cost(send_email(&site, EMAIL)).await;
        for email in ["nobody@example.com", "not an address"] {
            let (answer, _, same) = site.cost(send_email(&site, email)).await;
            assert_eq!((answer.as_sent(), same), (known.as_sent(), calls.clone()), "{email}");
        }
        // A blocked member gets none either.
        site.members.block_by_email(EMAIL).await.unwrap();
        let (answer, _, same) = site.cost(send_email(&site, EMAIL)).await;
        assert_eq!((answer.as_sent(), same), (known.as_sent(), calls));
    }

    /// O-1
    async fn nobody_is_led_elsewhere_after_it(store) {
        let site = Site::iam(store).await;
        for (redirect, code) in [
            (json!({"url": "https://evil.example/", "clientId": CLIENT}), "INVALID_REDIRECT"),
            (json!({"url": "//evil.example/"}), "INVALID_REDIRECT"),
            (json!({"url": "/", "clientId": "another"}), "INVALID_CLIENT"),
        ] {
            let body = json!({"email": EMAIL, "redirect": redirect});
            site.post(SEND_EMAIL).json(body).await.refuses(400, code);
        }
        for redirect in [Value::Null, json!({}), json!({"url": "/"})] {
            site.post(SEND_EMAIL).json(json!({"email": EMAIL, "redirect": redirect})).await.is(200, "{}");
        }
    }
}
