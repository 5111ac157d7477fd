//! What has ended stays ended: sessions after a logout, codes and passwords after the account has
//! got another.

use std::time::Duration;

use gatekit::core::AccountName;
use gatekit::wix::GenerateOptions;
use gatekit_testkit::Fault;
use gatekit_tests::{Store, on_every_store};
use serde_json::json;

use crate::iam::{CLIENT, GrantAnswer, REDIRECT_SESSION, Tokens};
use crate::site::{EMAIL, PASSWORD, Setup, Site, WixAnswer};

/// Longer than an access token lasts, shorter than its family.
const FIVE_HOURS: Duration = Duration::from_secs(5 * 3600);

async fn user(site: &Site) -> gatekit::wix::MemberUser {
    site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user
}

on_every_store! {
    /// 7.4.1: whoever copied the refresh token cannot wait until the access token would have ended
    /// by itself.
    async fn a_logout_at_the_members_routes_ends_the_refresh_token_for_good(store) {
        for header in ["", "Bearer "] {
            let site = Site::iam_for_sdk(store).await;
            let (here, there) = (site.tokens().await, site.tokens().await);
            let access = format!("{header}{}", here.access);
            site.post("/wix/logout").header("authorization", access).await.expect_status(204);
            site.clock.advance(FIVE_HOURS);
            site.refresh(&here.refresh).await.refuses_grant(400, "invalid_grant");
            site.refresh(&there.refresh).await.expect_status(200);
        }
    }

    /// Who signs up with the address of somebody else has no password to the account that its owner
    /// comes to by single sign-on.
    async fn a_password_from_before_the_app_vouched_for_the_address_lets_nobody_in(store) {
        let site = Setup::new(Site::verifying()).start(store).await;
        site.sign_up(EMAIL).await;
        site.login(EMAIL, PASSWORD).await.refuses(428, "EMAIL_VERIFICATION_REQUIRED");
        let options = GenerateOptions::default().email_verified(true);
        let token = site.members.generate_session_token_with(EMAIL, options).await.unwrap();
        site.login(EMAIL, PASSWORD).await.refuses(401, "-19976");
        site.apply(token.expose()).await.expect_status(200);
        // A member whose address is proven keeps its password.
        site.auth.set_password(&user(&site).await.id, "another battery staple".into(), None).await.unwrap();
        let token = site.members.generate_session_token_with(EMAIL, options).await.unwrap();
        site.apply(token.expose()).await.expect_status(200);
        site.login(EMAIL, "another battery staple").await.expect_status(200);
    }

    /// 6.6.2: a state is for who knew the password when it was made. It brings no codes once there
    /// is another, or nothing left to prove.
    async fn a_state_brings_no_codes_once_there_is_another_password(store) {
        for proven in [false, true] {
            let site = Setup::new(Site::verifying()).start(store).await;
            let body = json!({"email": EMAIL, "password": PASSWORD});
            let state = site.post("/wix/register").json(body).await.expect_status(200).text("stateToken");
            site.code(1).await;
            let resend = || site.post("/wix/resend-verification").json(json!({"stateToken": state}));
            let user = user(&site).await;
            if proven {
                let verified = json!({"emailVerified": true}).as_object().unwrap().clone();
                site.auth.update_user(gatekit::core::UpdateUser::patch(user.id, verified).trusted()).await.unwrap();
            } else {
                site.auth.set_password(&user.id, "another battery staple".into(), None).await.unwrap();
            }
            let answer = resend().await.expect_status(200);
            assert_eq!(answer.text("stateToken").len(), state.len());
            site.auth.settled().await;
            assert_eq!(site.codes().len(), 1, "proven: {proven}");
        }
    }
}

/// RACE-8: of a renewal that has stored its tokens and not yet answered, nothing is left by a
/// logout.
#[tokio::test(start_paused = true)]
async fn a_logout_ends_what_a_renewal_has_just_made() {
    for path in ["/wix/logout", REDIRECT_SESSION] {
        let site = Site::iam(Store::Memory).await;
        let Tokens { access, refresh } = site.tokens().await;
        // The family has its new tokens at once, and the renewal goes on after a second.
        site.faults.every_call_of("replace_one_time", Fault::Late(Duration::from_secs(1)));
        let logout = async {
            tokio::time::sleep(Duration::from_millis(500)).await;
            let body = json!({"logout": {"clientId": CLIENT}, "callbacks": {"postFlowUrl": "/"}});
            let answer = site.post(path).token(&access).json(body).await;
            assert!(answer.status.is_success(), "{answer:?}");
        };
        let (renewed, ()) = tokio::join!(site.refresh(&refresh).into_future(), logout);
        if renewed.status == 200 {
            assert_eq!(site.me(&Tokens::of(&renewed).access).await, 401);
        }
        assert!(site.auth.list_tokens(&user(&site).await.id).await.unwrap().is_empty(), "{path} {renewed:?}");
    }
}
