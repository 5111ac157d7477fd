//! T-1, V-20, 6.3.8: how long a refused login takes does not tell who was imported, or who has an
//! account. Alone in its process, because it measures time.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests stop at the first surprise")]

use std::sync::Mutex;
use std::time::{Duration, Instant};

use gatekit_core::{
    Auth, Event, Hasher, HasherBuilder, Login, LoginError, MemoryStore, NewUser, NoProfile, PasswordHash, Policy,
    Register, SystemRandom, UserStore,
};
use gatekit_testkit::EventLog;

const PASSWORD: &str = "correct horse battery";
/// About 30 ms in an optimized build: a thousand times what argon2 takes with the parameters of
/// [`quick`].
const COST: u32 = 8;

/// One test at a time.
static ALONE: Mutex<()> = Mutex::new(());

/// argon2 with the least parameters, so that the difference to bcrypt is as great as it can be.
fn quick(permits: usize) -> HasherBuilder {
    Hasher::builder().memory_kib(8).iterations(1).permits(permits).insecure_below_minimum()
}

/// An app with a user of each kind of hash. Returns the addresses.
async fn app(hasher: Hasher, events: EventLog) -> (Auth, Vec<&'static str>) {
    let store = MemoryStore::new();
    let bcrypt = |cost| bcrypt::hash_with_salt(PASSWORD, cost, [7; 16]).unwrap().to_string();
    let older = quick(1).memory_kib(32).build().unwrap();
    let stored = [
        ("argon2@example.com", Some(hasher.hash(PASSWORD.into(), &SystemRandom).await.unwrap())),
        ("older@example.com", Some(older.hash(PASSWORD.into(), &SystemRandom).await.unwrap())),
        ("bcrypt@example.com", Some(PasswordHash::from_stored(bcrypt(COST)))),
        ("cheap@example.com", Some(PasswordHash::from_stored(bcrypt(4)))),
        ("damaged@example.com", Some(PasswordHash::from_stored("damaged"))),
        ("without@example.com", None),
    ];
    let mut addresses = vec!["nobody@example.com"];
    for (address, hash) in stored {
        let mut new = NewUser::new(address, NoProfile {});
        new.password = hash;
        UserStore::<gatekit_core::User>::create_user(&store, new).await.unwrap();
        addresses.push(address);
    }
    let auth = Auth::builder(store).hasher(hasher).hooks(events).build().unwrap();
    (auth, addresses)
}

/// The median time of a wrong login for each address, taken by turns.
async fn medians(auth: &Auth, addresses: &[&str], rounds: usize) -> Vec<Duration> {
    let mut times = vec![Vec::new(); addresses.len()];
    // The first refusal measures.
    wrong_login(auth, addresses[0]).await;
    for _ in 0..rounds {
        for (address, times) in addresses.iter().zip(&mut times) {
            times.push(wrong_login(auth, address).await);
        }
    }
    let median = |mut times: Vec<Duration>| {
        times.sort_unstable();
        times[times.len() / 2]
    };
    times.into_iter().map(median).collect()
}

async fn wrong_login(auth: &Auth, address: &str) -> Duration {
    let began = Instant::now();
    let refused = auth.login(Login::email(address, "wrong")).await;
    let took = began.elapsed();
    assert!(matches!(refused, Err(LoginError::InvalidCredentials)), "{refused:?}");
    took
}

fn ratio(times: &[Duration]) -> f64 {
    times.iter().max().unwrap().as_secs_f64() / times.iter().min().unwrap().as_secs_f64()
}

/// The ratio of the medians is below 1.2. Without the wait it is above 10, so the measurement can
/// see what it is to rule out.
#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "the tests run one after the other, each on a thread of its own")]
async fn a_wrong_login_takes_the_same_time_whatever_hash_is_stored() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (auth, addresses) = app(quick(2).imported_bcrypt_cost(Some(COST)).build().unwrap(), EventLog::new()).await;
    let times = medians(&auth, &addresses, 21).await;
    assert!(ratio(&times) < 1.2, "{addresses:?} {times:?}");

    let (auth, addresses) = app(quick(2).imported_bcrypt_cost(None).build().unwrap(), EventLog::new()).await;
    let times = medians(&auth, &addresses, 5).await;
    assert!(ratio(&times) > 10.0, "{addresses:?} {times:?}");
}

