//! Hashes that come from elsewhere: what they see of a password, and what the log says of those
//! that cannot be verified.

use bcrypt::Version;
use gatekit_core::{
    ChangePassword, Hasher, Identifier, IdentifierKind, Login, LoginError, NewUser, NoProfile, PasswordHash,
    PasswordUse, UserId, UserStore, VerifyPasswordError,
};
use gatekit_testkit::LogCapture;

use crate::{EMAIL, NEW, OLD, World};

/// 102 bytes, of which bcrypt sees 72.
const LONG: &str =
    "correct horse battery staple correct horse battery staple correct horse battery staple the true ending";

async fn user_with_hash(world: &World, hash: impl Into<String>) -> UserId {
    let mut new = NewUser::new(EMAIL, NoProfile {});
    new.password = Some(PasswordHash::from_stored(hash));
    world.store.create_user(new).await.unwrap().user.id
}

async fn stored_hash(world: &World) -> String {
    let identifier = Identifier { namespace: String::new(), kind: IdentifierKind::Email, value: EMAIL.to_owned() };
    world.store.find_user_by(&identifier).await.unwrap().unwrap().password.unwrap().expose().to_owned()
}

fn bcrypt_of(password: &str, version: Version) -> String {
    bcrypt::hash_with_salt(password, 4, [7; 16]).unwrap().format_for_version(version)
}

/// Case 01: what bcrypt has seen a part of is never recorded as the whole password. The owner gets
/// in before and after; so does any input with the same 72 bytes, as it did in LoopBack.
#[tokio::test]
async fn a_password_that_bcrypt_sees_a_part_of_is_never_hashed_again() {
    for version in [Version::TwoA, Version::TwoB, Version::TwoY, Version::TwoX] {
        let world = World::new();
        let hash = bcrypt_of(LONG, version);
        user_with_hash(&world, &*hash).await;
        let slip = format!("{}XX something else", &LONG[..72]);
        for password in [&*slip, LONG, &LONG[..72], &slip, LONG] {
            assert!(world.logs_in_with(password).await, "{password}");
            assert_eq!(stored_hash(&world).await, hash, "{password}");
        }
        assert!(!world.logs_in_with(&LONG[..71]).await);
    }
}

/// With fewer bytes bcrypt sees the end of the password too, so it is hashed again.
#[tokio::test]
async fn a_password_of_71_bytes_is_hashed_again_and_then_compared_whole() {
    let world = World::new();
    let (whole, longer) = (&LONG[..71], &LONG[..72]);
    user_with_hash(&world, bcrypt_of(whole, Version::TwoB)).await;
    assert!(!world.logs_in_with(longer).await);
    assert!(world.logs_in_with(whole).await);
    assert!(stored_hash(&world).await.starts_with("$argon2id$"));
    assert!(world.logs_in_with(whole).await && !world.logs_in_with(longer).await);
}

/// bcrypt repeats a short password with a NUL byte in between, so one that repeats itself in this
/// way matches too.
#[tokio::test]
async fn a_password_that_repeats_another_after_a_nul_byte_does_not_lock_its_owner_out() {
    let world = World::new();
    let hash = bcrypt_of(OLD, Version::TwoB);
    user_with_hash(&world, &*hash).await;
    assert!(world.logs_in_with(&format!("{OLD}\0{OLD}")).await);
    assert_eq!(stored_hash(&world).await, hash);
    assert!(world.logs_in_with(OLD).await);
    assert!(stored_hash(&world).await.starts_with("$argon2id$"));
}

/// The way off bcrypt for its owner: another password.
#[tokio::test]
async fn the_owner_of_a_long_password_leaves_bcrypt_by_choosing_another() {
    let world = World::new();
    let id = user_with_hash(&world, bcrypt_of(LONG, Version::TwoB)).await;
    let new = format!("{LONG} and more");
    world.auth.change_password(ChangePassword::new(id, LONG, &*new)).await.unwrap();
    assert!(stored_hash(&world).await.starts_with("$argon2id$"));
    assert!(world.logs_in_with(&new).await && !world.logs_in_with(LONG).await);
}

/// 6.2.8: an account says whether the password it was just verified with was seen whole, so that
/// nothing is made of another one.
#[tokio::test]
async fn a_login_says_whether_the_hash_saw_the_whole_password() {
    let world = World::new();
    user_with_hash(&world, bcrypt_of(LONG, Version::TwoB)).await;
    assert!(!world.auth.verify_login(Login::email(EMAIL, LONG)).await.unwrap().password_is_whole);
    let other = World::new();
    other.ada().await;
    assert!(other.auth.verify_login(Login::email(EMAIL, OLD)).await.unwrap().password_is_whole);
}

const OUTPUT: &str = "c29tZXNhbHRzb21lc2FsdA$zYg5BLTzBPJWT7VVnLJFjwJLyRQZqFVXLfGsUsKZpcE";

