//! `approveByToken`, `approveByEmail`, `blockByEmail`.

use std::sync::Arc;
use std::time::Duration;

use gatekit::Policy;
use gatekit::wix::{ApprovalPolicy, ApprovalToken, RegistrationOptions, TokenError, WixError};
use gatekit_tests::{Store, on_every_store};
use tokio::sync::Barrier;

use crate::site::{EMAIL, PASSWORD, Setup, Site, WixAnswer};

async fn manual(store: Store) -> Site {
    Setup::new(Policy::default()).members(|members| members.approval(ApprovalPolicy::Manual)).start(store).await
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
}
