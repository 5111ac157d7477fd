//! Which keys of a JWK set are taken.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use super::algorithm::Algorithm;
use super::error::JwtConfigError;
use super::keys::Key;

/// Bytes of JSON text; issuers publish a few thousand.
pub(crate) const MAX_TEXT: usize = 512 * 1024;
/// Keys in one set; issuers publish two to ten.
const MAX_KEYS: usize = 64;

/// A JWK set (RFC 7517): `{"keys": [..]}`, or a single JWK. From JSON text of up to 512 KiB, or
/// from a value; up to 64 keys.
///
/// Taken are EC keys on P-256 (ES256), OKP keys on Ed25519 (EdDSA), `oct` keys (HS256), and RSA
/// keys (RS256) if the set is that of a named foreign issuer, which has no others. Passed over, as
/// RFC 7517 §5 wants it, are keys of other types, for other algorithms or uses (`use` other than
/// `sig`, `key_ops` without `verify`), and broken or weak ones. A set of which nothing is left is
/// an error. Private members are not read.
///
/// ```
/// use gatekit_layer::jwt::Jwks;
///
/// let from_text = Jwks::from(r#"{"keys": []}"#);
/// let from_value = Jwks::from(serde_json::json!({"keys": []}));
/// ```
pub struct Jwks(Result<Value, JwtConfigError>);

/// Whose set it is, which decides what may be in it.
#[derive(Clone)]
pub(crate) enum Origin {
    /// The app's own configuration.
    Own,
    /// The web. A shared secret that is published is none.
    #[cfg_attr(not(feature = "jwks-url"), expect(dead_code, reason = "only for fetched keys"))]
    Published,
    /// A named foreign issuer, whose keys are for its own tokens.
    Foreign(Arc<str>),
}

impl Origin {
    pub(crate) fn has(&self, algorithm: Algorithm) -> bool {
        match self {
            Self::Own => algorithm != Algorithm::Rs256,
            Self::Published => matches!(algorithm, Algorithm::Es256 | Algorithm::EdDsa),
            Self::Foreign(_) => algorithm == Algorithm::Rs256,
        }
    }
}

impl From<&str> for Jwks {
    fn from(text: &str) -> Self {
        Self(if text.len() > MAX_TEXT {
            Err(JwtConfigError::JwksTooLarge)
        } else {
            serde_json::from_str(text).map_err(|_| JwtConfigError::NotJwks)
        })
    }
}

impl From<String> for Jwks {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Value> for Jwks {
    fn from(value: Value) -> Self {
        Self(Ok(value))
    }
}

impl fmt::Debug for Jwks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jwks([redacted])")
    }
}

impl Jwks {
    pub(crate) fn into_keys(self, origin: &Origin) -> Result<Vec<Key>, JwtConfigError> {
        let entries = match self.0? {
            Value::Object(mut set) => match set.remove("keys") {
                Some(Value::Array(entries)) => entries,
                None if set.contains_key("kty") => vec![Value::Object(set)],
                _ => return Err(JwtConfigError::NotJwks),
            },
            _ => return Err(JwtConfigError::NotJwks),
        };
        if entries.len() > MAX_KEYS {
            return Err(JwtConfigError::JwksTooLarge);
        }
        let mut keys = Vec::new();
        let mut first_problem = None;
        for entry in entries {
            let Ok(jwk) = Jwk::deserialize(entry) else { continue };
            match jwk.into_key(origin) {
                Ok(key) => keys.extend(key),
                Err(problem) => {
                    tracing::warn!(%problem, "a key of a JWK set was passed over");
                    first_problem.get_or_insert(problem);
                }
            }
        }
        if keys.is_empty() { Err(first_problem.unwrap_or(JwtConfigError::NoUsableKey)) } else { Ok(keys) }
    }
}

/// The public members that matter. There is no field for a private one.
#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    x: Option<String>,
    y: Option<String>,
    n: Option<String>,
    e: Option<String>,
    k: Option<String>,
}

impl Jwk {
    /// `None` if it is not meant for verifying tokens, or not with an algorithm that is spoken
    /// here.
    fn into_key(self, origin: &Origin) -> Result<Option<Key>, JwtConfigError> {
        let algorithm = match (self.kty.as_str(), self.crv.as_deref()) {
            ("EC", Some("P-256")) => Algorithm::Es256,
            ("OKP", Some("Ed25519")) => Algorithm::EdDsa,
            ("oct", _) => Algorithm::Hs256,
            ("RSA", _) => Algorithm::Rs256,
            _ => return Ok(None),
        };
        let for_signatures = self.usage.as_deref().is_none_or(|usage| usage == "sig")
            && self.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
        let for_algorithm = self.alg.as_deref().is_none_or(|alg| Algorithm::from_header(alg) == Some(algorithm));
        if !for_signatures || !for_algorithm || !origin.has(algorithm) {
            return Ok(None);
        }
        let member = |value: &Option<String>| {
            value.clone().ok_or(JwtConfigError::BadKey { what: "a member of a JWK is missing" })
        };
        let key = match (algorithm, origin) {
            (Algorithm::Es256, _) => Key::es256_components(&member(&self.x)?, &member(&self.y)?),
            (Algorithm::EdDsa, _) => Key::eddsa_components(&member(&self.x)?),
            (Algorithm::Hs256, _) => Key::hs256_base64url(&member(&self.k)?),
            (Algorithm::Rs256, Origin::Foreign(issuer)) => {
                Key::rs256_components(issuer, &member(&self.n)?, &member(&self.e)?)
            }
            (Algorithm::Rs256, _) => return Ok(None),
        }?;
        Ok(Some(key.named(self.kid)))
    }
}
