//! Which keys may verify a token, and what each is for: rules 4 and 5.

use std::fmt;
use std::sync::Arc;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER;

use super::algorithm::Algorithm;
use super::error::JwtConfigError;
use super::pem;
use super::token::Token;

/// Keys tried for one token. Each costs a signature check (about 0.1 ms); issuers have two or three
/// at a time.
const MAX_TRIES: usize = 8;
/// RFC 7518 §3.2: a key of at least the size of the hash.
const MIN_SECRET: usize = 32;
/// RFC 7518 §3.3.
const MIN_RSA_BITS: usize = 2048;
/// Beyond this a check costs milliseconds, and aws-lc refuses.
const MAX_RSA_BITS: usize = 8192;

/// A key and what it is for. Its bytes are wiped when it is dropped.
pub(crate) struct Key {
    pub(crate) algorithm: Algorithm,
    kid: Option<String>,
    /// The only issuer whose tokens it may verify, if it is one of a foreign issuer.
    pub(crate) issuer: Option<Arc<str>>,
    decoding: DecodingKey,
}

/// The key that verifies `token`, if one does.
pub(crate) fn signer_of<'k>(keys: &'k [Key], token: &Token<'_>) -> Option<&'k Key> {
    keys.iter().filter(|key| key.is_for(token)).take(MAX_TRIES).find(|key| key.verifies(token))
}

impl Key {
    fn new(algorithm: Algorithm, decoding: DecodingKey) -> Self {
        Self { algorithm, kid: None, issuer: None, decoding }
    }

    pub(super) fn named(self, kid: Option<String>) -> Self {
        Self { kid, ..self }
    }

    /// True if its algorithm is the token's, and its name is, as far as both have one.
    pub(crate) fn is_for(&self, token: &Token<'_>) -> bool {
        self.algorithm == token.algorithm
            && match (&self.kid, &token.kid) {
                (Some(own), Some(wanted)) => own == wanted,
                _ => true,
            }
    }

    fn verifies(&self, token: &Token<'_>) -> bool {
        // The provider is named here and not looked up in the process: another crate's choice must
        // not change ours.
        (DEFAULT_PROVIDER.verifier_factory)(&self.algorithm.jws(), &self.decoding)
            .is_ok_and(|verifier| verifier.verify(token.message, &token.signature).is_ok())
    }

    pub(crate) fn hs256(secret: &[u8]) -> Result<Self, JwtConfigError> {
        if secret.len() < MIN_SECRET {
            return Err(JwtConfigError::WeakSecret { bytes: secret.len() });
        }
        if pem::looks_like_a_key_of_two(secret) {
            return Err(JwtConfigError::NotASecret);
        }
        Ok(Self::new(Algorithm::Hs256, DecodingKey::from_secret(secret)))
    }

    pub(crate) fn hs256_base64url(secret: &str) -> Result<Self, JwtConfigError> {
        Self::hs256(&base64url(secret.trim_end_matches('='), "the HS256 secret")?)
    }

    pub(crate) fn es256_pem(pem: &[u8]) -> Result<Self, JwtConfigError> {
        Self::es256_point(&pem::p256_point(pem)?)
    }

    pub(crate) fn es256_components(x: &str, y: &str) -> Result<Self, JwtConfigError> {
        let (x, y) = (base64url(x, "x of the EC key")?, base64url(y, "y of the EC key")?);
        if x.len() != 32 || y.len() != 32 {
            return Err(JwtConfigError::BadKey { what: "x and y of a P-256 key are 32 bytes each" });
        }
        Self::es256_point(&[&[4], &*x, &*y].concat())
    }

    /// `point`: the byte 4, x, y. One that is not on the curve is refused by aws-lc at each use.
    fn es256_point(point: &[u8]) -> Result<Self, JwtConfigError> {
        Ok(Self::new(Algorithm::Es256, DecodingKey::from_ec_der(point)))
    }

    pub(crate) fn eddsa_pem(pem: &[u8]) -> Result<Self, JwtConfigError> {
        Self::eddsa_point(&pem::ed25519_point(pem)?)
    }

    pub(crate) fn eddsa_components(x: &str) -> Result<Self, JwtConfigError> {
        Self::eddsa_point(&base64url(x, "x of the Ed25519 key")?)
    }

    fn eddsa_point(point: &[u8]) -> Result<Self, JwtConfigError> {
        let mut y =
            <[u8; 32]>::try_from(point).map_err(|_| JwtConfigError::BadKey { what: "an Ed25519 key is 32 bytes" })?;
        y[31] &= 0x7f; // the sign of x
        if SMALL_ORDER.contains(&URL_SAFE_NO_PAD.encode(y).as_str()) {
            return Err(JwtConfigError::BadKey {
                what: "this Ed25519 key is a point of small order: anyone can sign for it",
            });
        }
        Ok(Self::new(Algorithm::EdDsa, DecodingKey::from_ed_der(point)))
    }

    pub(crate) fn rs256_components(issuer: &Arc<str>, n: &str, e: &str) -> Result<Self, JwtConfigError> {
        let (n, e) = (base64url(n, "n of the RSA key")?, base64url(e, "e of the RSA key")?);
        let n: Vec<u8> = n.into_iter().skip_while(|byte| *byte == 0).collect();
        let bits = n.len() * 8 - n.first().map_or(0, |byte| byte.leading_zeros() as usize);
        if !(MIN_RSA_BITS..=MAX_RSA_BITS).contains(&bits) {
            return Err(JwtConfigError::RsaKeySize { bits });
        }
        // Odd, more than 1, and at most 33 bits: what is in use is 65537, and 3 in old keys.
        let odd = e.last().is_some_and(|byte| byte % 2 == 1);
        if !odd || e.len() > 5 || e.iter().rev().skip(1).all(|byte| *byte == 0) && e.last() == Some(&1) {
            return Err(JwtConfigError::BadKey { what: "the RSA key's exponent is not usable" });
        }
        let key = Self::new(Algorithm::Rs256, DecodingKey::from_rsa_raw_components(&n, &e));
        Ok(Self { issuer: Some(issuer.clone()), ..key })
    }
}

/// Says what it is for, not what it is.
impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}([redacted])", self.algorithm)
    }
}

fn base64url(text: &str, what: &'static str) -> Result<Vec<u8>, JwtConfigError> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| JwtConfigError::NotBase64Url { what })
}

/// The Ed25519 points whose order divides 8, and second spellings of two of them, without the sign:
/// signatures can be made for these without a private key (RFC 8725 §3.4: validate what comes in).
const SMALL_ORDER: [&str; 7] = [
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "7P_______________________________________38",
    "7f_______________________________________38",
    "7v_______________________________________38",
    "xxdqcD1N2E-6PAt2DRBnDyogU_osOczGTsf9d5KsA3o",
    "JuiVj8KyJ7BFw_SJ8u-Y8NXfrAXTxjM5sTgCiG1T_AU",
];