/// Where a sign-up hides who has an account, the right password of an unverified address is refused
/// as a wrong one, after the same time: or a login after the sign-up would tell whether that had
/// made the account.
#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "the tests run one after the other, each on a thread of its own")]
async fn the_right_password_of_an_unverified_address_takes_the_time_of_a_wrong_one() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let store = MemoryStore::new();
    let mut policy = Policy::default();
    policy.email.verification_required = true;
    let hasher = quick(2).imported_bcrypt_cost(Some(COST)).build().unwrap();
    let auth: Auth = Auth::builder(store).policy(policy).hasher(hasher).build().unwrap();
    auth.register(Register::email("waiting@example.com", PASSWORD)).await.unwrap();
    let refused = async |address: &str| {
        let began = Instant::now();
        let refused = auth.login(Login::email(address, PASSWORD)).await;
        let took = began.elapsed();
        assert!(matches!(refused, Err(LoginError::InvalidCredentials)), "{refused:?}");
        took
    };
    let (mut waiting, mut nobody) = (Vec::new(), Vec::new());
    for _ in 0..21 {
        waiting.push(refused("waiting@example.com").await);
        nobody.push(refused("nobody@example.com").await);
    }
    waiting.sort_unstable();
    nobody.sort_unstable();
    let times = [waiting[10], nobody[10]];
    assert!(ratio(&times) < 1.2, "{times:?}");
}

/// A hash that is slower than expected stands out once; from then on all others wait for it.
#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "the tests run one after the other, each on a thread of its own")]
async fn a_slower_hash_than_expected_stands_out_once_at_most() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (auth, addresses) = app(quick(2).imported_bcrypt_cost(Some(5)).build().unwrap(), EventLog::new()).await;
    wrong_login(&auth, "bcrypt@example.com").await;
    let times = medians(&auth, &addresses, 11).await;
    assert!(ratio(&times) < 1.2, "{addresses:?} {times:?}");
}

/// The defaults, with LoopBack's cost: what an app has that imports its users and sets nothing.
#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "the tests run one after the other, each on a thread of its own")]
async fn the_default_hasher_hides_who_came_from_loopback() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (auth, _) = app(Hasher::builder().build().unwrap(), EventLog::new()).await;
    let mut new = NewUser::new("loopback@example.com", NoProfile {});
    new.password = Some(PasswordHash::from_stored(bcrypt::hash_with_salt(PASSWORD, 10, [7; 16]).unwrap().to_string()));
    let addresses = ["nobody@example.com", "argon2@example.com", "loopback@example.com"];
    let store = MemoryStore::new();
    UserStore::<gatekit_core::User>::create_user(&store, new).await.unwrap();
    let auth: Auth = Auth::builder(store).hasher(auth.hasher().clone()).build().unwrap();
    auth.register(gatekit_core::Register::email("argon2@example.com", PASSWORD)).await.unwrap();
    let times = medians(&auth, &addresses, 9).await;
    assert!(ratio(&times) < 1.2, "{times:?}");
}

/// What waits holds no permit: forty refusals wait at the same time behind one permit.
#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "the tests run one after the other, each on a thread of its own")]
async fn a_refusal_that_waits_holds_no_permit() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let (auth, _) = app(quick(1).imported_bcrypt_cost(Some(COST)).build().unwrap(), EventLog::new()).await;
    wrong_login(&auth, "nobody@example.com").await;
    let one = wrong_login(&auth, "nobody@example.com").await;
    let began = Instant::now();
    let refusals: Vec<_> = (0..40)
        .map(|_| {
            let auth = auth.clone();
            tokio::spawn(async move { wrong_login(&auth, "nobody@example.com").await })
        })
        .collect();
    for refusal in refusals {
        refusal.await.unwrap();
    }
    let forty = began.elapsed();
    assert!(forty < one * 10, "one {one:?}, forty {forty:?}");
}

/// A right password does not wait, and a client that hangs up as soon as an answer is late has not
/// tried unseen.
#[tokio::test]
#[expect(clippy::await_holding_lock, reason = "the tests run one after the other, each on a thread of its own")]
async fn a_client_that_does_not_wait_for_its_refusal_is_recorded_all_the_same() {
    let _alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let events = EventLog::new();
    let (auth, _) = app(quick(1).imported_bcrypt_cost(Some(12)).build().unwrap(), events.clone()).await;
    let refusal = wrong_login(&auth, "nobody@example.com").await;
    assert!(refusal > Duration::from_millis(100), "{refusal:?}");
    let began = Instant::now();
    auth.login(Login::email("argon2@example.com", PASSWORD)).await.unwrap();
    assert!(began.elapsed() < refusal / 2, "{:?} against {refusal:?}", began.elapsed());
    let _ = events.take();

    let hung_up = tokio::time::timeout(refusal / 2, auth.login(Login::email("argon2@example.com", "wrong"))).await;
    assert!(hung_up.is_err());
    let seen = events.take();
    assert!(matches!(&seen[..], [Event::LoginFailed { user_id: Some(_), .. }]), "{seen:?}");
}
