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
mod rules;
#[cfg(feature = "tower-sessions")]
mod sessions;
mod spellings;
mod status;
mod token_purges;
mod tokens;
mod updates;
mod user_types;
mod users;

use gatekit_core::{
    Account, CounterStore, DeviceStore, DigestStore, NewUser, OneTimeStore, PermissionStore, RoleStore, TokenStore,
    UserStore,
};

pub use self::rules::Identifiers;

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
