//! How are Wix's signed tokens written: `JWS.` and the three parts of a JSON Web Signature, signed
//! with HMAC-SHA256.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// What every token begins with.
const PREFIX: &str = "JWS.";
/// The one way of signing that is known. `none` and all others are refused (ASVS 9.1.2).
const ALGORITHM: &str = "HS256";
/// Longer texts are no token of anybody's: a session token has about 540 bytes.
const MAX_BYTES: usize = 4096;
/// Longer names of keys are refused.
const MAX_KID_BYTES: usize = 64;

/// Why a token is not taken. A client is told that it is not valid and no more; this is for the app
/// and its log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It is not written as a token is: prefix, three parts, base64url without padding, the members
    /// in each part.
    #[error("the token is malformed")]
    Malformed,
    /// It is signed in another way than HS256, or not at all.
    #[error("the token is not signed with HS256")]
    Algorithm,
    /// No key of this purpose has its `kid`. So it is with an approval token where a session token
    /// belongs, and the other way round.
    #[error("no key of this purpose has the kid of the token")]
    UnknownKey,
    /// The signature is another.
    #[error("the signature of the token is wrong")]
    Signature,
    /// Its times contradict each other, or it was made in the future.
    #[error("the times in the token contradict each other")]
    IssuedAt,
    /// It came too late.
    #[error("the token came too late")]
    Expired,
    /// It is of another site.
    #[error("the token is of another site")]
    OtherSite,
    /// It was used before, or is not known to have been issued.
    #[error("the token was used before")]
    Used,
    /// The member was blocked or approved, or has another password or address, since it was issued.
    #[error("the member has changed since the token was issued")]
    Outdated,
}

/// A token in its three parts, none of them checked. Nobody outside of this crate gets one: what it
/// says is nobody's word until [`TokenKeys::verify`] has verified it.
pub(crate) struct Jws {
    pub(crate) kid: String,
    /// JSON.
    pub(crate) payload: String,
    /// 32 bytes, if it is a signature.
    pub(crate) signature: Vec<u8>,
}

/// The members in the order in which they are written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header<'a> {
    #[serde(borrow)]
    kid: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    alg: std::borrow::Cow<'a, str>,
}

impl Jws {
    /// Takes a token apart.
    pub(crate) fn parse(token: &str) -> Result<Self, TokenError> {
        let parts = token.strip_prefix(PREFIX).filter(|_| token.len() <= MAX_BYTES).ok_or(TokenError::Malformed)?;
        let mut parts = parts.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(TokenError::Malformed);
        };
        let header = decode(header)?;
        let header: Header<'_> = serde_json::from_slice(&header).map_err(|_| TokenError::Malformed)?;
        if header.alg != ALGORITHM {
            return Err(TokenError::Algorithm);
        }
        let payload = String::from_utf8(decode(payload)?).map_err(|_| TokenError::Malformed)?;
        Ok(Self { kid: header.kid.into_owned(), payload, signature: decode(signature)? })
    }

    /// Puts it together.
    pub(crate) fn encode(&self) -> String {
        format!("{}.{}", signed_part(&self.kid, &self.payload), URL_SAFE_NO_PAD.encode(&self.signature))
    }
}

fn decode(part: &str) -> Result<Vec<u8>, TokenError> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| TokenError::Malformed)
}

/// All but the signature, prefix included.
fn signed_part(kid: &str, payload: &str) -> String {
    let header = Header { kid: kid.into(), alg: ALGORITHM.into() };
    // Two texts are always JSON.
    let header = serde_json::to_string(&header).unwrap_or_default();
    format!("{PREFIX}{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload))
}

/// What is signed: all but prefix and signature.
fn signing_input(token: &str) -> Option<&str> {
    let (signed, _) = token.strip_prefix(PREFIX)?.rsplit_once('.')?;
    Some(signed)
}

/// The keys that tokens of one purpose are signed with: one that signs, and those before it, which
/// only verify until their tokens have ended.
///
/// ```
/// use gatekit_wix::TokenKeys;
///
/// # let (secret, before) = ([7; 32], [8; 32]);
/// let keys = TokenKeys::new("2026-11", secret)?.older("2026-10", before)?;
/// # Ok::<_, gatekit_wix::TokenKeyError>(())
/// ```
///
/// `Debug` shows their names alone; they are wiped from memory when they are dropped.
#[derive(Clone)]
pub struct TokenKeys {
    current: Key,
    older: Vec<Key>,
}

#[derive(Clone)]
struct Key {
    kid: String,
    /// To be compared with other keys.
    secret: Zeroizing<Vec<u8>>,
    mac: Hmac<Sha256>,
}

/// Why a key is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenKeyError {
    /// It is shorter than [`TokenKeys::MIN_BYTES`].
    #[error("the key has {0} bytes; it must have at least {min}", min = TokenKeys::MIN_BYTES)]
    TooShort(usize),
    /// Its name is empty, longer than 64 bytes, or not of letters, digits, `-` and `_`.
    #[error("{0:?} is not a kid: 1 to 64 letters, digits, `-` and `_`")]
    Kid(String),
    /// Another key has the same name, or is the same key.
    #[error("two keys have the kid {0:?}, or are the same")]
    Twice(String),
}

