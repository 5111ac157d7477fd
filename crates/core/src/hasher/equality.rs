//! Both implementations of argon2 compute the same hashes, and each verifies what the other wrote.

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Algorithm, Argon2, AssociatedData, Block, Params, ParamsBuilder, Version};
use argon2_rust::params::{Memory, TagLen};

use super::backend::{Input, NewBackend, OUTPUT_LENGTH};
use super::engine::Engine;
use super::stored::StoredHashes;
use super::{reference, simd};
use crate::Password;

/// Cases of each property. A case that fails is printed with its parameters.
const CASES: u64 = 400;

const ALGORITHMS: [(Algorithm, argon2_rust::Algorithm); 3] = [
    (Algorithm::Argon2id, argon2_rust::Algorithm::Argon2id),
    (Algorithm::Argon2i, argon2_rust::Algorithm::Argon2i),
    (Algorithm::Argon2d, argon2_rust::Algorithm::Argon2d),
];
const VERSIONS: [(Version, argon2_rust::Version); 2] =
    [(Version::V0x13, argon2_rust::Version::V0x13), (Version::V0x10, argon2_rust::Version::V0x10)];

/// SplitMix64: the same cases in every run.
struct Cases(u64);

impl Cases {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `from..=to`.
    fn number(&mut self, from: u32, to: u32) -> u32 {
        from + u32::try_from(self.next() % u64::from(to - from + 1)).unwrap()
    }

    fn one<T: Copy>(&mut self, of: &[T]) -> T {
        of[usize::try_from(self.next() % of.len() as u64).unwrap()]
    }

