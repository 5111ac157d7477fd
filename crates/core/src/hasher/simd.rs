//! The crate `argon2-rust`, which uses the vector instructions that it finds when it runs: AVX2,
//! AVX-512 or NEON. It computes the same hashes as the reference in about half the time.
//!
//! It has many `unsafe` blocks and no audit, so `self_test.rs` compares it with the reference
//! before it is used.

use argon2::{Algorithm, Block, Params, Version};
use argon2_rust::params::{Memory, TagLen};

use super::backend::{Backend, Input};
use super::reference;

/// Its hasher keeps its memory. It wipes the memory after each hash.
struct Simd(argon2_rust::Hasher);

/// The parameters come with each hash, and the memory grows with the first one.
pub(super) fn new(_: &Params) -> Box<dyn Backend> {
    let (algorithm, version) = (argon2_rust::Algorithm::Argon2id, argon2_rust::Version::V0x13);
    Box::new(Simd(argon2_rust::Argon2::new(algorithm, version, argon2_rust::Params::default()).hasher()))
}

impl Backend for Simd {
    fn hash(&mut self, input: Input<'_>, output: &mut [u8]) -> bool {
        let done = argon2_for(&input, output.len()).and_then(|argon2| {
            self.0.set_argon2(argon2);
            self.0.hash_into(input.password, input.salt, output)
        });
        // The reference says which input cannot be hashed. It also computes what fails here alone,
        // for instance because memory is short.
        done.is_ok() || reference::new(input.params).hash(input, output)
    }

    fn idle_memory(&self) -> usize {
        self.0.reserved_blocks().saturating_mul(Block::SIZE)
    }
}

fn argon2_for(input: &Input<'_>, output_length: usize) -> Result<argon2_rust::Argon2, argon2_rust::Error> {
    let algorithm = match input.algorithm {
        Algorithm::Argon2d => argon2_rust::Algorithm::Argon2d,
        Algorithm::Argon2i => argon2_rust::Algorithm::Argon2i,
        Algorithm::Argon2id => argon2_rust::Algorithm::Argon2id,
    };
    let version = match input.version {
        Version::V0x10 => argon2_rust::Version::V0x10,
        Version::V0x13 => argon2_rust::Version::V0x13,
    };
    let params = argon2_rust::Params::builder()
        .memory(Memory::kib(input.params.m_cost().into()))
        .passes(input.params.t_cost())
        .lanes(input.params.p_cost())
        // One thread: a permit is for one core.
        .threads(1)
        .tag_len(TagLen::bytes(output_length as u64))
        .build()?;
    Ok(argon2_rust::Argon2::new(algorithm, version, params))
}
