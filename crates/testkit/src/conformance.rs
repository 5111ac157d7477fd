//! What every store must keep: the contracts of `gatekit_core`'s ports, as rules to be run on a
//! store.
//!
//! Each rule is a function with the rule as its name, and gets a store of its own. A store that
//! breaks one makes the suite panic, with the rule in the message. Run it on a runtime with several
//! threads: many rules are about what happens at the same time.
//!
//! ```
//! # #[tokio::main] async fn main() {
//! use gatekit_core::{MemoryStore, NewUser, NoProfile, User};
//! use gatekit_testkit::conformance::{self, Identifiers};
//!
//! let make = || async { MemoryStore::<NoProfile>::new() };
//! let new_user = |email: &str| NewUser::new(email, NoProfile {});
//!
//! conformance::user_store::<User, _, _>(Identifiers::ALL, make, new_user).await;
//! conformance::token_store(make).await;
//! conformance::one_time_store(make).await;
//! conformance::role_store(make).await;
//! conformance::device_store(make).await;
//! conformance::digest_store(make).await;
//! conformance::permission_store(make).await;
//!
//! let make_both = || async {
//!     let store = MemoryStore::<NoProfile>::new();
//!     (store.clone(), store)
//! };
//! conformance::token_owner::<User, _, _, _>(make_both, new_user).await;
//! conformance::token_owner_roles::<User, _, _, _>(make_both, new_user).await;
//! # }
//! ```
//!
//! An app with users in an own table runs [`user_store`], [`token_owner`] and [`token_owner_roles`]
//! on its own `UserStore`. Of the methods that a store may leave out, the rules are run if
//! [`UserStore::supports`] says that it has them; what it does not support it must refuse as
//! unsupported. What the ports cannot say (that what was acknowledged survives a crash) is for the
//! store's own tests.

mod counters;
mod deletions;
mod devices;
mod digests;
mod find;
mod one_time;
mod one_time_limits;
mod owners;
mod passwords;
mod permissions;
mod roles;
#[cfg(feature = "tower-sessions")]
mod sessions;
mod spellings;
mod status;
mod token_purges;
mod tokens;
mod updates;
mod user_types;
mod users;

use std::sync::Arc;

use gatekit_core::{
    Account, CounterStore, DeviceStore, DigestStore, NewUser, OneTimeStore, PermissionStore, Proofs, RoleStore,
    StoreError, Timestamp, TokenDigest, TokenRecord, TokenStore, UserId, UserStore,
};
use tokio::sync::Barrier;

/// By what a store of users can look one up, beyond the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identifiers {
    /// Users may have a name to log in with.
    pub usernames: bool,
    /// The same address or name may occur once in each namespace (`Policy` with realms).
    pub namespaces: bool,
}

impl Identifiers {
    /// Address and name, in namespaces.
    pub const ALL: Self = Self { usernames: true, namespaces: true };
    /// The address alone, in one namespace for all.
    pub const EMAIL_ONLY: Self = Self { usernames: false, namespaces: false };
}

/// Runs the rules of [`UserStore`]. `make` gives an empty store each time, `new_user` a user with
/// this address that the store accepts, with a profile that is not empty if the app's is not, and
/// that is another for another address: what stays the same cannot be seen to change.
///
/// # Panics
///
/// If the store breaks a rule.
pub async fn user_store<U, S, Made>(
    identifiers: Identifiers,
    make: impl Fn() -> Made,
    new_user: impl Fn(&str) -> NewUser<U::Profile>,
) where
    U: Account,
    S: UserStore<U>,
    Made: Future<Output = S>,
{
    users::run(identifiers, &make, &new_user).await;
    passwords::run(&make, &new_user).await;
    updates::run(identifiers, &make, &new_user).await;
    deletions::run(identifiers, &make, &new_user).await;
    find::run(identifiers, &make, &new_user).await;
    spellings::run(identifiers, &make, &new_user).await;
    status::run(&make, &new_user).await;
}

