//! A client that hangs up: what takes several steps is done whole, or not at all (REL-26).

use gatekit::core::{PathLevel, PathLevels, PathPermission, PermissionHolder, Permissions};
use gatekit::{Event, User};
use gatekit_testkit::Fault;
use gatekit_tests::{Store, on_every_store, whole_or_nothing};
use serde_json::json;

use crate::digest::site as digest;
use crate::site::{NAME, PASSWORD, Site};

const NEW: &str = "another horse battery";

fn names(events: &[Event<User>]) -> Vec<String> {
    let name = |event: &Event<User>| format!("{event:?}").split([' ', '{']).next().unwrap_or_default().to_owned();
    events.iter().map(name).collect()
}

async fn site(store: Store) -> (Site, String) {
    let site = Site::new(store).await;
    let token = site.token().await;
    site.auth.settled().await;
    let _ = site.events.take();
    site.faults.every(Fault::Yield);
    (site, token)
}

async fn outcome((site, token): &(Site, String)) -> String {
    site.auth.settled().await;
    let mails: Vec<_> = site.mails.mails().iter().map(|mail| mail.kind).collect();
    let me = site.me(token).await.status;
    format!("{me}, {:?}, {mails:?}", names(&site.events.events()))
}

on_every_store! {
    /// REL-26
    async fn a_login_and_a_new_password_are_whole(store) {
        let world = async || site(store).await;
        let login = async |(site, _): &(Site, String)| site.login(NAME, PASSWORD).await;
        whole_or_nothing("login", world, login, outcome).await;
        let change = async |(site, token): &(Site, String)| {
            let body = json!({"op": "change-password", "current": PASSWORD, "new": NEW});
            site.call("POST", "/_auth").header("x-cm-well-token", token).json(body).await
        };
        whole_or_nothing("change password", world, change, outcome).await;
    }

    /// REL-26: permissions that were changed are never remembered as they were.
    async fn new_permissions_count_at_once(store) {
        let anonymous = PermissionHolder::Anonymous;
        let world = async || {
            let (site, _) = site(store).await;
            let allowed = site.cmwell.permissions_of(None).await.unwrap().decide("/docs", PathLevel::Read).allowed;
            (site, allowed)
        };
        let set = async |(site, allowed): &(Site, bool)| {
            let entry = if *allowed { PathPermission::deny } else { PathPermission::allow };
            let new = Permissions::paths([entry("/docs", PathLevels::READ)]);
            site.cmwell.set_permissions(&anonymous, Some(&new)).await.is_ok()
        };
        let outcome = async |(site, _): &(Site, bool)| {
            site.auth.settled().await;
            let remembered = site.cmwell.permissions_of(None).await.unwrap().decide("/docs", PathLevel::Read).allowed;
            site.cmwell.forget_permissions();
            let stored = site.cmwell.permissions_of(None).await.unwrap().decide("/docs", PathLevel::Read).allowed;
            assert_eq!(remembered, stored, "what is remembered is what is stored");
            format!("{stored}")
        };
        whole_or_nothing("set permissions", world, set, outcome).await;
    }

    /// REL-26: a user logs in by Digest with each algorithm, or with none.
    async fn digest_is_turned_on_whole(store) {
        let world = async || {
            let site = digest::Site::with_md5(store).await;
            site.auth.settled().await;
            let _ = site.events.take();
            site.faults.every(Fault::Yield);
            site
        };
        let enable = async |site: &digest::Site| {
            let id = site.id(digest::BASIC_NAME).await;
            site.cmwell.enable_digest(&id, digest::PASSWORD).await.is_ok()
        };
        let outcome = async |site: &digest::Site| {
            site.auth.settled().await;
            let mut kept = Vec::new();
            for algorithm in ["SHA-256", "MD5"] {
                kept.push(site.credential(digest::BASIC_NAME, algorithm).await.is_some());
            }
            format!("{kept:?}, {:?}", names(&site.events.events()))
        };
        whole_or_nothing("enable Digest", world, enable, outcome).await;
    }
}
