//! What happens while a session token is being applied counts, and so does where the layer keeps
//! who is signed in.

use std::sync::{Arc, OnceLock};

use axum::Router;
use gatekit::core::{AccountName, AccountStatus};
use gatekit::tower_sessions::SessionManagerLayer;
use gatekit::wix::{MemberUser, TokenError, WixError};
use gatekit::{Auth, AuthLayer, HookVeto, Hooks, Policy, TokenSource, TokenSources};
use gatekit_tests::{Answer, on_every_store};
use tower_sessions::MemoryStore;

use crate::site::{EMAIL, ORIGIN, PASSWORD, Setup, Site, WixAnswer};

/// Changes the account between the moment when a session token is taken and the moment when a token
/// is issued for it.
#[derive(Clone, Default)]
struct Meanwhile(Arc<OnceLock<(Auth<MemberUser>, AccountStatus)>>);

#[gatekit::async_trait]
impl Hooks<MemberUser> for Meanwhile {
    async fn before_login(&self, user: &MemberUser) -> Result<(), HookVeto> {
        if let Some((auth, status)) = self.0.get() {
            match status {
                AccountStatus::Active => auth.set_password(&user.id, "another battery".into(), None).await.unwrap(),
                status => drop(auth.set_account_status(&user.id, *status).await.unwrap()),
            }
        }
        Ok(())
    }
}

on_every_store! {
    /// RACE-9, RACE-10: no session outlives what ends the member's sessions, however close it
    /// comes.
    async fn a_member_that_changes_meanwhile_is_not_logged_in(store) {
        for status in [AccountStatus::Active, AccountStatus::Blocked] {
            let meanwhile = Meanwhile::default();
            let hook = meanwhile.clone();
            let site = Setup::new(Policy::default()).auth(|auth| auth.hooks(hook)).start(store).await;
            site.sign_up(EMAIL).await;
            let token = site.members.generate_session_token(EMAIL).await.unwrap();
            meanwhile.0.set((site.auth.clone(), status)).map_err(|_| "twice").unwrap();
            let refused = site.members.apply_session_token(&token).await.unwrap_err();
            assert!(matches!(refused, WixError::InvalidSessionToken(TokenError::Outdated)), "{refused}");
            let user = site.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap().user;
            assert!(site.auth.list_tokens(&user.id).await.unwrap().is_empty());
        }
    }

    /// Where the layer has a session of tower-sessions, the member is signed in there.
    async fn a_session_can_be_kept_on_the_server(store) {
        let mut site = Site::new(store).await;
        let layer = AuthLayer::new(site.auth.clone()).sources(TokenSources::new([TokenSource::session()]));
        let sessions = SessionManagerLayer::new(MemoryStore::default());
        site.router = Router::new().nest("/wix", site.members.router()).layer(layer).layer(sessions);
        let answer = site.apply(&site.session_token().await).await.expect_status(200);
        assert_eq!(answer.cookie(), None);
        let session = session_cookie(&answer);
        let shown = site.get("/wix/current-member?fieldsets=FULL").header("cookie", &session).await.value();
        assert_eq!(shown["member"]["loginEmail"], EMAIL);
        // Another login, another id (7.2.4).
        let token = site.login(EMAIL, PASSWORD).await.text("sessionToken");
        let again = site.apply(&token).header("cookie", &session).await.expect_status(200);
        assert_ne!(session_cookie(&again), session);
        site.get("/wix/current-member").header("cookie", &session).await.is(200, r#"{"member":null}"#);
        let session = session_cookie(&again);
        let logout = site.post("/wix/logout").header("cookie", &session).header("origin", ORIGIN);
        logout.await.expect_status(204);
        site.get("/wix/current-member").header("cookie", &session).await.is(200, r#"{"member":null}"#);
    }
}

fn session_cookie(answer: &Answer) -> String {
    answer.header("set-cookie").split(';').next().unwrap().to_owned()
}
