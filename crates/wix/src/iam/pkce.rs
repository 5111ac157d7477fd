//! Proof Key for Code Exchange (RFC 7636): checks that the client that brings a code is the one
//! that asked for it. S256 only: with `plain`, a reader of the request has the verifier (RFC 9700
//! §2.1.1).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// SHA-256 of the verifier, as base64url without padding: 43 characters.
const CHALLENGE: usize = 43;

/// What was sent with the request for a code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Challenge(String);

impl Challenge {
    /// Reads one. `None` unless it is S256's.
    pub(crate) fn parse(challenge: &str, method: &str) -> Option<Self> {
        let decoded = URL_SAFE_NO_PAD.decode(challenge).ok()?;
        (method == "S256" && challenge.len() == CHALLENGE && decoded.len() == 32).then(|| Self(challenge.to_owned()))
    }

    /// Whether this is what it was made of. A verifier has 43 to 128 characters (RFC 7636 §4.1): a
    /// shorter one could be guessed.
    pub(crate) fn is_of(&self, verifier: &str) -> bool {
        let allowed = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        if !(43..=128).contains(&verifier.len()) || !verifier.bytes().all(allowed) {
            return false;
        }
        let made = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier.as_bytes()));
        made.as_bytes().ct_eq(self.0.as_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B.
    const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    /// O-4
    #[test]
    fn the_vector_of_rfc_7636_is_kept() {
        let challenge = Challenge::parse(CHALLENGE, "S256").unwrap();
        assert!(challenge.is_of(VERIFIER));
        assert!(!challenge.is_of(&VERIFIER.replace('d', "e")));
        assert!(!challenge.is_of(CHALLENGE));
    }

    /// O-4
    #[test]
    fn plain_and_what_is_no_digest_are_no_challenges() {
        assert!(Challenge::parse(VERIFIER, "plain").is_none());
        assert!(Challenge::parse(CHALLENGE, "s256").is_none());
        for wrong in ["", "E9Melhoa", &CHALLENGE[1..], &format!("{CHALLENGE}="), &CHALLENGE.replace('-', "+")] {
            assert!(Challenge::parse(wrong, "S256").is_none(), "{wrong}");
        }
    }

    #[test]
    fn a_verifier_of_another_length_or_alphabet_is_none() {
        for wrong in ["short".to_owned(), "a".repeat(42), "a".repeat(129), "ä".repeat(43), " ".repeat(43)] {
            let digest = URL_SAFE_NO_PAD.encode(Sha256::digest(wrong.as_bytes()));
            assert!(!Challenge::parse(&digest, "S256").unwrap().is_of(&wrong), "{wrong}");
        }
    }
}
