//! Computes argon2 hashes in memory that is kept: at most one block of it for each permit.

use std::sync::{Mutex, PoisonError};

use argon2::Params;

use super::backend::{Backend, Input, NewBackend, OUTPUT_LENGTH};

pub(super) struct Engine {
    /// The parameters of new hashes. Backends for these are kept.
    own: Params,
    new_backend: NewBackend,
    /// Backends that compute nothing now.
    idle: Mutex<Vec<Box<dyn Backend>>>,
}

impl Engine {
    pub(super) fn new(own: Params) -> Self {
        let new_backend = new_backend(&own);
        Self::with_backend(own, new_backend)
    }

    pub(super) fn with_backend(own: Params, new_backend: NewBackend) -> Self {
        Self { own, new_backend, idle: Mutex::new(Vec::new()) }
    }

    /// The parameters of new hashes.
    pub(super) fn own_params(&self) -> &Params {
        &self.own
    }

    /// One hash; `None` if the input cannot be hashed.
    pub(super) fn hash(&self, input: Input<'_>) -> Option<[u8; OUTPUT_LENGTH]> {
        let mut output = [0; OUTPUT_LENGTH];
        // A hash that was stored with more memory than ours brings its own, which goes with it: no
        // permit keeps that.
        let is_done = if input.params.block_count() > self.own.block_count() {
            (self.new_backend)(input.params).hash(input, &mut output)
        } else {
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut backend = kept.unwrap_or_else(|| (self.new_backend)(&self.own));
            let is_done = backend.hash(input, &mut output);
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(backend);
            is_done
        };
        is_done.then_some(output)
    }

    /// Bytes of memory that wait for the next hashes.
    pub(super) fn idle_memory(&self) -> usize {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.iter().map(|backend| backend.idle_memory()).sum()
    }
}

#[cfg(not(feature = "argon2-simd"))]
fn new_backend(_: &Params) -> NewBackend {
    super::reference::new
}

#[cfg(feature = "argon2-simd")]
fn new_backend(own: &Params) -> NewBackend {
    super::self_test::verified(super::simd::new, own)
}
