//! Who a login means, where an app has realms and where it has none. The rules are LoopBack's.

use gatekit_core::{FieldProblem, Login, LoginError, Policy, Register, RegisterError, RequestPasswordReset};

use crate::{EMAIL, NEW, OLD, World};

fn required() -> Policy {
    let mut policy = Policy::default();
    policy.identifiers.realm_required = true;
    policy
}

/// With both settings, which is what makes identifiers unique within a realm.
fn delimited() -> Policy {
    let mut policy = required();
    policy.identifiers.realm_delimiter = Some(':');
    policy
}

/// A world in which `ada` exists in the realms `one` (password `OLD`) and `two` (password `NEW`).
async fn two_realms(policy: Policy) -> World {
    let world = World::with(policy);
    for (realm, password) in [("one", OLD), ("two", NEW)] {
        world.auth.register(Register::email(EMAIL, password).username("ada").realm(realm)).await.unwrap();
    }
    world
}

#[derive(Debug, PartialEq)]
enum Outcome {
    /// Logged in, in this realm.
    In(Option<String>),
    Wrong,
    RealmRequired,
    IdentifierRequired,
}

async fn outcome(world: &World, login: Login) -> Outcome {
    match world.auth.login(login).await {
        Ok(session) => Outcome::In(session.user.realm),
        Err(LoginError::InvalidCredentials) => Outcome::Wrong,
        Err(LoginError::RealmRequired) => Outcome::RealmRequired,
        Err(LoginError::IdentifierRequired) => Outcome::IdentifierRequired,
        Err(error) => panic!("{error:?}"),
    }
}

fn realm(name: &str) -> Outcome {
    Outcome::In(Some(name.to_owned()))
}

#[tokio::test]
async fn an_identifier_is_unique_within_its_realm() {
    let world = two_realms(delimited()).await;
    let again = world.auth.register(Register::email(EMAIL, OLD).realm("one")).await;
    assert!(matches!(again, Err(RegisterError::Invalid(errors)) if errors[0].problem == FieldProblem::Taken));
    world.auth.register(Register::email(EMAIL, OLD).realm("three")).await.unwrap();
}

/// Contract §7: "only when both settings are set".
#[tokio::test]
async fn with_one_setting_alone_an_identifier_is_unique_among_all_realms() {
    let mut delimiter_alone = Policy::default();
    delimiter_alone.identifiers.realm_delimiter = Some(':');
    for policy in [required(), delimiter_alone] {
        let world = World::with(policy);
        world.auth.register(Register::email(EMAIL, OLD).realm("one")).await.unwrap();
        let again = world.auth.register(Register::email(EMAIL, OLD).realm("two")).await;
        assert!(matches!(again, Err(RegisterError::Invalid(errors)) if errors[0].problem == FieldProblem::Taken));
    }
}

#[tokio::test]
async fn where_a_realm_is_required_a_login_must_name_the_right_one() {
    let world = World::with(required());
    world.auth.register(Register::email(EMAIL, OLD).username("ada").realm("one")).await.unwrap();
    world.auth.register(Register::email("bob@example.com", NEW).username("bob").realm("two")).await.unwrap();
    for (login, expected) in [
        (Login::email(EMAIL, OLD).realm("one"), realm("one")),
        (Login::username("bob", NEW).realm("two"), realm("two")),
        (Login::email(EMAIL, OLD).realm("two"), Outcome::Wrong),
        (Login::username("bob", NEW).realm("one"), Outcome::Wrong),
        (Login::email(EMAIL, NEW).realm("one"), Outcome::Wrong),
        (Login::email(EMAIL, OLD).realm("none"), Outcome::Wrong),
        (Login::email(EMAIL, OLD).realm("ONE"), Outcome::Wrong),
        (Login::email(EMAIL, OLD), Outcome::RealmRequired),
        (Login::email(EMAIL, OLD).realm(""), Outcome::RealmRequired),
        // The realm is looked at first.
        (Login::password(OLD), Outcome::RealmRequired),
        (Login::password(OLD).realm("one"), Outcome::IdentifierRequired),
        // Without a delimiter, a colon is a character like others.
        (Login::username("one:ada", OLD), Outcome::RealmRequired),
        (Login::username("one:ada", OLD).realm("one"), Outcome::Wrong),
    ] {
        assert_eq!(outcome(&world, login.clone()).await, expected, "{login:?}");
    }
}

