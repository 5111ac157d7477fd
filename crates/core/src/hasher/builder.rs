//! The settings of a hasher, and which of them are accepted.

use std::num::NonZeroUsize;

use argon2::Params;

use super::backend::OUTPUT_LENGTH;
use crate::ConfigError;

/// The settings of a [`Hasher`](crate::Hasher).
#[derive(Clone, Debug)]
#[must_use]
pub struct HasherBuilder {
    memory_kib: u32,
    iterations: u32,
    parallelism: u32,
    pub(super) permits: usize,
    pub(super) queue: usize,
    below_minimum: bool,
    pub(super) imported_bcrypt_cost: Option<u32>,
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
    /// user, for any other user, and for an unknown one. The wait costs neither a permit nor a
    /// thread. A right password does not wait.
    ///
    /// With `None` a refusal does not wait. That is safe only where no hash was imported: otherwise
    /// the time tells which users were imported.
    pub fn imported_bcrypt_cost(mut self, cost: Option<u32>) -> Self {
        self.imported_bcrypt_cost = cost;
        self
    }

    /// Accepts parameters below ASVS 11.4.2, so that tests do not spend their time hashing.
    pub fn insecure_below_minimum(mut self) -> Self {
        self.below_minimum = true;
        self
    }

    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        Self {
            memory_kib: MEMORY_KIB,
            iterations: ITERATIONS,
            parallelism: 1,
            permits: cores,
            queue: cores.saturating_mul(128),
            below_minimum: false,
            imported_bcrypt_cost: Some(LOOPBACK_COST),
        }
    }

    /// The parameters of argon2, if all settings are accepted.
    pub(super) fn check(&self) -> Result<Params, ConfigError> {
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
        Params::new(self.memory_kib, self.iterations, self.parallelism, Some(OUTPUT_LENGTH))
            .map_err(|error| ConfigError::Hasher(error.to_string()))
    }
}
