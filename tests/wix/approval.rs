//! `approveByToken`, `approveByEmail`, `blockByEmail`.

use std::sync::Arc;
use std::time::Duration;

use gatekit::Policy;
use gatekit::core::MailKind;
use gatekit::wix::{ApprovalPolicy, ApprovalToken, RegistrationOptions, TokenError, WixError};
use gatekit_tests::{Store, on_every_store};
use serde_json::json;
use tokio::sync::Barrier;

use crate::site::{EMAIL, PASSWORD, Setup, Site, WixAnswer};

async fn manual(store: Store) -> Site {
    Setup::new(Policy::default()).members(|members| members.approval(ApprovalPolicy::Manual)).start(store).await
}

const OWNER: &str = "owner@example.com";

/// The same, where the owner is told who waits.
async fn told(store: Store, policy: Policy) -> Site {
    let members = |members: gatekit::wix::WixMembersBuilder| {
        members.approval(ApprovalPolicy::Manual).approver(OWNER).approval_page("/approve#{token}")
    };
    Setup::new(policy).members(members).start(store).await
}

/// A pending member, and what approves of it.
async fn pending(site: &Site) -> ApprovalToken {
    let new = site.members.register(EMAIL, PASSWORD, RegistrationOptions::default()).await.unwrap();
    assert!(new.session_token.is_none());
    new.approval_token.unwrap()
}

async fn why(site: &Site, token: &ApprovalToken) -> TokenError {
    match site.members.approve_by_token(token).await {
        Err(WixError::InvalidApprovalToken(error)) => error,
        other => panic!("{other:?}"),
    }
}

