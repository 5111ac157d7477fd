//! The keys that sign tokens. Keys that are known to be weak are refused.

use std::fmt;

use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey};
use sha2::{Digest, Sha256};

/// RFC 7518 §3.2: a key of at least the size of the hash.
const MIN_BYTES: usize = 32;
/// What CM-Well signs with unless somebody has set a secret. Tokens that were signed with it are in
/// public repositories.
const DEFAULT_SECRET: &[u8] = b"changeMeFromCMWellConsole";

/// A secret that signs tokens, or signed them before it was replaced: HMAC SHA-256.
///
/// At least 32 random bytes, not a password (RFC 8725 §3.5), made for this and used for nothing
/// else (ASVS 11.1.1): `openssl rand -base64 48`. Whoever has it can sign in as anybody. `Debug`
/// prints `[redacted]`; the memory is wiped when it is dropped.
///
/// ```
/// use gatekit_cmwell::{SigningKey, SigningKeyError};
///
/// let key = SigningKey::new(b"conformance-test-key-0123456789abcdef")?;
/// assert_eq!(format!("{key:?}"), "SigningKey([redacted])");
/// assert_eq!(SigningKey::new("changeMeFromCMWellConsole").unwrap_err(), SigningKeyError::Default);
/// # Ok::<_, SigningKeyError>(())
/// ```
#[derive(Clone)]
pub struct SigningKey {
    // Both wipe their bytes.
    signing: EncodingKey,
    verifying: DecodingKey,
    mark: KeyMark,
}

/// What tells whether two keys are the same, and nothing of what they are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct KeyMark([u8; 32]);

impl KeyMark {
    pub(crate) fn of(secret: &[u8]) -> Self {
        Self(Sha256::digest(secret).into())
    }
}

/// Why a secret is refused. It is found out when the app starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SigningKeyError {
    /// It is too short to be random enough.
    #[error(
        "a signing key must have at least {MIN_BYTES} bytes, and this one has {bytes}: take one from `openssl rand -base64 48`"
    )]
    Short {
        /// How many bytes it has.
        bytes: usize,
    },
    /// It is CM-Well's default, which everybody knows, or made of it.
    #[error("this signing key is CM-Well's default, which everybody knows: take one from `openssl rand -base64 48`")]
    Default,
    /// It is one byte again and again.
    #[error("this signing key is one byte again and again: take one from `openssl rand -base64 48`")]
    Constant,
}

impl SigningKey {
    /// From the bytes of the secret, as they are: CM-Well's `play.http.secret.key` is the text
    /// itself, not its Base64.
    ///
    /// # Errors
    ///
    /// [`SigningKeyError`] for one that could be guessed.
    pub fn new(secret: impl AsRef<[u8]>) -> Result<Self, SigningKeyError> {
        let secret = secret.as_ref();
        if secret.windows(DEFAULT_SECRET.len()).any(|part| part.eq_ignore_ascii_case(DEFAULT_SECRET)) {
            return Err(SigningKeyError::Default);
        }
        if secret.len() < MIN_BYTES {
            return Err(SigningKeyError::Short { bytes: secret.len() });
        }
        if secret.iter().all(|byte| Some(byte) == secret.first()) {
            return Err(SigningKeyError::Constant);
        }
        Ok(Self {
            signing: EncodingKey::from_secret(secret),
            verifying: DecodingKey::from_secret(secret),
            mark: KeyMark::of(secret),
        })
    }

    pub(crate) fn mark(&self) -> KeyMark {
        self.mark
    }

    /// The signature of `message`.
    pub(crate) fn sign(&self, message: &[u8]) -> Option<Vec<u8>> {
        // The provider is named here and not looked up in the process: another crate's choice must
        // not change ours.
        let signer = (DEFAULT_PROVIDER.signer_factory)(&Algorithm::HS256, &self.signing).ok()?;
        signer.try_sign(message).ok()
    }

    /// Whether `signature` is the one of `message`, found out in constant time.
    pub(crate) fn verifies(&self, message: &[u8], signature: &Vec<u8>) -> bool {
        (DEFAULT_PROVIDER.verifier_factory)(&Algorithm::HS256, &self.verifying)
            .is_ok_and(|verifier| verifier.verify(message, signature).is_ok())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey([redacted])")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// U5, J-6, V-114: nothing is signed with a key that could be guessed.
    #[test]
    fn a_key_that_could_be_guessed_is_refused() {
        for (secret, error) in [
            ("", SigningKeyError::Short { bytes: 0 }),
            ("0123456789abcdef0123456789abcde", SigningKeyError::Short { bytes: 31 }),
            ("changeMeFromCMWellConsole", SigningKeyError::Default),
            ("changemefromcmwellconsole", SigningKeyError::Default),
            ("changeMeFromCMWellConsolechangeMeFromCMWellConsole", SigningKeyError::Default),
            ("                                ", SigningKeyError::Constant),
        ] {
            assert_eq!(SigningKey::new(secret).unwrap_err(), error, "{secret:?}");
        }
        SigningKey::new([0; 64]).unwrap_err();
        SigningKey::new("0123456789abcdef0123456789abcdef").unwrap();
    }

    #[test]
    fn a_signature_is_good_for_its_message_and_key_only() {
        let (one, other) =
            (SigningKey::new("a".repeat(31) + "1").unwrap(), SigningKey::new("a".repeat(31) + "2").unwrap());
        let signature = one.sign(b"message").unwrap();
        assert!(one.verifies(b"message", &signature));
        assert!(!other.verifies(b"message", &signature));
        assert!(!one.verifies(b"massage", &signature));
        assert!(!one.verifies(b"message", &Vec::new()));
        assert!(!one.verifies(b"message", &signature[..31].to_vec()));
    }
}
