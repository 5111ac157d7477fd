//! Password hashing that cannot take the server down: off the async threads, behind permits, in
//! memory that is reused.
//!
//! 1. As many hashes run at a time as there are permits (default: one a core). Each permit has one
//!    block of memory that is allocated once, so 64 logins in flight cost as much memory as two.
//! 2. Who finds no permit waits in an async queue, holding no thread. The queue is bounded: beyond
//!    it a request fails at once with [`HasherError::Busy`], HTTP 503 and `Retry-After`.
//! 3. A verification for an unknown user does the same work against a hash that no password
//!    matches.
//! 4. A refusal takes the same time whatever hash was stored: see `pace.rs`.

mod pace;
mod stored;

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use argon2::password_hash::phc;
use argon2::{Algorithm, Argon2, Block, Params, Version};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use self::pace::Pace;
pub(crate) use self::pace::Pause;
pub use self::stored::{HashProblem, Verified};
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
    params: Params,
    permits: Arc<Semaphore>,
    queue: usize,
    waiting: AtomicUsize,
    /// Blocks of memory that no hash is using; at most one a permit.
    memory: Mutex<Vec<Vec<Block>>>,
    hashes: AtomicU64,
    /// A hash with our parameters that no password matches: what an unknown user's password is
    /// verified against.
    nobody: PasswordHash,
    /// How long a refusal takes.
    pace: Pace,
}

impl std::fmt::Debug for Hasher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hasher").field("params", &self.0.params).finish_non_exhaustive()
    }
}

/// Why nothing was hashed. HTTP status 503.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HasherError {
    /// The queue is full.
    #[error("too many passwords are waiting to be hashed")]
    Busy {
        /// Seconds after which there should be room.
        retry_after: u64,
    },
    /// The work was stopped: the runtime is shutting down, or hashing itself failed.
    #[error("the password could not be hashed")]
    Stopped,
}

/// The settings of a [`Hasher`].
#[derive(Clone, Debug)]
#[must_use]
pub struct HasherBuilder {
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
    permits: usize,
    queue: usize,
    below_minimum: bool,
    imported_bcrypt_cost: Option<u32>,
}

/// The cost of LoopBack's hashes (`saltWorkFactor`).
const LOOPBACK_COST: u32 = 10;

/// The OWASP cheat sheet's and ASVS 5.0 11.4.2's minimum, which is also what it recommends first.
const MEMORY_KIB: u32 = 19_456;
const ITERATIONS: u32 = 2;

impl HasherBuilder {
    /// Memory of one hash in KiB (argon2's m). Default 19,456, the least ASVS 11.4.2 allows with
    /// two iterations.
    pub fn memory_kib(mut self, kib: u32) -> Self {
        self.memory_kib = kib;
        self
    }

    /// Passes over the memory (argon2's t). Default 2.
    pub fn iterations(mut self, iterations: u32) -> Self {
        self.iterations = iterations;
        self
    }

    /// Lanes (argon2's p). Default 1.
    pub fn parallelism(mut self, lanes: u32) -> Self {
        self.parallelism = lanes;
        self
    }

    /// How many hashes may run at a time. Default: one a core. Each keeps its memory for good.
    pub fn permits(mut self, permits: usize) -> Self {
        self.permits = permits;
        self
    }

    /// How many may wait for a permit before further ones are refused with 503. Default: 128 a
    /// permit, about two seconds of work.
    pub fn queue(mut self, queue: usize) -> Self {
        self.queue = queue;
        self
    }

    /// The greatest cost of the bcrypt hashes that the store may hold, because users were imported.
    /// Default `Some(10)`, LoopBack's `saltWorkFactor`.
    ///
    /// A bcrypt hash takes longer to verify than argon2id with the default parameters, about 110 ms
    /// against 25. So every refusal waits until as much time has passed as the slower hash takes on
    /// this machine (OWASP ASVS 6.3.8): a wrong password then takes the same time for an imported
    /// user, for any other user, and for nobody. The wait costs neither a permit nor a thread. A
    /// right password does not wait.
    ///
    /// `None` answers at once. It is right where no hash was imported; otherwise the time tells who
    /// was.
    pub fn imported_bcrypt_cost(mut self, cost: Option<u32>) -> Self {
        self.imported_bcrypt_cost = cost;
        self
    }