on_every_store! {
    async fn who_is_approved_of_can_log_in(store) {
        let site = manual(store).await;
        let token = pending(&site).await;
        site.login(EMAIL, PASSWORD).await.refuses(403, "-19958");
        let session = site.members.approve_by_token(&token).await.unwrap();
        site.apply(session.expose()).await.expect_status(200);
        site.login(EMAIL, PASSWORD).await.expect_status(200);
        assert_eq!(why(&site, &token).await, TokenError::Used);
    }

    /// J-17: of twenty, one approves.
    async fn an_approval_token_works_once(store) {
        let site = Arc::new(manual(store).await);
        let token = pending(&site).await;
        let barrier = Arc::new(Barrier::new(20));
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (site, token, barrier) = (Arc::clone(&site), token.clone(), Arc::clone(&barrier));
                tokio::spawn(async move {
                    barrier.wait().await;
                    site.members.approve_by_token(&token).await.is_ok()
                })
            })
            .collect();
        let mut approved = 0;
        for task in tasks {
            approved += usize::from(task.await.unwrap());
        }
        assert_eq!(approved, 1);
    }

    async fn an_approval_token_is_good_for_30_hours(store) {
        let site = manual(store).await;
        let token = pending(&site).await;
        // It is made of whole seconds; this one was made 266 ms into its first.
        site.clock.advance(Duration::from_millis(30 * 3_600_000 - 266));
        assert_eq!(why(&site, &token).await, TokenError::Expired);
        let token = site.members.approval_token(EMAIL).await.unwrap();
        site.clock.advance(Duration::from_millis(30 * 3_600_000 - 1));
        site.members.approve_by_token(&token).await.unwrap();
    }

    /// 7.4.2: what was decided meanwhile counts.
    async fn an_approval_token_is_outdated_by_a_block(store) {
        let site = manual(store).await;
        let token = pending(&site).await;
        site.members.block_by_email(EMAIL).await.unwrap();
        assert_eq!(why(&site, &token).await, TokenError::Outdated);
        assert!(matches!(site.members.approval_token(EMAIL).await, Err(WixError::Conflict)));
        site.members.approve_by_email(EMAIL).await.unwrap();
        assert_eq!(why(&site, &token).await, TokenError::Outdated);
        site.login(EMAIL, PASSWORD).await.expect_status(200);
    }

    async fn an_approval_token_can_be_made_again(store) {
        let site = manual(store).await;
        let first = pending(&site).await;
        // Within the same second it is the same.
        let second = site.members.approval_token(EMAIL).await.unwrap();
        assert_eq!(first.expose(), second.expose());
        site.clock.advance(Duration::from_secs(1));
        let third = site.members.approval_token(EMAIL).await.unwrap();
        assert_ne!(first.expose(), third.expose());
        site.members.approve_by_token(&first).await.unwrap();
        assert_eq!(why(&site, &third).await, TokenError::Outdated);
        assert!(matches!(site.members.approval_token("nobody@example.com").await, Err(WixError::UnknownMember)));
    }

    async fn a_member_is_approved_and_blocked_by_address(store) {
        let site = manual(store).await;
        pending(&site).await;
        let session = site.members.approve_by_email(EMAIL).await.unwrap();
        site.apply(session.expose()).await.expect_status(200);
        site.members.block_by_email(EMAIL).await.unwrap();
        site.login(EMAIL, PASSWORD).await.refuses(403, "-19956");
        site.members.block_by_email(EMAIL).await.unwrap();
        // Approval lets in again who was blocked.
        let session = site.members.approve_by_email(EMAIL).await.unwrap();
        site.apply(session.expose()).await.expect_status(200);
        for refused in [
            site.members.approve_by_email("nobody@example.com").await.map(|_| ()),
            site.members.block_by_email("nobody@example.com").await,
        ] {
            assert!(matches!(refused, Err(WixError::UnknownMember)));
        }
    }

    /// To approve of who is approved ends no session.
    async fn an_approved_member_stays_logged_in(store) {
        let site = Site::new(store).await;
        let token = site.access_token().await;
        let again = site.members.approve_by_email(EMAIL).await.unwrap();
        site.get("/me").header("authorization", &token).await.expect_status(200);
        site.apply(again.expose()).await.expect_status(200);
    }

    /// The owner is told of each member that waits, with a link to approve of it; the member is
    /// told once it is approved of.
    async fn the_owner_is_told_who_waits_and_the_member_that_it_was_approved_of(store) {
        let site = told(store, Policy::default()).await;
        let profile = json!({"email": EMAIL, "password": PASSWORD, "contactInfo": {"language": "de"}});
        site.post("/wix/register").json(profile).await.expect_status(200);
        site.auth.settled().await;
        let mails = site.mails.wait_for_kind(MailKind::ApprovalRequested, 1).await;
        assert_eq!(mails[0].to, OWNER);
        assert!(mails[0].text.contains(EMAIL), "{}", mails[0].text);
        let link = mails[0].link.clone().unwrap();
        let token = link.strip_prefix("https://app.example.com/approve#").unwrap();
        site.members.approve_by_token(&token.into()).await.unwrap();
        site.auth.settled().await;
        let mails = site.mails.wait_for_kind(MailKind::AccountApproved, 1).await;
        assert_eq!((mails[0].to.as_str(), mails[0].subject.as_str()), (EMAIL, "Ihr Konto ist freigegeben"));

        // Approved by address, told the same. Once: nobody is told of what was so already.
        site.post("/wix/register").json(json!({"email": "bob@example.com", "password": PASSWORD})).await.expect_status(200);
        for _ in 0..2 {
            site.members.approve_by_email("bob@example.com").await.unwrap();
        }
        site.members.block_by_email("bob@example.com").await.unwrap();
        site.members.approve_by_email("bob@example.com").await.unwrap();
        site.auth.settled().await;
        assert_eq!(site.mails.wait_for_kind(MailKind::AccountApproved, 2).await.len(), 2);
    }

    /// Where addresses are verified, the owner hears of nobody whose address may be made up.
    async fn the_owner_is_told_once_the_address_is_verified(store) {
        let site = told(store, Site::verifying()).await;
        let state = site.post("/wix/register").json(json!({"email": EMAIL, "password": PASSWORD})).await.text("stateToken");
        let code = site.code(1).await;
        assert!(!site.mails.mails().iter().any(|mail| mail.kind == MailKind::ApprovalRequested));
        site.post("/wix/verify").json(json!({"code": code, "stateToken": state})).await.refuses(403, "-19958");
        site.auth.settled().await;
        assert_eq!(site.mails.wait_for_kind(MailKind::ApprovalRequested, 1).await.len(), 1);
    }

    /// LOAD: strangers who sign up fill no mailbox. Whoever waits is in the list.
    async fn the_owner_gets_twenty_mails_an_hour_and_everybody_is_in_the_list(store) {
        let site = told(store, Policy::default()).await;
        for n in 0..25 {
            let body = json!({"email": format!("{n}@example.com"), "password": PASSWORD});
            site.post("/wix/register").json(body).await.expect_status(200);
        }
        site.auth.settled().await;
        assert_eq!(site.mails.wait_for_kind(MailKind::ApprovalRequested, 20).await.len(), 20);
        let (mut listed, mut after) = (Vec::new(), None);
        loop {
            let part = site.members.pending_members(after.as_ref(), 10).await.unwrap();
            let Some(last) = part.last() else { break };
            after = Some(last.id.clone());
            listed.extend(part.into_iter().map(|member| member.login_email.unwrap()));
        }
        assert_eq!(listed, (0..25).map(|n| format!("{n}@example.com")).collect::<Vec<_>>());
        site.members.approve_by_email("7@example.com").await.unwrap();
        assert_eq!(site.members.pending_members(None, 100).await.unwrap().len(), 24);
    }

    /// A mail that cannot be sent, or a store that does not count, is not the new member's matter.
    async fn a_sign_up_does_not_depend_on_what_the_owner_is_told(store) {
        let site = told(store, Policy::default()).await;
        site.faults.every_call_of("add_event", gatekit_testkit::Fault::Fail);
        site.post("/wix/register").json(json!({"email": EMAIL, "password": PASSWORD})).await.expect_status(200);
        site.login(EMAIL, PASSWORD).await.refuses(403, "-19958");
    }

    /// `-19973`: the owner has reset the password. It tells so only to who knows the old one, and
    /// lets in nobody by it.
    async fn a_password_that_the_owner_has_reset_must_be_chosen_anew(store) {
        let site = Site::new(store).await;
        let access = site.access_token().await;
        let session = site.session_token().await;
        site.members.reset_password_by_email(EMAIL).await.unwrap();
        assert_eq!(site.get("/me").token(&access).await.status, 401);
        site.apply(&session).await.refuses(401, "-19984");
        for _ in 0..2 {
            site.login(EMAIL, PASSWORD).await.refuses(403, "-19973");
        }
        let wrong = site.login(EMAIL, "a wrong password").await.refuses(401, "-19976");
        let nobody = site.login("nobody@example.com", PASSWORD).await.refuses(401, "-19976");
        assert_eq!(wrong.value(), nobody.value());
        // Neither the app's code nor the owner's approval goes around it.
        assert!(matches!(site.members.generate_session_token(EMAIL).await, Err(WixError::PasswordReset)));
        assert!(matches!(site.members.approve_by_email(EMAIL).await, Err(WixError::PasswordReset)));
        let login = gatekit::Login::email(EMAIL, PASSWORD);
        assert!(matches!(site.auth.login(login).await, Err(gatekit::core::LoginError::PasswordReset)));

        site.auth.settled().await;
        let mails = site.mails.wait_for_kind(MailKind::SetPassword, 1).await;
        let secret = gatekit_testkit::MailSink::token_in(&mails[0]).unwrap();
        let new = json!({"token": secret, "password": "wrong giraffe charger paperclip"});
        site.post("/wix/set-password").json(new).await.expect_status(204);
        site.login(EMAIL, PASSWORD).await.refuses(401, "-19976");
        site.login(EMAIL, "wrong giraffe charger paperclip").await.expect_status(200);
    }

    async fn only_the_password_of_an_approved_member_can_be_reset(store) {
        let site = manual(store).await;
        pending(&site).await;
        assert!(matches!(site.members.reset_password_by_email(EMAIL).await, Err(WixError::Conflict)));
        site.members.block_by_email(EMAIL).await.unwrap();
        assert!(matches!(site.members.reset_password_by_email(EMAIL).await, Err(WixError::Conflict)));
        assert!(matches!(site.members.reset_password_by_email("x@example.com").await, Err(WixError::UnknownMember)));
    }
}
