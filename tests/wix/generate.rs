//! `generateSessionToken` and `changeLoginEmail`: functions for trusted callers.

use gatekit::core::{AccountName, MailKind};
use gatekit::wix::{GenerateOptions, MemberId, SiteId, WixError};
use gatekit_tests::on_every_store;

use crate::site::{COLLECTION, EMAIL, PASSWORD, Setup, Site, WixAnswer, site_id};

on_every_store! {
    async fn the_app_logs_a_member_in_without_a_password(store) {
        let site = Site::new(store).await;
        let token = site.members.generate_session_token(EMAIL).await.unwrap();
        site.apply(token.expose()).await.expect_status(200);
        site.apply(token.expose()).await.refuses(401, "-19984");
    }

    /// Wix makes a member of whatever address there is; here nobody becomes one by mistake.
    async fn a_member_is_made_only_if_the_app_says_so(store) {
        let site = Site::new(store).await;
        let unknown = site.members.generate_session_token("new@example.com").await;
        assert!(matches!(unknown, Err(WixError::UnknownMember)));
        let options = GenerateOptions::default().create_if_missing(true).email_verified(true);
        let token = site.members.generate_session_token_with("new@example.com", options).await.unwrap();
        let answer = site.apply(token.expose()).await.expect_status(200);
        assert_eq!(answer.value()["member"]["loginEmail"], "new@example.com");
        let account = site.auth.find_account(&AccountName::email("new@example.com")).await.unwrap().unwrap();
        assert_eq!(account.user.email_verified, Some(true));
        assert!(account.password_mark.is_some(), "a password that nobody knows");
        let invalid = site.members.generate_session_token_with("nope", options).await;
        assert!(matches!(invalid, Err(WixError::Invalid(_))));
    }

    async fn nobody_is_logged_in_who_may_not(store) {
        let site = Site::new(store).await;
        site.members.block_by_email(EMAIL).await.unwrap();
        assert!(matches!(site.members.generate_session_token(EMAIL).await, Err(WixError::Blocked)));
    }

    /// An address that has to be proven has to be so for this login, too.
    async fn an_address_that_is_not_proven_gets_no_session(store) {
        let site = Setup::new(Site::verifying()).start(store).await;
        let options = GenerateOptions::default().create_if_missing(true);
        let token = site.members.generate_session_token_with(EMAIL, options).await.unwrap();
        let refused = site.apply(token.expose()).await.refuses(428, "EMAIL_VERIFICATION_REQUIRED");
        assert_eq!(refused.value()["details"]["applicationError"]["data"], serde_json::json!({}));
        // The app has seen that the address is the member's.
        let token = site.members.generate_session_token_with(EMAIL, options.email_verified(true)).await.unwrap();
        site.apply(token.expose()).await.expect_status(200);
    }

    /// 6.3.7, 7.4.3
    async fn another_address_ends_the_sessions_and_the_old_one_is_told(store) {
        let site = Site::new(store).await;
        let (session, access) = (site.session_token().await, site.access_token().await);
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        let id = site.members.member_id(&user);
        let member = site.members.change_login_email(&id, "Ada.L@example.com").await.unwrap();
        assert_eq!((member.login_email.as_deref(), &member.id), (Some("ada.l@example.com"), &id));
        site.apply(&session).await.refuses(401, "-19984");
        site.get("/me").header("authorization", &access).await.expect_status(401);
        site.login(EMAIL, PASSWORD).await.refuses(401, "-19976");
        site.login("ada.l@example.com", PASSWORD).await.expect_status(200);
        let mails = site.mails.wait_for_kind(MailKind::EmailChanged, 1).await;
        assert_eq!(mails[0].to, EMAIL);
    }

    async fn another_address_must_be_one_and_free(store) {
        let site = Site::new(store).await;
        site.sign_up("bob@example.com").await;
        let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
        let id = site.members.member_id(&user);
        let change = async |id: &MemberId, new: &str| site.members.change_login_email(id, new).await.unwrap_err();
        assert!(matches!(change(&id, "Bob@example.com").await, WixError::EmailTaken));
        assert!(matches!(change(&id, "nope").await, WixError::Invalid(_)));
        assert!(matches!(change(&id, "").await, WixError::EmailMissing | WixError::Invalid(_)));
        let elsewhere = MemberId::of(&SiteId::new(COLLECTION).unwrap(), &user.id);
        for nobody in [elsewhere, MemberId::of(&site_id(), &4711.into()), MemberId::from_text("nonsense")] {
            assert!(matches!(change(&nobody, "new@example.com").await, WixError::UnknownMember), "{nobody}");
        }
        site.login(EMAIL, PASSWORD).await.expect_status(200);
    }
}
