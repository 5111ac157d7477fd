//! A token in place of the password, where something cannot be undone: another address, and the end
//! of the account. ASVS 7.5.1.

use std::time::Duration;

use gatekit_core::{
    Auth, ChangeEmail, ChangeEmailError, ChangePassword, ConfigError, DeleteAccount, DeleteAccountError, Login,
    MailKind, MemoryStore, Policy, Reauthentication, Register, RequestEmailChange, StepUp, TokenRecord, User,
};
use gatekit_testkit::Fault::{Fail, FailAfter};
use gatekit_testkit::login_as;

use crate::{EMAIL, NEW, OLD, World};

const OTHER: &str = "ada@example.org";

#[derive(Debug, PartialEq)]
enum Outcome {
    Done,
    StepUpRequired,
    Wrong,
    Unavailable,
}

async fn asks_for_another_address(world: &World, ada: &User, proof: impl Into<Reauthentication>) -> Outcome {
    match world.auth.request_email_change(RequestEmailChange::new(ada.id.clone(), proof, OTHER)).await {
        Ok(()) => Outcome::Done,
        Err(ChangeEmailError::StepUpRequired) => Outcome::StepUpRequired,
        Err(ChangeEmailError::WrongPassword) => Outcome::Wrong,
        Err(ChangeEmailError::Unavailable(_)) => Outcome::Unavailable,
        Err(error) => panic!("{error:?}"),
    }
}

async fn goes(world: &World, ada: &User, proof: impl Into<Reauthentication>) -> Outcome {
    match world.auth.delete_account(DeleteAccount::new(ada.id.clone(), proof)).await {
        Ok(()) => Outcome::Done,
        Err(DeleteAccountError::StepUpRequired) => Outcome::StepUpRequired,
        Err(DeleteAccountError::WrongPassword) => Outcome::Wrong,
        Err(DeleteAccountError::Unavailable(_)) => Outcome::Unavailable,
        Err(error) => panic!("{error:?}"),
    }
}

/// Neither flow takes this for a proof.
async fn refused(world: &World, ada: &User, token: &TokenRecord, case: &str) {
    assert_eq!(asks_for_another_address(world, ada, token.clone()).await, Outcome::StepUpRequired, "{case}");
    assert_eq!(goes(world, ada, token.clone()).await, Outcome::StepUpRequired, "{case}");
    let mails = world.mails.mails();
    assert!(mails.iter().all(|mail| mail.kind != MailKind::ChangeEmail), "{case}: a mail was sent");
    assert!(world.auth.find_user(&ada.id).await.unwrap().is_some(), "{case}");
}

async fn token(world: &World) -> TokenRecord {
    world.auth.login(Login::email(EMAIL, OLD)).await.unwrap().token.record
}

#[tokio::test]
async fn a_fresh_token_is_as_good_as_the_password_for_another_address() {
    let world = World::new();
    let ada = world.ada().await;
    let token = token(&world).await;
    world.clock.advance(Duration::from_millis(599_999));
    let before = world.mails.mails().len();
    assert_eq!(asks_for_another_address(&world, &ada, token.clone()).await, Outcome::Done);
    let mail = world.mails.wait_for(before + 1).await.pop().unwrap();
    assert_eq!((mail.kind, mail.to.as_str()), (MailKind::ChangeEmail, OTHER));
    let change = ChangeEmail::new(world.mails.last_token().await).keep(token);
    assert_eq!(world.auth.change_email(change).await.unwrap().email.as_deref(), Some(OTHER));
}

#[tokio::test]
async fn a_fresh_token_is_as_good_as_the_password_for_the_end_of_the_account() {
    let world = World::new();
    let ada = world.ada().await;
    let token = token(&world).await;
    world.clock.advance(Duration::from_millis(599_999));
    let hashes = world.auth.hasher().hashes();
    assert_eq!(goes(&world, &ada, token).await, Outcome::Done);
    assert_eq!(world.auth.hasher().hashes(), hashes, "no password was asked for");
    assert!(world.auth.find_user(&ada.id).await.unwrap().is_none());
}

#[tokio::test]
async fn a_stale_token_is_none_until_the_password_is_proven_again() {
    let world = World::new();
    let ada = world.ada().await;
    let stale = token(&world).await;
    world.clock.advance(Duration::from_secs(600));
    refused(&world, &ada, &stale, "at the limit").await;
    world.clock.advance(Duration::from_secs(3600));
    refused(&world, &ada, &stale, "long after").await;
    let fresh = world.auth.step_up(StepUp::new(stale.clone(), OLD)).await.unwrap().record;
    refused(&world, &ada, &stale, "the one that was replaced").await;
    assert_eq!(asks_for_another_address(&world, &ada, fresh.clone()).await, Outcome::Done);
    assert_eq!(goes(&world, &ada, fresh).await, Outcome::Done);
}

