//! Notices: one for each change, none without one, and never the request's matter (ASVS 6.3.5,
//! 6.3.7).

use gatekit_core::{
    ChangeEmail, ChangePassword, Client, Login, MailKind, PasswordReset, Policy, RequestEmailChange,
    RequestPasswordReset, UpdateUser, UserId,
};
use gatekit_testkit::{Fault, MailBehavior};
use serde_json::{Map, Value, json};

use super::{EMAIL, NEW, OLD, World};

const THIRD: &str = "violet hammock 93";

fn noticing() -> Policy {
    let mut policy = Policy::default();
    policy.mail.notify_unknown_device = true;
    policy
}

fn fields(value: Value) -> Map<String, Value> {
    value.as_object().unwrap().clone()
}

impl World {
    /// The notices so far. Mails are sent in the order they were posted, so a last one is waited
    /// for.
    async fn notices(&self, address: &str) -> Vec<(MailKind, String)> {
        let before = self.mails.attempts();
        self.auth.request_password_reset(RequestPasswordReset::email(address).trusted(true)).await.unwrap();
        loop {
            let all = self.mails.wait_for(1).await;
            if self.mails.attempts() > before && all.last().is_some_and(|mail| mail.kind == MailKind::ResetPassword) {
                let is_notice =
                    |kind| matches!(kind, MailKind::EmailChanged | MailKind::PasswordChanged | MailKind::UnknownDevice);
                return all.into_iter().filter(|m| is_notice(m.kind)).map(|m| (m.kind, m.to)).collect();
            }
            tokio::task::yield_now().await;
        }
    }

    async fn reset_secret(&self) -> String {
        let count = self.mails.mails().len();
        self.auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
        self.mails.wait_for(count + 1).await;
        self.mails.last_token().await
    }

    async fn change_secret(&self, user: UserId, email: &str) -> String {
        let count = self.mails.mails().len();
        self.auth.request_email_change(RequestEmailChange::new(user, OLD, email)).await.unwrap();
        self.mails.wait_for(count + 1).await;
        self.mails.last_token().await
    }

    async fn login_on(&self, user_agent: &str) {
        let client = Client::default().user_agent(user_agent);
        self.auth.login(Login::email(EMAIL, OLD).client(client)).await.unwrap();
    }
}

/// 6.3.7
#[tokio::test]
async fn each_way_to_a_new_password_is_told_exactly_once() {
    let notice = vec![(MailKind::PasswordChanged, EMAIL.to_owned())];
    let world = World::new();
    let user = world.ada().await;
    world.auth.change_password(ChangePassword::new(user.id.clone(), OLD, NEW)).await.unwrap();
    assert_eq!(world.notices(EMAIL).await, notice, "change-password");

    let world = World::new();
    world.ada().await;
    let secret = world.reset_secret().await;
    world.auth.reset_password(PasswordReset::new(secret, NEW)).await.unwrap();
    assert_eq!(world.notices(EMAIL).await, notice, "reset-password");

    let world = World::new();
    let user = world.ada().await;
    world.auth.set_password(&user.id, NEW.into(), None).await.unwrap();
    assert_eq!(world.notices(EMAIL).await, notice, "set_password");

    let world = World::new();
    let user = world.ada().await;
    let update = UpdateUser::patch(user.id.clone(), fields(json!({"password": NEW}))).trusted();
    world.auth.update_user(update).await.unwrap();
    assert_eq!(world.notices(EMAIL).await, notice, "update_user");
}