impl TokenKeys {
    /// The shortest key, in bytes: as many as the signature has (RFC 7518 §3.2, ASVS 11.2.3).
    pub const MIN_BYTES: usize = 32;

    /// With the key that signs and the name it is known by. The bytes must be random:
    /// `openssl rand 32` makes such a key.
    ///
    /// # Errors
    ///
    /// [`TokenKeyError`].
    pub fn new(kid: impl Into<String>, secret: impl AsRef<[u8]>) -> Result<Self, TokenKeyError> {
        Ok(Self { current: Key::new(kid.into(), secret.as_ref())?, older: Vec::new() })
    }

    /// With a key from before, whose tokens are still taken.
    ///
    /// # Errors
    ///
    /// [`TokenKeyError`].
    pub fn older(mut self, kid: impl Into<String>, secret: impl AsRef<[u8]>) -> Result<Self, TokenKeyError> {
        let key = Key::new(kid.into(), secret.as_ref())?;
        if self.all().any(|other| other.is_like(&key)) {
            return Err(TokenKeyError::Twice(key.kid));
        }
        self.older.push(key);
        Ok(self)
    }

    /// A key that both have, by its name: a token of one purpose could be taken for one of the
    /// other.
    pub(crate) fn shared_with(&self, other: &Self) -> Option<&str> {
        let shared = self.all().find(|key| other.all().any(|other| other.is_like(key)));
        shared.map(|key| key.kid.as_str())
    }

    /// Signs.
    pub(crate) fn sign(&self, payload: &str) -> String {
        let kid = self.current.kid.clone();
        let signed = signed_part(&kid, payload);
        let input = signed.strip_prefix(PREFIX).unwrap_or_default();
        let signature = self.current.mac.clone().chain_update(input).finalize().into_bytes().to_vec();
        Jws { kid, payload: payload.to_owned(), signature }.encode()
    }

    /// The payload, if one of these keys has signed it. Signatures are compared in constant time.
    pub(crate) fn verify(&self, token: &str) -> Result<String, TokenError> {
        let jws = Jws::parse(token)?;
        let key = self.all().find(|key| key.kid == jws.kid).ok_or(TokenError::UnknownKey)?;
        let input = signing_input(token).ok_or(TokenError::Malformed)?;
        let signed = key.mac.clone().chain_update(input).verify_slice(&jws.signature);
        signed.map_err(|_| TokenError::Signature)?;
        Ok(jws.payload)
    }

    /// Keys for another purpose, made of these, the current one's first. `label` says what for; it
    /// is no signing input of a token, which has a point in it.
    pub(crate) fn derive(&self, label: &[u8]) -> impl Iterator<Item = [u8; 32]> {
        self.all().map(move |key| key.mac.clone().chain_update(label).finalize().into_bytes().into())
    }

    fn all(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.older)
    }
}

impl Key {
    fn new(kid: String, secret: &[u8]) -> Result<Self, TokenKeyError> {
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if kid.is_empty() || kid.len() > MAX_KID_BYTES || !kid.chars().all(is_name) {
            return Err(TokenKeyError::Kid(kid));
        }
        let too_short = || TokenKeyError::TooShort(secret.len());
        if secret.len() < TokenKeys::MIN_BYTES {
            return Err(too_short());
        }
        let mac = Hmac::new_from_slice(secret).map_err(|_| too_short())?;
        Ok(Self { kid, secret: Zeroizing::new(secret.to_vec()), mac })
    }

    fn is_like(&self, other: &Self) -> bool {
        self.kid == other.kid || bool::from(self.secret.as_slice().ct_eq(other.secret.as_slice()))
    }
}

