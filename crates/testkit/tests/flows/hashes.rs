//! What is hashed, how often, and with which parameters.

use bcrypt::Version;
use gatekit_core::{
    Auth, Hasher, Login, LoginError, NewUser, NoProfile, PasswordHash, Register, RequestPasswordReset, SystemRandom,
    UserStore,
};

use crate::{EMAIL, NEW, OLD, World};

/// A user whose hash comes from elsewhere.
async fn user_with_hash(world: &World, email: &str, hash: Option<PasswordHash>) {
    let mut new = NewUser::new(email, NoProfile {});
    new.password = hash;
    world.store.create_user(new).await.unwrap();
}

async fn stored_hash(world: &World, email: &str) -> String {
    let identifier = gatekit_core::Identifier {
        namespace: String::new(),
        kind: gatekit_core::IdentifierKind::Email,
        value: email.to_owned(),
    };
    world.store.find_user_by(&identifier).await.unwrap().unwrap().password.unwrap().expose().to_owned()
}

fn bcrypt_hash(password: &str, version: Version) -> PasswordHash {
    PasswordHash::from_stored(bcrypt::hash_with_salt(password, 4, [7; 16]).unwrap().format_for_version(version))
}

/// What today's parameters look like: those of `fast_hasher`.
const TODAY: &str = "$argon2id$v=19$m=8,t=1,p=1$";

/// 6.3.8, T-1, T-5, T-6: a refused login costs one hash and says the same, whatever it was refused
/// for.
#[tokio::test]
async fn every_refused_login_costs_one_hash_and_gets_one_answer() {
    let world = World::new();
    world.ada().await;
    user_with_hash(&world, "nopassword@example.com", None).await;
    user_with_hash(&world, "bcrypt@example.com", Some(bcrypt_hash(OLD, Version::TwoA))).await;
    user_with_hash(&world, "damaged@example.com", Some(PasswordHash::from_stored("damaged"))).await;
    user_with_hash(&world, "cut@example.com", Some(PasswordHash::from_stored("$2a$10$tooshort"))).await;
    let (long, huge) = (format!("{}@example.com", "a".repeat(600)), "x".repeat(100_000));
    let wrong = [
        (EMAIL, "wrong"),
        (EMAIL, ""),
        (EMAIL, &*huge),
        ("nobody@example.com", OLD),
        ("nobody@example.com", ""),
        ("nobody@example.com", &*huge),
        ("nopassword@example.com", OLD),
        ("nopassword@example.com", ""),
        ("bcrypt@example.com", "wrong"),
        ("damaged@example.com", OLD),
        ("cut@example.com", OLD),
        (&*long, OLD),
        ("a\0b@example.com", OLD),
        ("no address", OLD),
    ];
    for (email, password) in wrong {
        let before = world.auth.hasher().hashes();
        let refused = world.auth.login(Login::email(email, password)).await;
        assert!(matches!(refused, Err(LoginError::InvalidCredentials)), "{email}: {refused:?}");
        assert_eq!(world.auth.hasher().hashes() - before, 1, "{email} {}", password.len());
    }
}

/// Only where nothing depends on who it is, nothing is hashed.
#[tokio::test]
async fn the_right_password_costs_one_hash_and_a_reset_request_none() {
    let world = World::new();
    world.ada().await;
    let before = world.auth.hasher().hashes();
    assert!(world.logs_in_with(OLD).await);
    assert_eq!(world.auth.hasher().hashes() - before, 1);
    for email in [EMAIL, "nobody@example.com"] {
        world.auth.request_password_reset(RequestPasswordReset::email(email)).await.unwrap();
    }
    assert_eq!(world.auth.hasher().hashes() - before, 1);
}

/// T-2: the same calls to the store, so that the answer takes the same time; only the mail differs.
#[tokio::test]
async fn a_reset_request_for_nobody_does_the_same_work() {
    let world = World::new();
    world.ada().await;
    let mut work = Vec::new();
    for email in [EMAIL, "nobody@example.com", "no address"] {
        world.calls.reset();
        world.auth.request_password_reset(RequestPasswordReset::email(email)).await.unwrap();
        work.push(world.calls.calls());
    }
    assert_eq!(work[0], ["find_user_by", "insert_one_time_within"]);
    assert!(work.iter().all(|calls| *calls == work[0]), "{work:?}");
    assert_eq!(world.mails.wait_for(1).await.len(), 1);
}

/// What comes from LoopBack, in every form bcrypt has had.
#[tokio::test]
async fn bcrypt_hashes_log_in_and_become_argon2id() {
    for version in [Version::TwoA, Version::TwoB, Version::TwoY] {
        let world = World::new();
        let bcrypt = bcrypt_hash(OLD, version);
        user_with_hash(&world, EMAIL, Some(bcrypt.clone())).await;
        assert!(!world.logs_in_with("wrong").await);
        assert_eq!(stored_hash(&world, EMAIL).await, bcrypt.expose(), "a wrong password changes nothing");

        let before = world.auth.hasher().hashes();
        assert!(world.logs_in_with(OLD).await, "{}", bcrypt.expose());
        assert_eq!(world.auth.hasher().hashes() - before, 2, "verified, and hashed again");
        let argon2 = stored_hash(&world, EMAIL).await;
        assert!(argon2.starts_with(TODAY), "{argon2}");

        assert!(world.logs_in_with(OLD).await && !world.logs_in_with("wrong").await);
        assert_eq!(stored_hash(&world, EMAIL).await, argon2, "once is enough");
    }
}

