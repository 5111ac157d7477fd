//! A client that hangs up: what takes several steps is done whole, or not at all (REL-26).

use gatekit::core::AccountName;
use gatekit::wix::{ApprovalPolicy, ApprovalToken, MemberUser, RegistrationOptions};
use gatekit::{Event, Policy};
use gatekit_testkit::Fault;
use gatekit_tests::{Call, Store, on_every_store, whole_or_nothing};
use serde_json::json;

use crate::iam::{CHANGE_PASSWORD, CLIENT, REDIRECT_SESSION, Tokens, VERIFIER, with_sdk};
use crate::site::{EMAIL, PASSWORD, Setup, Site};

const NEW: &str = "staple battery horse";

/// Makes the request of a flow.
type MakeCall = fn(&World) -> Call;

/// A site with a member who has a session token, a code and tokens of the SDK, and with a second
/// one who is to prove the address.
struct World {
    site: Site,
    session: String,
    code: String,
    tokens: Tokens,
    state: String,
    digits: String,
    mails: usize,
}

impl World {
    async fn new(store: Store) -> Self {
        let mut policy = Site::verifying();
        policy.mail.notify_unknown_device = true;
        let site = Setup::new(policy).members(with_sdk).start(store).await;
        let site = Site { router: site.router.clone().merge(site.members.iam_router()), ..site };
        let state = site.post("/wix/register").json(json!({"email": EMAIL, "password": PASSWORD})).await;
        let state = state.expect_status(200).text("stateToken");
        let code = site.code(1).await;
        let verify = json!({"code": code, "stateToken": state});
        site.post("/wix/verify").json(verify).await.expect_status(200);
        let tokens = site.tokens().await;
        let (session, code) = (site.session_token().await, site.oauth_code().await);
        let second = site.post("/wix/register").json(json!({"email": "bob@example.com", "password": PASSWORD})).await;
        let (state, digits) = (second.expect_status(200).text("stateToken"), site.code(2).await);
        site.auth.settled().await;
        let _ = site.events.take();
        site.faults.every(Fault::Yield);
        let mails = site.mails.attempts();
        Self { site, session, code, tokens, state, digits, mails }
    }

    async fn outcome(&self) -> String {
        let mut outcome = outcome_of(&self.site, self.mails).await;
        outcome.push_str(&format!("\nthe access token: {}", self.site.me(&self.tokens.access).await));
        outcome
    }
}

async fn outcome_of(site: &Site, mails: usize) -> String {
    site.auth.settled().await;
    let mut lines = Vec::new();
    for email in [EMAIL, "bob@example.com", "eve@example.com"] {
        let found = site.auth.find_account(&AccountName::email(email)).await.unwrap();
        let Some(account) = found else { continue };
        let tokens = site.auth.list_tokens(&account.user.id).await.unwrap().len();
        let user = serde_json::to_value(&account.user).unwrap();
        lines.push(format!("{user}, {} {:?}, tokens: {tokens}", account.rev, account.status));
    }
    let name = |event: &Event<MemberUser>| format!("{event:?}").split([' ', '{']).next().unwrap_or_default().to_owned();
    lines.push(format!("events: {:?}", site.events.events().iter().map(name).collect::<Vec<_>>()));
    let mut mailed: Vec<&str> = site.mails.mails().iter().skip(mails).map(|mail| mail.kind.as_str()).collect();
    mailed.sort_unstable();
    lines.push(format!("mails: {mailed:?}"));
    lines.join("\n")
}

async fn each(store: Store, flows: &[(&str, MakeCall)]) {
    for (name, call) in flows {
        let world = async || World::new(store).await;
        whole_or_nothing(name, world, async |world: &World| call(world).await, World::outcome).await;
    }
}

on_every_store! {
    /// REL-26
    async fn what_a_member_does_is_whole(store) {
        each(store, &[
            ("register", |w| w.site.post("/wix/register").json(json!({"email": "eve@example.com", "password": PASSWORD}))),
            ("login", |w| w.site.login(EMAIL, PASSWORD).header("user-agent", "Another/1.0")),
            ("verify", |w| w.site.post("/wix/verify").json(json!({"code": w.digits, "stateToken": w.state}))),
            ("apply", |w| w.site.apply_at("?cookie=false", &w.session)),
            ("apply in a browser", |w| w.site.apply(&w.session)),
            ("logout", |w| w.site.post("/wix/logout").header("authorization", format!("Bearer {}", w.tokens.access))),
        ])
        .await;
    }

    /// REL-26
    async fn what_the_sdk_does_is_whole(store) {
        each(store, &[
            ("exchange", |w| w.site.exchange(&w.code, VERIFIER)),
            ("refresh", |w| w.site.refresh(&w.tokens.refresh)),
            ("change password", |w| w.site.post(CHANGE_PASSWORD).json(json!({"newPassword": NEW})).token(&w.tokens.access)),
            ("logout", |w| {
                let body = json!({"logout": {"clientId": CLIENT}, "callbacks": {"postFlowUrl": "/"}});
                w.site.post(REDIRECT_SESSION).json(body).token(&w.tokens.access)
            }),
        ])
        .await;
    }

    /// REL-26: an approval token is not gone for nothing.
    async fn an_approval_is_whole(store) {
        let world = async || {
            let setup = Setup::new(Policy::default()).members(|members| members.approval(ApprovalPolicy::Manual));
            let site = setup.start(store).await;
            let new = site.members.register(EMAIL, PASSWORD, RegistrationOptions::default()).await.unwrap();
            let _ = site.events.take();
            site.faults.every(Fault::Yield);
            (site, new.approval_token.unwrap())
        };
        let approve = async |(site, token): &(Site, ApprovalToken)| site.members.approve_by_token(token).await.is_ok();
        let outcome = async |(site, _): &(Site, ApprovalToken)| outcome_of(site, 0).await;
        whole_or_nothing("approve", world, approve, outcome).await;
    }
}