/// Case 21: nobody is locked out in silence. One line names the user and the reason, and never the
/// hash.
#[tokio::test]
async fn a_hash_that_cannot_be_verified_names_its_user_in_the_log() {
    let other = || bcrypt_of("pässwörter im Wald", Version::TwoX);
    let hashes = [
        (format!("$2b$17${}", "abcdefghijklmnopqrstuuVk1AgIUWThAt2UrJByumge8lTDnylTq"), "cost above the limit"),
        (format!("$argon2id$v=19$m=4194304,t=1,p=1${OUTPUT}"), "cost above the limit"),
        (format!("$argon2id$v=19$m=8,t=33,p=1${OUTPUT}"), "cost above the limit"),
        (other(), "version 2x"),
        ("$2a$10$tooshort".to_owned(), "damaged or of an unknown scheme"),
        ("$2k$10$abcdefghijklmnopqrstuuVk1AgIUWThAt2UrJByumge8lTDnylTq".to_owned(), "damaged or of an unknown scheme"),
        (format!("$scrypt$ln=16,r=8,p=1${OUTPUT}"), "damaged or of an unknown scheme"),
        ("5f4dcc3b5aa765d61d8327deb882cf99".to_owned(), "damaged or of an unknown scheme"),
    ];
    for (hash, reason) in hashes {
        let world = World::new();
        let id = user_with_hash(&world, &*hash).await;
        let logs = LogCapture::new();
        let _guard = logs.start();
        let refused = world.auth.login(Login::email(EMAIL, "not the pässword")).await;
        assert!(matches!(refused, Err(LoginError::InvalidCredentials)), "{refused:?}");
        let lines: Vec<String> = logs.text().lines().filter(|line| line.contains("WARN")).map(str::to_owned).collect();
        assert!(lines.iter().any(|line| line.contains(reason) && line.contains(&format!("user={id}"))), "{lines:?}");
        logs.assert_free_of(&[&hash, "not the pässword"]);
        // The same wherever a password is asked for.
        let before = logs.text().matches(reason).count();
        let wrong = world.auth.verify_password(&id, "not the pässword".into(), PasswordUse::StepUp).await;
        assert!(matches!(wrong, Err(VerifyPasswordError::WrongPassword)), "{wrong:?}");
        assert_eq!(logs.text().matches(reason).count(), before + 1);
    }
}

/// A column of a fixed width adds blanks. They are no part of the hash, and they go when it is
/// hashed again.
#[tokio::test]
async fn a_hash_with_blanks_around_it_verifies_and_is_stored_without_them() {
    let today = World::new();
    today.ada().await;
    let today = stored_hash(&today).await;
    for hash in [format!("{}    ", bcrypt_of(OLD, Version::TwoB)), format!(" {today}\r\n"), format!("{today}\0\0")] {
        let world = World::new();
        user_with_hash(&world, &*hash).await;
        let logs = LogCapture::new();
        let _guard = logs.start();
        assert!(!world.logs_in_with(NEW).await);
        assert!(world.logs_in_with(OLD).await);
        logs.assert_contains("blanks around it");
        let stored = stored_hash(&world).await;
        assert!(stored.starts_with("$argon2id$") && stored.trim() == stored && !stored.contains('\0'), "{stored}");
        assert!(world.logs_in_with(OLD).await);
    }
}

/// A cost that the hasher was not told of is verified, and the log says that its time may stand
/// out.
#[tokio::test]
async fn a_bcrypt_hash_of_a_greater_cost_than_expected_is_told() {
    let hasher = Hasher::builder().memory_kib(8).iterations(1).insecure_below_minimum().imported_bcrypt_cost(Some(4));
    let hasher = hasher.build().unwrap();
    let hash = |cost| PasswordHash::from_stored(bcrypt::hash_with_salt(OLD, cost, [7; 16]).unwrap().to_string());
    let expected = hasher.verify(OLD.into(), Some(&hash(4))).await.unwrap();
    assert_eq!((expected.matches, expected.problem), (true, None));
    let greater = hasher.verify(OLD.into(), Some(&hash(5))).await.unwrap();
    assert_eq!((greater.matches, greater.problem), (true, Some(gatekit_core::HashProblem::Slow)));
}

/// LOAD-1, mutant 56: a stored hash with large parameters leaves no memory with the permit that
/// verified it.
#[tokio::test]
async fn a_large_stored_hash_leaves_no_memory_behind() {
    let builder = || Hasher::builder().iterations(1).permits(1).insecure_below_minimum().imported_bcrypt_cost(None);
    let (own, large) = (builder().memory_kib(64).build().unwrap(), builder().memory_kib(16 * 1024).build().unwrap());
    let stored = large.hash(OLD.into(), &gatekit_core::SystemRandom).await.unwrap();
    assert!(own.verify(OLD.into(), None).await.is_ok());
    let kept = own.idle_memory();
    assert!((1..=64 * 1024).contains(&kept), "{kept}");
    for password in [OLD, NEW] {
        own.verify(password.into(), Some(&stored)).await.unwrap();
        assert_eq!(own.idle_memory(), kept);
    }
}
