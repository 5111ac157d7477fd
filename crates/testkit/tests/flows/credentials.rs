//! A login in parts: what another crate builds its own kind of login from.

use std::sync::Arc;

use gatekit_core::{
    AccountName, AccountStatus, Client, Event, FlowError, IssueToken, Login, LoginError, MailKind, MailOptions,
    NewOneTime, OneTimePurpose, Policy, Proofs, Register, Timestamp, TokenDigest, User, UserStore,
};
use tokio::sync::Barrier;

use crate::{EMAIL, OLD, World};

const INVITATION: OneTimePurpose = OneTimePurpose::Other("club_invitation");

impl World {
    async fn account(&self) -> gatekit_core::KnownAccount<User> {
        self.auth.find_account(&AccountName::email(EMAIL)).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn an_account_is_found_as_a_login_finds_it_with_one_query() {
    let world = World::new();
    let ada = world.auth.register(Register::email(EMAIL, OLD).username("ada")).await.unwrap();
    for name in [
        AccountName::email(EMAIL),
        AccountName::email("ADA@Example.com"),
        AccountName::username("ada"),
        AccountName::username("ada").realm("no realms here"),
    ] {
        world.calls.reset();
        let found = world.auth.find_account(&name).await.unwrap().unwrap();
        assert_eq!((found.user.id, found.rev, found.status), (ada.id.clone(), 0, AccountStatus::Active), "{name:?}");
        assert_eq!(world.calls.calls(), ["find_user_by"]);
    }
    for name in [AccountName::email(""), AccountName::username("Ada"), AccountName::username("a\0")] {
        assert!(world.auth.find_account(&name).await.unwrap().is_none(), "{name:?}");
    }
    world.calls.reset();
    assert_eq!(world.auth.find_account_by_id(&ada.id).await.unwrap().unwrap().user.id, ada.id);
    assert_eq!(world.calls.calls(), ["find_user"]);
}

#[tokio::test]
async fn a_realm_is_part_of_the_name_where_there_are_realms() {
    let mut policy = Policy::default();
    policy.identifiers.realm_required = true;
    policy.identifiers.realm_delimiter = Some(':');
    let world = World::with(policy);
    let mut ids = Vec::new();
    for realm in ["club", "team"] {
        ids.push(world.auth.register(Register::email(EMAIL, OLD).realm(realm).username("ada")).await.unwrap().id);
    }
    for (name, expected) in [
        (AccountName::username("ada").realm("club"), Some(&ids[0])),
        (AccountName::username("team:ada"), Some(&ids[1])),
        (AccountName::username("ada"), None),
        (AccountName::email(EMAIL).realm("nowhere"), None),
    ] {
        let found = world.auth.find_account(&name).await.unwrap().map(|found| found.user.id);
        assert_eq!(found.as_ref(), expected, "{name:?}");
    }
}

/// What is bound to it ends with the password.
#[tokio::test]
async fn the_mark_of_a_password_is_another_after_every_change_of_it_and_is_never_printed() {
    let world = World::new();
    let ada = world.ada().await;
    let before = world.account().await;
    let hash = world.store.find_user(&ada.id).await.unwrap().unwrap().password.unwrap();
    assert_eq!(before.password_mark, Some(TokenDigest::of(hash.expose())));
    assert!(world.account().await.password_mark == before.password_mark, "the same password has the same mark");
    world.auth.set_password(&ada.id, OLD.into(), None).await.unwrap();
    let after = world.account().await;
    assert!(after.password_mark.is_some() && after.password_mark != before.password_mark, "another salt at least");
    let printed = format!("{after:?}");
    assert!(printed.contains("[redacted]") && !printed.contains(EMAIL), "{printed}");
}

/// `verify_login` is a login but for the token.
#[tokio::test]
async fn a_login_without_a_token_refuses_tells_and_costs_what_a_login_does() {
    let mut policy = Policy::default();
    policy.mail.notify_unknown_device = true;
    let worlds = [World::with(policy.clone()), World::with(policy)];
    let [with, without] = &worlds;
    for world in &worlds {
        world.ada().await;
        let _ = world.events.take();
    }
    for (email, password) in [(EMAIL, OLD), (EMAIL, "a wrong password"), ("nobody@example.com", OLD), ("", OLD)] {
        let login = Login::email(email, password).ttl(60);
        worlds.iter().for_each(|world| world.calls.reset());
        let one = with.auth.login(login.clone()).await.map(|session| session.user.id);
        let other = without.auth.verify_login(login).await.map(|account| account.user.id);
        assert_eq!(format!("{one:?}"), format!("{other:?}"));
        let calls: Vec<_> = with.calls.calls().into_iter().filter(|call| *call != "insert_token").collect();
        assert_eq!(calls, without.calls.calls(), "{email} {password}");
        assert_eq!(format!("{:?}", with.events.take()), format!("{:?}", without.events.take()), "{email} {password}");
    }
    let ada = without.account().await.user;
    assert!(without.auth.list_tokens(&ada.id).await.unwrap().is_empty());
    for status in [AccountStatus::Blocked, AccountStatus::Pending] {
        for world in &worlds {
            world.auth.set_account_status(&ada.id, status).await.unwrap();
        }
        let one = with.auth.login(Login::email(EMAIL, OLD)).await.unwrap_err();
        let other = without.auth.verify_login(Login::email(EMAIL, OLD)).await.unwrap_err();
        assert_eq!(one.code(), other.code());
    }
}

/// Whatever has proven the account, only who may log in does.
#[tokio::test]
async fn an_accepted_login_asks_all_but_the_password() {
    let mut policy = Policy::default();
    policy.email.verification_required = true;
    policy.mail.notify_unknown_device = true;
    let world = World::with(policy);
    let mut ada = Register::email(EMAIL, OLD);
    ada.email_verified = Some(true);
    let ada = world.auth.register(ada).await.unwrap();
    world.auth.register(Register::email("bob@example.com", OLD)).await.unwrap();
    let bob = world.auth.find_account(&AccountName::email("bob@example.com")).await.unwrap().unwrap();
    let (home, mails) = (Client::default().user_agent("home"), MailOptions::default());
    let _ = world.events.take();

    let account = world.auth.accept_login(world.account().await, &home, &mails).await.unwrap();
    assert_eq!(account.user.id, ada.id);
    assert!(matches!(&world.events.take()[..], [Event::LoggedIn { user }] if user.id == ada.id));
    let elsewhere = Client::default().user_agent("elsewhere");
    world.auth.accept_login(world.account().await, &elsewhere, &mails).await.unwrap();
    assert_eq!(world.mails.wait_for_kind(MailKind::UnknownDevice, 1).await[0].to, EMAIL);
    let _ = world.events.take();

    let unproven = world.auth.accept_login(bob, &home, &mails).await;
    assert!(matches!(unproven, Err(LoginError::EmailNotVerified { .. })), "{unproven:?}");
    world.auth.set_account_status(&ada.id, AccountStatus::Blocked).await.unwrap();
    let blocked = world.auth.accept_login(world.account().await, &home, &mails).await;
    assert!(matches!(blocked, Err(LoginError::Blocked)), "{blocked:?}");
    world.auth.reject_login(None, None).await;
    let told = world.events.take();
    assert!(
        matches!(
            &told[..],
            [
                Event::LoginFailed { user_id: Some(_), .. },
                Event::StatusChanged { .. },
                Event::LoginFailed { user_id: Some(_), .. },
                Event::LoginFailed { user_id: None, .. },
            ]
        ),
        "{told:?}"
    );
}

#[tokio::test]
async fn a_token_can_be_issued_as_a_logins_is() {
    let world = World::new();
    let ada = world.ada().await;
    let client = Client::default().user_agent("Mozilla/5.0").ip([203, 0, 113, 7]);
    let login = world.auth.login(Login::email(EMAIL, OLD).client(client.clone())).await.unwrap().token.record;
    let issued = world
        .auth
        .issue_token(&ada.id, IssueToken::default().proofs(login.proofs.clone()).client(client))
        .await
        .unwrap();
    let like = gatekit_core::TokenRecord { digest: login.digest, ..issued.record };
    assert_eq!(like, login);
    let plain = world.auth.issue_token(&ada.id, IssueToken::default()).await.unwrap().record;
    assert_eq!((plain.proofs, plain.client), (Proofs::default(), None));
}

#[tokio::test]
async fn a_thing_that_works_once_is_found_until_it_ends_and_taken_once() {
    let world = World::new();
    let ada = world.ada().await;
    let new = || NewOneTime::new(INVITATION, &ada.id, 3, 1500).data("tea");
    let secret = world.auth.issue_one_time(new()).await.unwrap();
    world.auth.record_one_time(new(), "a token made elsewhere").await.unwrap();
    assert!(world.auth.record_one_time(new(), "a token made elsewhere").await.is_err(), "it is not recorded twice");
    for secret in [secret.expose(), "a token made elsewhere"] {
        let other = OneTimePurpose::Other("club_farewell");
        assert!(world.auth.take_one_time(other, secret).await.unwrap().is_none(), "it is of another purpose");
        let found = world.auth.find_one_time(INVITATION, secret).await.unwrap().unwrap();
        assert_eq!((found.user_id.as_ref(), found.rev, found.data.as_deref()), (Some(&ada.id), 3, Some("tea")));
        assert_eq!(found.expires, Timestamp(world.auth.now().0 + 1500));
        assert_eq!(world.auth.take_one_time(INVITATION, secret).await.unwrap(), Some(found));
        assert!(world.auth.find_one_time(INVITATION, secret).await.unwrap().is_none());
        assert!(world.auth.take_one_time(INVITATION, secret).await.unwrap().is_none());
    }
    let secret = world.auth.issue_one_time(new()).await.unwrap();
    world.clock.advance(std::time::Duration::from_millis(1499));
    assert!(world.auth.find_one_time(INVITATION, secret.expose()).await.unwrap().is_some());
    world.clock.advance(std::time::Duration::from_millis(1));
    assert!(world.auth.find_one_time(INVITATION, secret.expose()).await.unwrap().is_none());
    assert!(world.auth.take_one_time(INVITATION, secret.expose()).await.unwrap().is_none());

    let secret = world.auth.issue_one_time(new()).await.unwrap();
    assert_eq!(world.auth.discard_one_time_of(OneTimePurpose::ResetPassword, &ada.id).await.unwrap(), 0);
    assert_eq!(world.auth.discard_one_time_of(INVITATION, &ada.id).await.unwrap(), 2, "the one that has ended, too");
    assert!(world.auth.take_one_time(INVITATION, secret.expose()).await.unwrap().is_none());
}

/// RACE-3
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_twenty_who_take_one_thing_one_gets_it() {
    let world = World::new();
    let ada = world.ada().await;
    for _ in 0..5 {
        let secret = world.auth.issue_one_time(NewOneTime::new(INVITATION, &ada.id, 0, 1000)).await.unwrap();
        let start = Arc::new(Barrier::new(20));
        let take = |_| {
            let (auth, secret, start) = (world.auth.clone(), secret.clone(), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                auth.take_one_time(INVITATION, secret.expose()).await.unwrap().is_some()
            })
        };
        let mut taken = 0;
        for task in (0..20).map(take).collect::<Vec<_>>() {
            taken += usize::from(task.await.unwrap());
        }
        assert_eq!(taken, 1);
    }
}

#[tokio::test]
async fn random_bytes_and_secrets_are_never_the_same() {
    let world = World::new();
    let (mut one, mut other) = ([0; 32], [0; 32]);
    world.auth.fill_random(&mut one).unwrap();
    world.auth.fill_random(&mut other).unwrap();
    assert!(one != other && one != [0; 32]);
    let secrets = [world.auth.new_secret().unwrap(), world.auth.new_secret().unwrap()];
    assert!(secrets[0].expose() != secrets[1].expose() && secrets[0].expose().len() == 64);
}
