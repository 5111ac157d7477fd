//! The keys that seal Digest's secrets. They are derived from a key of the app.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

use crate::keys::KeyMark;

/// What AES-256 and HMAC-SHA-256 want.
const MIN_BYTES: usize = 32;

/// The key that seals what Digest keeps of a password, and by which its nonces are known.
///
/// It is the app's: 32 bytes or more from a random source, kept apart from the database (an
/// environment variable, a secret's file), the same on every node, and not the key that signs
/// tokens. This key and the database together are enough to log in as every user who turned
/// Digest on.
///
/// ```
/// use gatekit_cmwell::SealingKey;
///
/// let key = SealingKey::new("another-test-key-fedcba9876543210")?;
/// assert_eq!(format!("{key:?}"), "SealingKey([redacted])");
/// assert!(SealingKey::new("too short").is_err());
/// # Ok::<_, gatekit_cmwell::SealingKeyError>(())
/// ```
///
/// # To change it
///
/// 1. Start with the new key, and the old one as additional key: new credentials are sealed with
///    the new one, old ones can still be opened.
/// 2. A credential is sealed anew when its user turns Digest on again. Those who have not when you
///    take the old key away log in by Basic: theirs cannot be opened, which is as if there were
///    none.
#[derive(Clone)]
pub struct SealingKey {
    /// Tells which of several keys sealed something.
    pub(super) id: [u8; 4],
    pub(super) seal: Zeroizing<[u8; 32]>,
    pub(super) nonce: Zeroizing<[u8; 32]>,
    pub(super) opaque: Zeroizing<[u8; 32]>,
    pub(super) mark: KeyMark,
}

/// Why a key is refused. It is found out when the app starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealingKeyError {
    /// It is too short to be random enough (ASVS 11.2.3).
    #[error(
        "a sealing key must have at least {MIN_BYTES} bytes, and this one has {bytes}: take one from `openssl rand -base64 48`"
    )]
    Short {
        /// How many bytes it has.
        bytes: usize,
    },
    /// It is one byte again and again.
    #[error("this sealing key is one byte again and again: take one from `openssl rand -base64 48`")]
    Constant,
}

impl SealingKey {
    /// From the bytes of the secret, as they are. A different key is derived from it for each use.
    ///
    /// # Errors
    ///
    /// [`SealingKeyError`] for one that could be guessed.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, SealingKeyError> {
        let bytes = secret.as_ref();
        if bytes.len() < MIN_BYTES {
            return Err(SealingKeyError::Short { bytes: bytes.len() });
        }
        if bytes.iter().all(|byte| Some(byte) == bytes.first()) {
            return Err(SealingKeyError::Constant);
        }
        let [a, b, c, d, ..] = *derive(bytes, "id");
        Ok(Self {
            id: [a, b, c, d],
            seal: derive(bytes, "seal"),
            nonce: derive(bytes, "nonce"),
            opaque: derive(bytes, "opaque"),
            mark: KeyMark::of(bytes),
        })
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey([redacted])")
    }
}

fn derive(key: &[u8], purpose: &str) -> Zeroizing<[u8; 32]> {
    mac(key, &[b"gatekit cmwell digest", purpose.as_bytes()])
}

/// HMAC-SHA-256 over `parts`, each with its length in front, so that no two lists are the same
/// bytes.
pub(super) fn mac(key: &[u8], parts: &[&[u8]]) -> Zeroizing<[u8; 32]> {
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), &framed(parts));
    let mut bytes = Zeroizing::new([0; 32]);
    for (to, from) in bytes.iter_mut().zip(tag.as_ref()) {
        *to = *from;
    }
    bytes
}

/// `parts`, each with its length in front.
pub(super) fn framed(parts: &[&[u8]]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&(part.len() as u64).to_be_bytes());
        bytes.extend_from_slice(part);
    }
    bytes
}

#[cfg(test)]
pub(super) fn test_key(number: u8) -> SealingKey {
    SealingKey::new(format!("{number:03}-conformance-test-key-0123456789abcdef")).unwrap()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_could_be_guessed_is_refused() {
        assert_eq!(
            SealingKey::new("0123456789abcdef0123456789abcde").err(),
            Some(SealingKeyError::Short { bytes: 31 })
        );
        assert_eq!(SealingKey::new("").err(), Some(SealingKeyError::Short { bytes: 0 }));
        assert_eq!(SealingKey::new([7; 64]).err(), Some(SealingKeyError::Constant));
        assert!(SealingKey::new("0123456789abcdef0123456789abcdef").is_ok());
    }

    #[test]
    fn each_use_has_a_key_of_its_own() {
        let key = test_key(1);
        let all = [&*key.seal, &*key.nonce, &*key.opaque];
        for (i, one) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|other| one != other));
        }
        assert_ne!(key.id, test_key(2).id);
    }

    #[test]
    fn where_a_part_ends_counts() {
        assert_ne!(framed(&[b"ab", b"c"]), framed(&[b"a", b"bc"]));
        assert_ne!(framed(&[b"a", b""]), framed(&[b"a"]));
    }
}
