//! The mail by which somebody chooses the first password of an account that another has made.

use std::time::Duration;

use gatekit_core::{
    AccountStatus, Auth, MailKind, MailOptions, MemoryStore, PasswordReset, Policy, RequestPasswordReset, User,
};
use gatekit_testkit::{MailSink, fast_hasher};

use crate::{EMAIL, NEW, World};

const DAYS: i64 = 24 * 3600;

#[tokio::test]
async fn a_first_password_is_chosen_by_a_mail_of_its_own_kind_that_lives_as_long_as_asked_for() {
    let world = World::new();
    world.ada().await;
    for (sent, after, works) in [(1, 3 * DAYS, false), (2, 3 * DAYS - 1, true)] {
        let request =
            RequestPasswordReset::email(EMAIL).set_password(true).trusted(true).ttl(3 * DAYS).mount("/api/users");
        world.auth.request_password_reset(request).await.unwrap();
        let mail = world.mails.wait_for_kind(MailKind::SetPassword, sent).await.pop().unwrap();
        let secret = MailSink::token_in(&mail).unwrap();
        world.clock.advance(Duration::from_secs(after.unsigned_abs()));
        assert_eq!(world.auth.reset_password(PasswordReset::new(secret, NEW)).await.is_ok(), works);
    }
    assert!(world.logs_in_with(NEW).await);
}

/// The one of `ttl` is no promise about others.
#[tokio::test]
async fn without_a_lifetime_it_is_the_policys() {
    let world = World::new();
    world.ada().await;
    world
        .auth
        .request_password_reset(RequestPasswordReset::email(EMAIL).set_password(true).trusted(true))
        .await
        .unwrap();
    let mail = world.mails.wait_for_kind(MailKind::SetPassword, 1).await.pop().unwrap();
    world.clock.advance(Duration::from_secs(900));
    let reset = PasswordReset::new(MailSink::token_in(&mail).unwrap(), NEW);
    assert!(world.auth.reset_password(reset).await.is_err());
}

#[tokio::test]
async fn the_mail_says_until_when_in_both_languages_with_link_and_with_code() {
    for public_url in [Some("https://app.example.com"), None] {
        let (store, mails) = (MemoryStore::new(), MailSink::new());
        let builder = Auth::builder(store).mailer(mails.clone()).hasher(fast_hasher());
        let builder = match public_url {
            Some(url) => builder.public_url(url),
            None => builder,
        };
        let auth: Auth = builder.clock(gatekit_testkit::FrozenClock::at(gatekit_core::Timestamp(0))).build().unwrap();
        auth.register(gatekit_core::Register::email(EMAIL, crate::OLD)).await.unwrap();
        for language in ["en", "de"] {
            let options = MailOptions::mount("/api/users").language(language);
            let request = RequestPasswordReset::email(EMAIL).set_password(true).trusted(true).ttl(DAYS).mails(options);
            auth.request_password_reset(request).await.unwrap();
        }
        let mut sent = mails.wait_for_kind(MailKind::SetPassword, 2).await;
        sent.sort_by(|a, b| a.subject.cmp(&b.subject));
        assert_eq!(sent[0].subject, "Choose a password for your account");
        assert_eq!(sent[1].subject, "Wählen Sie ein Passwort für Ihr Konto");
        for mail in sent {
            assert!(mail.text.contains("1970-01-02 00:00 UTC") && mail.text.contains(EMAIL), "{}", mail.text);
            assert!(!mail.text.contains('{'), "{}", mail.text);
            assert_eq!(mail.link.is_some(), public_url.is_some());
            assert!(MailSink::token_in(&mail).is_some());
        }
    }
}

/// Where addresses have to be proven, who has not done so gets no mail to reset a password, but one
/// to choose the first.
#[tokio::test]
async fn it_is_sent_to_an_address_that_is_not_proven_and_to_nobody_who_is_blocked() {
    let mut policy = Policy::default();
    policy.email.verification_required = true;
    let world = World::with(policy);
    let ada: User = world.ada().await;
    let ask = |set_password| {
        let request = RequestPasswordReset::email(EMAIL).set_password(set_password).trusted(set_password);
        world.auth.request_password_reset(request)
    };
    ask(false).await.unwrap();
    ask(true).await.unwrap();
    world.auth.settled().await;
    let kinds = |kind| world.mails.mails().iter().filter(|mail| mail.kind == kind).count();
    assert_eq!((kinds(MailKind::ResetPassword), kinds(MailKind::SetPassword)), (0, 1));
    world.auth.set_account_status(&ada.id, AccountStatus::Blocked).await.unwrap();
    ask(true).await.unwrap();
    world.auth.settled().await;
    assert_eq!(kinds(MailKind::SetPassword), 1);
}
