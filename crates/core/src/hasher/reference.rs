//! The reference: RustCrypto's crate `argon2`. Every other backend is compared with it.

use argon2::{Argon2, Block, Params};

use super::backend::{Backend, Input};

/// A block of memory, with the number of blocks it is to have.
struct Reference {
    blocks: usize,
    memory: Vec<Block>,
}

pub(super) fn new(params: &Params) -> Box<dyn Backend> {
    Box::new(Reference { blocks: params.block_count(), memory: Vec::new() })
}

impl Backend for Reference {
    fn hash(&mut self, input: Input<'_>, output: &mut [u8]) -> bool {
        let needed = self.blocks.max(input.params.block_count());
        if self.memory.len() < needed {
            self.memory.resize(needed, Block::new());
        }
        let argon2 = Argon2::new(input.algorithm, input.version, input.params.clone());
        argon2.hash_password_into_with_memory(input.password, input.salt, output, &mut self.memory).is_ok()
    }

    fn idle_memory(&self) -> usize {
        self.memory.capacity().saturating_mul(size_of::<Block>())
    }
}