/// Runs the rules about two user types, `A` and `B`, over one database: each has its own users, and
/// no call for one reaches a user of the other. `make` gives two empty stores of users and an empty
/// store of tokens over the same database, each time. `identifiers` are those that both types have.
///
/// ```
/// # #[tokio::main] async fn main() {
/// use gatekit_core::{MemoryStore, Model, NewUser, NoProfile, User};
/// use gatekit_testkit::conformance::{self, Identifiers};
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Clone, Serialize, Deserialize)]
/// struct Seller {
///     shop: String,
/// }
///
/// impl Model for Seller {
///     const NAME: &'static str = "Seller";
/// }
///
/// let make = || async {
///     let store = MemoryStore::<NoProfile>::new();
///     (store.clone(), store.with_profile::<Seller>(), store)
/// };
/// let user = |email: &str| NewUser::new(email, NoProfile {});
/// let seller = |email: &str| NewUser::new(email, Seller { shop: email.into() });
/// conformance::user_types::<User, User<Seller>, _, _, _, _>(Identifiers::ALL, make, user, seller).await;
/// # }
/// ```
///
/// # Panics
///
/// If the stores break a rule.
pub async fn user_types<A, B, SA, SB, T, Made>(
    identifiers: Identifiers,
    make: impl Fn() -> Made,
    new_a: impl Fn(&str) -> NewUser<A::Profile>,
    new_b: impl Fn(&str) -> NewUser<B::Profile>,
) where
    A: Account,
    B: Account,
    SA: UserStore<A>,
    SB: UserStore<B>,
    T: TokenStore,
    Made: Future<Output = (SA, SB, T)>,
{
    user_types::run(identifiers, make, new_a, new_b).await;
}

/// Runs the rules of [`TokenStore`]. `make` gives an empty store each time.
///
/// # Panics
///
/// If the store breaks a rule.
pub async fn token_store<S: TokenStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    tokens::run(&make).await;
    token_purges::run(make).await;
}

/// Runs the rules of [`OneTimeStore`]. `make` gives an empty store each time.
///
/// # Panics
///
/// If the store breaks a rule.
pub async fn one_time_store<S: OneTimeStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    one_time::run(&make).await;
    one_time_limits::run(make).await;
}

/// Runs the rules of [`RoleStore`]. `make` gives an empty store each time.
///
/// # Panics
///
/// If the store breaks a rule.
pub async fn role_store<S: RoleStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    roles::run(make).await;
}

/// Runs the rules of [`DeviceStore`]. `make` gives an empty store each time.
///
/// # Panics
///
/// If the store breaks a rule.
pub async fn device_store<S: DeviceStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    devices::run(make).await;
}

/// Runs the rules of [`CounterStore`]. `make` gives an empty store each time.
///
/// # Panics
///
/// If the store breaks a rule.
pub async fn counter_store<S: CounterStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    counters::run(make).await;
}

/// Runs the rules of [`DigestStore`]. `make` gives an empty store each time.
///
/// # Panics
///
/// If the store breaks a rule.
pub async fn digest_store<S: DigestStore, Made: Future<Output = S>>(make: impl Fn() -> Made) {
    digests::run(make).await;
}

/// Runs the rules of [`PermissionStore`], which goes by the roles of its [`RoleStore`]. `make`
/// gives an empty store each time.
///
/// # Panics
///
/// If the store breaks a rule.
pub async fn permission_store<S, Made>(make: impl Fn() -> Made)
where
    S: PermissionStore + RoleStore,
    Made: Future<Output = S>,
{
    permissions::run(make).await;
}

/// Runs the rules of tower-sessions' `SessionStore`. `make` gives an empty store each time, which
/// goes by the machine's clock.
///
/// ```
/// # #[tokio::main] async fn main() {
/// use gatekit_testkit::conformance;
/// use tower_sessions_memory_store::MemoryStore;
///
/// conformance::session_store(|| async { MemoryStore::default() }).await;
/// # }
/// ```
///
/// # Panics
///
/// If the store breaks a rule.
#[cfg(feature = "tower-sessions")]
pub async fn session_store<S, Made>(make: impl Fn() -> Made)
where
    S: tower_sessions_core::SessionStore,
    Made: Future<Output = S>,
{
    sessions::run(make).await;
}

/// Runs rules that tower-sessions leaves open and Gatekit wants kept: a session ends at its
/// millisecond, and what has ended never comes back by a save, so that a request under way does not
/// undo a logout; a new session whose id is in use gets another. `make` gives an empty store that
/// goes by this clock, each time.
///
/// # Panics
///
/// If the store breaks a rule.
#[cfg(feature = "tower-sessions")]
pub async fn session_store_strict<S, Made>(make: impl Fn(crate::FrozenClock) -> Made)
where
    S: tower_sessions_core::SessionStore,
    Made: Future<Output = S>,
{
    sessions::run_strict(make).await;
}

/// Runs the rules of [`UserStore::find_token_owner`], which a store may answer with one query
/// instead of two. `make` gives an empty store of users and an empty store of the tokens it could
/// join with, each time.
///
/// # Panics
///
/// If the stores break a rule.
pub async fn token_owner<U, S, T, Made>(make: impl Fn() -> Made, new_user: impl Fn(&str) -> NewUser<U::Profile>)
where
    U: Account,
    S: UserStore<U>,
    T: TokenStore,
    Made: Future<Output = (S, T)>,
{
    owners::run(make, new_user).await;
}

