//! What an implementation of argon2 must do. There are two: `reference.rs`, and with the feature
//! `argon2-simd` the faster `simd.rs`.

use argon2::{Algorithm, Params, Version};

/// Bytes of every hash that is written or verified.
pub(super) const OUTPUT_LENGTH: usize = 32;

/// What a hash is computed of.
#[derive(Clone, Copy)]
pub(super) struct Input<'a> {
    pub(super) algorithm: Algorithm,
    pub(super) version: Version,
    pub(super) params: &'a Params,
    pub(super) password: &'a [u8],
    pub(super) salt: &'a [u8],
}

/// An implementation with the memory that it works in. Hashes that follow each other use the same
/// memory.
pub(super) trait Backend: Send {
    /// Fills `output`. Returns whether the input can be hashed.
    fn hash(&mut self, input: Input<'_>, output: &mut [u8]) -> bool;

    /// Bytes of memory that are kept for the next hash.
    fn idle_memory(&self) -> usize;
}

/// Makes a backend whose memory is enough for these parameters. The memory is allocated when it is
/// first needed.
pub(super) type NewBackend = fn(&Params) -> Box<dyn Backend>;