#[tokio::test]
async fn a_delimiter_names_the_realm_and_wins_over_the_field() {
    let world = two_realms(delimited()).await;
    for (login, expected) in [
        (Login::username("one:ada", OLD), realm("one")),
        (Login::username("two:ada", NEW), realm("two")),
        (Login::email("one:ada@example.com", OLD), realm("one")),
        (Login::username("one:ada", OLD).realm("two"), realm("one")),
        (Login::username("ada", NEW).realm("two"), realm("two")),
        (Login::username("one:ada", NEW), Outcome::Wrong),
        // Only the first one counts.
        (Login::username("one:two:ada", OLD), Outcome::Wrong),
        (Login::username("ada", OLD), Outcome::RealmRequired),
        (Login::username(":ada", OLD), Outcome::RealmRequired),
        (Login::username("one:", OLD), Outcome::IdentifierRequired),
        (Login::username(":", OLD), Outcome::RealmRequired),
    ] {
        assert_eq!(outcome(&world, login.clone()).await, expected, "{login:?}");
    }
}

#[tokio::test]
async fn where_there_are_no_realms_the_field_is_not_looked_at() {
    let world = World::new();
    world.auth.register(Register::email(EMAIL, OLD).username("ada").realm("one")).await.unwrap();
    for login in [
        Login::email(EMAIL, OLD),
        Login::email(EMAIL, OLD).realm("one"),
        Login::email(EMAIL, OLD).realm("two"),
        Login::username("ada", OLD),
    ] {
        assert_eq!(outcome(&world, login.clone()).await, realm("one"), "{login:?}");
    }
    let again = world.auth.register(Register::email(EMAIL, OLD).realm("two")).await;
    assert!(matches!(again, Err(RegisterError::Invalid(_))), "one address, one user");
}

#[tokio::test]
async fn the_email_counts_before_the_username_and_an_empty_one_is_none() {
    let world = World::new();
    world.auth.register(Register::email(EMAIL, OLD).username("ada")).await.unwrap();
    world.auth.register(Register::email("bob@example.com", NEW).username("bob")).await.unwrap();
    let both = |email: &str, username: &str, password: &str| {
        let mut login = Login::username(username, password);
        login.email = Some(email.to_owned());
        login
    };
    assert_eq!(outcome(&world, both(EMAIL, "bob", OLD)).await, Outcome::In(None));
    assert_eq!(outcome(&world, both(EMAIL, "bob", NEW)).await, Outcome::Wrong);
    assert_eq!(outcome(&world, both("", "bob", NEW)).await, Outcome::In(None));
    assert_eq!(outcome(&world, both("", "", OLD)).await, Outcome::IdentifierRequired);
    // Names are compared as they are; addresses without regard to case.
    assert_eq!(outcome(&world, Login::username("ADA", OLD)).await, Outcome::Wrong);
    assert_eq!(outcome(&world, Login::email("ADA@EXAMPLE.COM", OLD)).await, Outcome::In(None));
}

/// A reset request names its realm, and mails nobody of another.
#[tokio::test]
async fn a_reset_goes_to_the_user_of_the_realm_that_was_named() {
    let world = two_realms(delimited()).await;
    world.auth.request_password_reset(RequestPasswordReset::email(EMAIL).realm("none")).await.unwrap();
    world.auth.request_password_reset(RequestPasswordReset::email(EMAIL).realm("two")).await.unwrap();
    let secret = world.mails.last_token().await;
    assert_eq!(world.mails.attempts(), 1);
    world.auth.reset_password(gatekit_core::PasswordReset::new(secret, "another long password")).await.unwrap();
    assert_eq!(outcome(&world, Login::email(EMAIL, "another long password").realm("two")).await, realm("two"));
    assert_eq!(outcome(&world, Login::email(EMAIL, OLD).realm("one")).await, realm("one"));
}
