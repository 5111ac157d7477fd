//! The self-test of a backend, before it is used: it must compute the same hashes as the reference.

use argon2::{Algorithm, Params, Version};

use super::backend::{Backend, Input, NewBackend, OUTPUT_LENGTH};
use super::reference;

/// Small parameters of every kind: memory in KiB, passes, lanes.
const SMALL: [(u32, u32, u32); 5] = [(8, 1, 1), (64, 2, 1), (67, 3, 1), (96, 2, 3), (256, 1, 4)];

/// `candidate` if it computes what the reference computes, otherwise the reference and a line in
/// the log. It is compared with small parameters of every kind, and with the hasher's own ones.
pub(super) fn verified(candidate: NewBackend, own: &Params) -> NewBackend {
    if is_equal(&mut *candidate(own), own) {
        return candidate;
    }
    tracing::error!(
        "the argon2 implementation of the feature `argon2-simd` computes wrong hashes on this machine, so the slower \
         one is used; please report this with the model of the processor"
    );
    reference::new
}

fn is_equal(candidate: &mut dyn Backend, own: &Params) -> bool {
    let mut reference = reference::new(own);
    let mut is_equal = |algorithm, version, params: &Params, password: &[u8]| {
        let input = Input { algorithm, version, params, password, salt: b"salt of self-test" };
        let (mut expected, mut output) = ([0; OUTPUT_LENGTH], [0; OUTPUT_LENGTH]);
        reference.hash(input, &mut expected) && candidate.hash(input, &mut output) && output == expected
    };
    // Longer than a block of BLAKE2b, with every byte.
    let long: Vec<u8> = (0..=u8::MAX).collect();
    for (memory, passes, lanes) in SMALL {
        let Ok(params) = Params::new(memory, passes, lanes, None) else { return false };
        for algorithm in [Algorithm::Argon2id, Algorithm::Argon2i, Algorithm::Argon2d] {
            for version in [Version::V0x13, Version::V0x10] {
                if ![&b""[..], b"password", &long].iter().all(|p| is_equal(algorithm, version, &params, p)) {
                    return false;
                }
            }
        }
    }
    is_equal(Algorithm::Argon2id, Version::V0x13, own, b"password")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tracing::span::{Attributes, Id, Record};
    use tracing::{Event, Level, Metadata, Subscriber};

    use super::*;

    /// Counts lines of the level `ERROR`.
    struct Errors(Arc<AtomicUsize>);

    impl Subscriber for Errors {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() == Level::ERROR
        }
        fn new_span(&self, _: &Attributes<'_>) -> Id {
            Id::from_u64(1)
        }
        fn record(&self, _: &Id, _: &Record<'_>) {}
        fn record_follows_from(&self, _: &Id, _: &Id) {}
        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn enter(&self, _: &Id) {}
        fn exit(&self, _: &Id) {}
    }

    fn own() -> Params {
        Params::new(128, 2, 1, Some(OUTPUT_LENGTH)).unwrap()
    }

    /// A hash of a candidate as it was verified, and how many errors were logged.
    fn hash_by_verified(candidate: NewBackend) -> ([u8; OUTPUT_LENGTH], usize) {
        let errors = Arc::new(AtomicUsize::new(0));
        let backend = tracing::subscriber::with_default(Errors(Arc::clone(&errors)), || verified(candidate, &own()));
        (hash_by(backend), errors.load(Ordering::Relaxed))
    }

    fn hash_by(backend: NewBackend) -> [u8; OUTPUT_LENGTH] {
        let (mut output, params) = ([0; OUTPUT_LENGTH], own());
        let (algorithm, version) = (Algorithm::Argon2id, Version::V0x13);
        let input = Input { algorithm, version, params: &params, password: b"p", salt: b"somesalt" };
        assert!(backend(&params).hash(input, &mut output));
        output
    }

    /// Wrong for these inputs only.
    struct Wrong(Box<dyn Backend>, fn(&Input<'_>) -> bool);

    impl Backend for Wrong {
        fn hash(&mut self, input: Input<'_>, output: &mut [u8]) -> bool {
            let is_done = self.0.hash(input, output);
            if self.1(&input) {
                output[31] ^= 1;
            }
            is_done
        }
        fn idle_memory(&self) -> usize {
            0
        }
    }

    #[test]
    fn a_backend_that_computes_wrong_hashes_is_replaced_by_the_reference_and_logged() {
        let wrong: [NewBackend; 4] = [
            |params| Box::new(Wrong(reference::new(params), |_| true)),
            |params| Box::new(Wrong(reference::new(params), |input| input.password.is_empty())),
            |params| Box::new(Wrong(reference::new(params), |input| input.params.p_cost() == 4)),
            // With the own parameters alone.
            |params| Box::new(Wrong(reference::new(params), |input| input.params.m_cost() == 128)),
        ];
        for candidate in wrong {
            assert_eq!(hash_by_verified(candidate), (hash_by(reference::new), 1));
        }
    }

    #[test]
    fn a_backend_that_computes_right_hashes_is_used_and_nothing_is_logged() {
        // It is wrong for the input of this test only, so that the output tells that it was used.
        let right: NewBackend = |params| Box::new(Wrong(reference::new(params), |input| input.password == b"p"));
        let (output, errors) = hash_by_verified(right);
        assert_eq!(errors, 0);
        assert_ne!(output, hash_by(reference::new));
        assert_eq!(hash_by_verified(super::super::simd::new), (hash_by(reference::new), 0));
    }
}
