//! Password hashing that cannot take the server down: off the async threads, behind permits, in
//! memory that is reused.
//!
//! 1. As many hashes run at a time as there are permits (default: one a core). Each permit has one
//!    block of memory that is allocated once, so 64 logins in flight cost as much memory as two.
//! 2. A request that finds no free permit waits in an async queue and holds no thread. The queue is
//!    bounded: beyond it a request fails at once with [`HasherError::Busy`], HTTP 503 and
//!    `Retry-After`.
//! 3. A verification for an unknown user does the same work against a hash that no password
//!    matches.
//! 4. A refusal takes the same time whatever hash was stored: see `pace.rs`.
//!
//! A password takes this way: [`Hasher`] here, `queue.rs` for a permit, `stored.rs` for the scheme,
//! `engine.rs` for the memory, and a backend, which computes.

mod backend;
mod builder;
mod engine;
#[cfg(feature = "argon2-simd")]
#[cfg(test)]
mod equality;
mod pace;
mod queue;
mod reference;
#[cfg(feature = "argon2-simd")]
mod self_test;
#[cfg(feature = "argon2-simd")]
mod simd;
mod stored;

use std::sync::Arc;

pub use self::builder::HasherBuilder;
pub(crate) use self::pace::Pause;
pub use self::queue::HasherError;
use self::queue::Queue;
pub use self::stored::{HashProblem, Verified};
use self::stored::{SALT_LENGTH, StoredHashes};
use crate::{ConfigError, Password, PasswordHash, Random, Unavailable};

/// Hashes and verifies passwords: argon2id for new ones, bcrypt as well for those that come from
/// LoopBack.
///
/// Clones share permits, memory and queue. One hasher may serve several [`Auth`](crate::Auth)s.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use gatekit_core::{Hasher, SystemRandom};
///
/// let hasher = Hasher::builder().permits(2).build()?;
/// let hash = hasher.hash("correct horse".into(), &SystemRandom).await?;
/// assert!(hasher.verify("correct horse".into(), Some(&hash)).await?.matches);
/// assert!(!hasher.verify("battery staple".into(), Some(&hash)).await?.matches);
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct Hasher(Arc<Shared>);

struct Shared {
    queue: Queue,
    hashes: StoredHashes,
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher").field("params", self.0.hashes.params()).finish_non_exhaustive()
    }
}

impl HasherBuilder {
    /// Makes the hasher. The memory is allocated when it is first needed.
    ///
    /// With the feature `argon2-simd`, this compares its implementation of argon2 with the
    /// reference, which takes as long as about three hashes. If they differ, the reference is used,
    /// and a line of the level `ERROR` says so.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Hasher`] if argon2 does not take the parameters, if they fall below ASVS
    /// 11.4.2 (19 MiB with two iterations, 46 MiB with one, 12 MiB with three), if there is no
    /// permit, or if the cost of imported hashes is not from 4 to 14.
    pub fn build(self) -> Result<Hasher, ConfigError> {
        let params = self.check()?;
        let hashes = StoredHashes::new(params, self.imported_bcrypt_cost)
            .ok_or_else(|| ConfigError::Hasher("the parameters cannot be written as a PHC string".into()))?;
        Ok(Hasher(Arc::new(Shared { queue: Queue::new(self.permits, self.queue), hashes })))
    }
}

impl Hasher {
    /// The settings, with their defaults.
    pub fn builder() -> HasherBuilder {
        HasherBuilder::new()
    }

    /// Hashes a new password with a salt of its own.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the queue is full or there is no randomness.
    pub async fn hash(&self, password: Password, random: &dyn Random) -> Result<PasswordHash, Unavailable> {
        let mut salt = [0; SALT_LENGTH];
        random.fill(&mut salt)?;
        let hash = self.run(move |hashes| hashes.hash(&password, &salt)).await?;
        hash.ok_or_else(|| HasherError::Stopped.into())
    }

    /// Verifies a password against a stored hash, or, for a user who does not exist or has no
    /// password, does the same work and answers no.
    ///
    /// A stored string that cannot be verified matches no password, costs the same work, and is
    /// told in [`Verified::problem`]. A no takes the same time whatever is stored: see
    /// [`HasherBuilder::imported_bcrypt_cost`].
    ///
    /// # Errors
    ///
    /// [`HasherError::Busy`] if the queue is full.
    pub async fn verify(&self, password: Password, hash: Option<&PasswordHash>) -> Result<Verified, HasherError> {
        let (verified, pause) = self.verify_at_once(password, hash).await?;
        if !verified.matches {
            pause.over().await;
        }
        Ok(verified)
    }

    /// [`verify`](Self::verify) for a caller that has something to do before a refusal waits: a
    /// client that hangs up while it waits must not keep its try from being recorded. A right
    /// password has a pause as well, for a caller that refuses it in the words of a wrong one.
    pub(crate) async fn verify_at_once(
        &self,
        password: Password,
        hash: Option<&PasswordHash>,
    ) -> Result<(Verified, Pause), HasherError> {
        let hash = hash.cloned();
        self.run(move |hashes| hashes.verify(&password, hash.as_ref())).await
    }

    /// How many hashes were computed since the start, for tests and metrics: equal for a known and
    /// an unknown user.
    #[must_use]
    pub fn hashes(&self) -> u64 {
        self.0.hashes.computed()
    }

    /// How much memory waits for the next hashes, in bytes: at most one hash with the hasher's own
    /// parameters for each permit. For tests and metrics.
    #[must_use]
    pub fn idle_memory(&self) -> usize {
        self.0.hashes.idle_memory()
    }

    /// Waits for a permit and runs `work` on a thread that may block. If the caller goes away, the
    /// work is finished all the same and only then gives its permit back: a client that hangs up
    /// cannot make more run at a time.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&StoredHashes) -> T + Send + 'static,
    ) -> Result<T, HasherError> {
        let permit = self.0.queue.permit().await?;
        let shared = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || {
            let result = work(&shared.hashes);
            drop(permit);
            result
        })
        .await
        .map_err(|_| HasherError::Stopped)
    }
}