/// 6.3.7
#[tokio::test]
async fn each_way_to_a_new_address_is_told_to_the_old_one_exactly_once() {
    let notice = vec![(MailKind::EmailChanged, EMAIL.to_owned())];
    let world = World::new();
    let user = world.ada().await;
    let secret = world.change_secret(user.id.clone(), "new@example.com").await;
    assert_eq!(world.notices(EMAIL).await, [], "asking is no change");
    let secret = match world.auth.change_email(ChangeEmail::new(secret.as_str())).await {
        Ok(_) => secret,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(world.notices("new@example.com").await, notice);
    world.auth.change_email(ChangeEmail::new(secret)).await.unwrap();
    assert_eq!(world.notices("new@example.com").await, notice, "a second press tells nobody");

    let world = World::new();
    let user = world.ada().await;
    let update = UpdateUser::patch(user.id.clone(), fields(json!({"email": "new@example.com"}))).trusted();
    world.auth.update_user(update).await.unwrap();
    assert_eq!(world.notices("new@example.com").await, notice, "update_user");
}

#[tokio::test]
async fn a_change_that_fails_is_told_to_nobody() {
    let world = World::with(noticing());
    let user = world.ada().await;
    world.login_on("Firefox").await;
    let auth = &world.auth;
    auth.change_password(ChangePassword::new(user.id.clone(), "wrong password", NEW)).await.unwrap_err();
    auth.change_password(ChangePassword::new(user.id.clone(), OLD, "short")).await.unwrap_err();
    auth.reset_password(PasswordReset::new("no such secret", NEW)).await.unwrap_err();
    auth.change_email(ChangeEmail::new("no such secret")).await.unwrap_err();
    auth.login(Login::email(EMAIL, NEW).client(Client::default().user_agent("Chrome"))).await.unwrap_err();
    let update = UpdateUser::patch(user.id.clone(), fields(json!({"password": NEW})));
    auth.update_user(update).await.unwrap_err();
    world.calls.every_call_of("set_password", Fault::Fail);
    auth.change_password(ChangePassword::new(user.id.clone(), OLD, NEW)).await.unwrap_err();
    world.calls.reset();
    assert_eq!(world.notices(EMAIL).await, []);
}

/// 6.3.5
#[tokio::test]
async fn a_login_on_an_unknown_device_is_told_once_and_the_first_ever_is_not() {
    let world = World::with(noticing());
    world.ada().await;
    for user_agent in ["Firefox", "Firefox", "Chrome", "Chrome", "Firefox"] {
        world.login_on(user_agent).await;
    }
    assert_eq!(world.notices(EMAIL).await, [(MailKind::UnknownDevice, EMAIL.to_owned())]);
    let notice = world.mails.mails().into_iter().find(|mail| mail.kind == MailKind::UnknownDevice).unwrap();
    assert!(notice.text.contains("\nOn: Chrome\nNetwork: unknown\n"), "{}", notice.text);
}

#[tokio::test]
async fn the_policy_turns_each_notice_off() {
    let mut policy = Policy::default();
    policy.mail.notify_password_changed = false;
    policy.mail.notify_email_changed = false;
    let world = World::with(policy);
    let user = world.ada().await;
    world.login_on("Firefox").await;
    world.login_on("Chrome").await;
    let secret = world.change_secret(user.id.clone(), "new@example.com").await;
    world.auth.change_email(ChangeEmail::new(secret)).await.unwrap();
    world.auth.change_password(ChangePassword::new(user.id.clone(), OLD, NEW)).await.unwrap();
    assert_eq!(world.notices("new@example.com").await, []);
    // LoopBack tells nobody of a new password.
    let world = World::with(Policy::loopback());
    let user = world.ada().await;
    world.auth.change_password(ChangePassword::new(user.id.clone(), OLD, NEW)).await.unwrap();
    assert_eq!(world.notices(EMAIL).await, []);
}

/// REL-10
#[tokio::test]
async fn a_mailer_that_fails_or_hangs_is_no_matter_of_what_it_tells() {
    for behavior in [MailBehavior::Fail, MailBehavior::Hang] {
        let world = World::with(noticing());
        let user = world.ada().await;
        world.login_on("Firefox").await;
        let secret = world.change_secret(user.id.clone(), "new@example.com").await;
        let before = world.mails.attempts();
        world.mails.behave(behavior);
        world.login_on("Chrome").await;
        let new = world.auth.change_email(ChangeEmail::new(secret)).await.unwrap();
        assert_eq!(new.email.as_deref(), Some("new@example.com"));
        world.auth.change_password(ChangePassword::new(user.id.clone(), OLD, NEW)).await.unwrap();
        world.auth.change_password(ChangePassword::new(user.id.clone(), NEW, THIRD)).await.unwrap();
        while world.mails.attempts() < before + 4 {
            tokio::task::yield_now().await;
        }
        assert_eq!(world.mails.attempts(), before + 4, "{behavior:?}");
    }
}
