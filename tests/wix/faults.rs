//! A store that fails: 503 in Wix' envelope, never a login, a logout or an answer.

use gatekit::core::MailKind;
use gatekit::wix::{ApprovalPolicy, GenerateOptions, SetPasswordEmailOptions, WixError};
use gatekit_testkit::{Fault, MailSink};
use gatekit_tests::on_every_store;
use serde_json::json;

use crate::site::{EMAIL, PASSWORD, Setup, Site, WixAnswer};

on_every_store! {
    /// REL-1, architecture invariant 4: whichever call fails, the answer is 503 or what it would
    /// have been.
    async fn whichever_call_fails_nobody_gets_in_by_it(store) {
        let site = Site::new(store).await;
        let cookie = site.apply(&site.session_token().await).await.cookie().unwrap();
        let cookie = cookie.split(';').next().unwrap();
        for fault in [Fault::Fail, Fault::FailAfter] {
            site.faults.every(fault);
            for call in [
                site.login(EMAIL, PASSWORD),
                site.login("nobody@example.com", PASSWORD),
                site.post("/wix/register").json(json!({"email": "new@example.com", "password": PASSWORD})),
                site.post("/wix/verify").json(json!({"code": "123456", "stateToken": "x"})),
                site.post("/wix/resend-verification").json(json!({"stateToken": "x"})),
                site.post("/wix/send-set-password-email").json(json!({"email": EMAIL})),
                site.post("/wix/set-password").json(json!({"token": "x", "password": PASSWORD})),
                site.post("/wix/logout").cookie(cookie),
                site.get("/wix/current-member").cookie(cookie),
            ] {
                call.await.tells_to_try_later();
            }
            site.faults.reset();
        }
        site.get("/me").cookie(cookie).await.expect_status(200);
    }

    /// A token is applied whole or not at all: whichever call to the store fails, there is no
    /// session without an answer of 200.
    async fn a_token_is_applied_whole_or_not_at_all(store) {
        for fault in [Fault::Fail, Fault::FailAfter] {
            let mut reached = 0;
            for nth in 1..20 {
                let site = Site::new(store).await;
                let user = site.auth.find_account(&gatekit::core::AccountName::email(EMAIL)).await.unwrap().unwrap().user;
                let token = site.session_token().await;
                site.faults.reset();
                site.faults.nth(nth, fault);
                let answer = site.apply(&token).await;
                let calls = site.faults.calls().len();
                site.faults.reset();
                let sessions = site.auth.list_tokens(&user.id).await.unwrap().len();
                if answer.status == 200 {
                    assert!(answer.cookie().is_some() && sessions == 1, "{nth}: {answer:?}");
                } else {
                    assert_eq!(answer.cookie(), None);
                    // A token whose storing was not acknowledged is nobody's: its secret was told
                    // to none.
                    assert!(sessions == 0 || fault == Fault::FailAfter, "{nth}: {answer:?}");
                    answer.tells_to_try_later();
                    reached += 1;
                }
                if calls < nth {
                    break;
                }
            }
            assert!(reached >= 4, "{fault:?}: {reached}");
        }
    }

    /// A store that fails before the token is taken leaves it as good as it was.
    async fn a_token_that_could_not_be_looked_up_can_be_applied_later(store) {
        let site = Site::new(store).await;
        let token = site.session_token().await;
        for method in ["find_one_time", "find_user"] {
            site.faults.nth_call_of(method, 1, Fault::Fail);
            site.apply(&token).await.tells_to_try_later();
        }
        site.apply(&token).await.expect_status(200);
    }

    async fn functions_say_that_it_cannot_be_done_now(store) {
        let setup = Setup::new(Site::verifying()).members(|members| members.approval(ApprovalPolicy::Manual));
        let site = setup.start(store).await;
        let new = site.members.register(EMAIL, PASSWORD, Default::default()).await.unwrap();
        let approval = new.approval_token.unwrap();
        let id = new.member.unwrap().id;
        site.faults.every(Fault::Fail);
        let failures = [
            site.members.login(EMAIL, PASSWORD).await.map(|_| ()),
            site.members.generate_session_token(EMAIL).await.map(|_| ()),
            site.members.generate_session_token_with("x@example.com", GenerateOptions::default()).await.map(|_| ()),
            site.members.approve_by_token(&approval).await.map(|_| ()),
            site.members.approve_by_email(EMAIL).await.map(|_| ()),
            site.members.approval_token(EMAIL).await.map(|_| ()),
            site.members.block_by_email(EMAIL).await,
            site.members.change_login_email(&id, "new@example.com").await.map(|_| ()),
            site.members.send_set_password_email(EMAIL, SetPasswordEmailOptions::default()).await,
            site.members.set_password("x", PASSWORD, Default::default()).await,
            site.members.register("new@example.com", PASSWORD, Default::default()).await.map(|_| ()),
        ];
        for (number, failure) in failures.into_iter().enumerate() {
            assert!(matches!(failure, Err(WixError::Unavailable(_))), "{number}: {failure:?}");
        }
        site.faults.reset();
        // Nothing of it has happened.
        site.members.approve_by_token(&approval).await.unwrap();
    }

    async fn when_a_login_could_not_be_noted_it_is_one_all_the_same(store) {
        let site = Site::new(store).await;
        let token = site.session_token().await;
        site.faults.every_call_of("update_user", Fault::Fail);
        site.apply(&token).await.expect_status(200);
    }

    /// REL-10
    async fn a_mailer_that_fails_is_not_the_requests_matter(store) {
        let site = Site::new(store).await;
        site.mails.behave(gatekit_testkit::MailBehavior::Fail);
        site.post("/wix/send-set-password-email").json(json!({"email": EMAIL})).await.expect_status(200);
        site.auth.settled().await;
        site.mails.behave(gatekit_testkit::MailBehavior::Deliver);
        site.post("/wix/send-set-password-email").json(json!({"email": EMAIL})).await.expect_status(200);
        let mails = site.mails.wait_for_kind(MailKind::SetPassword, 1).await;
        assert!(MailSink::token_in(&mails[0]).is_some());
    }
}