impl fmt::Debug for TokenKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kids: Vec<&str> = self.all().map(|key| key.kid.as_str()).collect();
        f.debug_struct("TokenKeys").field("kids", &kids).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys() -> TokenKeys {
        TokenKeys::new("testKid1", "wix-conformance-key-0123456789ab").unwrap()
    }

    fn with_header(header: &str) -> String {
        let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode("{}"));
        let signature = keys().current.mac.chain_update(&signed).finalize().into_bytes();
        format!("JWS.{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    #[test]
    fn what_was_signed_is_verified() {
        let token = keys().sign(r#"{"a":1}"#);
        assert_eq!(token.matches('.').count(), 3);
        assert_eq!(keys().verify(&token).unwrap(), r#"{"a":1}"#);
        assert_eq!(keys().verify(&with_header(r#"{"kid":"testKid1","alg":"HS256"}"#)).unwrap(), "{}");
    }

    /// 9.1.1, 9.1.2
    #[test]
    fn every_other_way_of_signing_is_refused() {
        for alg in ["none", "None", "hs256", "HS512", "RS256", ""] {
            let token = with_header(&format!(r#"{{"kid":"testKid1","alg":"{alg}"}}"#));
            assert_eq!(keys().verify(&token), Err(TokenError::Algorithm), "{alg}");
        }
        let unsigned = format!("JWS.{}..", URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#));
        assert_eq!(keys().verify(&unsigned), Err(TokenError::Malformed));
    }

    #[test]
    fn a_header_that_is_not_ours_is_refused() {
        for header in [
            r#"{"alg":"HS256"}"#,
            r#"{"kid":"testKid1"}"#,
            r#"{"kid":1,"alg":"HS256"}"#,
            r#"{"kid":"testKid1","alg":"HS256","crit":["x"]}"#,
            r#"{"kid":"testKid1","kid":"testKid1","alg":"HS256"}"#,
            "[]",
            "",
            "null",
        ] {
            assert_eq!(keys().verify(&with_header(header)), Err(TokenError::Malformed), "{header}");
        }
        let other = with_header(r#"{"kid":"testKid2","alg":"HS256"}"#);
        assert_eq!(keys().verify(&other), Err(TokenError::UnknownKey));
    }

    #[test]
    fn every_changed_character_is_noticed() {
        let token = keys().sign(r#"{"data":"x","iat":1}"#);
        for (index, old) in token.char_indices() {
            for new in ['A', 'B', '.', '=', ' ', '-'] {
                if new != old {
                    let mut changed = token.clone();
                    changed.replace_range(index..=index, &new.to_string());
                    assert!(keys().verify(&changed).is_err(), "{changed}");
                }
            }
        }
        for changed in [
            format!("{token} "),
            format!(" {token}"),
            format!("{token}="),
            format!("{token}."),
            token.replace("JWS.", ""),
            token.replace("JWS.", "jws."),
            format!("JWS.{token}"),
            String::new(),
            "JWS....".into(),
            "x".repeat(100_000),
        ] {
            assert!(keys().verify(&changed).is_err(), "{changed}");
        }
    }

    #[test]
    fn an_older_key_verifies_and_does_not_sign() {
        let old = keys();
        let both =
            TokenKeys::new("next", [9; 32]).unwrap().older("testKid1", "wix-conformance-key-0123456789ab").unwrap();
        assert!(both.verify(&old.sign("{}")).is_ok());
        assert_eq!(Jws::parse(&both.sign("{}")).unwrap().kid, "next");
        assert_eq!(old.verify(&both.sign("{}")), Err(TokenError::UnknownKey));
    }

    #[test]
    fn keys_that_protect_nothing_are_refused() {
        assert_eq!(TokenKeys::new("a", [1; 31]).unwrap_err(), TokenKeyError::TooShort(31));
        for kid in ["", "a b", "a.b", "ä", &"a".repeat(65)] {
            assert_eq!(TokenKeys::new(kid, [1; 32]).unwrap_err(), TokenKeyError::Kid(kid.into()));
        }
        let twice = |kid, secret| TokenKeys::new("a", [1; 32]).unwrap().older(kid, secret).unwrap_err();
        assert_eq!(twice("a", [2; 32]), TokenKeyError::Twice("a".into()));
        assert_eq!(twice("b", [1; 32]), TokenKeyError::Twice("b".into()));
    }

    /// LEAK-2
    #[test]
    fn debug_shows_no_key() {
        let shown = format!("{:?}", keys());
        assert!(shown.contains("testKid1") && !shown.contains("conformance"), "{shown}");
    }
}
