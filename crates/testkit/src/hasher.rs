//! Hashing that costs a test nothing.

use gatekit_core::Hasher;

/// A hasher with the least memory argon2 takes, for tests: thousands of hashes a second. Never for
/// an app that runs.
///
/// # Panics
///
/// Never: the parameters are fixed.
///
/// ```
/// use gatekit_core::{Auth, MemoryStore};
/// use gatekit_testkit::fast_hasher;
///
/// let store = MemoryStore::new();
/// let auth: Auth = Auth::builder(store).hasher(fast_hasher()).build()?;
/// # Ok::<_, gatekit_core::ConfigError>(())
/// ```
#[must_use]
pub fn fast_hasher() -> Hasher {
    Hasher::builder()
        .memory_kib(8)
        .iterations(1)
        .insecure_below_minimum()
        // Refusals do not wait, either.
        .imported_bcrypt_cost(None)
        .build()
        .expect("argon2 takes 8 KiB and one iteration")
}
