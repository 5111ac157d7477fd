//! Accounts that come from another system: with the id they had, and without a password.

use gatekit_core::{
    Auth, Login, LoginError, MemoryStore, Need, PasswordReset, Register, RegisterError, RequestPasswordReset,
    StoreError, Unavailable, UserId, UserOperation,
};
use gatekit_testkit::{MailSink, fast_hasher};

use crate::configuration::Six;
use crate::{EMAIL, NEW, OLD, World};

#[tokio::test]
async fn an_imported_user_keeps_its_id_and_no_other_user_gets_it() {
    let world = World::new();
    let ada = world.auth.register(Register::email(EMAIL, OLD).id(4_711)).await.unwrap();
    assert_eq!(ada.id, UserId::Int(4_711));
    let session = world.auth.login(Login::email(EMAIL, OLD)).await.unwrap();
    assert_eq!(session.token.record.user_id, UserId::Int(4_711));

    let refused = world.auth.register(Register::email("bob@example.com", OLD).id(4_711)).await;
    let Err(RegisterError::Invalid(errors)) = refused else { panic!("{refused:?}") };
    assert_eq!((errors[0].field.as_str(), errors.len()), ("id", 1), "{errors:?}");
    let refused = world.auth.register(Register::email("bob@example.com", OLD).id(-1)).await;
    assert!(matches!(refused, Err(RegisterError::Invalid(_))), "{refused:?}");

    assert!(world.auth.delete_user(&ada.id).await.unwrap());
    let bob = world.auth.register(Register::email("bob@example.com", OLD)).await.unwrap();
    assert!(bob.id > ada.id, "{:?}", bob.id);
}

#[tokio::test]
async fn an_id_is_refused_by_name_over_a_store_that_would_ignore_it() {
    let store = MemoryStore::new();
    let auth: Auth = Auth::builder_with_users(Six(store.clone())).tokens(store).hasher(fast_hasher()).build().unwrap();
    let refused = auth.register(Register::email(EMAIL, OLD).id(7)).await;
    let need = Need::Users(UserOperation::GivenId);
    assert!(
        matches!(
            &refused,
            Err(RegisterError::Unavailable(Unavailable::Store(StoreError::Missing(missing)))) if *missing == need
        ),
        "{refused:?}"
    );
}

#[tokio::test]
async fn an_account_without_a_password_is_made_without_hashing_one() {
    let world = World::new();
    let ada = world.auth.register(Register::without_password(EMAIL)).await.unwrap();
    let account = world.auth.find_account_by_id(&ada.id).await.unwrap().unwrap();
    assert_eq!(account.password_mark, None);
    let mut forgotten = Register::email("bob@example.com", OLD);
    forgotten.password = None;
    assert!(world.auth.register(forgotten).await.is_err(), "a password is left out only where code says so");
}

/// 6.3.8
#[tokio::test]
async fn a_login_to_an_account_without_a_password_is_a_wrong_password() {
    let world = World::new();
    world.auth.register(Register::without_password(EMAIL)).await.unwrap();
    world.auth.register(Register::email("bob@example.com", OLD)).await.unwrap();
    let mut calls = Vec::new();
    for (email, password) in [(EMAIL, OLD), (EMAIL, ""), ("bob@example.com", NEW)] {
        world.calls.reset();
        let refused = world.auth.login(Login::email(email, password)).await;
        assert!(matches!(refused, Err(LoginError::InvalidCredentials)), "{email} {password:?}: {refused:?}");
        calls.push(world.calls.calls());
    }
    assert!(calls.iter().all(|of| *of == calls[0]), "{calls:?}");
}

#[tokio::test]
async fn a_reset_gives_an_account_its_first_password() {
    let world = World::new();
    world.auth.register(Register::without_password(EMAIL)).await.unwrap();
    world.auth.request_password_reset(RequestPasswordReset::email(EMAIL)).await.unwrap();
    world.auth.settled().await;
    let mail = world.mails.mails().pop().unwrap();
    let secret = MailSink::token_in(&mail).unwrap_or_else(|| panic!("{mail:?}"));
    world.auth.reset_password(PasswordReset::new(secret, NEW)).await.unwrap();
    assert!(world.logs_in_with(NEW).await);
}
