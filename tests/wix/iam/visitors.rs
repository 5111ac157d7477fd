//! `POST /oauth2/token` for visitors.

use std::time::Duration;

use gatekit::wix::{SiteId, WixMembers};
use gatekit_tests::on_every_store;
use serde_json::json;

use super::{GrantAnswer, Tokens};
use crate::site::{COLLECTION, Site, approval_keys, session_keys};

on_every_store! {
    async fn a_visitor_is_known_by_its_token_for_four_hours_and_nothing_is_stored(store) {
        let site = Site::iam(store).await;
        site.faults.reset();
        let answer = site.token(json!({"grantType": "anonymous"})).await.expect_status(200);
        let answer = answer.expect_header("cache-control", "no-store");
        assert_eq!(answer.value()["expires_in"], 14_400);
        assert_eq!(answer.value()["token_type"], "Bearer");
        assert_eq!(site.faults.calls(), [""; 0]);
        let visitor = Tokens::of(&answer);
        let known = site.members.visitor(&visitor.access).unwrap();
        assert_eq!((known.client_id.as_str(), known.id.len()), (crate::iam::CLIENT, 32));
        assert!(site.members.visitor(&visitor.refresh).is_none());

        site.clock.advance(Duration::from_secs(14_400));
        assert!(site.members.visitor(&visitor.access).is_none());
        let renewed = Tokens::of(&site.refresh(&visitor.refresh).await.expect_status(200));
        assert_eq!(site.members.visitor(&renewed.access).unwrap(), known);
        assert_eq!(site.faults.calls(), [""; 0]);

        // The first one ends; that of the renewal lasts on.
        site.clock.advance(Duration::from_secs(14 * 24 * 3600 - 14_400));
        site.refresh(&visitor.refresh).await.refuses_grant(400, "invalid_grant");
        site.refresh(&renewed.refresh).await.expect_status(200);
    }

    /// 9.2.3: sites that share their keys do not share their visitors.
    async fn another_clients_visitor_is_nobody(store) {
        let site = Site::iam(store).await;
        let other = WixMembers::builder(site.auth.clone(), SiteId::new(COLLECTION).unwrap(), session_keys(), approval_keys());
        let other = other.build().unwrap();
        let token = site.token(json!({"grantType": "anonymous"})).await.expect_status(200).text("access_token");
        assert!(site.members.visitor(&token).is_some());
        assert!(other.visitor(&token).is_none());
    }

    async fn every_visitor_is_another(store) {
        let site = Site::iam(store).await;
        let mut seen = std::collections::HashSet::new();
        for _ in 0..20 {
            let answer = site.token(json!({"grantType": "anonymous"})).await.expect_status(200);
            assert!(seen.insert(site.members.visitor(&answer.text("access_token")).unwrap().id));
        }
    }

    /// V-110
    async fn only_the_known_client_gets_tokens(store) {
        let site = Site::iam(store).await;
        for client in [json!("another"), json!(""), json!(null), json!(7), json!([crate::iam::CLIENT])] {
            let asked = json!({"grantType": "anonymous", "clientId": client});
            site.token(asked).await.refuses_grant(401, "invalid_client");
        }
        for grant in ["password", "client_credentials", "authorized_client", ""] {
            site.token(json!({"grantType": grant})).await.refuses_grant(400, "unsupported_grant_type");
        }
        site.token(json!({})).await.refuses_grant(400, "invalid_request");
    }
}