#[tokio::test]
async fn how_long_a_password_counts_is_the_policys() {
    for seconds in [1, 86_400] {
        let mut policy = Policy::default();
        policy.tokens.step_up_ttl = seconds;
        let world = World::with(policy);
        let ada = world.ada().await;
        let token = token(&world).await;
        world.clock.advance(Duration::from_millis(seconds.unsigned_abs() * 1000 - 1));
        assert_eq!(asks_for_another_address(&world, &ada, token.clone()).await, Outcome::Done);
        world.clock.advance(Duration::from_millis(1));
        assert_eq!(asks_for_another_address(&world, &ada, token).await, Outcome::StepUpRequired);
    }
    for seconds in [0, -1, i64::MIN] {
        let mut policy = Policy::default();
        policy.tokens.step_up_ttl = seconds;
        let store = MemoryStore::new();
        let refused = Auth::<User>::builder(store).policy(policy).build();
        assert!(matches!(refused, Err(ConfigError::Policy(_))), "{seconds}");
    }
}

/// V-40
#[tokio::test]
async fn a_token_that_is_not_the_users_or_from_before_a_change_is_none() {
    let world = World::new();
    let ada = world.ada().await;
    let issued = login_as(&world.auth, &ada).await.record;
    refused(&world, &ada, &issued, "issued without a password").await;

    world.auth.register(Register::email("bob@example.com", OLD)).await.unwrap();
    let bobs = world.auth.login(Login::email("bob@example.com", OLD)).await.unwrap().token.record;
    refused(&world, &ada, &bobs, "of another user").await;
    let other_type = TokenRecord { user_type: "Robot".into(), ..token(&world).await };
    refused(&world, &ada, &other_type, "of a user of another type with the same id").await;

    let before = world.auth.login(Login::email(EMAIL, OLD)).await.unwrap().token;
    let change = ChangePassword::new(ada.id.clone(), OLD, NEW).keep(before.record.clone());
    world.auth.change_password(change).await.unwrap();
    refused(&world, &ada, &before.record, "from before a password change").await;
    // The session itself was kept, and the password was verified to change it.
    let kept = world.auth.authenticate(before.secret.expose()).await.unwrap().token.unwrap();
    assert_eq!(asks_for_another_address(&world, &ada, kept.clone()).await, Outcome::Done);
    world.auth.logout_everywhere(&ada.id, None).await.unwrap();
    refused_address(&world, &ada, &kept).await;
}

async fn refused_address(world: &World, ada: &User, token: &TokenRecord) {
    assert_eq!(asks_for_another_address(world, ada, token.clone()).await, Outcome::StepUpRequired);
    assert_eq!(goes(world, ada, token.clone()).await, Outcome::StepUpRequired);
}

/// 16.5.3
#[tokio::test]
async fn a_store_that_fails_is_neither_a_proof_nor_a_refusal() {
    let world = World::new();
    let ada = world.ada().await;
    let fresh = token(&world).await;
    world.clock.advance(Duration::from_secs(600));
    let stale = fresh.clone();
    let fresh = world.auth.step_up(StepUp::new(fresh, OLD)).await.unwrap().record;
    for token in [fresh, stale] {
        for fault in [Fail, FailAfter] {
            world.calls.every_call_of("find_user", fault);
            assert_eq!(asks_for_another_address(&world, &ada, token.clone()).await, Outcome::Unavailable);
            assert_eq!(goes(&world, &ada, token.clone()).await, Outcome::Unavailable);
            world.calls.reset();
        }
    }
    assert!(world.auth.find_user(&ada.id).await.unwrap().is_some());
}

#[tokio::test]
async fn a_wrong_password_is_told_from_a_stale_token() {
    let world = World::new();
    let ada = world.ada().await;
    assert_eq!(asks_for_another_address(&world, &ada, "wrong").await, Outcome::Wrong);
    assert_eq!(goes(&world, &ada, "wrong").await, Outcome::Wrong);
    assert_eq!(asks_for_another_address(&world, &ada, OLD).await, Outcome::Done);
    assert_eq!(goes(&world, &ada, OLD).await, Outcome::Done);
}
