//! Makes nonces, and checks that a nonce is ours, for this challenge, and not too old (RFC 7616
//! §3.3 and §5.4).
//!
//! A nonce says so itself, by its signature: making one costs no store and no memory. Only one that
//! logged somebody in is remembered.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use gatekit_core::Timestamp;
use subtle::ConstantTimeEq;

use super::algorithm::Algorithm;
use super::keys::{SealingKey, mac};

/// Random bytes in a nonce (ASVS 6.7.2 asks for 64 bits, and that it is unique).
pub(super) const RANDOM: usize = 16;
const TIME: usize = 8;
const MAC: usize = 32;

/// When a nonce was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Made(Timestamp);

impl Made {
    /// The end of its life: it is good strictly before.
    pub(super) fn expires(self, ttl: i64) -> Timestamp {
        self.0.plus_seconds(ttl)
    }

    /// Whether it is too old. One from the future is too: another node's clock is wrong, and ours
    /// would keep it for long.
    pub(super) fn is_expired(self, now: Timestamp, ttl: i64) -> bool {
        now >= self.expires(ttl) || self.0 >= now.plus_seconds(ttl)
    }
}

/// A new nonce for a challenge of this realm and algorithm: base64 of time, random bytes and
/// signature.
pub(super) fn make(
    key: &SealingKey,
    realm: &str,
    algorithm: Algorithm,
    now: Timestamp,
    random: [u8; RANDOM],
) -> String {
    let time = now.0.to_be_bytes();
    let mut bytes = Vec::with_capacity(TIME + RANDOM + MAC);
    bytes.extend_from_slice(&time);
    bytes.extend_from_slice(&random);
    bytes.extend_from_slice(&*sign(key, &time, &random, realm, algorithm));
    URL_SAFE_NO_PAD.encode(bytes)
}

/// When this nonce was made, if it is one of ours for this realm and algorithm, under any of the
/// keys.
pub(super) fn read(keys: &[SealingKey], realm: &str, algorithm: Algorithm, nonce: &str) -> Option<Made> {
    let bytes = URL_SAFE_NO_PAD.decode(nonce).ok()?;
    let (time, rest) = bytes.split_first_chunk::<TIME>()?;
    let (random, signature) = rest.split_first_chunk::<RANDOM>()?;
    let is_ours = |key: &SealingKey| bool::from(sign(key, time, random, realm, algorithm).ct_eq(signature));
    keys.iter().any(is_ours).then(|| Made(Timestamp(i64::from_be_bytes(*time))))
}

fn sign(
    key: &SealingKey,
    time: &[u8; TIME],
    random: &[u8; RANDOM],
    realm: &str,
    algorithm: Algorithm,
) -> zeroize::Zeroizing<[u8; MAC]> {
    mac(&*key.nonce, &[time, random, realm.as_bytes(), algorithm.name().as_bytes()])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::keys::test_key as key;

    const NOW: Timestamp = Timestamp(1_700_000_000_123);

    /// DG-8
    #[test]
    fn a_nonce_is_good_for_its_realm_its_algorithm_and_its_key() {
        let nonce = make(&key(1), "cmwell", Algorithm::Sha256, NOW, [9; RANDOM]);
        assert_eq!(nonce.len(), 75);
        assert_eq!(read(&[key(1)], "cmwell", Algorithm::Sha256, &nonce), Some(Made(NOW)));
        assert_eq!(read(&[key(2), key(1)], "cmwell", Algorithm::Sha256, &nonce), Some(Made(NOW)));
        assert_eq!(read(&[key(2)], "cmwell", Algorithm::Sha256, &nonce), None);
        assert_eq!(read(&[key(1)], "other", Algorithm::Sha256, &nonce), None);
        assert_eq!(read(&[key(1)], "cmwell", Algorithm::Md5, &nonce), None);
    }

    /// DG-8
    #[test]
    fn no_bit_of_a_nonce_can_be_another() {
        let nonce = make(&key(1), "cmwell", Algorithm::Sha256, NOW, [9; RANDOM]);
        let bytes = URL_SAFE_NO_PAD.decode(&nonce).unwrap();
        for bit in 0..bytes.len() * 8 {
            let mut forged = bytes.clone();
            forged[bit / 8] ^= 1 << (bit % 8);
            let forged = URL_SAFE_NO_PAD.encode(forged);
            assert_eq!(read(&[key(1)], "cmwell", Algorithm::Sha256, &forged), None, "bit {bit}");
        }
        for forged in [&nonce[1..], &nonce[..74], &format!("{nonce}A"), &format!("{nonce}="), "", "AAAA"] {
            assert_eq!(read(&[key(1)], "cmwell", Algorithm::Sha256, forged), None, "{forged}");
        }
    }

    #[test]
    fn a_nonce_ends_and_does_not_come_from_the_future() {
        let made = Made(NOW);
        assert!(!made.is_expired(NOW, 120));
        assert!(!made.is_expired(Timestamp(NOW.0 + 119_999), 120));
        assert!(made.is_expired(Timestamp(NOW.0 + 120_000), 120));
        assert!(!made.is_expired(Timestamp(NOW.0 - 119_999), 120));
        assert!(made.is_expired(Timestamp(NOW.0 - 120_000), 120));
    }
}