    fn bytes(&mut self, from: u32, to: u32) -> Vec<u8> {
        (0..self.number(from, to)).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    /// Memory in KiB, passes, lanes.
    fn costs(&mut self) -> (u32, u32, u32) {
        let lanes = self.number(1, 5);
        // From the least memory on, and sizes that are no multiple of what a lane needs.
        let memory = 8 * lanes + self.number(0, 300);
        (memory, self.number(1, 4), lanes)
    }

    /// Mostly short, now and then empty or longer than a block of BLAKE2b.
    fn password(&mut self) -> Vec<u8> {
        match self.number(0, 9) {
            0 => Vec::new(),
            1 => self.bytes(127, 129),
            2 => self.bytes(200, 1000),
            _ => self.bytes(1, 40),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn both_compute_the_same_hash_of_every_input() {
    let mut cases = Cases(1);
    // One hasher for all cases, so that memory which another hash has used is used again.
    let params = argon2_rust::Params::default();
    let mut kept = argon2_rust::Argon2::new(ALGORITHMS[0].1, VERSIONS[0].1, params).hasher();
    for case in 0..CASES {
        let (memory, passes, lanes) = cases.costs();
        let ((algorithm, simd_algorithm), (version, simd_version)) = (cases.one(&ALGORITHMS), cases.one(&VERSIONS));
        let (password, salt, secret, data) =
            (cases.password(), cases.bytes(8, 64), cases.bytes(0, 32), cases.bytes(0, 32));
        let length = cases.one(&[4, 16, 31, 32, 33, 63, 64, 65, 96, 100, 257]);

        let mut params = ParamsBuilder::new();
        params.m_cost(memory).t_cost(passes).p_cost(lanes).output_len(length);
        params.data(AssociatedData::new(&data).unwrap());
        let params = params.build().unwrap();
        let mut expected = vec![0; length];
        let mut blocks = vec![Block::new(); params.block_count()];
        Argon2::new_with_secret(&secret, algorithm, version, params)
            .unwrap()
            .hash_password_into_with_memory(&password, &salt, &mut expected, &mut blocks)
            .unwrap();

        let params = argon2_rust::Params::builder().memory(Memory::kib(memory.into())).passes(passes).lanes(lanes);
        let params = params.threads(1).tag_len(TagLen::bytes(length as u64)).build().unwrap();
        kept.set_argon2(argon2_rust::Argon2::new(simd_algorithm, simd_version, params));
        let mut output = vec![0; length];
        kept.hash_into_with_ad(&password, &salt, &secret, &data, &mut output).unwrap();
        assert_eq!(
            hex(&output),
            hex(&expected),
            "case {case}: {algorithm} {version:?} m={memory} t={passes} p={lanes}, {} bytes of password, {} of salt, {} of secret, \
             {} of data, {length} of output",
            password.len(),
            salt.len(),
            secret.len(),
            data.len(),
        );
    }
}

#[test]
fn both_backends_compute_the_same_and_refuse_the_same_salts() {
    let mut cases = Cases(2);
    let own = Params::new(340, 4, 1, Some(OUTPUT_LENGTH)).unwrap();
    let (mut reference, mut simd) = (reference::new(&own), simd::new(&own));
    for case in 0..CASES {
        let (memory, passes, lanes) = cases.costs();
        let params = Params::new(memory, passes, lanes, Some(OUTPUT_LENGTH)).unwrap();
        let ((algorithm, _), (version, _)) = (cases.one(&ALGORITHMS), cases.one(&VERSIONS));
        let (password, salt) = (cases.password(), cases.bytes(0, 24));
        let input = Input { algorithm, version, params: &params, password: &password, salt: &salt };
        let (mut expected, mut output) = ([0; OUTPUT_LENGTH], [0; OUTPUT_LENGTH]);
        let accepted = reference.hash(input, &mut expected);
        assert_eq!(accepted, salt.len() >= 8, "case {case}");
        assert_eq!(simd.hash(input, &mut output), accepted, "case {case}: {} bytes of salt", salt.len());
        if accepted {
            assert_eq!(output, expected, "case {case}: {algorithm} {version:?} m={memory} t={passes} p={lanes}");
        }
    }
}

/// What a hasher with this backend writes and verifies.
fn stored(backend: NewBackend, (memory, passes, lanes): (u32, u32, u32)) -> StoredHashes {
    let own = Params::new(memory, passes, lanes, Some(OUTPUT_LENGTH)).unwrap();
    StoredHashes::with_engine(Engine::with_backend(own, backend), None).unwrap()
}

#[test]
fn each_verifies_the_hashes_that_the_other_has_stored() {
    let mut cases = Cases(3);
    for _ in 0..CASES / 8 {
        // Parameters of the one that verifies are smaller or larger than those that are stored.
        let costs = cases.costs();
        let (one, other) = (stored(reference::new, costs), stored(simd::new, cases.costs()));
        let salt: [u8; 16] = cases.bytes(16, 16).try_into().unwrap();
        for password in ["", "correct horse battery", "pässwörd", &"long ".repeat(60)] {
            let (password, wrong) = (Password::from(password), Password::from("a wrong one"));
            for (writes, verifies) in [(&one, &other), (&other, &one), (&other, &other)] {
                let hash = writes.hash(&password, &salt).unwrap();
                assert!(verifies.verify(&password, Some(&hash)).0.matches, "{hash:?}");
                assert!(!verifies.verify(&wrong, Some(&hash)).0.matches, "{hash:?}");
            }
        }
        let same = stored(simd::new, costs);
        let password = Password::from("correct horse battery");
        let (text, expected) = (same.hash(&password, &salt).unwrap(), one.hash(&password, &salt).unwrap());
        assert_eq!(text.expose(), expected.expose(), "the stored strings are equal");
    }
}

/// PHC strings that each crate writes and reads by itself.
#[test]
fn each_crate_verifies_the_strings_of_the_other() {
    let mut cases = Cases(4);
    for case in 0..CASES / 4 {
        let (memory, passes, lanes) = cases.costs();
        let ((algorithm, simd_algorithm), (version, simd_version)) = (cases.one(&ALGORITHMS), cases.one(&VERSIONS));
        let (password, salt) = (cases.password(), cases.bytes(8, 48));

        let params = argon2_rust::Params::builder().memory(Memory::kib(memory.into())).passes(passes).lanes(lanes);
        let params = params.threads(1).tag_len(TagLen::bytes(32)).build().unwrap();
        let simd = argon2_rust::Argon2::new(simd_algorithm, simd_version, params);
        let written = simd.hash_encoded(&password, &salt).unwrap();
        let read = Phc::new(&written).unwrap();
        let own = Params::try_from(&read).unwrap();
        assert_eq!((own.m_cost(), own.t_cost(), own.p_cost()), (memory, passes, lanes), "case {case}: {written}");
        let mut output = [0; OUTPUT_LENGTH];
        let input = Input { algorithm, version, params: &own, password: &password, salt: &salt };
        assert!(reference::new(&own).hash(input, &mut output), "case {case}");
        assert_eq!(read.hash.unwrap().as_bytes(), output, "case {case}: {written}");

        let text = read.to_string();
        assert_eq!(text, written, "case {case}");
        assert_eq!(argon2_rust::Argon2::verify_encoded(&text, &password, simd_algorithm), Ok(()), "case {case}");
        let mut wrong = password.clone();
        wrong.push(b'x');
        assert!(argon2_rust::Argon2::verify_encoded(&text, &wrong, simd_algorithm).is_err(), "case {case}");
    }
}
