//! The parts of a token. Nothing here is to be believed before the signature is verified.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gatekit_layer::jwt::UniqueNames;
use serde_json::{Map, Value};

use crate::SigningKey;

/// Bytes a token may have. Proxies and servers limit whole header fields to about as much.
const MAX_BYTES: usize = 8 * 1024;
/// What asks for extensions that are not spoken here (RFC 7515 §4.1.11, RFC 7797, RFC 7516).
const EXTENSIONS: [&str; 5] = ["crit", "b64", "zip", "enc", "cty"];

/// A token of CM-Well's form.
pub(super) struct Parsed<'t> {
    header: &'t str,
    /// What is signed: header, dot, claims, as they came.
    message: &'t str,
    signature: Option<&'t str>,
    claims: Map<String, Value>,
}

impl<'t> Parsed<'t> {
    /// The parts, if there are two or three, with a name and a time among the claims. That is what
    /// CM-Well calls a token; whether it is a good one is another question.
    pub(super) fn of(text: &'t str) -> Option<Self> {
        if text.len() > MAX_BYTES {
            return None;
        }
        let (header, rest) = text.split_once('.')?;
        let (claims, signature) = match rest.split_once('.') {
            Some((claims, signature)) => (claims, Some(signature)),
            None => (rest, None),
        };
        let message = text.get(..header.len() + 1 + claims.len())?;
        let UniqueNames(claims) = object(claims)?;
        let named = claims.get("sub").is_some_and(|sub| sub.as_str().is_some_and(|sub| !sub.is_empty()));
        let timed = claims.get("exp").is_some_and(Value::is_number);
        (named && timed && !signature.is_some_and(|text| text.contains('.'))).then_some(Self {
            header,
            message,
            signature,
            claims,
        })
    }

    pub(super) fn is_hs256(&self) -> bool {
        let Some(UniqueNames(header)) = object(self.header) else { return false };
        let typ = header.get("typ");
        header.get("alg").and_then(Value::as_str) == Some("HS256")
            && typ.is_none_or(|typ| typ.as_str().is_some_and(|typ| typ.eq_ignore_ascii_case("JWT")))
            && !EXTENSIONS.iter().any(|name| header.contains_key(*name))
    }

    /// Whether the audience, if there is one, is this.
    pub(super) fn is_meant_for(&self, audience: &str) -> bool {
        self.claims.get("aud").is_none_or(|aud| aud.as_str() == Some(audience))
    }

    pub(super) fn is_signed_with(&self, key: &SigningKey) -> bool {
        let signature = self.signature.and_then(|signature| URL_SAFE_NO_PAD.decode(signature).ok());
        signature.is_some_and(|signature| key.verifies(self.message.as_bytes(), &signature))
    }

    /// The claims, if the token is meant for `audience`.
    pub(super) fn into_claims(self, audience: &str) -> Option<Map<String, Value>> {
        self.is_meant_for(audience).then_some(self.claims)
    }
}

/// A part as JSON. Strict: a padded, broken or non-canonical text is another token with the same
/// meaning, so it is none (RFC 7515 §2, J-15).
fn object(part: &str) -> Option<UniqueNames> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
