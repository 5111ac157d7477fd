//! What are Digest's secrets sealed with? A key of the app's, and what is derived from it.

use std::fmt;

use aws_lc_rs::hmac;
use zeroize::Zeroizing;

/// The key that seals what Digest keeps of a password, and by which its nonces are known.
///
/// It is the app's: 32 bytes or more from a random source, kept apart from the database (an environment variable, a secret's file), the same on
/// every node, and not the key that signs tokens. Who has this key and the database can log in as every user who turned Digest on.
///
/// ```
/// use gatekit_cmwell::SealingKey;
///
/// let key = SealingKey::new("32 random bytes, of which no one.")?;
/// assert_eq!(format!("{key:?}"), "SealingKey([redacted])");
/// assert!(SealingKey::new("too short").is_err());
/// # Ok::<_, gatekit_cmwell::SealingKeyError>(())
/// ```
///
/// # To change it
///
/// 1. Start with the new key, and the old one as additional key: new credentials are sealed with the new one, old ones can still be opened.
/// 2. A credential is sealed anew when its user turns Digest on again. Those who have not when you take the old key away log in by Basic: theirs
///    cannot be opened, which is as if there were none.
#[derive(Clone)]
pub struct SealingKey {
    /// Tells which of several keys sealed something.
    pub(super) id: [u8; 4],
    pub(super) seal: Zeroizing<[u8; 32]>,
    pub(super) nonce: Zeroizing<[u8; 32]>,
    pub(super) opaque: Zeroizing<[u8; 32]>,
}

/// Why a key is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealingKeyError {
    /// AES-256 and HMAC-SHA-256 want 32 bytes (ASVS 11.2.3).
    #[error("a sealing key has at least 32 bytes, this one has {0}: take them from a random source")]
    TooShort(usize),
}

impl SealingKey {
    /// The fewest bytes of a key.
    pub const MIN_BYTES: usize = 32;

    /// A key of these bytes. A different key is derived from it for each use.
    ///
    /// # Errors
    ///
    /// [`SealingKeyError`].
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, SealingKeyError> {
        let bytes = bytes.as_ref();
        if bytes.len() < Self::MIN_BYTES {
            return Err(SealingKeyError::TooShort(bytes.len()));
        }
        let [a, b, c, d, ..] = *derive(bytes, "id");
        Ok(Self {
            id: [a, b, c, d],
            seal: derive(bytes, "seal"),
            nonce: derive(bytes, "nonce"),
            opaque: derive(bytes, "opaque"),
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

/// HMAC-SHA-256 over `parts`, each with its length in front, so that no two lists are the same bytes.
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
mod tests {
    use super::*;

    #[test]
    fn a_short_key_is_refused() {
        assert_eq!(SealingKey::new([7; 31]).err(), Some(SealingKeyError::TooShort(31)));
        assert!(SealingKey::new([7; 32]).is_ok());
        assert!(SealingKey::new("").is_err());
    }

    #[test]
    fn each_use_has_a_key_of_its_own() {
        let key = SealingKey::new([7; 32]).unwrap();
        let all = [&[7; 32], &*key.seal, &*key.nonce, &*key.opaque];
        for (i, one) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|other| one != other));
        }
        assert_ne!(key.id, SealingKey::new([8; 32]).unwrap().id);
    }

    #[test]
    fn where_a_part_ends_counts() {
        assert_ne!(framed(&[b"ab", b"c"]), framed(&[b"a", b"bc"]));
        assert_ne!(framed(&[b"a", b""]), framed(&[b"a"]));
    }
}
