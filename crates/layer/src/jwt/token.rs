//! What a token says, and whether it may be believed: rules 1 to 3 and 6 to 11.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use gatekit_core::{StoreError, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::unique_names::UniqueNames;

/// Bytes a token may have. Proxies and servers limit whole header fields to about as much.
const MAX_TOKEN: usize = 8 * 1024;
/// Seconds: the end of the year 9999. Later times are milliseconds by mistake, or nonsense.
const MAX_NUMERIC_DATE: i64 = 253_402_300_799;

/// Why a token was refused. For the log: it quotes nothing of the token.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("it is longer than {MAX_TOKEN} bytes")]
    TooLong,
    #[error("it is not three parts of base64url")]
    Form,
    #[error("its header is not a JSON object with unique names, or one of them has the wrong type")]
    Header,
    #[error("its header asks for an extension (crit, b64, zip, enc or a nested JWT)")]
    Extension,
    #[error("its `typ` is another")]
    TokenType,
    #[error("no key is for its `alg`")]
    Algorithm,
    #[error("no key verifies its signature")]
    Signature,
    #[cfg_attr(not(feature = "jwks-url"), expect(dead_code, reason = "only fetched keys can be missing"))]
    #[error("{0}")]
    NoKeys(StoreError),
    #[error("its claims are not a JSON object with unique names")]
    Claims,
    #[error("its `iss` is missing or another")]
    Issuer,
    #[error("its `aud` is missing or another")]
    Audience,
    #[error("`{0}` is missing, or not whole seconds since 1970")]
    Time(&'static str),
    #[error("its `nbf` or `iat` is in the future")]
    NotYet,
    #[error("it has expired")]
    Expired,
    #[error("its claims do not fit the app's type of claims")]
    Unfit,
}

/// A token of the right form. Nothing in it is to be believed yet.
pub(crate) struct Token<'t> {
    pub(crate) algorithm: Algorithm,
    pub(crate) kid: Option<String>,
    /// What is signed: header, dot, claims, as they came.
    pub(crate) message: &'t [u8],
    pub(crate) signature: Vec<u8>,
    claims: &'t str,
}

impl<'t> Token<'t> {
    pub(crate) fn parse(token: &'t str, token_type: Option<&str>) -> Result<Self, Refused> {
        if token.len() > MAX_TOKEN {
            return Err(Refused::TooLong);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(Refused::Form)?;
        let (header, claims) = message.split_once('.').ok_or(Refused::Form)?;
        let signature = decode(signature)?;

        let UniqueNames(header) = serde_json::from_slice(&decode(header)?).map_err(|_| Refused::Header)?;
        let text = |name| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str())),
            Some(_) => Err(Refused::Header),
        };
        let nested = text("cty")?.is_some_and(|cty| media_type(cty) == "jwt");
        if nested || ["crit", "b64", "zip", "enc"].iter().any(|name| header.contains_key(*name)) {
            return Err(Refused::Extension);
        }
        if token_type.is_some() && text("typ")?.map(media_type).as_deref() != token_type {
            return Err(Refused::TokenType);
        }
        let algorithm = text("alg")?.and_then(Algorithm::from_header).ok_or(Refused::Algorithm)?;
        let kid = text("kid")?.map(str::to_owned);
        Ok(Self { algorithm, kid, message: message.as_bytes(), signature, claims })
    }

    /// The claims. Nothing in them may be believed before the signature is known to be good.
    pub(crate) fn claims(&self) -> Result<Claims, Refused> {
        let UniqueNames(claims) = serde_json::from_slice(&decode(self.claims)?).map_err(|_| Refused::Claims)?;
        Ok(Claims(claims))
    }
}

/// Strict: a padded, broken or non-canonical text is another token with the same meaning, so it is
/// none (RFC 7515 §2). A dot too many ends here as well, since it is no letter of base64url.
fn decode(part: &str) -> Result<Vec<u8>, Refused> {
    URL_SAFE_NO_PAD.decode(part).map_err(|_| Refused::Form)
}

/// A media type as it is compared: in any case, and with or without `application/` (RFC 7515
/// §4.1.9).
pub(super) fn media_type(value: &str) -> String {
    let lower = value.to_ascii_lowercase();
    lower.strip_prefix("application/").map_or(lower.clone(), str::to_owned)
}

/// The claims of a token whose signature is good.
pub(crate) struct Claims(Map<String, Value>);

/// When a token holds. Seconds.
pub(crate) struct Times {
    exp: i64,
    nbf: Option<i64>,
    iat: Option<i64>,
}

impl Claims {
    pub(crate) fn issued_by(&self, is_meant: impl Fn(&str) -> bool) -> Result<(), Refused> {
        let meant = self.0.get("iss").and_then(Value::as_str).is_some_and(is_meant);
        if meant { Ok(()) } else { Err(Refused::Issuer) }
    }

    pub(crate) fn meant_for(&self, named: &[String]) -> Result<(), Refused> {
        let is_named = |audience: &str| named.iter().any(|name| name == audience);
        let meant = match self.0.get("aud") {
            Some(Value::String(audience)) => is_named(audience),
            // All of them are texts, or it is not an audience at all.
            Some(Value::Array(all)) => {
                all.iter().all(Value::is_string) && all.iter().filter_map(Value::as_str).any(is_named)
            }
            _ => false,
        };
        if meant { Ok(()) } else { Err(Refused::Audience) }
    }

    /// A time that cannot be read is not a time that is absent (CVE-2026-25537).
    pub(crate) fn times(&self) -> Result<Times, Refused> {
        let read = |name| match self.0.get(name) {
            None => Ok(None),
            Some(value) => match value.as_i64() {
                Some(seconds @ 0..=MAX_NUMERIC_DATE) => Ok(Some(seconds)),
                _ => Err(Refused::Time(name)),
            },
        };
        Ok(Times { exp: read("exp")?.ok_or(Refused::Time("exp"))?, nbf: read("nbf")?, iat: read("iat")? })
    }

    /// Whose token it is.
    pub(crate) fn subject(&self) -> Option<String> {
        self.0.get("sub").and_then(Value::as_str).map(str::to_owned)
    }

    /// As what the app wants to see. The serde error is dropped: it may quote a claim.
    pub(crate) fn into_type<C: DeserializeOwned>(self) -> Result<C, Refused> {
        C::deserialize(Value::Object(self.0)).map_err(|_| Refused::Unfit)
    }
}

impl Times {
    pub(crate) fn hold_at(&self, now_ms: i64, leeway_seconds: i64) -> Result<(), Refused> {
        let has_come = |seconds: i64| now_ms >= (seconds - leeway_seconds) * 1000;
        if ![self.nbf, self.iat].into_iter().flatten().all(has_come) {
            return Err(Refused::NotYet);
        }
        // "On or after" `exp` it is over (RFC 7519 §4.1.4).
        let Timestamp(end) = self.end(leeway_seconds);
        if now_ms >= end { Err(Refused::Expired) } else { Ok(()) }
    }

    pub(crate) fn end(&self, leeway_seconds: i64) -> Timestamp {
        Timestamp((self.exp + leeway_seconds) * 1000)
    }
}