    /// Accepts parameters below ASVS 11.4.2, so that tests do not spend their time hashing.
    pub fn insecure_below_minimum(mut self) -> Self {
        self.below_minimum = true;
        self
    }

    /// Makes the hasher. The memory is allocated when it is first needed.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Hasher`] if argon2 does not take the parameters, if they fall below ASVS
    /// 11.4.2 (19 MiB with two iterations, 46 MiB with one, 12 MiB with three), if there is no
    /// permit, or if the cost of imported hashes is not from 4 to 14.
    pub fn build(self) -> Result<Hasher, ConfigError> {
        let minimum = match self.iterations {
            0 | 1 => 47_104,
            2 => MEMORY_KIB,
            3 => 12_288,
            4 => 9_216,
            _ => 7_168,
        };
        if self.memory_kib < minimum && !self.below_minimum {
            return Err(ConfigError::Hasher(format!(
                "{} KiB with {} iterations is less than the {minimum} KiB that OWASP ASVS 11.4.2 asks for",
                self.memory_kib, self.iterations
            )));
        }
        if self.permits == 0 {
            return Err(ConfigError::Hasher("there must be at least one permit".into()));
        }
        if self.imported_bcrypt_cost.is_some_and(|cost| !(4..=14).contains(&cost)) {
            return Err(ConfigError::Hasher("the cost of imported bcrypt hashes must be from 4 to 14".into()));
        }
        let params = Params::new(self.memory_kib, self.iterations, self.parallelism, Some(OUTPUT_LENGTH))
            .map_err(|e| ConfigError::Hasher(e.to_string()))?;
        // Neither salt nor output is a secret here: the output is not the hash of anything.
        let nobody = encode(&params, &[0; SALT_LENGTH], &[0; OUTPUT_LENGTH])
            .ok_or_else(|| ConfigError::Hasher("the parameters cannot be written as a PHC string".into()))?;
        Ok(Hasher(Arc::new(Shared {
            params,
            permits: Arc::new(Semaphore::new(self.permits)),
            queue: self.queue,
            waiting: AtomicUsize::new(0),
            memory: Mutex::new(Vec::with_capacity(self.permits)),
            hashes: AtomicU64::new(0),
            nobody,
            pace: Pace::new(self.imported_bcrypt_cost),
        })))
    }
}

const SALT_LENGTH: usize = 16;
const OUTPUT_LENGTH: usize = 32;

impl Hasher {
    /// The settings, with their defaults.
    pub fn builder() -> HasherBuilder {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        HasherBuilder {
            memory_kib: MEMORY_KIB,
            iterations: ITERATIONS,
            parallelism: 1,
            permits: cores,
            queue: cores.saturating_mul(128),
            below_minimum: false,
            imported_bcrypt_cost: Some(LOOPBACK_COST),
        }
    }

    /// Hashes a new password with a salt of its own.
    ///
    /// # Errors
    ///
    /// [`Unavailable`] if the queue is full or there is no randomness.
    pub async fn hash(&self, password: Password, random: &dyn Random) -> Result<PasswordHash, Unavailable> {
        let mut salt = [0; SALT_LENGTH];
        random.fill(&mut salt)?;
        let hash = self
            .run(move |shared| {
                let output = shared.argon2(&shared.params, Version::V0x13, Algorithm::Argon2id, &password, &salt)?;
                encode(&shared.params, &salt, &output)
            })
            .await?;
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
        self.run(move |shared| {
            let began = Instant::now();
            let verified = match hash {
                Some(hash) => shared.verify(&password, &hash),
                None => shared.verify_nobody(&password),
            };
            (verified, shared.pace.after(began))
        })
        .await
    }