/// A hash made by another implementation of bcrypt.
#[tokio::test]
async fn a_hash_of_another_implementation_logs_in() {
    let world = World::new();
    // A test vector of crypt_blowfish.
    let hash = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    user_with_hash(&world, EMAIL, Some(PasswordHash::from_stored(hash))).await;
    assert!(world.logs_in_with("U*U").await);
}

/// A rehash is no change of the password: nobody is logged out by it.
#[tokio::test]
async fn a_rehash_ends_no_token() {
    let world = World::new();
    user_with_hash(&world, EMAIL, Some(bcrypt_hash(OLD, Version::TwoB))).await;
    let first = world.auth.login(Login::email(EMAIL, OLD)).await.unwrap();
    let second = world.auth.login(Login::email(EMAIL, OLD)).await.unwrap();
    for session in [first, second] {
        world.auth.authenticate(session.token.secret.expose()).await.unwrap();
    }
}

/// ASVS 11.4.2: when the parameters go up, hashes follow at the next login; also when they go down.
#[tokio::test]
async fn hashes_with_other_argon2_parameters_are_renewed() {
    let settings = [
        Hasher::builder().memory_kib(16).iterations(1),
        Hasher::builder().memory_kib(8).iterations(2),
        Hasher::builder().memory_kib(16).iterations(1).parallelism(2),
    ];
    for settings in settings {
        let world = World::new();
        let old = settings.insecure_below_minimum().build().unwrap().hash(OLD.into(), &SystemRandom).await.unwrap();
        user_with_hash(&world, EMAIL, Some(old.clone())).await;
        assert!(!old.expose().starts_with(TODAY));
        assert!(world.logs_in_with(OLD).await);
        assert!(stored_hash(&world, EMAIL).await.starts_with(TODAY));
        assert!(world.logs_in_with(OLD).await && !world.logs_in_with("wrong").await);
    }
}

#[tokio::test]
async fn a_hash_with_todays_parameters_stays_as_it_is() {
    let world = World::new();
    world.ada().await;
    let before = stored_hash(&world, EMAIL).await;
    assert!(before.starts_with(TODAY) && world.logs_in_with(OLD).await);
    assert_eq!(stored_hash(&world, EMAIL).await, before);
}

/// LOAD-14: a hash in the database that would take minutes or gigabytes to verify is taken for
/// damaged.
#[tokio::test]
async fn a_hash_that_would_stop_the_server_verifies_nothing() {
    let world = World::new();
    let output = "c29tZXNhbHRzb21lc2FsdA$zYg5BLTzBPJWT7VVnLJFjwJLyRQZqFVXLfGsUsKZpcE";
    let hostile = [
        format!("$argon2id$v=19$m=4194304,t=1,p=1${output}"),
        format!("$argon2id$v=19$m=8,t=4294967295,p=1${output}"),
        format!("$2b$31${}", "a".repeat(53)),
    ];
    for (i, hash) in hostile.into_iter().enumerate() {
        let email = format!("user{i}@example.com");
        user_with_hash(&world, &email, Some(PasswordHash::from_stored(hash))).await;
        let refused = world.auth.login(Login::email(email, OLD)).await;
        assert!(matches!(refused, Err(LoginError::InvalidCredentials)));
    }
}

/// 6.2.8: verified exactly as received.
#[tokio::test]
async fn a_password_is_neither_trimmed_nor_cut_nor_normalized() {
    let world = World::new();
    let (composed, decomposed) = ("pässwörter im Wald", "pa\u{308}sswo\u{308}rter im Wald");
    let long = "q7".repeat(100) + "!";
    for (i, password) in [" space around it ", composed, &long].into_iter().enumerate() {
        let email = format!("user{i}@example.com");
        world.auth.register(Register::email(&*email, password)).await.unwrap();
        world.auth.login(Login::email(&*email, password)).await.unwrap();
        for other in [password.trim(), decomposed, &long[..200], &long.to_uppercase(), NEW] {
            if other != password {
                assert!(world.auth.login(Login::email(&*email, other)).await.is_err(), "{other}");
            }
        }
    }
}

/// The default is what ASVS 11.4.2 and OWASP's cheat sheet ask for.
#[tokio::test]
async fn the_default_hasher_has_the_recommended_parameters() {
    let auth = Auth::new(gatekit_core::MemoryStore::new());
    let hash = auth.hasher().hash(OLD.into(), &SystemRandom).await.unwrap();
    assert!(hash.expose().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
    for weak in [Hasher::builder().memory_kib(19_455), Hasher::builder().iterations(1), Hasher::builder().permits(0)] {
        assert!(weak.build().is_err());
    }
}
