//! A stream that was opened with a token of CM-Well's ends with the token.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use gatekit::core::{AccountName, Ended};
use gatekit::{AccountStatus, AuthLayer, Caller, Policy, TokenEnd};
use gatekit_tests::{Call, on_every_store};

use crate::site::{NAME, Site};

/// The wait for the end of a token, as a handler has it.
async fn wait_for(site: &Site, token: &str) -> Ended {
    let kept = Arc::new(Mutex::new(None));
    let keep = Arc::clone(&kept);
    let handler = async move |Caller(caller): Caller| *keep.lock().unwrap() = Some(caller.ended());
    let layer = AuthLayer::new(site.cmwell.authenticator()).sources(site.cmwell.token_sources());
    let router: Router = Router::new().route("/", get(handler)).layer(layer);
    Call::new(&router, "GET", "/").header("X-CM-WELL-TOKEN", token).await.expect_status(200);
    kept.lock().unwrap().take().unwrap()
}

async fn within(ended: Ended) -> TokenEnd {
    tokio::time::timeout(Duration::from_secs(20), ended).await.expect("it ends in time")
}

async fn site(recheck: Duration, store: gatekit_tests::Store) -> Site {
    let mut policy = Policy::default();
    policy.tokens.recheck = recheck;
    Site::with().policy(policy).start(store).await.registered().await
}

on_every_store! {
    /// 7.4.1, 7.4.2: at once, though such a token is stored nowhere.
    async fn a_wait_ends_at_once_when_the_user_changes(store) {
        for end in ["logout-everywhere", "blocked", "deleted"] {
            let site = site(Duration::from_secs(3600), store).await;
            let user = site.auth.find_account(&AccountName::username(NAME)).await.unwrap().unwrap().user.id;
            let wait = tokio::spawn(wait_for(&site, &site.token().await).await);
            match end {
                "logout-everywhere" => assert!(site.auth.logout_everywhere(&user, None).await.unwrap()),
                "blocked" => _ = site.auth.set_account_status(&user, AccountStatus::Blocked).await.unwrap(),
                _ => assert!(site.auth.delete_user(&user).await.unwrap()),
            }
            let ended = tokio::time::timeout(Duration::from_secs(20), wait).await;
            assert_eq!(ended.expect("it ends in time").unwrap(), TokenEnd::Revoked, "{end}");
        }
    }

    async fn a_wait_ends_when_the_token_expires(store) {
        let site = site(Duration::from_millis(20), store).await;
        let wait = wait_for(&site, &site.token().await).await;
        site.clock.advance(Duration::from_secs(24 * 3600));
        assert_eq!(within(wait).await, TokenEnd::Expired);
    }
}
