//! The algorithms that a key can be for.

use jsonwebtoken::Algorithm as Jws;

/// What a key is for. A key has one, and a token cannot choose another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Hs256,
    Es256,
    EdDsa,
    /// Only ever with an issuer beside it.
    Rs256,
}

impl Algorithm {
    /// By the `alg` of a header. RFC 9864 renames `EdDSA` to `Ed25519`, which is the only curve
    /// spoken here.
    pub(crate) fn from_header(alg: &str) -> Option<Self> {
        match alg {
            "HS256" => Some(Self::Hs256),
            "ES256" => Some(Self::Es256),
            "EdDSA" | "Ed25519" => Some(Self::EdDsa),
            "RS256" => Some(Self::Rs256),
            _ => None,
        }
    }

    pub(crate) fn jws(self) -> Jws {
        match self {
            Self::Hs256 => Jws::HS256,
            Self::Es256 => Jws::ES256,
            Self::EdDsa => Jws::EdDSA,
            Self::Rs256 => Jws::RS256,
        }
    }
}
