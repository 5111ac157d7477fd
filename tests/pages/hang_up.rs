//! A browser that is closed in the middle: what a form does in several steps is done whole, or not
//! at all (REL-26).

use gatekit::core::KnownAccount;
use gatekit::{Event, Policy, UserId};
use gatekit_testkit::Fault;
use gatekit_tests::{Call, EMAIL, PASSWORD, Store, on_every_store, whole_or_nothing};

use crate::site::{Browser, Site};

const NEW: &str = "staple battery horse";

/// Makes the request of a flow.
type MakeCall = fn(&World) -> Call;

/// A site with a user who is logged in in two browsers and has opened the links of two mails: in
/// one of them that to change the address, in a third browser that to choose a password.
struct World {
    site: Site,
    browser: Browser,
    forgetful: Browser,
    mails: usize,
}

impl World {
    async fn new(store: Store) -> Self {
        let mut policy = Policy::default();
        policy.mail.notify_unknown_device = true;
        let site = Site::with(policy, store).await;
        let mut browser = site.signed_up().await;
        site.logged_in().await;
        browser.post("/change-email", &[("email", "other@bar.com")]).await.expect_status(200);
        let link = site.link(site.app.mails.attempts()).await;
        browser.get(&link).await.expect_status(303);
        let mut forgetful = site.browser();
        forgetful.post("/forgot-password", &[("email", EMAIL)]).await.expect_status(200);
        let link = site.link(site.app.mails.attempts()).await;
        forgetful.get(&link).await.expect_status(303);
        site.app.auth.settled().await;
        let _ = site.app.events.take();
        site.app.faults.every(Fault::Yield);
        Self { mails: site.app.mails.attempts(), site, browser, forgetful }
    }

    async fn outcome(&self) -> String {
        let app = &self.site.app;
        app.auth.settled().await;
        let mut lines = Vec::new();
        for id in 1..=2 {
            let account = app.auth.find_account_by_id(&UserId::Int(id)).await.unwrap();
            let seen = account.map(|KnownAccount { user, rev, status, .. }| (user, rev, status));
            lines.push(format!("user {id}: {seen:?}, tokens and roles: {:?}", app.rows_of(id).await));
        }
        lines.push(format!("the browser is in: {}", self.browser.clone().is_logged_in("").await));
        let name = |event: &Event<_>| format!("{event:?}").split([' ', '{']).next().unwrap_or_default().to_owned();
        lines.push(format!("events: {:?}", app.events.events().iter().map(name).collect::<Vec<_>>()));
        let mut mails: Vec<&str> = app.mails.mails().iter().skip(self.mails).map(|mail| mail.kind.as_str()).collect();
        mails.sort_unstable();
        lines.push(format!("mails: {mails:?}"));
        lines.join("\n")
    }
}

on_every_store! {
    /// REL-26, 7.2.4: at a login the token that the browser had ends too.
    async fn what_a_form_does_is_whole(store) {
        let flows: [(&str, MakeCall); 8] = [
            ("register", |w| {
                w.site.browser().form("/register", &[("email", "third@bar.com"), ("password", PASSWORD)])
            }),
            ("login", |w| w.browser.form("/login", &[("email", EMAIL), ("password", PASSWORD)])),
            ("logout", |w| w.browser.form("/logout", &[])),
            ("confirm password", |w| w.browser.form("/confirm-password", &[("password", PASSWORD)])),
            ("change password", |w| {
                w.browser.form("/change-password", &[("current_password", PASSWORD), ("password", NEW)])
            }),
            ("reset password", |w| w.forgetful.form("/reset-password", &[("password", NEW)])),
            ("confirm email change", |w| w.browser.form("/confirm-email-change", &[])),
            ("delete account", |w| w.browser.form("/delete-account", &[("confirm", "on")])),
        ];
        for (name, call) in flows {
            let world = async || World::new(store).await;
            whole_or_nothing(name, world, async |world: &World| call(world).await, World::outcome).await;
        }
    }
}