    /// How many hashes were computed since the start, for tests and metrics: equal for a known and
    /// an unknown user.
    #[must_use]
    pub fn hashes(&self) -> u64 {
        self.0.hashes.load(Ordering::Relaxed)
    }

    /// How much memory waits for the next hashes, in bytes: at most one hash with the hasher's own
    /// parameters for each permit. For tests and metrics.
    #[must_use]
    pub fn idle_memory(&self) -> usize {
        let blocks = self.0.memory.lock().unwrap_or_else(PoisonError::into_inner);
        blocks.iter().map(|blocks| blocks.capacity().saturating_mul(size_of::<Block>())).sum()
    }

    /// Waits for a permit and runs `work` on a thread that may block. If the caller goes away, the
    /// work is finished all the same and only then gives its permit back: a client that hangs up
    /// cannot make more run at a time.
    async fn run<T: Send + 'static>(&self, work: impl FnOnce(&Shared) -> T + Send + 'static) -> Result<T, HasherError> {
        let permit = self.permit().await?;
        let shared = Arc::clone(&self.0);
        tokio::task::spawn_blocking(move || {
            let result = work(&shared);
            drop(permit);
            result
        })
        .await
        .map_err(|_| HasherError::Stopped)
    }

    async fn permit(&self) -> Result<OwnedSemaphorePermit, HasherError> {
        let shared = &self.0;
        if let Ok(permit) = Arc::clone(&shared.permits).try_acquire_owned() {
            return Ok(permit);
        }
        let _place = Place::take(shared)?;
        Arc::clone(&shared.permits).acquire_owned().await.map_err(|_| HasherError::Stopped)
    }
}

/// A place in the queue, given back when it is dropped, also if the request is abandoned while it
/// waits.
struct Place<'a>(&'a Shared);

impl<'a> Place<'a> {
    fn take(shared: &'a Shared) -> Result<Self, HasherError> {
        let taken = shared.waiting.fetch_add(1, Ordering::Relaxed);
        let place = Self(shared);
        if taken >= shared.queue { Err(HasherError::Busy { retry_after: RETRY_AFTER }) } else { Ok(place) }
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Seconds after which who found the queue full should come back: about what half a queue takes.
const RETRY_AFTER: u64 = 1;

impl Shared {
    /// One hash, in memory that is taken from the pool and given back.
    fn argon2(
        &self,
        params: &Params,
        version: Version,
        algorithm: Algorithm,
        password: &Password,
        salt: &[u8],
    ) -> Option<[u8; OUTPUT_LENGTH]> {
        let mut output = [0; OUTPUT_LENGTH];
        let argon2 = Argon2::new(algorithm, version, params.clone());
        let needed = params.block_count();
        // A hash that was stored with more memory than ours brings its own, which goes with it: no
        // permit keeps that.
        let is_ours = needed <= self.params.block_count();
        let pooled = || self.memory.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut memory = is_ours.then(pooled).flatten().unwrap_or_default();
        if memory.len() < needed {
            memory.resize(if is_ours { self.params.block_count() } else { needed }, Block::new());
        }
        let done = argon2.hash_password_into_with_memory(password.expose().as_bytes(), salt, &mut output, &mut memory);
        if is_ours {
            self.memory.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
        }
        self.count_hash();
        done.ok().map(|()| output)
    }

    fn count_hash(&self) {
        self.hashes.fetch_add(1, Ordering::Relaxed);
    }
}

fn encode(params: &Params, salt: &[u8], output: &[u8]) -> Option<PasswordHash> {
    let hash = phc::PasswordHash {
        algorithm: Algorithm::Argon2id.ident(),
        version: Some(Version::V0x13.into()),
        params: params.try_into().ok()?,
        salt: Some(phc::Salt::new(salt).ok()?),
        hash: Some(phc::Output::new(output).ok()?),
    };
    Some(PasswordHash::from_stored(hash.to_string()))
}