/// Runs the rules about the roles that [`UserStore::find_token_owner`] may bring along: `None`, or
/// what [`RoleStore::roles_of`] answers. `make` gives an empty store of users and an empty store of
/// tokens and roles that it could join with, each time.
///
/// # Panics
///
/// If the stores break a rule.
pub async fn token_owner_roles<U, S, T, Made>(make: impl Fn() -> Made, new_user: impl Fn(&str) -> NewUser<U::Profile>)
where
    U: Account,
    S: UserStore<U>,
    T: TokenStore + RoleStore,
    Made: Future<Output = (S, T)>,
{
    owners::run_roles(make, new_user).await;
}

/// Runs rules one after the other, each on a store of its own, and names the one that is broken.
macro_rules! rules {
    ($make:expr; $($rule:ident($($argument:expr),*)),* $(,)?) => {
        $({
            let running = $crate::conformance::Running(stringify!($rule));
            $rule($make().await, $($argument),*).await;
            drop(running);
        })*
    };
}
use rules;

/// Names the rule beside whatever panicked in it.
struct Running(&'static str);

impl Drop for Running {
    #[expect(clippy::print_stderr, reason = "a test kit tells by panicking, and this belongs to the panic's message")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the store breaks the rule {}", self.0);
        }
    }
}

/// How often a race is run: one that is lost by luck is not lost five times.
const ROUNDS: i64 = 5;

/// Awaits twenty calls that begin at the same moment.
async fn twenty<T, Call>(call: impl Fn(usize) -> Call) -> Vec<T>
where
    T: Send + 'static,
    Call: Future<Output = T> + Send + 'static,
{
    let start = Arc::new(Barrier::new(20));
    let spawn = |n| {
        let (call, start) = (call(n), Arc::clone(&start));
        tokio::spawn(async move {
            start.wait().await;
            call.await
        })
    };
    let tasks: Vec<_> = (0..20).map(spawn).collect();
    let mut done = Vec::with_capacity(tasks.len());
    for task in tasks {
        done.push(task.await.expect("a call to the store panicked"));
    }
    done
}

/// What a store that works answers.
#[track_caller]
fn ok<T, E: std::fmt::Display>(answer: Result<T, E>) -> T {
    match answer {
        Ok(value) => value,
        Err(error) => panic!("a store that works must answer: {error}"),
    }
}

fn digest(secret: impl std::fmt::Display) -> TokenDigest {
    TokenDigest::of(&secret.to_string())
}

const T0: Timestamp = Timestamp(1_387_571_420_377);

/// A token of user 1 that was issued at T0 for ten minutes.
fn token(secret: impl std::fmt::Display) -> TokenRecord {
    TokenRecord {
        digest: digest(secret),
        user_type: "User".into(),
        user_id: UserId::Int(1),
        rev: 0,
        ttl: 600,
        created: T0,
        renewed: None,
        scopes: None,
        proofs: Proofs::default(),
        client: None,
        last_used: None,
    }
}

/// Texts a store must keep byte for byte, no two of them equal: case, blanks, forms of Unicode,
/// what looks like a number, and characters that mean something in SQL, LIKE, JSON or C.
const TEXTS: [&str; 24] = [
    "ada@example.com",
    "Ada@example.com",
    "ada@example.com ",
    " ada@example.com",
    "ada@example.com\t",
    "caf\u{e9}@example.com",
    "cafe\u{301}@example.com",
    "cafe@example.com",
    "stra\u{df}e@example.com",
    "strasse@example.com",
    "\u{131}@example.com",
    "i@example.com",
    "I@example.com",
    "\u{1f468}\u{200d}\u{1f469}@example.com",
    "\u{feff}bom@example.com",
    "%",
    "_",
    "o'brien\"; DROP TABLE users; --",
    "back\\slash\\",
    "1000",
    "1e3",
    "0x3E8",
    "line\nbreak\u{1}",
    "ada@example.com\u{a0}",
];

/// The kinds of ids, and pairs that print the same.
fn ids() -> [UserId; 7] {
    [
        UserId::Int(7),
        UserId::Text("7".into()),
        UserId::Text("07".into()),
        UserId::Int(-1),
        UserId::Int(i64::MAX),
        UserId::Text("52b4a2f1e4b0c2a7d1000001".into()),
        UserId::Text("o'brien".into()),
    ]
}

#[track_caller]
fn assert_failed<T>(answer: Result<T, StoreError>, rule: &str) {
    assert!(answer.is_err(), "{rule}");
}
